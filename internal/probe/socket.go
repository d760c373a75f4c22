package probe

import (
	"net"
	"strings"
	"syscall"
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
}

// Close ends the socket.
func (s *Socket) Close() error { return s.conn.Close() }

// Serve calls f for each message, until Close. Messages for which accept
// returns false are dropped.
func (s *Socket) Serve(accept func(sender *Sender) bool, f func(Message)) {
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
