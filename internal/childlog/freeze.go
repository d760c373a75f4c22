package childlog

import (
	"bytes"

	"supervisord/internal/logfile"
)

// LogState is what a Log is between two pieces of output, as plain data.
type LogState struct {
	File *logfile.State `json:",omitempty"` // nil without a file
	// Syslog is the beginning of a line for the system log.
	Syslog []byte `json:",omitempty"`
}

// Freeze holds up everything that is to be written, until Thaw, and returns what
// there is to go on with.
func (l *Log) Freeze() LogState {
	var s LogState
	if l.file != nil {
		file := l.file.Freeze()
		s.File = &file
	}
	if l.syslog != nil {
		l.syslog.mu.Lock()
		s.Syslog = bytes.Clone(l.syslog.partial)
	}
	return s
}

// Thaw ends Freeze.
func (l *Log) Thaw() {
	if l.file != nil {
		l.file.Thaw()
	}
	if l.syslog != nil {
		l.syslog.mu.Unlock()
	}
}

// ResumeLog returns a Log that goes on where a frozen one was.
func ResumeLog(o LogOptions, s LogState) *Log {
	l := NewLog(o)
	if l.file != nil && s.File != nil {
		l.file = logfile.Resume(o.Path, o.Rotate, *s.File)
		l.file.OnFailure(l.report)
	}
	if l.syslog != nil {
		l.syslog.partial = s.Syslog
	}
	return l
}
