package childlog

import (
	"bytes"
	"sync"

	"supervisord/internal/syslog"
)

// systemLog is the connection that all Logs share.
var systemLog = sync.OnceValue(syslog.New)

// lineSender sends output to syslog, line by line. The end of a line that has
// not come yet is waited for, up to the length of a message.
type lineSender struct {
	send func(line []byte) error
	tag  string

	mu      sync.Mutex
	partial []byte
	line    []byte // reused
}

func newLineSender(tag string) *lineSender {
	return &lineSender{send: systemLog().Send, tag: tag}
}

// write takes a piece of output.
func (s *lineSender) write(p []byte) {
	s.mu.Lock()
	defer s.mu.Unlock()
	end := bytes.LastIndexByte(p, '\n') + 1
	if end > 0 {
		s.partial = append(s.partial, p[:end]...)
		s.sendPartial()
	}
	s.partial = append(s.partial, p[end:]...)
	if len(s.partial) >= syslog.MaxLine {
		s.sendPartial()
	}
}

// held returns the beginning of a line that is waited for the end of.
func (s *lineSender) held() []byte {
	s.mu.Lock()
	defer s.mu.Unlock()
	return bytes.Clone(s.partial)
}

// restore goes on with the beginning of a line.
func (s *lineSender) restore(partial []byte) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.partial = partial
}

// flush sends a line that was not ended.
func (s *lineSender) flush() {
	s.mu.Lock()
	defer s.mu.Unlock()
	if len(s.partial) > 0 {
		s.sendPartial()
	}
}

// sendPartial sends what was collected. Lines that the system log does not
// take are lost: it may be down for good.
func (s *lineSender) sendPartial() {
	syslog.Lines(s.partial, func(line []byte) {
		s.line = append(s.line[:0], s.tag...)
		s.line = append(s.line, ' ')
		s.line = append(s.line, line...)
		_ = s.send(s.line)
	})
	s.partial = s.partial[:0]
}
