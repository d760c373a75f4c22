package httpd

import (
	"bufio"
	"fmt"
	"net"
	"net/http"
	"net/netip"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"
)

// pipeListener accepts connections that exist only in memory, so that a test
// can run in the time of synctest.
type pipeListener struct {
	conns chan net.Conn
	once  sync.Once
	done  chan struct{}
}

func (l *pipeListener) Accept() (net.Conn, error) {
	select {
	case c := <-l.conns:
		return c, nil
	case <-l.done:
		return nil, net.ErrClosed
	}
}

func (l *pipeListener) Close() error {
	l.once.Do(func() { close(l.done) })
	return nil
}

func (l *pipeListener) Addr() net.Addr { return &net.UnixAddr{Name: "pipe", Net: "unix"} }

// pipeServer is a Server on a pipeListener.
type pipeServer struct {
	*Server
	t       *testing.T
	l       *pipeListener
	methods *methods
}

// inBubble runs a test with a server in the time of synctest.
func inBubble(t *testing.T, auth Auth, maxConns int, f func(t *testing.T, s *pipeServer)) {
	synctest.Test(t, func(t *testing.T) {
		s := &pipeServer{t: t, l: &pipeListener{conns: make(chan net.Conn), done: make(chan struct{})}, methods: newMethods()}
		s.Server = New(Options{Methods: s.methods, UI: http.HandlerFunc(ui), MaxConns: maxConns})
		served := make(chan error, 1)
		go func() { served <- s.Serve(s.l, auth) }()
		defer func() {
			if err := s.Close(); err != nil {
				t.Error(err)
			}
			if err := <-served; err != nil {
				t.Error(err)
			}
		}()
		f(t, s)
	})
}

func (s *pipeServer) dial() *client {
	ours, theirs := net.Pipe()
	s.t.Cleanup(func() { ours.Close() })
	s.l.conns <- theirs
	return &client{ours, s.t, bufio.NewReader(ours)}
}

// within fails unless the connection is closed in that time.
func (c *client) within(limit time.Duration) {
	c.t.Helper()
	start := time.Now()
	c.rest()
	if took := time.Since(start); took > limit {
		c.t.Errorf("closed after %v", took)
	}
}

func TestSlowClients(t *testing.T) {
	secret := Auth{"u", "pw"}
	tests := []struct {
		name   string
		auth   Auth
		sent   string
		within time.Duration
		status string // of the answer, if there is one
	}{
		{"nothing", Auth{}, "", headerTimeout, ""},
		{"half a header", Auth{}, "GET / HTTP/1.1\r\nHost: h\r\nX: ", headerTimeout, ""},
		{"half a body", Auth{}, "POST /RPC2 HTTP/1.1\r\nHost: h\r\nContent-Length: 100\r\n\r\n<methodCall>", bodyTimeout + restTimeout, "408"},
		{"half a chunk", Auth{}, "POST /RPC2 HTTP/1.1\r\nHost: h\r\nTransfer-Encoding: chunked\r\n\r\n10\r\n<meth", bodyTimeout + restTimeout, "408"},
		{"half a form", Auth{}, "POST / HTTP/1.1\r\nHost: h\r\nContent-Length: 100\r\n\r\na=b", bodyTimeout + restTimeout, "400"},
		{"half of a body without a password", secret, "POST /RPC2 HTTP/1.1\r\nHost: h\r\nContent-Length: 100\r\n\r\n<methodCall>", restTimeout, "401"},
		{"half of a body that nobody wants", Auth{}, "POST /logtail/x HTTP/1.1\r\nHost: h\r\nContent-Length: 100\r\n\r\nx", restTimeout, "400"},
	}
	for _, tt := range tests {
		inBubble(t, tt.auth, 0, func(t *testing.T, s *pipeServer) {
			c := s.dial().send(tt.sent)
			start := time.Now()
			var got strings.Builder
			for {
				b, err := c.br.ReadByte()
				if err != nil {
					break
				}
				got.WriteByte(b)
			}
			if took := time.Since(start); took > tt.within {
				t.Errorf("%s: closed after %v", tt.name, took)
			}
			if status, _, _ := strings.Cut(strings.TrimPrefix(got.String(), "HTTP/1.1 "), " "); status != tt.status {
				t.Errorf("%s: got %q", tt.name, got.String())
			}
		})
	}
}

// TestPatience: a call may wait, and a connection may be idle, for days.
func TestPatience(t *testing.T) {
	inBubble(t, Auth{}, 0, func(t *testing.T, s *pipeServer) {
		idle := s.dial()
		for range 2 {
			if _, body := idle.send(post("/RPC2", callXML("echo", "x"))).response(); body != resultXML("x") {
				t.Fatalf("got %q", body)
			}
			time.Sleep(100 * time.Hour)
		}
		waiting := s.dial().send(post("/RPC2", callXML("wait", "")))
		time.Sleep(100 * time.Hour)
		close(s.methods.hold)
		if _, body := waiting.response(); body != resultXML("done") {
			t.Errorf("got %q", body)
		}
	})
}

