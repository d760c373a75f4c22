package probe

import (
	"errors"
	"fmt"
	"net"
	"os"
	"strings"
	"sync"
	"syscall"
	"time"
)

// maxMessage is how much of a message is read, maxStatus how much of a STATUS=
// is kept.
const (
	maxMessage = 4 << 10
	maxStatus  = 200
)

// Message is what a process says of itself.
type Message struct {
	Ready     bool // READY=1
	Alive     bool // WATCHDOG=1, or READY=1
	HasStatus bool // STATUS=
	Status    string
}

// Socket takes the messages of one process, from Listen until Close.
type Socket struct {
	conn *net.UnixConn
	// Address is what the process finds in NOTIFY_SOCKET.
	Address string
	served  chan struct{} // closed when nobody takes messages any more; nil before Serve

	mu     sync.Mutex // guards paused, and the deadline that goes with it
	paused bool       // Pause was called since Serve was
}

// Resume returns the socket of a program before this one, whose descriptor it
// takes: who has connected to it notices nothing, and no message is lost.
func Resume(fd int, address string) (*Socket, error) {
	f := os.NewFile(uintptr(fd), "notify")
	if f == nil {
		return nil, errors.New("go on to listen for the messages of a program: there is no socket")
	}
	defer f.Close()
	conn, err := net.FileConn(f)
	if err != nil {
		return nil, fmt.Errorf("go on to listen for the messages of a program: %w", err)
	}
	unix, ok := conn.(*net.UnixConn)
	if !ok {
		conn.Close()
		return nil, errors.New("go on to listen for the messages of a program: it is another socket")
	}
	return &Socket{conn: unix, Address: address}, nil
}

// FD returns the descriptor, -1 if there is none.
func (s *Socket) FD() int {
	n := -1
	if raw, err := s.conn.SyscallConn(); err == nil {
		_ = raw.Control(func(fd uintptr) { n = int(fd) })
	}
	return n
}

// Close ends the socket.
func (s *Socket) Close() error { return s.conn.Close() }

// Pause has messages wait, until Serve is called again. The channel is closed when
// the last one was dealt with.
func (s *Socket) Pause() <-chan struct{} {
	if s.served == nil {
		served := make(chan struct{})
		close(served)
		return served
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	s.paused = true
	_ = s.conn.SetReadDeadline(time.Unix(1, 0))
	return s.served
}

// Paused reports whether Serve is to be called again.
func (s *Socket) Paused() bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.paused
}

// Serve has f called for each message, until Close or Pause. Messages for which
// accept returns false are dropped.
func (s *Socket) Serve(accept func(sender *Sender) bool, f func(Message)) {
	before, served := s.served, make(chan struct{})
	s.served = served
	s.mu.Lock()
	s.paused = false
	s.mu.Unlock()
	go func() {
		defer close(served)
		if before != nil {
			<-before
		}
		s.mu.Lock()
		if !s.paused {
			_ = s.conn.SetReadDeadline(time.Time{})
		}
		s.mu.Unlock()
		s.serve(accept, f)
	}()
}

func (s *Socket) serve(accept func(sender *Sender) bool, f func(Message)) {
	buf, oob := make([]byte, maxMessage), make([]byte, maxControl)
	for {
		n, oobn, _, _, err := s.conn.ReadMsgUnix(buf, oob)
		if err != nil {
			return
		}
		sender := readControl(oob[:oobn])
		if m, ok := parse(string(buf[:n])); ok && accept(sender) {
			f(m)
		}
		// Whoever waits for the message to have been dealt with holds the other
		// end of these (BARRIER=1).
		for _, fd := range sender.files {
			syscall.Close(fd)
		}
	}
}

// Sender is who sent a message.
type Sender struct {
	// PID and UID are -1 where the system does not tell.
	PID, UID int
	files    []int
}

// parse reads the lines of a message. It is not ok if there is nothing in it
// that is of interest.
func parse(text string) (m Message, ok bool) {
	for line := range strings.SplitSeq(text, "\n") {
		name, value, _ := strings.Cut(line, "=")
		switch {
		case name == "READY" && value == "1":
			m.Ready, m.Alive, ok = true, true, true
		case name == "WATCHDOG" && value == "1":
			m.Alive, ok = true, true
		case name == "STATUS":
			m.HasStatus, m.Status, ok = true, cleaned(value), true
		}
	}
	return m, ok
}

// cleaned makes a status fit for a line.
func cleaned(s string) string {
	s = strings.Map(func(r rune) rune {
		if r < ' ' || r == 0x7f || r == '\uFFFD' {
			return ' '
		}
		return r
	}, s)
	if len(s) > maxStatus {
		s = strings.ToValidUTF8(s[:maxStatus], "")
	}
	return strings.TrimSpace(s)
}
