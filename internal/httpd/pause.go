package httpd

import (
	"context"
	"errors"
	"net"
	"net/http"
	"os"
	"sync/atomic"
	"syscall"
	"time"

	"supervisord/internal/api"
)

// patience is how long a pause waits for a connection to come to rest. What stops
// for a pause, as calls and streams do, has as long from its beginning. Another
// request is only waited for if it is younger, and else cut off.
const patience = time.Second

// pause is what a set of connections knows of a pause: no connection is accepted
// and no request read, so that another program can go on with the connections.
// It is guarded by the mutex of the set.
type pause struct {
	begun   bool
	ended   chan struct{}   // closed at the end of the present pause
	changed chan struct{}   // closed when a connection has come to rest; nil if nobody waits
	ctx     context.Context // ends when a pause begins
	cancel  context.CancelFunc
}

// wake lets those look again who wait for connections to come to rest.
func (p *pause) wake() {
	if p.changed != nil {
		close(p.changed)
		p.changed = nil
	}
}

// pausing is what a connection has to do with a pause. But for fresh, which is
// changed under it, too, it is guarded by the mutex of the set.
type pausing struct {
	listener *listener
	fresh    atomic.Bool // nothing of the next request was read yet
	asked    time.Time   // when its first bytes were read
	// interrupted says that reading was made to fail for a pause, and deadline
	// when it is to fail otherwise. parked: it waits for the end of the pause.
	interrupted bool
	deadline    time.Time
	parked      bool
	// carried says that no request has come since another program had the
	// connection: it may have been idle for long.
	carried bool
	call    *call // that is being answered
	// following says that a log is being followed, and stream is set while that
	// rests.
	following bool
	stream    *StreamState
}

// call is a method call.
type call struct {
	ticket *api.Ticket
	closes bool // the connection ends with the answer
	old    bool // it came by HTTP/1.0
}

// begin begins a pause.
func (s *conns) begin() {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.pause.begun {
		return
	}
	s.pause.begun, s.pause.ended = true, make(chan struct{})
	if s.pause.cancel != nil {
		s.pause.cancel()
	}
	for c := range s.all {
		if c.pausing.fresh.Load() {
			c.interrupt()
		}
	}
}

// end ends a pause.
func (s *conns) end() {
	s.mu.Lock()
	defer s.mu.Unlock()
	if !s.pause.begun {
		return
	}
	s.pause.begun, s.pause.ctx, s.pause.cancel = false, nil, nil
	close(s.pause.ended)
	for c := range s.all {
		c.release()
	}
}

// untilPause returns a context that ends with ctx or when a pause begins, and
// what to call when it is not needed any more.
func (s *conns) untilPause(ctx context.Context) (context.Context, func()) {
	s.mu.Lock()
	if s.pause.ctx == nil {
		s.pause.ctx, s.pause.cancel = context.WithCancel(context.Background())
	}
	pause, begun := s.pause.ctx, s.pause.begun
	s.mu.Unlock()
	until, cancel := context.WithCancel(ctx)
	if begun {
		cancel()
	}
	stop := context.AfterFunc(pause, cancel)
	return until, func() { stop(); cancel() }
}

// rest waits for the end of a pause if that is why a listener failed. It reports
// whether it was.
func (s *conns) rest(l *listener, err error) bool {
	s.mu.Lock()
	begun, ended := s.pause.begun, s.pause.ended
	s.mu.Unlock()
	if ne, ok := errors.AsType[net.Error](err); !ok || !ne.Timeout() {
		return false
	}
	if begun {
		select {
		case <-ended:
		case <-l.stop:
			return false
		}
	}
	return true
}

// interrupt makes reading fail. s.mu is held.
func (c *conn) interrupt() {
	c.pausing.interrupted = true
	_ = c.Conn.SetReadDeadline(time.Unix(1, 0)) // It fails if the connection is closed.
}

// release takes interrupt back. s.mu is held.
func (c *conn) release() {
	if c.pausing.interrupted && !c.pausing.parked {
		c.pausing.interrupted = false
		_ = c.Conn.SetReadDeadline(c.pausing.deadline)
	}
}

// Read reads, but not the beginning of a request during a pause.
func (c *conn) Read(p []byte) (int, error) {
	for {
		n, err := c.Conn.Read(p)
		if n > 0 {
			if c.quick != nil && c.quick.serve(p[:n]) {
				continue
			}
			// From here on nobody but net/http knows where a request begins.
			c.quick = nil
			c.began()
			return n, err
		}
		if !errors.Is(err, os.ErrDeadlineExceeded) || !c.park() {
			return n, err
		}
	}
}

// began notes that a part of a request has come.
func (c *conn) began() {
	if !c.pausing.fresh.Load() {
		return
	}
	c.conns.mu.Lock()
	defer c.conns.mu.Unlock()
	c.pausing.fresh.Store(false)
	c.pausing.asked = time.Now()
	if c.pausing.carried {
		c.pausing.carried = false
		c.pausing.deadline = time.Now().Add(headerTimeout)
		_ = c.Conn.SetReadDeadline(c.pausing.deadline)
	}
	c.release()
}

