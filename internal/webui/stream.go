package webui

import (
	"net/http"
	"sync/atomic"
	"time"
)

// maxStreams is the most event streams that are open at a time.
const maxStreams = 512

// writeTimeout is how long a client may take no bytes before its stream ends.
const writeTimeout = 20 * time.Second

// A stream sends server-sent events to one client.
type stream struct {
	w       http.ResponseWriter
	control *http.ResponseController
	count   *atomic.Int32
}

// openStream begins a stream. It has answered the request if ok is false. The
// stream belongs to the caller, who closes it.
func (h *Handler) openStream(w http.ResponseWriter, r *http.Request) (s *stream, ok bool) {
	if h.streams.Add(1) > maxStreams {
		h.streams.Add(-1)
		w.Header().Set("Retry-After", "10")
		h.serveError(w, r, http.StatusServiceUnavailable, "Too many pages", "Too many pages are open.")
		return nil, false
	}
	header := w.Header()
	header.Set("Content-Type", "text/event-stream; charset=utf-8")
	header.Set("Cache-Control", "no-store")
	// Proxies must not wait for more.
	header.Set("X-Accel-Buffering", "no")
	s = &stream{w, http.NewResponseController(w), &h.streams}
	// A server without deadlines needs none lifted.
	_ = s.control.SetReadDeadline(time.Time{})
	if s.send([]byte("retry: 2000\n\n")) != nil {
		s.close()
		return nil, false
	}
	return s, true
}

// send writes one or more complete events.
func (s *stream) send(frame []byte) error {
	_ = s.control.SetWriteDeadline(time.Now().Add(writeTimeout))
	if _, err := s.w.Write(frame); err != nil {
		return err
	}
	return s.control.Flush()
}

// close gives the place of the stream to another.
func (s *stream) close() { s.count.Add(-1) }

// serveEvents serves the stream of the states of all processes (manual: Web
// UI, interface for programs).
func (h *Handler) serveEvents(w http.ResponseWriter, r *http.Request) {
	s, ok := h.openStream(w, r)
	if !ok {
		return
	}
	defer s.close()
	last := r.Header.Get("Last-Event-ID")
	if last == "" {
		last = r.URL.Query().Get("last-event-id")
	}
	reader := h.hub.subscribe(last)
	defer reader.unsubscribe()
	for {
		frames, changed := reader.read()
		for _, frame := range frames {
			if s.send(frame) != nil {
				return
			}
		}
		select {
		case <-changed:
		case <-r.Context().Done():
			return
		}
	}
}
