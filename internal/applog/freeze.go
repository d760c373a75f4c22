package applog

import (
	"supervisord/internal/logfile"
	"supervisord/internal/syslog"
)

// State is what a Logger is between two lines, as plain data.
type State struct {
	File   *logfile.State `json:",omitempty"` // nil without a file
	Stdout *logfile.State `json:",omitempty"`
}

// Freeze sends what the system log has not got yet, and holds up everything that
// is to be written until Thaw. It returns what there is to go on with.
func (l *Logger) Freeze() State {
	l.mu.Lock()
	var s State
	if l.syslog != nil {
		l.syslog.Close()
	}
	if l.file != nil {
		file := l.file.Freeze()
		s.File = &file
	}
	if l.stdout != nil {
		stdout := l.stdout.Freeze()
		s.Stdout = &stdout
	}
	return s
}

// Thaw ends Freeze.
func (l *Logger) Thaw() {
	if l.syslog != nil {
		l.syslog = syslog.NewQueue(syslog.New())
	}
	if l.file != nil {
		l.file.Thaw()
	}
	if l.stdout != nil {
		l.stdout.Thaw()
	}
	l.mu.Unlock()
}

// Descriptors returns those that the state speaks of.
func (s *State) Descriptors() (list []int) {
	for _, f := range []*logfile.State{s.File, s.Stdout} {
		if f != nil && f.FD >= 0 {
			list = append(list, f.FD)
		}
	}
	return list
}

// Resume returns a Logger that goes on where a frozen one was.
func Resume(o Options, s State) (*Logger, error) {
	path := o.Path
	if s.File != nil {
		o.Path = ""
	}
	l, err := Open(o)
	if err != nil {
		return nil, err
	}
	if s.File != nil {
		l.file = logfile.Resume(path, o.rotation(), *s.File)
		l.file.OnFailure(l.fileFailed)
	}
	if s.Stdout != nil && l.stdout != nil {
		l.stdout = logfile.Resume("/dev/stdout", logfile.Options{}, *s.Stdout)
	}
	return l, nil
}
