// Package webui serves the web pages of supervisord: the status page with the
// addresses and messages of Supervisor's own, a page per log, and what the
// scripts of these pages live on, which is a stream of server-sent events, log
// files by ranges of bytes, and actions (manual: Web UI).
//
// A Handler owns one hub. The hub looks at the processes for all open pages
// together, only while there is one, and keeps what it saw as numbered events
// in a ring of fixed size; each page reads the ring at its own pace, so a slow
// page costs nobody anything.
//
// Three things hold everywhere. Nothing that came from outside (names,
// messages, log bytes) gets into a page but through the escaping of a page
// template, or as text through the DOM. Nothing changes by a request that a
// browser may have been sent by another site. Every address in a page is
// relative, so that the pages work below any path of a proxy.
package webui

import (
	"context"
	"errors"
	"net/http"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	"supervisord/internal/api"
)

// Supervisor is what the pages need from the daemon; the methods are those of
// the same name that serve the XML-RPC interface.
type Supervisor interface {
	Identifier() string
	PID() int
	Mood() api.Mood

	ProcessInfo(ctx context.Context, name string) (api.ProcessInfo, error)
	AllProcessInfo(ctx context.Context) ([]api.ProcessInfo, error)
	AllConfigInfo(ctx context.Context) ([]api.ConfigInfo, error)

	StartProcess(ctx context.Context, name string, wait bool) error
	StartGroup(ctx context.Context, group string, wait bool) ([]api.ProcessStatus, error)
	StartAll(ctx context.Context, wait bool) ([]api.ProcessStatus, error)
	StopProcess(ctx context.Context, name string, wait bool) error
	StopGroup(ctx context.Context, group string, wait bool) ([]api.ProcessStatus, error)
	StopAll(ctx context.Context, wait bool) ([]api.ProcessStatus, error)

	ReloadConfig(ctx context.Context) (added, changed, removed []string, err error)
	AddGroup(ctx context.Context, group string) error
	RemoveGroup(ctx context.Context, group string) error

	MainLog() api.LogSource
	ProcessLog(ctx context.Context, name string, channel api.Channel) (api.LogSource, error)
	ClearProcessLogs(ctx context.Context, name string) error

	Changed() <-chan struct{}
}

// Options are what a Handler is made from.
type Options struct {
	Supervisor Supervisor
	// Version is the version of the interface that the pages show, such as
	// "4.3.0".
	Version string
	// Describe returns the description of a process as getProcessInfo gives
	// it, for example "pid 42, uptime 0:37:58".
	Describe func(api.ProcessInfo) string
	// Interval is the time between two measurements of CPU and memory while a
	// page is open; 0 means two seconds.
	Interval time.Duration
}

// Handler serves the pages. It is an http.Handler for every path that no other
// part of the daemon serves.
type Handler struct {
	sup      Supervisor
	version  string
	describe func(api.ProcessInfo) string
	hub      *hub
	assets   func() *assetSet // loads them with the first request that may be for one
	streams  atomic.Int32
}

// New returns a Handler.
func New(o Options) *Handler {
	if o.Interval <= 0 {
		o.Interval = 2 * time.Second
	}
	return &Handler{
		sup:      o.Supervisor,
		version:  o.Version,
		describe: o.Describe,
		hub:      newHub(o.Supervisor, o.Version, o.Interval),
		assets:   sync.OnceValue(loadAssets),
	}
}

// The content security policy lets a page use what this server serves, and
// nothing else: no inline script or style, no other host, no frame around it.
const contentSecurityPolicy = "default-src 'none'; script-src 'self'; style-src 'self'; " +
	"img-src 'self'; connect-src 'self'; form-action 'self'; base-uri 'none'; frame-ancestors 'none'"

