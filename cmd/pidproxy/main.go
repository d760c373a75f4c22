// Pidproxy runs a program that puts itself into the background, for a
// supervisor that wants its programs in the foreground. The program leaves its
// pid in a file; pidproxy stays in the foreground and passes the signals that
// it gets to that pid (manual: Subprocess, pidproxy program).
package main

import (
	"fmt"
	"io"
	"os"
	"os/signal"
	"path/filepath"
	"strings"
	"syscall"

	"supervisord/internal/python"
)

const usage = `pidproxy - run a command that daemonizes, and pass signals on to it

Usage: %s PIDFILE COMMAND [ARGUMENT ...]

COMMAND is started with its arguments; its path is not searched in $PATH.
Signals that pidproxy gets (TERM, HUP, INT, USR1, USR2, QUIT) are sent to the
process whose pid is in PIDFILE. After TERM, INT or QUIT pidproxy waits for that
process to end, and exits; it also exits when COMMAND does.
`

// The exit statuses.
const (
	exitOK         = 0
	exitUsage      = 1
	exitKill       = 1
	exitNotStarted = 127
)

// maxPidfile is how much of a pidfile is read.
const maxPidfile = 4096

func main() { os.Exit(run(os.Args)) }

func run(args []string) int {
	if len(args) < 3 {
		fmt.Printf(usage, args[0])
		return exitUsage
	}
	pidfile, argv := args[1], args[2:]

	// From here on no signal ends this process before it was passed on, and no
	// death goes unnoticed. A death is looked for at every SIGCHLD, so one
	// pending signal of that kind is enough.
	signals := make(chan os.Signal, 64)
	signal.Notify(signals, syscall.SIGTERM, syscall.SIGHUP, syscall.SIGINT, syscall.SIGUSR1, syscall.SIGUSR2, syscall.SIGQUIT)
	deaths := make(chan os.Signal, 1)
	signal.Notify(deaths, syscall.SIGCHLD)

	if err := start(argv); err != nil {
		fmt.Fprintf(os.Stderr, "pidproxy: can't start %s: %v\n", argv[0], err)
		return exitNotStarted
	}
	var end <-chan struct{}
	for {
		select {
		case <-end:
			return exitOK
		case <-deaths:
			if ended() {
				return exitOK
			}
		case s := <-signals:
			sig := s.(syscall.Signal)
			pid, ok := readPidfile(pidfile)
			if !ok {
				fmt.Printf("Can't read child pidfile %s!\n", pidfile)
				continue
			}
			if stops(sig) && end == nil {
				// Before the signal, while the pid is that of the process.
				end = watch(pid)
			}
			if err := syscall.Kill(pid, sig); err != nil {
				fmt.Fprintf(os.Stderr, "pidproxy: can't signal pid %d: %v\n", pid, err)
				return exitKill
			}
			if stops(sig) && end == nil {
				return exitOK
			}
		}
	}
}

// stops reports whether a signal is one that asks a process to end.
func stops(sig syscall.Signal) bool {
	return sig == syscall.SIGTERM || sig == syscall.SIGINT || sig == syscall.SIGQUIT
}

// start starts the command in this process's group, with this process's
// descriptors.
func start(argv []string) error {
	path, err := filepath.Abs(argv[0])
	if err != nil {
		return err
	}
	_, err = syscall.ForkExec(path, argv, &syscall.ProcAttr{Env: os.Environ(), Files: []uintptr{0, 1, 2}})
	return err
}

// ended reports whether the command has exited.
func ended() bool {
	for {
		pid, err := syscall.Wait4(-1, nil, syscall.WNOHANG, nil)
		if err != syscall.EINTR {
			return err == nil && pid > 0
		}
	}
}

// readPidfile returns the pid in a file. What is no pid of one process, such as
// 0 or a negative number, is refused: it would be a group, and possibly ours.
func readPidfile(path string) (pid int, ok bool) {
	f, err := os.Open(path)
	if err != nil {
		return 0, false
	}
	defer f.Close()
	content, err := io.ReadAll(io.LimitReader(f, maxPidfile))
	if err != nil {
		return 0, false
	}
	n, err := python.Int(strings.ToValidUTF8(string(content), "?"), 10)
	const maxPID = 1<<31 - 1
	if err != nil || n <= 0 || n > maxPID {
		return 0, false
	}
	return int(n), true
}
