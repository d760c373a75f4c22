package daemon

import (
	"bytes"

	"supervisord/internal/api"
	"supervisord/internal/core"
)

const (
	// largePiece is the size in bytes from which on a piece of output counts as
	// large, and maxLargePieces how many of those may be in the mailbox. The
	// programs that write more wait.
	largePiece     = 4 << 10
	maxLargePieces = 32
)

// sink posts what a pump finds to the daemon.
type sink struct {
	daemon  *Daemon
	proc    core.ProcID
	gen     core.Gen
	pid     int
	channel api.Channel
}

// piece is an event made of a large piece of output.
type piece struct{ event core.Event }

func (s *sink) Output(data []byte) {
	large := s.daemon.reserve(len(data))
	s.post(core.Output{Proc: s.proc, PID: s.pid, Channel: s.channel, Data: bytes.Clone(data)}, large)
}

func (s *sink) Captured(data []byte) {
	large := s.daemon.reserve(len(data))
	s.post(core.Captured{Proc: s.proc, PID: s.pid, Channel: s.channel, Data: bytes.Clone(data)}, large)
}

func (s *sink) Listener(data []byte) {
	large := s.daemon.reserve(len(data))
	ev := core.ListenerOutput{Proc: s.proc, Gen: s.gen, Data: bytes.Clone(data)}
	if large {
		s.post(ev, large)
	} else {
		s.daemon.act(ev) // It waits for the next event.
	}
}

func (s *sink) post(ev core.Event, large bool) {
	if large {
		s.daemon.post(piece{ev})
	} else {
		s.daemon.post(ev)
	}
}

// reserve waits for room for a piece of output if it is large, and reports
// whether it is.
func (d *Daemon) reserve(size int) (large bool) {
	if size < largePiece {
		return false
	}
	select {
	case d.largePieces <- struct{}{}:
		return true
	case <-d.done:
		return false // It is not going to be posted.
	}
}
