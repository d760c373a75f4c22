package notify

import (
	"os"
	"strconv"
	"strings"
	"syscall"

	"golang.org/x/sys/unix"
)

// The variables of the environment by which a service manager passes on
// descriptors, and to which process.
const (
	listenPIDVariable   = "LISTEN_PID"
	listenFDsVariable   = "LISTEN_FDS"
	listenNamesVariable = "LISTEN_FDNAMES"
)

const (
	firstReceived = 3
	maxReceived   = 1 << 16 // more than any manager passes on
	// unnamed is the name of what the manager gives no name.
	unnamed = "unknown"
)

// receive returns the descriptors that the manager passes on to this process,
// by name. No program inherits them, nor what the environment says of them.
func receive() map[string][]int {
	if os.Getenv(listenPIDVariable) != strconv.Itoa(os.Getpid()) {
		return nil // They are meant for another process, such as the one that has started this.
	}
	count, err := strconv.Atoi(os.Getenv(listenFDsVariable))
	names := strings.Split(os.Getenv(listenNamesVariable), ":")
	// Since version 258 systemd names the process also by the number of its pidfd.
	for _, name := range []string{listenPIDVariable, listenFDsVariable, listenNamesVariable, "LISTEN_PIDFDID"} {
		os.Unsetenv(name)
	}
	if err != nil || count < 0 || count > maxReceived {
		return nil
	}
	received := make(map[string][]int)
	for i := range count {
		fd := firstReceived + i
		if _, err := unix.FcntlInt(uintptr(fd), unix.F_GETFD, 0); err != nil {
			continue
		}
		syscall.CloseOnExec(fd)
		name := unnamed
		if i < len(names) && names[i] != "" {
			name = names[i]
		}
		received[name] = append(received[name], fd)
	}
	return received
}

// Received returns the descriptors that the manager has passed on to this
// process, by name: those that it was given to keep, and sockets of its own.
// They are close-on-exec and belong to the caller, who takes them once.
func (n *Notifier) Received() map[string][]int {
	received := n.received
	n.received = nil
	return received
}
