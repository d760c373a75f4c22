package api

import "syscall"

// extraSignals holds the names that the system's table of signals lacks: old
// names, and the ends of the range of real-time signals as the C library
// leaves it to programs.
var extraSignals = map[string]syscall.Signal{
	"SIGCLD":   syscall.SIGCHLD,
	"SIGIOT":   syscall.SIGABRT,
	"SIGPOLL":  syscall.SIGIO,
	"SIGRTMIN": 34,
	"SIGRTMAX": 64,
}

// extraNames holds the names that are shown in place of the table's.
var extraNames = map[syscall.Signal]string{
	syscall.SIGIO: "SIGPOLL",
	34:            "SIGRTMIN",
	64:            "SIGRTMAX",
}
