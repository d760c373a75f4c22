// Package notify tells the service manager that started supervisord, systemd
// for example, how it is doing: that it is ready, restarts or ends, how many
// programs are in each state, and, where the manager watches for it, that its
// main loop still turns.
//
// The protocol is that of sd_notify(3): datagrams with lines of NAME=value to
// the socket that the environment names. Where it names none nothing is sent,
// so the daemon runs just as well under a unit of Type=simple.
//
// A message that cannot be delivered is dropped: nothing that supervisord does
// may wait for the manager. Messages are sent by one goroutine at a time, so
// they arrive in order.
package notify

import (
	"fmt"
	"net"
	"os"
	"strconv"
	"strings"
	"time"
)

// The variables of the environment by which a service manager says what it
// wants to hear. They are meant for supervisord alone.
const (
	socketVariable   = "NOTIFY_SOCKET"
	intervalVariable = "WATCHDOG_USEC"
	watchedVariable  = "WATCHDOG_PID"
)

// sendTimeout is how long a manager may leave a message lying.
const sendTimeout = time.Second

// A Notifier sends messages to the service manager. One without an address
// sends nothing.
type Notifier struct {
	address string
	conn    net.Conn // nil before the first message and after a failure
	// watchdog is how long the manager waits for a sign of life, or 0 where it
	// expects none.
	watchdog time.Duration
}

// FromEnvironment returns a Notifier for the manager that the environment
// names, and removes from the environment what the programs must not inherit.
// The Notifier can be used even if there is an error: then it does less.
func FromEnvironment() (*Notifier, error) {
	socket, watchdog, watched := os.Getenv(socketVariable), os.Getenv(intervalVariable), os.Getenv(watchedVariable)
	for _, name := range []string{socketVariable, intervalVariable, watchedVariable} {
		os.Unsetenv(name)
	}
	n := new(Notifier)
	if socket == "" {
		return n, nil
	}
	if socket[0] != '/' && socket[0] != '@' {
		return n, fmt.Errorf("use %s: %q is neither a path nor an abstract socket", socketVariable, socket)
	}
	n.address = socket
	if watchdog == "" || watched != "" && watched != strconv.Itoa(os.Getpid()) {
		return n, nil
	}
	usec, err := strconv.ParseInt(watchdog, 10, 64)
	if err != nil || usec <= 0 || usec > int64(maxWatchdog/time.Microsecond) {
		return n, fmt.Errorf("use %s: %q is no number of microseconds", intervalVariable, watchdog)
	}
	n.watchdog = time.Duration(usec) * time.Microsecond
	return n, nil
}

// maxWatchdog is more than any manager waits.
const maxWatchdog = 10 * 365 * 24 * time.Hour

// State is what a Notifier was told by the environment, as plain data.
type State struct {
	Address  string
	Watchdog time.Duration
}

// State returns what another program needs to go on.
func (n *Notifier) State() State { return State{n.address, n.watchdog} }

// Resume returns a Notifier that goes on where that of another program was.
func Resume(s State) *Notifier { return &Notifier{address: s.Address, watchdog: s.Watchdog} }

// Reloading tells the manager that supervisord is going to be ready again soon,
// which Follow says. Nobody may follow meanwhile.
func (n *Notifier) Reloading() error {
	if n.address == "" {
		return nil
	}
	return n.send("RELOADING=1", monotonic())
}

// send sends one message with a line for each assignment.
func (n *Notifier) send(assignments ...string) error {
	message := []byte(strings.Join(assignments, "\n"))
	if n.conn != nil {
		if err := n.write(message); err == nil {
			return nil
		}
		// The manager may have opened its socket anew.
		n.conn.Close()
		n.conn = nil
	}
	conn, err := net.Dial("unixgram", n.address)
	if err != nil {
		return fmt.Errorf("notify the service manager: %w", err)
	}
	n.conn = conn
	if err := n.write(message); err != nil {
		return fmt.Errorf("notify the service manager: %w", err)
	}
	return nil
}

func (n *Notifier) write(message []byte) error {
	if err := n.conn.SetWriteDeadline(time.Now().Add(sendTimeout)); err != nil {
		return err
	}
	_, err := n.conn.Write(message)
	return err
}
