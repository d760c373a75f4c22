package daemon

import "sync"

// broadcast tells any number of listeners that something happened. The zero
// value is ready for use.
type broadcast struct {
	mu sync.Mutex
	ch chan struct{} // nil while nobody listens
}

// wait returns a channel that is closed at the next send.
func (b *broadcast) wait() <-chan struct{} {
	b.mu.Lock()
	defer b.mu.Unlock()
	if b.ch == nil {
		b.ch = make(chan struct{})
	}
	return b.ch
}

// send wakes everyone who waits.
func (b *broadcast) send() {
	b.mu.Lock()
	defer b.mu.Unlock()
	if b.ch != nil {
		close(b.ch)
		b.ch = nil
	}
}
