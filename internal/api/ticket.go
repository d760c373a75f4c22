package api

import (
	"context"
	"sync"
)

// Ticket tells for which answer of the daemon a request of a client waits. With
// it another program that takes the daemon's place can give the answer. It is
// safe for use by any goroutine.
type Ticket struct {
	// Changed, if not nil, is called when something else is waited for.
	Changed func()

	mu   sync.Mutex
	held bool
	wait Wait
}

// Wait is what a request waits for.
type Wait struct {
	// Req is the number of the daemon's request, or 0 for an answer that is true
	// as soon as another program has taken the daemon's place.
	Req uint64
	// List says that the answer is a list of ProcessStatus, and not just true.
	List bool
}

type ticketKey struct{}

// WithTicket returns a context whose requests fill in a ticket. With nil they do
// not.
func WithTicket(ctx context.Context, t *Ticket) context.Context {
	return context.WithValue(ctx, ticketKey{}, t)
}

// TicketOf returns the ticket of a context, or nil.
func TicketOf(ctx context.Context) *Ticket {
	t, _ := ctx.Value(ticketKey{}).(*Ticket)
	return t
}

// Hold says what is waited for, until the function that it returns is called. A
// nil Ticket is told nothing.
func (t *Ticket) Hold(w Wait) (release func()) {
	if t == nil {
		return func() {}
	}
	t.set(true, w)
	return func() { t.set(false, Wait{}) }
}

func (t *Ticket) set(held bool, w Wait) {
	t.mu.Lock()
	t.held, t.wait = held, w
	t.mu.Unlock()
	if t.Changed != nil {
		t.Changed()
	}
}

// Held returns what is waited for, if something is. A nil Ticket has nothing.
func (t *Ticket) Held() (w Wait, ok bool) {
	if t == nil {
		return w, false
	}
	t.mu.Lock()
	defer t.mu.Unlock()
	return t.wait, t.held
}
