package listenertest

import (
	"encoding/gob"
	"fmt"
	"net"
	"os"
	"strings"
	"syscall"
	"testing"
	"time"
	"unicode/utf8"
)

// socketVar names the environment variable with the socket of the stage. A test
// binary that finds it is a puppet.
const socketVar = "LISTENERTEST_SOCKET"

// limit is how long a test waits for what must come. It is far more than
// anything takes, so that a busy machine fails no test.
const limit = 2 * time.Minute

// An order is what a puppet is to do.
type order struct {
	Op   string // "write" Data to FD, "read" up to N bytes of stdin, "close" FD, "exit" with status N
	FD   int
	N    int
	Data []byte
}

// An outcome is what came of an order.
type outcome struct {
	Data []byte
	Err  string
}

// perform is the main function of a puppet: it carries out orders until the
// stage is gone.
func perform(socket string) int {
	conn, err := net.Dial("unix", socket)
	if err != nil {
		return 99
	}
	in, out := gob.NewDecoder(conn), gob.NewEncoder(conn)
	if err := out.Encode(os.Getenv("SUPERVISOR_PROCESS_NAME")); err != nil {
		return 99
	}
	for {
		var o order
		if err := in.Decode(&o); err != nil {
			return 99
		}
		if o.Op == "exit" {
			return o.N
		}
		data, err := carryOut(o)
		result := outcome{Data: data}
		if err != nil {
			result.Err = err.Error()
		}
		if err := out.Encode(result); err != nil {
			return 99
		}
	}
}

func carryOut(o order) ([]byte, error) {
	switch o.Op {
	case "write":
		for data := o.Data; len(data) > 0; {
			n, err := syscall.Write(o.FD, data)
			if err != nil {
				return nil, err
			}
			data = data[n:]
		}
		return nil, nil
	case "read":
		data := make([]byte, o.N)
		n, err := syscall.Read(0, data)
		return data[:max(n, 0)], err
	case "close":
		return nil, syscall.Close(o.FD)
	}
	return nil, fmt.Errorf("unknown order %q", o.Op)
}

// A puppet is the test's end of one puppet.
type puppet struct {
	t    testing.TB
	d    *daemon
	name string
	conn net.Conn
	in   *gob.Decoder
	out  *gob.Encoder
	read []byte // of its stdin, not looked at yet
	// countBytes says that len in the headers counts bytes.
	countBytes bool
}

// stage is where the puppets of one daemon report.
type stage struct {
	listener net.Listener
	arrivals chan *puppet
	arrived  []*puppet // not asked for yet
}

func newStage(t testing.TB, socket string) *stage {
	l, err := net.Listen("unix", socket)
	if err != nil {
		t.Fatal(err)
	}
	s := &stage{listener: l, arrivals: make(chan *puppet)}
	t.Cleanup(func() { l.Close() })
	go func() {
		for {
			conn, err := l.Accept()
			if err != nil {
				return
			}
			p := &puppet{t: t, conn: conn, in: gob.NewDecoder(conn), out: gob.NewEncoder(conn)}
			if p.in.Decode(&p.name) != nil {
				conn.Close()
				continue
			}
			select {
			case s.arrivals <- p:
			case <-t.Context().Done():
				conn.Close()
			}
		}
	}()
	return s
}

// puppet returns the next puppet that the daemon starts under the name.
func (s *stage) puppet(t testing.TB, name string) *puppet {
	t.Helper()
	timeout := time.After(limit)
	for {
		for i, p := range s.arrived {
			if p.name == name {
				s.arrived = append(s.arrived[:i:i], s.arrived[i+1:]...)
				t.Cleanup(func() { p.conn.Close() })
				return p
			}
		}
		select {
		case p := <-s.arrivals:
			s.arrived = append(s.arrived, p)
		case <-timeout:
			t.Fatalf("no process %s was started", name)
		}
	}
}

