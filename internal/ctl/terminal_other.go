//go:build !linux

package ctl

import (
	"os"
	"syscall"

	"golang.org/x/sys/unix"
)

// The requests that get and set the modes of a terminal; the second waits until
// what was written is shown.
const (
	getTermios = unix.TIOCGETA
	setTermios = unix.TIOCSETAW
)

// stopSelf stops this process as Ctrl-Z does and returns when it goes on.
func stopSelf() { syscall.Kill(os.Getpid(), syscall.SIGTSTP) }
