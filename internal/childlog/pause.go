package childlog

import (
	"bytes"
	"time"

	"supervisord/internal/api"
	"supervisord/internal/capture"
)

// PumpState is what a Pump is between two reads, as plain data.
type PumpState struct {
	FD      int
	Channel api.Channel
	// Strip and Scan are in the middle of what they look for.
	Strip capture.Stripper
	Scan  capture.Scanner
	// Held is the beginning of a line that is logged as a record when its end
	// comes, and Since when it came.
	Held  []byte    `json:",omitempty"`
	Since time.Time // zero without one
	// Tail is the end of the output, nil if it is not kept.
	Tail *TailState `json:",omitempty"`
	// Grown says that the pipe is as large as possible, Eager that it is read
	// as soon as there is something.
	Grown, Eager bool
}

// TailState is the end of the output of a process that runs.
type TailState struct {
	Kept    []byte `json:",omitempty"`
	Cut     bool
	InFile  bool
	Written int64
}

// Pause has the pump stop reading, after what it is doing now, and then calls
// done once, from another goroutine. What is written meanwhile stays in the
// pipe. Resume ends that.
func (p *Pump) Pause(done func()) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.over {
		go done()
		return
	}
	p.pausing = done
	p.wakeLocked()
}

// pauseLocked stops run if that was asked for, and nothing else was before. p.mu
// is held.
func (p *Pump) pauseLocked() bool {
	done := p.pausing
	if done == nil || p.drained != nil || p.closing || p.settled {
		return false
	}
	p.pausing, p.paused, p.running = nil, true, false
	if p.watch != nil {
		p.watch.disarm()
	}
	if p.timer != nil {
		p.timer.Stop()
	}
	go done()
	return true
}

// Resume lets a paused pump go on.
func (p *Pump) Resume() {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.paused = false
	p.wakeLocked()
}

// State returns what there is to go on with, while the pump is paused. ok is
// false if it has ended.
func (p *Pump) State() (s PumpState, ok bool) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.over || !p.paused {
		return s, false
	}
	s = PumpState{
		FD: p.fd, Channel: p.out.o.Channel, Strip: p.out.strip, Scan: p.out.scan, Grown: p.grown, Eager: p.eager,
	}
	s.Scan.Buffer = bytes.Clone(s.Scan.Buffer)
	if t := p.out.tail; t != nil {
		s.Tail = &TailState{Kept: bytes.Clone(t.kept), Cut: t.cut, InFile: t.inFile, Written: t.written}
	}
	if p.out.holds() {
		s.Held, s.Since = bytes.Clone(p.out.lines.Held), p.out.lines.Since
	}
	return s, true
}

// ResumePump starts a pump that goes on where a paused one was. FD and Channel
// of the options are those of the state, too.
func ResumePump(o PumpOptions, s PumpState) *Pump {
	o.FD, o.Channel = s.FD, s.Channel
	p := newPump(o)
	p.out.strip, p.out.scan = s.Strip, s.Scan
	p.grown, p.eager = s.Grown, s.Eager
	p.heard = p.out.spool != nil // Nothing is in the spool that is not in the state.
	p.out.tail = nil
	if t := s.Tail; t != nil {
		p.out.tail = &tail{kept: t.Kept, cut: t.Cut, inFile: t.InFile, written: t.Written}
	}
	if p.out.lines != nil && len(s.Held) > 0 {
		p.out.lines.Held, p.out.lines.Since = s.Held, s.Since
		p.quiet = time.Now().Add(lineWait)
	}
	p.wake()
	return p
}
