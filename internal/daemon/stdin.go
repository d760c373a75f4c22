package daemon

import (
	"errors"
	"os"
	"sync"
	"syscall"
	"time"
)

// maxStdinPending is how much may wait to be written to one process that does
// not read.
const maxStdinPending = 1 << 20

// stdin is the pipe to the standard input of a process. What fits is written at
// once; the rest is written by a goroutine that exists only while there is one.
type stdin struct {
	mu      sync.Mutex
	fd      int
	file    *os.File // replaces fd once something had to wait
	pending []byte
	writing bool
	closed  bool
	broken  bool
	frozen  bool
	rest    chan struct{} // closed when nothing is written any more; nil if nobody waits
}

func newStdin(fd int) *stdin { return &stdin{fd: fd} }

// StdinState is the standard input of a process as plain data.
type StdinState struct {
	FD      int
	Pending []byte `json:",omitempty"`
	Broken  bool   `json:",omitempty"`
}

// resumeStdin goes on where another one was frozen.
func resumeStdin(state StdinState) *stdin {
	s := &stdin{fd: state.FD, broken: state.Broken, pending: state.Pending}
	if len(s.pending) > 0 && !s.broken {
		s.later()
	}
	return s
}

// freeze stops the writing of what is pending, until thaw, and returns what
// there is to go on with. Nothing may be written meanwhile.
func (s *stdin) freeze() StdinState {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.frozen = true
	if s.writing {
		rest := make(chan struct{})
		s.rest = rest
		_ = s.file.SetWriteDeadline(time.Now())
		s.mu.Unlock()
		<-rest
		s.mu.Lock()
	}
	return StdinState{FD: s.fd, Pending: s.pending, Broken: s.broken}
}

// thaw ends freeze.
func (s *stdin) thaw() {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.frozen = false
	if len(s.pending) > 0 && !s.broken && !s.closed {
		_ = s.file.SetWriteDeadline(time.Time{})
		s.later()
	}
}

// write sends data. It never blocks. broken says that nobody reads any more,
// full that too much is waiting already; then nothing of data is written.
func (s *stdin) write(data []byte) (broken, full bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.closed || s.broken {
		return true, false
	}
	if s.writing {
		if len(s.pending)+len(data) > maxStdinPending {
			return false, true
		}
		s.pending = append(s.pending, data...)
		return false, false
	}
	n, broken := s.try(data)
	if broken {
		s.broken = true
		return true, false
	}
	if n < len(data) {
		s.pending = append(s.pending, data[n:]...)
		s.later()
	}
	return false, false
}

// try writes what the pipe takes at once.
func (s *stdin) try(data []byte) (n int, broken bool) {
	for n < len(data) {
		m, err := s.writeOnce(data[n:])
		switch {
		case m > 0:
			n += m
		case err == syscall.EINTR:
		case err == syscall.EAGAIN:
			return n, false
		default:
			return n, true
		}
	}
	return n, false
}

func (s *stdin) writeOnce(data []byte) (n int, err error) {
	if s.file == nil {
		return syscall.Write(s.fd, data)
	}
	raw, err := s.file.SyscallConn()
	if err != nil {
		return 0, err
	}
	if werr := raw.Write(func(fd uintptr) bool {
		n, err = syscall.Write(int(fd), data)
		return true
	}); werr != nil {
		return 0, werr
	}
	return n, err
}

// later has the pending data written as the process reads.
func (s *stdin) later() {
	if s.file == nil {
		s.file = os.NewFile(uintptr(s.fd), "stdin")
	}
	s.writing = true
	go s.writePending()
}

// writePending writes what is pending until there is nothing, or somebody says
// stop.
func (s *stdin) writePending() {
	s.mu.Lock()
	defer s.mu.Unlock()
	for len(s.pending) > 0 && !s.closed && !s.frozen {
		data := s.pending
		s.pending = nil
		s.mu.Unlock()
		n, err := s.file.Write(data)
		s.mu.Lock()
		switch {
		case err == nil:
		case s.frozen && errors.Is(err, os.ErrDeadlineExceeded):
			s.pending = append(data[n:len(data):len(data)], s.pending...)
		default:
			s.broken, s.pending = true, nil
		}
	}
	s.writing = false
	if s.rest != nil {
		close(s.rest)
		s.rest = nil
	}
}

// close closes the pipe; what is pending is lost with the process.
func (s *stdin) close() {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.closed {
		return
	}
	s.closed = true
	if s.file != nil {
		s.file.Close()
	} else {
		syscall.Close(s.fd)
	}
}
