package httpd

import (
	"context"
	"errors"
	"io"
	"log"
	"net"
	"net/http"
	"os"
	"strconv"
	"strings"
	"sync"
	"time"

	"supervisord/internal/api"
	"supervisord/internal/rpc"
)

const (
	// serverName is what the original calls itself.
	serverName = "Medusa/1.12"
	// maxHeader is how many bytes the header of a request may have.
	maxHeader = 64 << 10
	// headerTimeout is how long a client may take to send a header, and
	// bodyTimeout a body.
	headerTimeout = 10 * time.Second
	bodyTimeout   = time.Minute
	// restTimeout is how long a client may take to send the rest of a body that
	// nobody wants.
	restTimeout = 5 * time.Second
	// maxForm is how many bytes the body of a request to the web pages may have.
	maxForm = 1 << 20
)

// Methods is the table of RPC methods.
type Methods interface {
	// Call calls a method. The error is a *api.Fault, or that of ctx.
	Call(ctx context.Context, method string, params []any) (rpc.Result, error)
	// Waits reports whether a call may take as long as a process takes.
	Waits(method string, params []any) bool
}

// Logs finds the log files that can be followed.
type Logs interface {
	MainLog() api.LogSource
	ProcessLog(ctx context.Context, name string, channel api.Channel) (api.LogSource, error)
}

// Options are what a Server is made from.
type Options struct {
	Methods Methods
	Logs    Logs
	// UI serves every path that this package does not serve.
	UI http.Handler
	// Log writes to the activity log. It may be nil.
	Log func(level api.LogLevel, text string)
	// Traces says that Log keeps what is at the level of traces.
	Traces bool
	// MaxConns is how many connections there may be; 0 for a third of the
	// files that the process may open.
	MaxConns int
}

// Server serves HTTP on any number of sockets. It is safe for use by any
// goroutine.
type Server struct {
	o        Options
	conns    *conns
	hostname string
	// ctx ends with the server, and with it everything that waits.
	ctx    context.Context
	cancel context.CancelFunc

	mu        sync.Mutex
	servers   []*http.Server
	listeners []*listener
	closed    bool
}

// New returns a Server that serves nothing yet.
func New(o Options) *Server {
	if o.Log == nil {
		o.Log = func(api.LogLevel, string) {}
	}
	if o.MaxConns <= 0 {
		o.MaxConns = defaultMaxConns()
	}
	s := &Server{o: o, conns: newConns(o.MaxConns)}
	s.hostname, _ = os.Hostname() // Without one, nothing is called by it.
	s.ctx, s.cancel = context.WithCancel(context.Background())
	return s
}

// Serve serves the connections that l accepts, after authorization if auth asks
// for one, until l fails or the Server is closed. It closes l. The error is nil
// after Shutdown and Close.
func (s *Server) Serve(l net.Listener, auth Auth) error { return s.ServeOn(l, auth, nil, nil) }

// ServeOn is Serve that goes on with connections that another program has had.
// expect is asked for the answer to each method call of them that waits.
func (s *Server) ServeOn(l net.Listener, auth Auth, carried []ConnState, expect func(req uint64) Expectation) error {
	credentials := newCredentials(auth)
	server := &http.Server{
		Handler:                      s.handler(credentials),
		ReadHeaderTimeout:            headerTimeout,
		MaxHeaderBytes:               maxHeader,
		DisableGeneralOptionsHandler: true,
		ErrorLog:                     log.New(errorLog(s.o.Log), "", 0),
		BaseContext:                  func(net.Listener) context.Context { return s.ctx },
		ConnContext: func(ctx context.Context, c net.Conn) context.Context {
			return context.WithValue(ctx, connKey{}, c)
		},
		ConnState: func(nc net.Conn, state http.ConnState) {
			if c, ok := nc.(*conn); ok && state == http.StateIdle {
				s.conns.idle(c)
			}
		},
	}
	s.mu.Lock()
	if s.closed {
		s.mu.Unlock()
		return l.Close()
	}
	limited := newListener(l, s, credentials)
	s.servers = append(s.servers, server)
	s.listeners = append(s.listeners, limited)
	s.mu.Unlock()
	s.adopt(server, limited, carried, expect)
	err := server.Serve(limited)
	if errors.Is(err, http.ErrServerClosed) || s.ctx.Err() != nil {
		return nil
	}
	return err
}

// Shutdown stops accepting connections and requests, ends what waits, and
// closes all connections as soon as the requests that were being served have
// been answered, or when ctx ends. Its error is ctx's.
func (s *Server) Shutdown(ctx context.Context) error {
	drained := s.conns.drain()
	s.cancel()
	s.mu.Lock()
	s.closed = true
	for _, l := range s.listeners {
		l.Close() // Close reports the error.
	}
	s.mu.Unlock()
	var err error
	select {
	case <-drained:
	case <-ctx.Done():
		err = ctx.Err()
	}
	s.Close()
	return err
}

