package daemon

import (
	"sync"
	"sync/atomic"
	"time"
)

// turn is the right to act: to use what the daemon keeps for itself. One
// goroutine at a time has it. That is the one of Run, or whoever brings news and
// finds that nobody acts: handing the news over, and an answer back, would cost
// a client more than what there is to do.
type turn struct {
	mu sync.Mutex
	// waiting counts the news that were sent and not dealt with. Who acts at once
	// must not overtake them.
	waiting atomic.Int64
	open    bool          // Run has begun, and not ended
	ended   chan struct{} // told when somebody else's turn has ended the daemon
	timer   *time.Timer   // of the next deadline
	due     time.Duration // when that is; stale for none
}

// stale is no time of a deadline, and never one that is not to come.
const (
	stale time.Duration = -1
	never time.Duration = 1<<63 - 1
)

// post sends news to the goroutine of Run. It reports whether there is still one
// to take it.
func (d *Daemon) post(m any) bool {
	d.turn.waiting.Add(1)
	select {
	case d.mailbox <- m:
		return true
	case <-d.done:
		d.turn.waiting.Add(-1)
		return false
	}
}

// act deals with news at once if it is anybody's turn, and sends it otherwise.
// It reports whether it did one of them.
func (d *Daemon) act(m any) bool {
	t := &d.turn
	if t.waiting.Load() != 0 {
		return d.post(m)
	}
	t.mu.Lock()
	if !t.open || t.waiting.Load() != 0 {
		t.mu.Unlock()
		return d.post(m)
	}
	d.receive(m)
	d.endTurn()
	if d.finished {
		t.open = false
		t.ended <- struct{}{} // There is room: it happens once.
	}
	t.mu.Unlock()
	return true
}

// endTurn does what is to be done after news, whoever has dealt with it.
func (d *Daemon) endTurn() {
	d.pause.look()
	due, ok := d.core.Deadline()
	if !ok {
		due = never
	}
	if due == d.turn.due {
		return
	}
	d.turn.due = due
	wait := time.Hour
	if ok {
		wait = max(due-time.Since(d.begun), 0)
	}
	d.turn.timer.Reset(wait)
}
