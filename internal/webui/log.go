package webui

import (
	"context"
	"net/http"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
	"time"

	"supervisord/internal/api"
)

// serveLogPage serves the page that shows a log: that of a process's channel,
// or without a process name the activity log (manual: Web UI, logs).
func (h *Handler) serveLogPage(w http.ResponseWriter, r *http.Request) {
	if !h.readForm(w, r) {
		return
	}
	name, channel := logOf(r)
	v := values{"name": name, "query": queryEscape(name), "channel": channel.String()}
	if name != "" {
		v[channel.String()] = "yes"
		if _, err := h.sup.ProcessInfo(r.Context(), name); err != nil {
			h.serveError(w, r, http.StatusNotFound, "Not found", "There is no process named "+name+".")
			return
		}
	}
	h.servePage(w, r, http.StatusOK, logPage(), v)
}

// logOf returns the log that a request is about. An empty name means the
// activity log.
func logOf(r *http.Request) (name string, channel api.Channel) {
	if r.Form.Get("stream") == "stderr" {
		channel = api.Stderr
	}
	return r.Form.Get("processname"), channel
}

// logSource returns the log of a channel, or with an empty name the activity
// log.
func (h *Handler) logSource(ctx context.Context, name string, channel api.Channel) (api.LogSource, error) {
	if name == "" {
		return h.sup.MainLog(), nil
	}
	return h.sup.ProcessLog(ctx, name, channel)
}

// openLog opens a log for reading. What is no regular file, such as a terminal
// or a pipe, cannot be read back and counts as none.
func (h *Handler) openLog(r *http.Request, name string, channel api.Channel) (*os.File, error) {
	src, err := h.logSource(r.Context(), name, channel)
	if err != nil {
		return nil, err
	}
	return openRegular(src.Path())
}

// openRegular opens a regular file for reading, or returns the fault NO_FILE.
func openRegular(path string) (*os.File, error) {
	noFile := api.NewFault(api.NoFile, path)
	if path == "" {
		return nil, noFile
	}
	// O_NONBLOCK keeps a FIFO from waiting for a writer.
	f, err := os.OpenFile(path, os.O_RDONLY|syscall.O_NONBLOCK, 0)
	if err != nil {
		return nil, noFile
	}
	if info, err := f.Stat(); err != nil || !info.Mode().IsRegular() {
		f.Close()
		return nil, noFile
	}
	return f, nil
}

// fileID names a file for as long as it exists, whatever its path becomes.
func fileID(info os.FileInfo) string {
	if st, ok := info.Sys().(*syscall.Stat_t); ok {
		return strconv.FormatUint(uint64(st.Ino), 10)
	}
	return "0"
}

// serveLog serves the bytes of a log, by ranges if asked (manual: Web UI,
// interface for programs). The header Log-Id names the file, and is missing if
// there is none; a request can ask for the file of that name, and gets it also
// when it has been rotated once since.
func (h *Handler) serveLog(w http.ResponseWriter, r *http.Request) {
	if !h.readForm(w, r) {
		return
	}
	name, channel := logOf(r)
	f, err := h.openLog(r, name, channel)
	if err != nil {
		h.serveNoLog(w, r, err)
		return
	}
	defer func() { f.Close() }()
	info, err := f.Stat()
	if id := r.Form.Get("id"); err == nil && id != "" && id != fileID(info) {
		var rotated *os.File
		if rotated, err = openRegular(f.Name() + ".1"); err == nil {
			f.Close()
			f = rotated
			if info, err = f.Stat(); err == nil && fileID(info) != id {
				err = api.NewFault(api.NoFile, f.Name())
			}
		}
	}
	if err != nil {
		h.serveNoLog(w, r, err)
		return
	}
	header := w.Header()
	header.Set("Content-Type", "text/plain; charset=utf-8")
	header.Set("Cache-Control", "no-store")
	header.Set("Log-Id", fileID(info))
	header.Set("Log-Size", strconv.FormatInt(info.Size(), 10))
	if r.Form.Has("download") {
		header.Set("Content-Disposition", `attachment; filename="`+downloadName(name, channel)+`"`)
	}
	if behindEnd(r.Header.Get("Range"), info.Size()) {
		w.WriteHeader(http.StatusNoContent)
		return
	}
	http.ServeContent(w, r, "", time.Time{}, f)
}

