//go:build unix && !linux

package spawn

import (
	"syscall"
	"time"
)

// exitWatch would watch processes that are no children, which takes Linux.
type exitWatch struct {
	ended func(pid int, status syscall.WaitStatus, known bool)
}

func newExitWatch(ended func(pid int, status syscall.WaitStatus, known bool)) *exitWatch {
	return &exitWatch{ended}
}

// add says at once that a process has ended: it cannot be watched.
func (w *exitWatch) add(pid, _ int) { go w.ended(pid, 0, false) }

func (w *exitWatch) remove(int) {}

func (w *exitWatch) close() {}

func killAdopted(Adopted, bool, syscall.Signal) syscall.Errno { return syscall.ESRCH }

func waitFor(int, time.Duration) bool { return true }
