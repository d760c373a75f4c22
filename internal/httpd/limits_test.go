package httpd

import (
	"bufio"
	"fmt"
	"io"
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

// dialFrom is dial from an address with a port.
func (s *pipeServer) dialFrom(from string) *client {
	ours, theirs := net.Pipe()
	s.t.Cleanup(func() { ours.Close() })
	s.l.conns <- addressed{theirs, from}
	return &client{ours, s.t, bufio.NewReader(ours)}
}

// ask makes a call, which must be answered in time.
func (c *client) ask(limit time.Duration) {
	c.t.Helper()
	start := time.Now()
	if _, body := c.send(post("/RPC2", callXML("echo", "x"))).response(); body != resultXML("x") {
		c.t.Fatalf("got %q", body)
	}
	if took := time.Since(start); took > limit {
		c.t.Errorf("a client had to wait for %v", took)
	}
}

// trickle begins a call and sends of its body, which has size bytes, so many
// each second, until it is answered or closed. It returns what to call for the
// answer, which is empty if there was none.
func (c *client) trickle(size, rate int) (answer func() string) {
	c.send(fmt.Sprintf("POST /RPC2 HTTP/1.1\r\nHost: h\r\nContent-Length: %d\r\n\r\n", size))
	call := callXML("echo", "x")
	text := call + strings.Repeat(" ", size-len(call))
	answered := make(chan string, 1)
	go func() {
		resp, err := http.ReadResponse(c.br, nil)
		if err != nil {
			answered <- ""
			return
		}
		body, _ := io.ReadAll(resp.Body)
		answered <- string(body)
	}()
	over := make(chan struct{}) // Time stands still at the end of a test.
	c.t.Cleanup(func() { close(over) })
	go func() {
		for len(text) > 0 {
			select {
			case <-time.After(time.Second):
			case <-over:
				return
			}
			n := min(rate, len(text))
			if _, err := io.WriteString(c.Conn, text[:n]); err != nil {
				return
			}
			text = text[n:]
		}
	}()
	return func() string { return <-answered }
}

// TestSlowBodies: those who send the bodies of their requests slowly make room
// for others, those who harm nobody do not.
func TestSlowBodies(t *testing.T) {
	t.Run("strangers", func(t *testing.T) {
		inBubble(t, Auth{}, 8, func(t *testing.T, s *pipeServer) {
			lawful := s.dial().trickle(40*slowBody, slowBody)
			for range 7 {
				s.dial().trickle(1000, 1)
			}
			for range 7 {
				s.dial().ask(2 * strangerGrace)
			}
			if got := lawful(); got != resultXML("x") {
				t.Errorf("a slow client got %q", got)
			}
		})
	})
	t.Run("crowd", func(t *testing.T) {
		inBubble(t, Auth{}, 16, func(t *testing.T, s *pipeServer) {
			lawful := s.dialFrom("192.0.2.1:1").trickle(40*slowBody, slowBody)
			for i := range 30 {
				s.dialFrom(fmt.Sprintf("[2001:db8::%d]:2", i)).trickle(1000, 1)
			}
			for i := range 10 {
				for _, from := range []string{"192.0.2.1:3", fmt.Sprintf("[2001:db8::%d]:4", i)} {
					c := s.dialFrom(from)
					c.ask(2 * crowdGrace)
					c.Close()
					synctest.Wait()
				}
			}
			if got := lawful(); got != resultXML("x") {
				t.Errorf("a slow client got %q", got)
			}
		})
	})
	t.Run("large", func(t *testing.T) {
		inBubble(t, Auth{}, 0, func(t *testing.T, s *pipeServer) {
			lawful := s.dial().trickle(40*fastBody, fastBody)
			for range maxLargeBodies - 1 {
				s.dial().trickle(2*largeBody, 1)
			}
			s.dial().ask(0)
			for range maxLargeBodies {
				start := time.Now()
				if got := s.dial().trickle(2*largeBody, 2*largeBody)(); got != resultXML("x") {
					t.Errorf("a large call got %q", got)
				}
				if took := time.Since(start); took > 2*strangerGrace {
					t.Errorf("a large call had to wait for %v", took)
				}
			}
			if got := lawful(); got != resultXML("x") {
				t.Errorf("a slow client got %q", got)
			}
		})
	})
	t.Run("nobody waits", func(t *testing.T) {
		inBubble(t, Auth{}, 8, func(t *testing.T, s *pipeServer) {
			if got := s.dial().trickle(500, 10)(); got != resultXML("x") {
				t.Errorf("a slow client got %q", got)
			}
		})
	})
}

// TestLocalPlaces: those who hold all places of a port do not lock out those of
// the machine.
func TestLocalPlaces(t *testing.T) {
	inBubble(t, Auth{}, 8, func(t *testing.T, s *pipeServer) {
		for range 7 {
			s.dialFrom("192.0.2.1:1").send(post("/RPC2", callXML("wait", "")))
			<-s.methods.waiting
		}
		late := make(chan struct{})
		go func() {
			s.dialFrom("192.0.2.1:2").ask(2 * time.Hour)
			close(late)
		}()
		synctest.Wait()
		select {
		case <-late:
			t.Error("a port had all places")
		default:
		}
		close(s.methods.hold)
		<-late
	})
	inBubble(t, Auth{}, 8, func(t *testing.T, s *pipeServer) {
		for range 7 {
			s.dialFrom("192.0.2.1:1").send(post("/RPC2", callXML("wait", "")))
			<-s.methods.waiting
		}
		s.dial().ask(0)
		close(s.methods.hold)
	})
}

// TestCrowdOfStrangers: an address from which many come without a request does
// not hold up others for long, nor those who come from it and ask at once.
func TestCrowdOfStrangers(t *testing.T) {
	inBubble(t, Auth{}, 8, func(t *testing.T, s *pipeServer) {
		slow := s.dialFrom("[2001:db8:0:1::1]:1") // needs a second for its request
		start := time.Now()
		for i := range 7 {
			s.dialFrom(fmt.Sprintf("[2001:db8::%d]:2", i)) // one network
		}
		for range 3 {
			s.dialFrom("192.0.2.1:3").ask(crowdGrace)
			s.dialFrom("[2001:db8::ff]:4").ask(crowdGrace)
		}
		time.Sleep(time.Second - time.Since(start))
		slow.ask(0)
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
