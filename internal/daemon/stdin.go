package daemon

import (
	"os"
	"sync"
	"syscall"
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
}

func newStdin(fd int) *stdin { return &stdin{fd: fd} }

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
	go func() {
		s.mu.Lock()
		defer s.mu.Unlock()
		for len(s.pending) > 0 && !s.closed {
			data := s.pending
			s.pending = nil
			s.mu.Unlock()
			_, err := s.file.Write(data)
			s.mu.Lock()
			if err != nil {
				s.broken, s.pending = true, nil
			}
		}
		s.writing = false
	}()
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
