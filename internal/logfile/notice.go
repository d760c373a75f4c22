package logfile

import "sync/atomic"

// notice wakes everybody who waits for the next change. It costs nothing but
// an atomic load while nobody does.
type notice struct {
	p atomic.Pointer[chan struct{}]
}

// channel returns a channel that the next send closes.
func (n *notice) channel() <-chan struct{} {
	for {
		if p := n.p.Load(); p != nil {
			return *p
		}
		c := make(chan struct{})
		if n.p.CompareAndSwap(nil, &c) {
			return c
		}
	}
}

// send closes the channel that is waited on, if there is one.
func (n *notice) send() {
	if n.p.Load() == nil {
		return
	}
	if p := n.p.Swap(nil); p != nil {
		close(*p)
	}
}