// serveNoLog answers a request for a log that cannot be read. That there is no
// file, yet or any more, is usual: a page that asks gets an answer without
// content, a person who wants to save it is told.
func (h *Handler) serveNoLog(w http.ResponseWriter, r *http.Request, err error) {
	if faultCode(err) == api.NoFile && !r.Form.Has("download") {
		w.WriteHeader(http.StatusNoContent)
		return
	}
	h.serveFault(w, err)
}

// behindEnd reports whether a range begins at the end of a file or behind it. A
// reader that asks for what has been added since does so all the time, so that
// this is an answer without content and not an error.
func behindEnd(header string, size int64) bool {
	from, _, found := strings.Cut(strings.TrimPrefix(header, "bytes="), "-")
	if !found || strings.Contains(header, ",") {
		return false
	}
	if from == "" {
		return size == 0
	}
	n, err := strconv.ParseInt(from, 10, 64)
	return err == nil && n >= size
}

// downloadName returns the name under which a browser saves a log.
func downloadName(name string, channel api.Channel) string {
	if name == "" {
		return "supervisord.log"
	}
	safe := strings.Map(func(r rune) rune {
		if r == '.' || r == '-' || r == '_' || '0' <= r && r <= '9' || 'a' <= r && r <= 'z' || 'A' <= r && r <= 'Z' {
			return r
		}
		return '-'
	}, filepath.Base(name))
	return safe + "-" + channel.String() + ".log"
}

// followPause is the least time between two messages to a follower, so that a
// log that is written all the time costs little.
const followPause = 100 * time.Millisecond

// followCheck is the time after which a follower is told again how long the
// log is, changed or not: then it knows that it is still connected, and a log
// that was moved by a new configuration is found.
const followCheck = 10 * time.Second

// serveFollow serves a stream of events that tell how long a log is, each time
// it has changed. Its reader fetches what it wants to see: a log that grows
// faster than a page can show it fills no buffer.
func (h *Handler) serveFollow(w http.ResponseWriter, r *http.Request) {
	if !h.readForm(w, r) {
		return
	}
	s, ok := h.openStream(w, r)
	if !ok {
		return
	}
	defer s.close()
	name, channel := logOf(r)
	check := time.NewTicker(followCheck)
	defer check.Stop()
	src, err := h.logSource(r.Context(), name, channel)
	last := ""
	for err == nil {
		changed := src.Changed()
		if size := logSize(src.Path()); size != last {
			last = size
			err = s.send([]byte("event: size\ndata: " + size + "\n\n"))
		}
		if err != nil {
			return
		}
		select {
		case <-changed:
		case <-check.C:
			last = ""
			src, err = h.logSource(r.Context(), name, channel)
		case <-r.Context().Done():
			return
		}
		if err == nil && !pause(r.Context(), followPause) {
			return
		}
	}
	var j jsonBuffer
	j.open('{').key("message").string(err.Error()).close('}')
	_ = s.send([]byte("event: gone\ndata: " + j.String() + "\n\n"))
}

// logSize returns the data of a message to a follower. A log without a file
// has no id and the size 0.
func logSize(path string) string {
	id, size := "", int64(0)
	if info, err := os.Stat(path); err == nil && info.Mode().IsRegular() {
		id, size = fileID(info), info.Size()
	}
	var j jsonBuffer
	return j.open('{').key("id").string(id).key("size").int(size).close('}').String()
}

// pause waits for d; it reports false if ctx ended first.
func pause(ctx context.Context, d time.Duration) bool {
	t := time.NewTimer(d)
	defer t.Stop()
	select {
	case <-t.C:
		return true
	case <-ctx.Done():
		return false
	}
}
