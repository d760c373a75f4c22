package httpd

import (
	"net/http"
	"os"
	"strings"

	"supervisord/internal/api"
	"supervisord/internal/logfile"
)

const (
	// tailStart is how much of a log is sent before what is new.
	tailStart = 1024
	// tailBuffer is how much of a log is sent at once.
	tailBuffer = 8 << 10
)

// serveLogTail serves /logtail/NAME and /logtail/NAME/CHANNEL: the end of the
// log of a process, and whatever is added to it.
func (s *Server) serveLogTail(w http.ResponseWriter, r *http.Request) {
	if r.Method != http.MethodGet {
		writeError(w, http.StatusBadRequest)
		return
	}
	_, name, _ := strings.Cut(strings.TrimLeft(r.URL.Path, "/"), "/")
	name, word, _ := strings.Cut(name, "/")
	channel := api.Stdout
	switch word {
	case "":
		if strings.HasSuffix(r.URL.Path, "/") {
			writeError(w, http.StatusNotFound)
			return
		}
	case "stdout":
	case "stderr":
		channel = api.Stderr
	default:
		writeError(w, http.StatusNotFound)
		return
	}
	if _, _, all := api.SplitNamespec(name); all {
		writeError(w, http.StatusNotFound)
		return
	}
	source, err := s.o.Logs.ProcessLog(r.Context(), name, channel)
	if err != nil {
		writeError(w, http.StatusNotFound)
		return
	}
	s.follow(w, r, source, StreamState{Name: name, Channel: channel})
}

// serveMainLogTail serves /mainlogtail, the activity log.
func (s *Server) serveMainLogTail(w http.ResponseWriter, r *http.Request) {
	if r.Method != http.MethodGet {
		writeError(w, http.StatusBadRequest)
		return
	}
	s.follow(w, r, s.o.Logs.MainLog(), StreamState{Main: true})
}

// follow sends the end of a log, then every byte that is added as soon as it
// is, until the client goes away.
func (s *Server) follow(w http.ResponseWriter, r *http.Request, source api.LogSource, state StreamState) {
	path := source.Path()
	info, err := os.Stat(path)
	if path == "" || err != nil {
		writeError(w, http.StatusNotFound)
		return
	}
	changed, stop := logfile.Watch(path, source.Changed)
	defer stop()
	f, err := logfile.Follow(path, changed, tailStart)
	if err != nil {
		writeError(w, http.StatusNotFound)
		return
	}
	defer f.Close()
	h := w.Header()
	h.Set("Last-Modified", info.ModTime().UTC().Format(http.TimeFormat))
	h.Set("Content-Type", "text/plain;charset=utf-8")
	h.Set("X-Content-Type-Options", "nosniff")
	// A proxy such as nginx is to pass on each piece at once.
	h.Set("X-Accel-Buffering", "no")
	control := http.NewResponseController(w)
	// Flushing sends the header, also while there is nothing to read.
	if control.Flush() != nil {
		return
	}
	state.Chunked = r.ProtoAtLeast(1, 1)
	s.stream(r.Context(), &flusher{w, control}, r.Context().Value(connKey{}).(*conn), f, state)
}