// ServeHTTP serves one request. As with Supervisor, any number of slashes may
// stand in front of a path.
func (h *Handler) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	header := w.Header()
	header.Set("Content-Security-Policy", contentSecurityPolicy)
	header.Set("X-Content-Type-Options", "nosniff")
	header.Set("X-Frame-Options", "DENY")
	header.Set("Referrer-Policy", "same-origin")
	header.Set("Cross-Origin-Resource-Policy", "same-origin")

	path := strings.TrimLeft(r.URL.Path, "/")
	switch path {
	case "", "index.html":
		h.serveMethods(w, r, h.serveStatus, http.MethodGet, http.MethodHead, http.MethodPost)
	case "tail.html":
		h.serveMethods(w, r, h.serveTail, http.MethodGet, http.MethodHead, http.MethodPost)
	case "ok.html":
		h.serveMethods(w, r, serveOK, http.MethodGet, http.MethodHead, http.MethodPost)
	case "log.html":
		h.serveMethods(w, r, h.serveLogPage, http.MethodGet, http.MethodHead)
	case "events":
		h.serveMethods(w, r, h.serveEvents, http.MethodGet)
	case "api/log":
		h.serveMethods(w, r, h.serveLog, http.MethodGet, http.MethodHead)
	case "api/follow":
		h.serveMethods(w, r, h.serveFollow, http.MethodGet)
	case "api/action", "api/reread", "api/update":
		h.serveMethods(w, r, h.serveControl, http.MethodPost)
	default:
		assets := h.assets()
		if a := assets.byPath[path]; a != nil {
			serve := func(w http.ResponseWriter, r *http.Request) { assets.serve(w, r, a) }
			h.serveMethods(w, r, serve, http.MethodGet, http.MethodHead)
			return
		}
		h.serveError(w, r, http.StatusNotFound, "Not found", "There is nothing at this address.")
	}
}

// serveMethods calls serve for the methods that are allowed.
func (h *Handler) serveMethods(w http.ResponseWriter, r *http.Request, serve http.HandlerFunc, allowed ...string) {
	for _, m := range allowed {
		if r.Method == m {
			serve(w, r)
			return
		}
	}
	w.Header().Set("Allow", strings.Join(allowed, ", "))
	h.serveError(w, r, http.StatusMethodNotAllowed, "Method not allowed", "This address does not take "+r.Method+" requests.")
}

// serveOK answers that the server lives.
func serveOK(w http.ResponseWriter, r *http.Request) {
	w.Header().Set("Content-Type", "text/plain")
	w.Header().Set("Content-Length", "2")
	if r.Method != http.MethodHead {
		w.Write([]byte("OK"))
	}
}

// maxForm is the most bytes that the body of a form may have.
const maxForm = 64 << 10

// readForm returns the fields of a request: those of the query, and for a POST
// those of the body before them. It has answered the request if ok is false.
func (h *Handler) readForm(w http.ResponseWriter, r *http.Request) (ok bool) {
	if r.Method == http.MethodPost {
		r.Body = http.MaxBytesReader(w, r.Body, maxForm)
		if r.Header.Get("Content-Type") == "" {
			r.Header.Set("Content-Type", "application/x-www-form-urlencoded")
		}
	}
	// Of a query with a fault in it the rest counts.
	var tooLarge *http.MaxBytesError
	if err := r.ParseForm(); errors.As(err, &tooLarge) {
		h.serveError(w, r, http.StatusRequestEntityTooLarge, "Too large", "The form is too large.")
		return false
	}
	return true
}

// servePage writes an HTML page that is never kept by a cache.
func (h *Handler) servePage(w http.ResponseWriter, r *http.Request, status int, p *page, v values) {
	header := w.Header()
	header.Set("Content-Type", "text/html;charset=utf-8")
	header.Set("Cache-Control", "no-cache")
	header.Set("Pragma", "no-cache")
	header.Set("Expires", "Thu, 01 Jan 1970 00:00:00 GMT")
	w.WriteHeader(status)
	if r.Method == http.MethodHead {
		return
	}
	v["identifier"] = h.sup.Identifier()
	v["version"] = h.version
	// The client has gone if this fails: there is nobody to tell.
	_ = p.execute(w, v)
}

// serveError writes a page that says why a request was not served.
func (h *Handler) serveError(w http.ResponseWriter, r *http.Request, status int, title, text string) {
	h.servePage(w, r, status, errorPage(), values{"title": title, "text": text})
}