// TestStuckReader: a client that reads nothing of its answer is let go some
// day.
func TestStuckReader(t *testing.T) {
	inBubble(t, Auth{}, 0, func(t *testing.T, s *pipeServer) {
		c := s.dial().send(post("/RPC2", callXML("large", "")))
		time.Sleep(writeTimeout + time.Second)
		c.within(0)
	})
}

// TestTooManyConnections: connections without requests make room first, then
// idle ones, those in use never.
func TestTooManyConnections(t *testing.T) {
	inBubble(t, Auth{}, 4, func(t *testing.T, s *pipeServer) {
		echo := post("/RPC2", callXML("echo", "x"))
		ask := func(c *client) {
			t.Helper()
			if _, body := c.send(echo).response(); body != resultXML("x") {
				t.Fatalf("got %q", body)
			}
		}
		waiting := s.dial().send(post("/RPC2", callXML("wait", "")))
		known := s.dial()
		ask(known)
		strangers := []*client{s.dial(), s.dial()}
		start := time.Now()
		ask(s.dial())
		ask(s.dial())
		if took := time.Since(start); took < strangerGrace || took > 2*strangerGrace {
			t.Errorf("strangers made room after %v", took)
		}
		for _, c := range strangers {
			c.within(0)
		}
		time.Sleep(time.Millisecond)
		ask(known)
		start = time.Now()
		ask(s.dial())
		if took := time.Since(start); took < idleGrace-2*strangerGrace || took > idleGrace+strangerGrace {
			t.Errorf("an idle connection made room after %v", took)
		}
		ask(known)
		close(s.methods.hold)
		if _, body := waiting.response(); body != resultXML("done") {
			t.Errorf("got %q", body)
		}
	})
}

// addressed is a connection that comes from somewhere.
type addressed struct {
	net.Conn
	from string
}

func (c addressed) RemoteAddr() net.Addr {
	return net.TCPAddrFromAddrPort(netip.MustParseAddrPort(c.from))
}

// TestCrowdOfStrangers: an address from which many come without a request does
// not hold up others for long, nor those who come from it and ask at once.
func TestCrowdOfStrangers(t *testing.T) {
	inBubble(t, Auth{}, 8, func(t *testing.T, s *pipeServer) {
		dialFrom := func(from string) *client {
			ours, theirs := net.Pipe()
			t.Cleanup(func() { ours.Close() })
			s.l.conns <- addressed{theirs, from}
			return &client{ours, t, bufio.NewReader(ours)}
		}
		ask := func(c *client) {
			t.Helper()
			if _, body := c.send(post("/RPC2", callXML("echo", "x"))).response(); body != resultXML("x") {
				t.Fatalf("got %q", body)
			}
		}
		slow := dialFrom("[2001:db8:0:1::1]:1") // needs a second for its request
		start := time.Now()
		for i := range 7 {
			dialFrom(fmt.Sprintf("[2001:db8::%d]:2", i)) // one network
		}
		for range 3 {
			asked := time.Now()
			ask(dialFrom("192.0.2.1:3"))
			if took := time.Since(asked); took > crowdGrace {
				t.Errorf("a client had to wait for %v", took)
			}
			asked = time.Now()
			ask(dialFrom("[2001:db8::ff]:4"))
			if took := time.Since(asked); took > crowdGrace {
				t.Errorf("a client from the crowd's network had to wait for %v", took)
			}
		}
		time.Sleep(time.Second - time.Since(start))
		ask(slow)
	})
}

// TestCloseWhileFull: the end does not wait for room.
func TestCloseWhileFull(t *testing.T) {
	inBubble(t, Auth{}, 1, func(t *testing.T, s *pipeServer) {
		s.dial().send(post("/RPC2", callXML("wait", "")))
		<-s.methods.waiting
		late := s.dial()
		synctest.Wait()
		if err := s.Close(); err != nil {
			t.Error(err)
		}
		late.within(0)
	})
}

// TestCrowd: 1,000 clients at once, of which half are slow or broken; the
// others are answered.
func TestCrowd(t *testing.T) {
	s := start(t, "unix", Auth{}, 300)
	const clients = 1000
	var wg sync.WaitGroup
	failed := make(chan string, clients)
	for i := range clients {
		wg.Go(func() {
			c, err := net.Dial(s.network, s.addr)
			if err != nil {
				failed <- err.Error()
				return
			}
			t.Cleanup(func() { c.Close() })
			switch i % 8 {
			case 0: // says nothing
			case 2:
				c.Write([]byte("POST /RPC2 HTTP/1.1\r\nHost: h\r\nContent-Length: 1000\r\n"))
			case 4:
				c.Write([]byte("\x16\x03\x01\x02\x00nonsense\r\n\r\n"))
			case 6:
				c.Write([]byte(post("/RPC2", callXML("large", "x")))) // and reads nothing
				c.Close()
			default:
				defer c.Close()
				for range 3 {
					cl := &client{c, t, bufio.NewReader(c)}
					if _, err := c.Write([]byte(post("/RPC2", callXML("echo", "x")))); err != nil {
						failed <- err.Error()
						return
					}
					if _, body := cl.response(); body != resultXML("x") {
						failed <- "no answer"
						return
					}
				}
			}
		})
	}
	wg.Wait()
	close(failed)
	for problem := range failed {
		t.Error(problem)
	}
}
