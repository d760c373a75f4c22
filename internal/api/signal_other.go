//go:build !linux

package api

import "syscall"

var (
	extraSignals = map[string]syscall.Signal{"SIGIOT": syscall.SIGABRT}
	extraNames   map[syscall.Signal]string
)