// park waits for the end of a pause, if that is why reading failed. It reports
// whether to try again.
func (c *conn) park() bool {
	s := c.conns
	s.mu.Lock()
	defer s.mu.Unlock()
	if !c.pausing.interrupted {
		return false
	}
	if s.pause.begun && c.pausing.fresh.Load() {
		c.pausing.parked = true
		s.pause.wake()
		ended := s.pause.ended
		s.mu.Unlock()
		<-ended
		s.mu.Lock()
		c.pausing.parked = false
	}
	c.pausing.interrupted = false
	return c.Conn.SetReadDeadline(c.pausing.deadline) == nil
}

// SetReadDeadline sets the time by which reading fails, from the end of a pause
// on. A connection that another program has had is left in peace until a request
// comes.
func (c *conn) SetReadDeadline(t time.Time) error {
	c.conns.mu.Lock()
	defer c.conns.mu.Unlock()
	if c.pausing.carried && !t.IsZero() {
		return nil
	}
	c.pausing.deadline = t
	if c.pausing.interrupted {
		return nil
	}
	return c.Conn.SetReadDeadline(t)
}

// idle notes that a request was answered and the next one is waited for.
func (s *conns) idle(c *conn) {
	s.mu.Lock()
	defer s.mu.Unlock()
	c.pausing.fresh.Store(true)
	if s.pause.begun {
		c.interrupt()
	}
}

// track notes that the request is a method call, and returns its context.
func (s *conns) track(r *http.Request) context.Context {
	ticket := &api.Ticket{Changed: s.look}
	s.mu.Lock()
	defer s.mu.Unlock()
	c := r.Context().Value(connKey{}).(*conn)
	c.pausing.call = &call{ticket: ticket, closes: r.Close, old: !r.ProtoAtLeast(1, 1)}
	return api.WithTicket(r.Context(), ticket)
}

// settled reports whether a connection has come to rest. If it has not, wait is
// how long that may take when it has been waited for since started; if it is to
// be carried over, carry is set. s.mu is held.
func (c *conn) settled(pending func(req uint64) bool, started, now time.Time) (carry bool, wait time.Duration) {
	if c.pausing.parked || c.pausing.stream != nil {
		return true, 0
	}
	if c.pausing.call != nil {
		if w, held := c.pausing.call.ticket.Held(); held && (w.Req == 0 || pending(w.Req)) {
			return true, 0
		}
	}
	from := c.since
	if from.Before(c.pausing.asked) {
		from = c.pausing.asked
	}
	if c.pausing.call != nil || c.pausing.following || c.pausing.fresh.Load() {
		from = started
	}
	return false, max(patience-now.Sub(from), 0)
}

// settle waits until everything has come to rest or was waited for long enough.
func (s *conns) settle(ctx context.Context, pending func(req uint64) bool) {
	started := time.Now()
	for {
		s.mu.Lock()
		now := time.Now()
		wait := time.Duration(0)
		for c := range s.all {
			_, more := c.settled(pending, started, now)
			wait = max(wait, more)
		}
		if wait == 0 {
			s.mu.Unlock()
			return
		}
		if s.pause.changed == nil {
			s.pause.changed = make(chan struct{})
		}
		changed := s.pause.changed
		s.mu.Unlock()
		timer := time.NewTimer(wait)
		select {
		case <-changed:
		case <-timer.C:
		case <-ctx.Done():
		}
		timer.Stop()
		if ctx.Err() != nil {
			return
		}
	}
}

// descriptor returns the descriptor of a connection, -1 if it has none.
func (c *conn) descriptor() int {
	n := -1
	if sc, ok := c.Conn.(syscall.Conn); ok {
		if raw, err := sc.SyscallConn(); err == nil {
			_ = raw.Control(func(fd uintptr) { n = int(fd) })
		}
	}
	return n
}

// Pause stops accepting connections and reading requests, until Resume. Clients
// that come meanwhile wait.
func (s *Server) Pause() {
	s.conns.begin()
	s.mu.Lock()
	defer s.mu.Unlock()
	for _, l := range s.listeners {
		l.setDeadline(time.Unix(1, 0))
	}
}

// Resume ends Pause.
func (s *Server) Resume() {
	s.mu.Lock()
	for _, l := range s.listeners {
		l.setDeadline(time.Time{})
	}
	s.mu.Unlock()
	s.conns.end()
}

// Settle waits, during a pause, until requests that are being served have been
// answered, or wait for answers that are pending, and all others have been given
// some time.
func (s *Server) Settle(ctx context.Context, pending func(req uint64) bool) {
	s.conns.settle(ctx, pending)
}

func (l *listener) setDeadline(t time.Time) {
	if d, ok := l.Listener.(interface{ SetDeadline(time.Time) error }); ok {
		_ = d.SetDeadline(t) // It fails if the listener is closed.
	}
}
