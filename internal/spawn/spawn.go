// Package spawn owns fork, kill and wait. One goroutine, locked to one OS
// thread, performs all three, so that a process is registered before it can be
// reaped and a pid cannot be reused between a decision to signal it and the
// signal. No other package calls ForkExec, Kill or Wait4, and nothing in the
// daemon may use os/exec beside it: wait4(-1) would take its children away.
package spawn

import "syscall"

// Token names a start request. The caller chooses it and gets it back in every
// report about that process; it is never interpreted here.
type Token uint64

// Pipes tells which pipes a process gets.
type Pipes struct {
	// StdinFD, if not 0, is a descriptor of the caller that becomes the
	// process's standard input; without it a pipe is made.
	StdinFD int
	// MergeStderr sends standard error where standard output goes.
	MergeStderr bool
	// Make, if not nil, makes the pipe of a channel: 0 is standard input. The
	// ends are close-on-exec, and that of the parent does not block.
	Make func(channel int) (child, parent int, err error)
}

// Spec is everything needed to start a process. It is not changed or kept
// after the process was started.
type Spec struct {
	Path string   // file to execute
	Argv []string // Argv[0] included
	Env  []string // the whole environment, "NAME=value"
	Dir  string   // working directory, empty to stay
	// Umask of the process, or -1 for the daemon's.
	Umask int
	// Credential is the user to become, nil to stay. UserError, if not empty,
	// is the reason why the user cannot be become; the process then fails in
	// the original's words ("couldn't setuid to UID: REASON").
	Credential *syscall.Credential
	UserName   string // as it stands in that message
	UserError  string
	Pipes      Pipes
	// Forked, if not nil, is called with the pid before anybody else hears of
	// it, by the goroutine that forks. It must not block.
	Forked func(pid int)
}

// Report is what the spawner tells. Exactly one Started or Failed follows each
// Start, exactly one Exited each Started, exactly one Signaled each Kill, in
// the order in which things happened.
type Report interface{ isReport() }

// Started says that a process runs. The descriptors are the parent's ends of
// its pipes, nonblocking and close-on-exec; they belong to the receiver. -1
// where there is none.
type Started struct {
	Token                 Token
	PID                   int
	Stdin, Stdout, Stderr int
}

// The steps at which making a process fails.
const (
	StepPipe = "pipe" // out of file descriptors, most likely
	StepFork = "fork" // out of processes, most likely
)

// Failed says that a process could not be started at all: no pid ever existed.
type Failed struct {
	Token Token
	// Step is StepPipe or StepFork.
	Step  string
	Errno syscall.Errno
}

// Exited says that a process was reaped, or that one that was adopted has ended.
// Unknown says that the Status of such a process is not known.
type Exited struct {
	Token   Token
	PID     int
	Status  syscall.WaitStatus
	Unknown bool
}

// Orphan says that a process was reaped that was not started here: the daemon
// is the init process or a subreaper, or inherited it.
type Orphan struct {
	PID    int
	Status syscall.WaitStatus
}

// Signaled answers Kill. Errno is 0 when the signal was sent and ESRCH when
// the process is gone or was reaped already.
type Signaled struct {
	Token Token
	PID   int
	Sig   syscall.Signal
	Errno syscall.Errno
}

func (Started) isReport()  {}
func (Failed) isReport()   {}
func (Exited) isReport()   {}
func (Orphan) isReport()   {}
func (Signaled) isReport() {}
