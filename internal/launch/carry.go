package launch

import (
	"errors"
	"fmt"
	"io/fs"
	"net"
	"os"
	"syscall"

	"supervisord/internal/config"
)

// ListenerState is a Listener, as plain data, that another program can go on
// with.
type ListenerState struct {
	FD int
	// Dev and Ino say which file a UNIX socket has.
	Dev, Ino uint64 `json:",omitempty"`
}

// State returns what there is to go on with. The descriptor stays the
// Listener's.
func (l *Listener) State() (ListenerState, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	sc, ok := l.current.(syscall.Conn)
	if !ok {
		return ListenerState{}, errors.ErrUnsupported
	}
	raw, err := sc.SyscallConn()
	if err != nil {
		return ListenerState{}, err
	}
	var s ListenerState
	if err := raw.Control(func(fd uintptr) { s.FD = int(fd) }); err != nil {
		return s, err
	}
	if l.file != nil {
		s.Dev, s.Ino = identity(l.file)
	}
	return s, nil
}

// identity says which file it is.
func identity(info os.FileInfo) (dev, ino uint64) {
	stat, ok := info.Sys().(*syscall.Stat_t)
	if !ok {
		return 0, 0
	}
	return uint64(stat.Dev), uint64(stat.Ino)
}

// ResumeHTTP returns the Listener of a server that goes on where another program
// had it. The descriptor is the Listener's from now on. A file that was removed
// meanwhile is made again.
func ResumeHTTP(server *config.Server, s ListenerState) (*Listener, error) {
	f := os.NewFile(uintptr(s.FD), server.Section)
	defer f.Close() // net.FileListener duplicates it
	current, err := net.FileListener(f)
	if err != nil {
		return nil, fmt.Errorf("take over the socket of %s: %w", server.Section, err)
	}
	l := &Listener{server: server, current: current}
	if server.Family != config.Unix {
		return l, nil
	}
	info, err := os.Lstat(server.File)
	switch {
	case errors.Is(err, fs.ErrNotExist):
		current.Close()
		return ListenHTTP(server, func(string) {})
	case err != nil:
		return l, nil
	}
	// A file that somebody else has put in its place is left alone.
	if dev, ino := identity(info); dev == s.Dev && ino == s.Ino {
		l.file = info
	}
	return l, nil
}

// ResumePidfile returns the Pidfile of this process, which wrote it before.
func ResumePidfile(path string) *Pidfile { return newPidfile(path) }
