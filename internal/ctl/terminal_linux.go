package ctl

import (
	"os"
	"runtime"
	"syscall"

	"golang.org/x/sys/unix"
)

// The requests that get and set the modes of a terminal; the second waits until
// what was written is shown.
const (
	getTermios = unix.TCGETS
	setTermios = unix.TCSETSW
)

// stopSelf stops this process as Ctrl-Z does and returns when it goes on. The
// signal is sent to the calling thread, which therefore does not get any
// further before the stop. Where nobody could make the process go on, the
// kernel drops the signal.
func stopSelf() {
	runtime.LockOSThread()
	defer runtime.UnlockOSThread()
	unix.Tgkill(os.Getpid(), unix.Gettid(), syscall.SIGTSTP)
}
