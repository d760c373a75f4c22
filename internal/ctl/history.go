package ctl

import (
	"bytes"
	"os"
	"path/filepath"
	"strings"
)

// historyLimit is how many lines of the history are kept.
const historyLimit = 1000

// maxHistory is the size in bytes of the longest history that is read.
const maxHistory = 8 << 20

// history is the file of the lines that were typed in the shell, one per line.
// A history that cannot be read or written is silently not kept.
type history struct {
	path  string
	lines []string
	last  string
}

// openHistory reads a history. The path may be empty, for none.
func openHistory(path string) *history {
	h := &history{path: path}
	if path == "" {
		return h
	}
	text, err := os.ReadFile(path)
	if err != nil || len(text) > maxHistory {
		return h
	}
	for line := range bytes.Lines(text) {
		if line := strings.TrimSpace(string(line)); line != "" && line != "_HiStOrY_V2_" {
			h.lines = append(h.lines, line)
		}
	}
	if n := len(h.lines); n > historyLimit {
		h.lines = h.lines[n-historyLimit:]
		h.rewrite()
	}
	if n := len(h.lines); n > 0 {
		h.last = h.lines[n-1]
	}
	return h
}

// add appends a line to the file at once, so that nothing is lost however the
// shell ends. An empty line and one that repeats the last are left out.
func (h *history) add(line string) {
	line = strings.TrimSpace(line)
	if h.path == "" || line == "" || line == h.last {
		return
	}
	h.last = line
	f, err := os.OpenFile(h.path, os.O_APPEND|os.O_CREATE|os.O_WRONLY, 0o600)
	if err != nil {
		return
	}
	defer f.Close()
	f.WriteString(line + "\n")
}

// rewrite replaces the file by the lines that are kept.
func (h *history) rewrite() {
	next, err := os.CreateTemp(filepath.Dir(h.path), ".supervisorctl-history-")
	if err != nil {
		return
	}
	_, err = next.WriteString(strings.Join(h.lines, "\n") + "\n")
	if closeErr := next.Close(); err == nil {
		err = closeErr
	}
	if err == nil {
		err = os.Rename(next.Name(), h.path)
	}
	if err != nil {
		os.Remove(next.Name())
	}
}
