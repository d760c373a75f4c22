package httpd

import (
	"net"
	"net/netip"
	"sync"
	"sync/atomic"
	"syscall"
	"time"
)

const (
	// strangerGrace is how long a connection without an authorized request is
	// safe from being closed when connections run short, and idleGrace one
	// between two requests. One from an address that has more than a crowd's
	// share of all connections is safe for crowdGrace: long enough for a request
	// that follows the connection at once, as it does.
	strangerGrace = 2 * time.Second
	crowdGrace    = 100 * time.Millisecond
	idleGrace     = 10 * time.Second
	crowdShare    = 4 // a fourth
	// A connection on which the body of a request arrives is as safe as a
	// stranger, and after that for as long as so many bytes a second have come:
	// slowBody of those who harm nobody, fastBody of a crowd and of those who
	// have a place for a large body. What arrives faster may take bodyTimeout.
	slowBody = 4 << 10
	fastBody = 64 << 10
	// A part of all places is for UNIX sockets only, so that who has the machine
	// is not locked out by those who have the port.
	localShare = 8 // an eighth
	// writeTimeout is how long a client may leave unread what was sent to it.
	// It is long because a person may suspend a program that follows a log.
	writeTimeout = 30 * time.Minute
	// writeRenewal is after which time that begins anew.
	writeRenewal = time.Minute
	// leastConns and mostConns are the bounds of the default of MaxConns.
	leastConns = 32
	mostConns  = 4096
)

// defaultMaxConns leaves the greater part of the files that may be open to the
// pipes and logs of programs, and to the logs that connections follow.
func defaultMaxConns() int {
	var limit syscall.Rlimit
	if err := syscall.Getrlimit(syscall.RLIMIT_NOFILE, &limit); err != nil {
		return leastConns
	}
	return int(min(max(limit.Cur/3, leastConns), mostConns))
}

// connKey is the key of the *conn in the context of a request.
type connKey struct{}

// conn is a connection in a conns, whose mutex guards its state.
type conn struct {
	net.Conn
	conns *conns
	from  netip.Prefix // whom it counts for; the zero value for nobody

	since time.Time // of the last change of what follows
	known bool      // an authorized request was made
	busy  bool      // one is being served
	// The body of the request is being waited for, and got of it has come. large:
	// it has one of the places for large bodies.
	reading, large bool
	got            atomic.Int64

	pausing pausing
	quick   *quick // nil unless what is read next begins a request
	// lately is when the deadline of writing was set last. It has the reading of the
	// monotonic clock, as the other may be set back.
	lately atomic.Pointer[time.Time]
}

// Write writes with a deadline, which starts anew when some time has passed.
func (c *conn) Write(p []byte) (int, error) {
	if err := c.renew(); err != nil {
		return 0, err
	}
	return c.Conn.Write(p)
}

// writeAll writes several parts as one, with the same deadline.
func (c *conn) writeAll(parts *net.Buffers) (int64, error) {
	if err := c.renew(); err != nil {
		return 0, err
	}
	return parts.WriteTo(c.Conn)
}

// renew sets the deadline of writing unless that was done lately.
func (c *conn) renew() error {
	now := time.Now()
	if last := c.lately.Load(); last != nil && now.Sub(*last) < writeRenewal {
		return nil
	}
	set := now // Only what is kept is to be allocated.
	c.lately.Store(&set)
	return c.SetWriteDeadline(now.Add(writeTimeout))
}

// CloseWrite lets net/http end a connection so that its last answer arrives.
func (c *conn) CloseWrite() error {
	if half, ok := c.Conn.(interface{ CloseWrite() error }); ok {
		return half.CloseWrite()
	}
	return nil
}

func (c *conn) Close() error {
	c.conns.remove(c)
	return c.Conn.Close()
}

// conns is the set of all connections of a Server. It closes idle ones when
// there are too many.
type conns struct {
	max int

	mu   sync.Mutex
	all  map[*conn]struct{}
	from map[netip.Prefix]int // how many of them
	// foreign are those that are counted by an address, large those that have a
	// place for a large body.
	foreign, large int
	busy           int
	// freed is not nil while somebody waits for a place. It is closed when a
	// connection ends, becomes idle or begins to read.
	freed chan struct{}
	// draining tells that nothing new is served; drained is closed when
	// nothing is served any more.
	draining bool
	drained  chan struct{}

	pause pause
}