// Close closes all sockets and connections at once.
func (s *Server) Close() error {
	s.conns.drain()
	s.cancel()
	s.mu.Lock()
	defer s.mu.Unlock()
	s.closed = true
	var errs []error
	for _, server := range s.servers {
		errs = append(errs, server.Close())
	}
	s.servers = nil
	return errors.Join(errs...)
}

// handler returns what serves the requests of one socket.
func (s *Server) handler(auth *credentials) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		c := r.Context().Value(connKey{}).(*conn)
		c.began() // The header may have been read with the request before.
		body := &timedBody{ReadCloser: r.Body, control: http.NewResponseController(w), conn: c}
		if r.ContentLength != 0 {
			defer body.abandon()
			r.Body = body
		}
		w.Header().Set("Server", serverName)
		if r.TransferEncoding != nil {
			// A length beside the chunks would have been ignored. Nobody between
			// us and the client can have taken what follows for a part of this
			// request if nothing is read any more.
			w.Header().Set("Connection", "close")
		}
		if !auth.allow(r) {
			w.Header().Set("WWW-Authenticate", `Basic realm="default"`)
			w.Header().Set("Connection", "close")
			writeError(w, http.StatusUnauthorized)
			return
		}
		if !s.conns.enter(c) {
			panic(http.ErrAbortHandler) // The server is being shut down.
		}
		defer s.conns.leave(c)
		if auth == nil && s.rebound(r) {
			writeError(w, http.StatusForbidden)
		} else {
			s.route(w, r)
		}
		if s.conns.isDraining() {
			// When leave has been called the connection may be closed.
			_ = body.control.Flush() // If this fails the client has gone.
		}
	})
}

// route serves an authorized request. As with the original what counts is how a
// path begins.
func (s *Server) route(w http.ResponseWriter, r *http.Request) {
	switch path := r.URL.Path; {
	case strings.HasPrefix(path, "/RPC2"):
		s.serveRPC(w, r)
	case strings.HasPrefix(path, "/logtail"):
		s.serveLogTail(w, r)
	case strings.HasPrefix(path, "/mainlogtail"):
		s.serveMainLogTail(w, r)
	default:
		r.Body = http.MaxBytesReader(w, r.Body, maxForm)
		s.o.UI.ServeHTTP(w, r)
	}
}

// timedBody is the body of a request, which must have arrived bodyTimeout after
// the first Read. After its end time does not count: what the request asks for
// may take as long as it takes.
type timedBody struct {
	io.ReadCloser
	control *http.ResponseController
	conn    *conn
	started bool
	ended   bool
}

func (b *timedBody) Read(p []byte) (int, error) {
	if !b.started {
		b.started = true
		b.deadline(time.Now().Add(bodyTimeout))
		b.conn.conns.receive(b.conn)
	}
	n, err := b.ReadCloser.Read(p)
	b.conn.got.Add(int64(n))
	if err == io.EOF && !b.ended {
		b.ended = true
		b.deadline(time.Time{})
		b.conn.conns.received(b.conn)
	}
	return n, err
}

// abandon gives the client little time for what has not been read. net/http
// reads that when the request has been answered, to be able to read the next.
func (b *timedBody) abandon() {
	if !b.ended {
		b.deadline(time.Now().Add(restTimeout))
	}
}

// deadline sets the time by which reading fails. Every connection that is
// served can do that, unless it has just been closed.
func (b *timedBody) deadline(t time.Time) { _ = b.control.SetReadDeadline(t) }

// errorLog takes what net/http has to say about single connections. Only a
// panic is worth more than a trace.
type errorLog func(level api.LogLevel, text string)

func (l errorLog) Write(p []byte) (int, error) {
	level, text := api.LevelTrace, strings.TrimSuffix(string(p), "\n")
	if strings.Contains(text, "panic") {
		level = api.LevelCritical
	}
	l(level, text)
	return len(p), nil
}

// writeError answers a request with an error, in the words of the original.
func writeError(w http.ResponseWriter, status int) {
	body := "<head>\r\n<title>Error response</title>\r\n</head>\r\n<body>\r\n<h1>Error response</h1>\r\n<p>Error code " +
		strconv.Itoa(status) + ".\r\n<p>Message: " + http.StatusText(status) + ".\r\n</body>\r\n"
	h := w.Header()
	h.Set("Content-Type", "text/html")
	h.Set("Content-Length", strconv.Itoa(len(body)))
	w.WriteHeader(status)
	_, _ = io.WriteString(w, body) // If this fails there is nobody to tell.
}
