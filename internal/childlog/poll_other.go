//go:build !linux

package childlog

import (
	"os"
	"sync"
	"syscall"

	"golang.org/x/sys/unix"
)

// watch tells when there is something to read from a descriptor.
type watch struct {
	file  *os.File
	ready func()

	mu    sync.Mutex
	armed bool
}

// newWatch returns a watch of fd, which it closes in the end. ready is called
// from another goroutine, once after each arm, and must not block. The methods
// are not called at the same time.
func newWatch(fd int, ready func()) *watch {
	return &watch{file: os.NewFile(uintptr(fd), "pipe"), ready: ready}
}

// arm asks for one call of ready, when there is something to read. It reports
// false if the system refuses that.
func (w *watch) arm() bool {
	conn, err := w.file.SyscallConn()
	if err != nil {
		return false
	}
	w.mu.Lock()
	defer w.mu.Unlock()
	if !w.armed {
		w.armed = true
		go w.wait(conn)
	}
	return true
}

// disarm may take arm back, where that saves something.
func (w *watch) disarm() {}

// wait waits until there is something to read, or the watch is closed.
func (w *watch) wait(conn syscall.RawConn) {
	_ = conn.Read(func(fd uintptr) bool {
		n, err := unix.Poll([]unix.PollFd{{Fd: int32(fd), Events: unix.POLLIN}}, 0)
		return n > 0 || err != nil && err != unix.EINTR
	})
	w.mu.Lock()
	w.armed = false
	w.mu.Unlock()
	w.ready()
}

// close ends the watch and closes the descriptor.
func (w *watch) close() { _ = w.file.Close() }

// growPipe makes room for more in a pipe, where the system can do that.
func growPipe(int) bool { return false }

// pending returns how many bytes are in a pipe, or more: this is what a pipe
// holds at most.
func pending(int) (int, error) { return 1 << 20, nil }
