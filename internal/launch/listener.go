package launch

import (
	"errors"
	"io/fs"
	"net"
	"os"
	"sync"
	"time"

	"supervisord/internal/config"
)

// A Listener is the socket of an HTTP server. Where it is a UNIX socket whose
// file was removed, Restore puts the file back. It is safe for use by any
// goroutine.
type Listener struct {
	server *config.Server

	mu      sync.Mutex
	current net.Listener
	file    os.FileInfo // of a UNIX socket
	closed  bool
	// unwatch ends the watch over the file. It is nil where there is none.
	unwatch func()
	lost    func() // what Keep was given
}

// Accept waits for the next connection, also over a restoration.
func (l *Listener) Accept() (net.Conn, error) {
	for {
		l.mu.Lock()
		current := l.current
		l.mu.Unlock()
		conn, err := current.Accept()
		if err == nil || !l.replaced(current) {
			return conn, err
		}
	}
}

// replaced reports whether another socket has taken the place of this one.
func (l *Listener) replaced(one net.Listener) bool {
	l.mu.Lock()
	defer l.mu.Unlock()
	return !l.closed && l.current != one
}

// SetDeadline sets the time by which Accept fails. Connections wait meanwhile.
func (l *Listener) SetDeadline(t time.Time) error {
	l.mu.Lock()
	defer l.mu.Unlock()
	d, ok := l.current.(interface{ SetDeadline(time.Time) error })
	if !ok {
		return errors.ErrUnsupported
	}
	return d.SetDeadline(t)
}

// Addr returns the address of the socket.
func (l *Listener) Addr() net.Addr {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.current.Addr()
}

// Close closes the socket. The file of a UNIX socket stays, until Remove.
func (l *Listener) Close() error {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.closed = true
	l.stopWatch()
	return l.current.Close()
}

// Remove removes the file of a UNIX socket, unless something else has taken its
// place.
func (l *Listener) Remove() {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.file == nil {
		return
	}
	if info, err := os.Lstat(l.server.File); err == nil && os.SameFile(info, l.file) {
		os.Remove(l.server.File)
	}
}

// Keep has lost called, in a goroutine of its own, each time that the file of a
// UNIX socket is removed or renamed, as far as the system tells of that; lost is
// to call Restore. It ends with Close.
func (l *Listener) Keep(lost func()) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.lost = lost
	l.watch()
}

// watch begins to watch the present file.
func (l *Listener) watch() {
	if l.file == nil || l.lost == nil || l.closed {
		return
	}
	l.stopWatch()
	l.unwatch = watchName(l.server.File, l.file, l.lost)
}

func (l *Listener) stopWatch() {
	if l.unwatch != nil {
		l.unwatch()
		l.unwatch = nil
	}
}

// Restore makes the file of a UNIX socket again if there is none, by listening
// anew; connections that exist go on. It reports whether it did. A file that
// somebody else has put in its place is left alone.
func (l *Listener) Restore() (restored bool, err error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.file == nil || l.closed {
		return false, nil
	}
	if _, err := os.Lstat(l.server.File); !errors.Is(err, fs.ErrNotExist) {
		return false, err
	}
	fresh, info, err := listenUnix(l.server, func(string) {})
	if err != nil {
		return false, err
	}
	old := l.current
	l.current, l.file = fresh, info
	old.Close() // Accept goes on with the new one.
	l.watch()
	return true, nil
}
