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
//
// The manager may also keep descriptors for the next supervisord, see Store; it
// passes them on as sd_listen_fds(3) says.
package notify

import (
	"errors"
	"fmt"
	"net"
	"os"
	"strconv"
	"strings"
	"syscall"
	"time"
)

// The variables of the environment by which a service manager says what it
// wants to hear. They are meant for supervisord alone.
const (
	socketVariable   = "NOTIFY_SOCKET"
	intervalVariable = "WATCHDOG_USEC"
	watchedVariable  = "WATCHDOG_PID"
	storeVariable    = "FDSTORE"
)

// sendTimeout is how long a manager may leave a message lying.
const sendTimeout = time.Second

// A Notifier sends messages to the service manager. One without an address
// sends nothing.
type Notifier struct {
	link
	// watchdog is how long the manager waits for a sign of life, or 0 where it
	// expects none.
	watchdog time.Duration
	// storeless says that the manager keeps no descriptors, storeLimit how many
	// it keeps, or 0 where it does not say.
	storeless  bool
	storeLimit int
	received   map[string][]int
}

// FromEnvironment returns a Notifier for the manager that the environment
// names, and removes from the environment what the programs must not inherit.
// The Notifier can be used even if there is an error: then it does less.
func FromEnvironment() (*Notifier, error) {
	n := &Notifier{received: receive()}
	socket, watchdog, watched := os.Getenv(socketVariable), os.Getenv(intervalVariable), os.Getenv(watchedVariable)
	store := ""
	if socket != "" {
		// Without a manager the name may be anybody's.
		store = os.Getenv(storeVariable)
		os.Unsetenv(storeVariable)
	}
	for _, name := range []string{socketVariable, intervalVariable, watchedVariable} {
		os.Unsetenv(name)
	}
	if socket == "" {
		return n, nil
	}
	if socket[0] != '/' && socket[0] != '@' {
		return n, fmt.Errorf("use %s: %q is neither a path nor an abstract socket", socketVariable, socket)
	}
	n.address = socket
	return n, errors.Join(n.setWatchdog(watchdog, watched), n.setStore(store))
}

// setWatchdog takes what the environment says of a watchdog.
func (n *Notifier) setWatchdog(interval, watched string) error {
	if interval == "" || watched != "" && watched != strconv.Itoa(os.Getpid()) {
		return nil
	}
	usec, err := strconv.ParseInt(interval, 10, 64)
	if err != nil || usec <= 0 || usec > int64(maxWatchdog/time.Microsecond) {
		return fmt.Errorf("use %s: %q is no number of microseconds", intervalVariable, interval)
	}
	n.watchdog = time.Duration(usec) * time.Microsecond
	return nil
}

// setStore takes how many descriptors the manager keeps. systemd says so since
// version 254; what those before it do only they know.
func (n *Notifier) setStore(limit string) error {
	if limit == "" {
		return nil
	}
	number, err := strconv.ParseUint(limit, 10, 31)
	if err != nil {
		n.storeless = true
		return fmt.Errorf("use %s: %q is no number of descriptors", storeVariable, limit)
	}
	n.storeless, n.storeLimit = number == 0, int(number)
	return nil
}

// maxWatchdog is more than any manager waits.
const maxWatchdog = 10 * 365 * 24 * time.Hour

// State is what a Notifier was told by the environment, as plain data.
type State struct {
	Address    string
	Watchdog   time.Duration
	Storeless  bool `json:",omitempty"`
	StoreLimit int  `json:",omitempty"`
}

// State returns what another program needs to go on.
func (n *Notifier) State() State { return State{n.address, n.watchdog, n.storeless, n.storeLimit} }

// Resume returns a Notifier that goes on where that of another program was.
func Resume(s State) *Notifier {
	return &Notifier{link: link{address: s.Address}, watchdog: s.Watchdog, storeless: s.Storeless, storeLimit: s.StoreLimit}
}

// Reloading tells the manager that supervisord is going to be ready again soon,
// which Follow says. Nobody may follow meanwhile.
func (n *Notifier) Reloading() error {
	if n.address == "" {
		return nil
	}
	return n.send("RELOADING=1", monotonic())
}

// A link is a connection to the service manager, for one goroutine at a time.
type link struct {
	address string
	conn    *net.UnixConn // nil before the first message and after a failure
}

// send sends one message with a line for each assignment.
func (l *link) send(assignments ...string) error { return l.pass(sendTimeout, nil, assignments...) }

// pass sends one message with copies of descriptors, if the manager takes it in
// time.
func (l *link) pass(limit time.Duration, fds []int, assignments ...string) error {
	message, rights := []byte(strings.Join(assignments, "\n")), []byte(nil)
	if len(fds) > 0 {
		rights = syscall.UnixRights(fds...)
	}
	if l.conn != nil {
		if err := l.write(limit, message, rights); err == nil {
			return nil
		}
		// The manager may have opened its socket anew.
		l.close()
	}
	conn, err := net.DialUnix("unixgram", nil, &net.UnixAddr{Name: l.address, Net: "unixgram"})
	if err != nil {
		return fmt.Errorf("notify the service manager: %w", err)
	}
	l.conn = conn
	if err := l.write(limit, message, rights); err != nil {
		return fmt.Errorf("notify the service manager: %w", err)
	}
	return nil
}

func (l *link) write(limit time.Duration, message, rights []byte) error {
	if err := l.conn.SetWriteDeadline(time.Now().Add(limit)); err != nil {
		return err
	}
	if len(rights) == 0 {
		_, err := l.conn.Write(message)
		return err
	}
	// WriteMsgUnix refuses sockets that are connected.
	raw, err := l.conn.SyscallConn()
	if err != nil {
		return err
	}
	var sendErr error
	err = raw.Write(func(fd uintptr) (done bool) {
		sendErr = syscall.EINTR
		for sendErr == syscall.EINTR {
			sendErr = syscall.Sendmsg(int(fd), message, rights, nil, 0)
		}
		return sendErr != syscall.EAGAIN
	})
	if err != nil {
		return err
	}
	return os.NewSyscallError("sendmsg", sendErr)
}

func (l *link) close() {
	if l.conn != nil {
		l.conn.Close()
		l.conn = nil
	}
}
