package childlog

import (
	"errors"
	"os"
	"syscall"
	"time"
)

// line is the pipe of a listener. A goroutine waits for it in the runtime's own
// poller, which wakes it sooner than a watch could start one.
type line struct {
	file *os.File
	conn syscall.RawConn
}

// newLine returns the line of fd, which it closes in the end.
func newLine(fd int) *line {
	l := &line{file: os.NewFile(uintptr(fd), "pipe")}
	l.conn, _ = l.file.SyscallConn() // It fails for a file that is closed.
	return l
}

// wait calls silent, and again whenever there may be something to read, until it
// reports that there was something or interrupt is called. It reports false if
// the system has no means left to wait.
func (l *line) wait(silent func() bool) bool {
	err := l.conn.Read(func(uintptr) bool { return !silent() })
	return err == nil || errors.Is(err, os.ErrDeadlineExceeded)
}

// interrupt ends the present or the next wait.
func (l *line) interrupt() {
	if l != nil {
		_ = l.file.SetReadDeadline(time.Unix(1, 0))
	}
}

// again takes interrupt back.
func (l *line) again() {
	if l != nil {
		_ = l.file.SetReadDeadline(time.Time{})
	}
}

func (l *line) close() { _ = l.file.Close() }