func newConns(max int) *conns {
	return &conns{
		max: max, all: make(map[*conn]struct{}), from: make(map[netip.Prefix]int), drained: make(chan struct{}),
	}
}

// origin is what connections are counted by: an IPv4 address, or the network of
// an IPv6 address, as whoever has one has all of it. Those who may open a UNIX
// socket are not counted.
func origin(a net.Addr) netip.Prefix {
	tcp, ok := a.(*net.TCPAddr)
	if !ok {
		return netip.Prefix{}
	}
	addr := tcp.AddrPort().Addr().Unmap().WithZone("")
	bits := 32
	if addr.Is6() {
		bits = 64
	}
	network, err := addr.Prefix(bits)
	if err != nil {
		return netip.Prefix{} // It has no address.
	}
	return network
}

// add makes a connection part of the set, waiting until there is room. It
// returns nil, and has closed the connection, when its listener is closed first.
func (s *conns) add(nc net.Conn, l *listener) *conn {
	c := &conn{Conn: nc, conns: s, from: origin(nc.RemoteAddr())}
	c.pausing.listener = l
	s.mu.Lock()
	defer s.mu.Unlock()
	full := func() bool { return len(s.all) >= s.max }
	replaceable := func(*conn) bool { return true }
	if c.from.IsValid() {
		full = func() bool { return s.foreign >= s.max-s.max/localShare || len(s.all) >= s.max }
		replaceable = func(c *conn) bool { return c.from.IsValid() }
	}
	for full() {
		if !s.makeRoom(replaceable, l.stop) {
			nc.Close()
			return nil
		}
	}
	s.include(c)
	return c
}

// makeRoom closes one of the connections that may be replaced, or waits until
// there may be one or room. It returns false when stop is closed. s.mu is held, but
// not meanwhile.
func (s *conns) makeRoom(replaceable func(*conn) bool, stop <-chan struct{}) bool {
	victim, wait := s.victim(replaceable)
	if victim != nil {
		s.forget(victim)
		victim.Conn.Close()
		s.wake()
		return true
	}
	if s.freed == nil {
		s.freed = make(chan struct{})
	}
	freed := s.freed
	s.mu.Unlock()
	defer s.mu.Lock()
	timer := time.NewTimer(wait)
	defer timer.Stop()
	select {
	case <-freed:
	case <-timer.C:
	case <-stop:
		return false
	}
	return true
}

// receive notes that the body of a request is about to be read, until received is
// called.
func (s *conns) receive(c *conn) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if !c.reading {
		c.reading, c.since = true, time.Now()
		c.got.Store(0)
		s.wake()
	}
}

// received notes that the body has come.
func (s *conns) received(c *conn) {
	s.mu.Lock()
	defer s.mu.Unlock()
	c.reading = false
}

// admit waits for one of the places for large bodies, until done is closed. It
// returns false if there was none until then, or until the connection was closed
// in favour of another one.
func (s *conns) admit(c *conn, done <-chan struct{}) bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	for s.large >= maxLargeBodies {
		if !s.makeRoom(func(c *conn) bool { return c.large }, done) {
			return false
		}
		if _, ok := s.all[c]; !ok {
			return false
		}
	}
	s.large++
	c.large, c.since = true, time.Now()
	return true
}

// dismiss gives back the place that admit has got.
func (s *conns) dismiss(c *conn) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.release(c)
	s.wake()
}

// release gives back the place of a connection for a large body, if it has one.
// s.mu is held.
func (s *conns) release(c *conn) {
	if c.large {
		c.large = false
		s.large--
	}
}

// forget takes a connection out of the set, if it is there, and takes back its
// places. The mutex is held.
func (s *conns) forget(c *conn) {
	if _, ok := s.all[c]; !ok {
		return
	}
	delete(s.all, c)
	s.release(c)
	if c.from.IsValid() {
		s.foreign--
	}
	if s.from[c.from]--; s.from[c.from] == 0 {
		delete(s.from, c.from)
	}
}

