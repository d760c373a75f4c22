package ctl

import "golang.org/x/sys/unix"

// The requests that get and set the modes of a terminal; the second waits until
// what was written is shown.
const (
	getTermios = unix.TCGETS
	setTermios = unix.TCSETSW
)
