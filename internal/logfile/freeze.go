package logfile

import (
	"errors"
	"os"
	"time"
)

// State is what a File is between two writes, as plain data. Another program
// that has the descriptor goes on with it.
type State struct {
	// FD is the descriptor of the open file, -1 while it is not open.
	FD      int
	Regular bool
	// Backlog is what could not be written yet, because of Failure.
	Backlog BacklogState
	Failure string `json:",omitempty"`
	// Told says that the failure was reported, and Untold how many bytes were
	// lost in those that ended before that could be.
	Told   bool      `json:",omitempty"`
	Untold int64     `json:",omitempty"`
	Milled time.Time // when timestamped backups were last looked after
	Due    time.Time // when the time wants a rotation; zero if that is not known
}

// BacklogState is a backlog.
type BacklogState struct {
	Data []byte `json:",omitempty"`
	Full bool   `json:",omitempty"`
	Tail []byte `json:",omitempty"`
	Torn bool   `json:",omitempty"`
	Lost int64  `json:",omitempty"`
}

// Freeze holds up everything that is to be done with the file, until Thaw, and
// returns what there is to go on with. The descriptor stays the File's own.
func (f *File) Freeze() State {
	f.mu.Lock()
	s := State{
		FD: -1, Regular: f.regular, Backlog: f.backlog.state(),
		Untold: f.health.lost, Milled: f.milled.UTC(), Due: f.due.UTC(),
	}
	if f.health.write != nil {
		s.Failure = f.health.write.Error()
		s.Told = f.health.told
	}
	if f.f != nil {
		s.FD = descriptorOf(f.f)
	}
	return s
}

func (b *backlog) state() BacklogState {
	return BacklogState{Data: b.data, Full: b.full, Tail: b.tail, Torn: b.torn, Lost: b.lost}
}

// Thaw ends Freeze.
func (f *File) Thaw() { f.mu.Unlock() }

// descriptorOf returns the descriptor of a file, -1 if it has none. The file
// stays as it is, which File.Fd does not promise.
func descriptorOf(f *os.File) int {
	n := -1
	if conn, err := f.SyscallConn(); err == nil {
		_ = conn.Control(func(fd uintptr) { n = int(fd) })
	}
	return n
}

// Resume returns a File that goes on where a frozen one was. The descriptor is
// the File's from now on.
func Resume(path string, o Options, s State) *File {
	f := New(path, o)
	f.mu.Lock()
	defer f.mu.Unlock()
	b := s.Backlog
	f.backlog = backlog{data: b.Data, full: b.Full, tail: b.Tail, torn: b.Torn, lost: b.Lost}
	f.health.lost, f.health.told = s.Untold, s.Told
	f.milled, f.due = s.Milled, s.Due
	if s.FD >= 0 {
		f.f, f.regular, f.closed = os.NewFile(uintptr(s.FD), path), s.Regular, false
	}
	if s.Failure != "" {
		f.health.write = errors.New(s.Failure)
		f.health.changed.Store(true)
		f.health.timer = time.AfterFunc(0, f.retry)
	}
	return f
}