// grace is how long a connection is safe, counted from c.since.
func (s *conns) grace(c *conn) time.Duration {
	crowd := c.from.IsValid() && s.from[c.from] > s.max/crowdShare
	grace := strangerGrace
	switch {
	case crowd:
		grace = crowdGrace
	case c.known && !c.reading:
		grace = idleGrace
	}
	if c.reading {
		rate := time.Duration(slowBody)
		if crowd || c.large {
			rate = fastBody
		}
		grace += time.Duration(c.got.Load()) * time.Second / rate
	}
	return grace
}

// include makes a connection part of the set. s.mu is held.
func (s *conns) include(c *conn) {
	c.since = time.Now()
	c.pausing.fresh.Store(true)
	s.all[c] = struct{}{}
	s.from[c.from]++
	if c.from.IsValid() {
		s.foreign++
	}
	if s.pause.begun {
		c.interrupt()
	}
}

// victim returns the connection to close for another one: a stranger before one
// that sends too slowly, and such a one before one that is idle; of each kind
// that whose grace ended first. If there is none it returns how long to wait for
// one.
func (s *conns) victim(replaceable func(*conn) bool) (*conn, time.Duration) {
	rank := func(c *conn) int {
		switch {
		case c.reading:
			return 1
		case c.known:
			return 2
		}
		return 0
	}
	var first *conn
	var overdue time.Duration
	wait := time.Hour
	now := time.Now()
	for c := range s.all {
		if c.busy && !c.reading || !replaceable(c) {
			continue
		}
		left := s.grace(c) - now.Sub(c.since)
		if left > 0 {
			wait = min(wait, left)
		} else if first == nil || rank(c) < rank(first) || rank(c) == rank(first) && left < overdue {
			first, overdue = c, left
		}
	}
	return first, wait
}

func (s *conns) remove(c *conn) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.forget(c)
	s.wake()
	s.pause.wake()
}

// wake lets add look again whether there is room.
func (s *conns) wake() {
	if s.freed != nil {
		close(s.freed)
		s.freed = nil
	}
}

// enter notes that an authorized request is being served. It returns false if
// no more are.
func (s *conns) enter(c *conn) bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.admitRequest(c)
}

// admitRequest is enter. s.mu is held.
func (s *conns) admitRequest(c *conn) bool {
	if s.draining {
		return false
	}
	s.busy++
	c.busy, c.known = true, true
	return true
}

// leave notes that the request has been served.
func (s *conns) leave(c *conn) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.busy--
	c.busy, c.reading, c.since = false, false, time.Now()
	c.pausing.call = nil
	s.wake()
	s.pause.wake()
	if s.draining && s.busy == 0 {
		close(s.drained)
	}
}

// isDraining reports whether drain was called.
func (s *conns) isDraining() bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.draining
}

// drain ends the serving of new requests. The channel that it returns is closed
// when those that are being served have ended.
func (s *conns) drain() <-chan struct{} {
	s.mu.Lock()
	defer s.mu.Unlock()
	if !s.draining {
		s.draining = true
		if s.busy == 0 {
			close(s.drained)
		}
	}
	return s.drained
}

// listener accepts connections into a conns.
type listener struct {
	net.Listener
	conns  *conns
	server *Server
	auth   *credentials

	once sync.Once
	stop chan struct{}
}

func newListener(l net.Listener, s *Server, auth *credentials) *listener {
	return &listener{Listener: l, conns: s.conns, server: s, auth: auth, stop: make(chan struct{})}
}

func (l *listener) Accept() (net.Conn, error) {
	nc, err := l.Listener.Accept()
	for err != nil {
		if !l.conns.rest(l, err) {
			return nil, err
		}
		nc, err = l.Listener.Accept()
	}
	if c := l.conns.add(nc, l); c != nil {
		c.quick = newQuick(l.server, l.auth, c)
		return c, nil
	}
	return nil, net.ErrClosed
}

func (l *listener) Close() error {
	l.once.Do(func() { close(l.stop) })
	return l.Listener.Close()
}