// do has the puppet carry out an order.
func (p *puppet) do(o order) []byte {
	p.t.Helper()
	p.conn.SetDeadline(time.Now().Add(limit))
	if err := p.out.Encode(o); err != nil {
		p.t.Fatalf("%s: %s: %v", p.name, o.Op, err)
	}
	var result outcome
	if err := p.in.Decode(&result); err != nil {
		p.t.Fatalf("%s: %s: %v", p.name, o.Op, err)
	}
	if result.Err != "" {
		p.t.Fatalf("%s: %s: %s", p.name, o.Op, result.Err)
	}
	return result.Data
}

// say writes to the puppet's standard output, complain to its standard error.
func (p *puppet) say(text string) { p.t.Helper(); p.do(order{Op: "write", FD: 1, Data: []byte(text)}) }
func (p *puppet) complain(text string) {
	p.t.Helper()
	p.do(order{Op: "write", FD: 2, Data: []byte(text)})
}

// stopListening closes the puppet's standard input.
func (p *puppet) stopListening() { p.t.Helper(); p.do(order{Op: "close", FD: 0}) }

// exit ends the puppet.
func (p *puppet) exit(status int) {
	p.t.Helper()
	if err := p.out.Encode(order{Op: "exit", N: status}); err != nil {
		p.t.Fatalf("%s: exit: %v", p.name, err)
	}
}

// ready says READY and waits until the daemon has heard it.
func (p *puppet) ready() {
	p.t.Helper()
	p.say("READY\n")
	p.heard("READY")
}

// heard waits until the daemon has heard something that takes the listener to
// the state.
func (p *puppet) heard(state string) {
	p.t.Helper()
	p.d.waitLog(p.name + ": " + from[state] + " -> " + state)
}

// from is where a listener is before it enters a state.
var from = map[string]string{"READY": "ACKNOWLEDGED", "ACKNOWLEDGED": "BUSY"}

// answer gives a result and does not say READY.
func (p *puppet) answer(text string) {
	p.t.Helper()
	p.say(fmt.Sprintf("RESULT %d\n%s", len(text), text))
}

func (p *puppet) ok()   { p.t.Helper(); p.answer("OK"); p.ready() }
func (p *puppet) fail() { p.t.Helper(); p.answer("FAIL"); p.ready() }

// A heard is an event as a listener gets it.
type heard struct {
	line    string // the header, without its newline
	header  map[string]string
	payload string
}

// String is the type and the payload, and the numbers of the event.
func (h heard) String() string {
	return fmt.Sprintf("%s/%s %s %q", h.header["serial"], h.header["poolserial"], h.header["eventname"],
		anyPID.ReplaceAllString(h.payload, "pid:N"))
}

// event reads the next event.
func (p *puppet) event() heard {
	p.t.Helper()
	for !strings.Contains(string(p.read), "\n") {
		p.fill()
	}
	line, _, _ := strings.Cut(string(p.read), "\n")
	p.read = p.read[len(line)+1:]
	h := heard{line: line, header: map[string]string{}}
	for field := range strings.FieldsSeq(line) {
		key, value, _ := strings.Cut(field, ":")
		h.header[key] = value
	}
	length := 0
	if _, err := fmt.Sscan(h.header["len"], &length); err != nil {
		p.t.Fatalf("%s: length in %q: %v", p.name, line, err)
	}
	h.payload = p.take(length)
	return h
}

// take reads the given number of bytes or characters.
func (p *puppet) take(length int) string {
	p.t.Helper()
	end := 0
	for n := 0; n < length; {
		if end < len(p.read) && (p.countBytes || utf8.FullRune(p.read[end:])) {
			size := 1
			if !p.countBytes {
				_, size = utf8.DecodeRune(p.read[end:])
			}
			end, n = end+size, n+1
			continue
		}
		p.fill()
	}
	text := string(p.read[:end])
	p.read = p.read[end:]
	return text
}

// fill reads what is there of the puppet's standard input.
func (p *puppet) fill() {
	p.t.Helper()
	data := p.do(order{Op: "read", N: 1 << 16})
	if len(data) == 0 {
		p.t.Fatalf("%s: end of its standard input", p.name)
	}
	p.read = append(p.read, data...)
}
