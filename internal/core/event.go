package core

import (
	"strconv"
	"syscall"
	"time"

	"supervisord/internal/api"
	"supervisord/internal/config"
)

// Now is the time of an event. Deadlines use Mono, which never jumps; reports
// use Wall.
type Now struct {
	Mono time.Duration
	Wall time.Time
}

// ProcID names a process for as long as its group is active. It is never used
// again afterwards.
type ProcID uint32

// Gen counts the starts of a process.
type Gen uint32

// Req names a request of a client; 0 is no request.
type Req uint64

// Event is what the core reacts to. The set is closed.
type Event interface{ isEvent() }

// Boot starts everything: the groups of the configuration are added and the
// programs with autostart are started.
type Boot struct {
	Config *config.Config
	// Adopted are the processes that are taken back, by namespec with the group.
	Adopted map[string]Adoptee
}

// Started says that the process of a Spawn effect runs.
type Started struct {
	Proc ProcID
	Gen  Gen
	PID  int
}

// SpawnFailed says that the process of a Spawn effect could not be started.
type SpawnFailed struct {
	Proc ProcID
	Gen  Gen
	// Reason is what getProcessInfo reports as spawnerr.
	Reason string
}

// Exited says that a process was reaped and its output read.
type Exited struct {
	Proc ProcID
	Gen  Gen
	Exit Exit
	// LastWords are the last lines that it wrote to its standard error, if its
	// end may be a failure.
	LastWords string
}

// Signaled is the result of a Kill effect. Problem is empty when the signal
// was sent; Gone says that the process had ended already.
type Signaled struct {
	Proc    ProcID
	Gen     Gen
	Req     Req
	Sig     syscall.Signal
	Gone    bool
	Problem string
}

// StdinWritten is the result of a WriteStdin effect.
type StdinWritten struct {
	Proc ProcID
	Gen  Gen
	Req  Req
	// Broken says that nobody reads the pipe any more, Full that the process
	// does not read and too much is waiting already.
	Broken, Full bool
}

// Probed is the answer of a Probe effect. The reason is empty if the probe
// succeeded.
type Probed struct {
	Proc   ProcID
	Gen    Gen
	Health bool
	Reason string
}

// Notified is what a process says of itself, by a message or by a line of
// output that was looked for.
type Notified struct {
	Proc ProcID
	Gen  Gen
	// Ready is a sign that it is ready, Alive one that it is well.
	Ready, Alive bool
	// HasStatus says that Status is what the process is doing, in its words.
	HasStatus bool
	Status    string
}

// Output says that a process with events enabled for the channel wrote
// something.
type Output struct {
	Proc    ProcID
	PID     int
	Channel api.Channel
	Data    []byte
}

// Captured says that a process wrote something between capture tags.
type Captured struct {
	Proc    ProcID
	PID     int
	Channel api.Channel
	Data    []byte
}

// ListenerOutput says that an event listener wrote to its standard output.
type ListenerOutput struct {
	Proc ProcID
	Gen  Gen
	Data []byte
}

// Resumed says that another program has taken the place of the one before: the
// answers to what that had asked will not come.
type Resumed struct{}

// SignalReceived says that supervisord itself got a signal. SIGHUP restarts;
// whoever sends it has checked that the configuration can be loaded.
type SignalReceived struct{ Sig syscall.Signal }

// Tick says that time has passed.
type Tick struct{}

// Op is what a client asks for.
type Op uint8

// The operations of clients.
const (
	OpStart       Op = iota // one process: Name
	OpStartGroup            // Name
	OpStartAll              //
	OpStop                  // one process: Name
	OpStopGroup             // Name
	OpStopAll               //
	OpSignal                // one process: Name, Sig
	OpSignalGroup           // Name, Sig
	OpSignalAll             // Sig
	OpWriteStdin            // Name, Data
	OpRemoteEvent           // Kind, Data
	OpShutdown              //
	OpRestart               //
	OpReload                // Config
	OpAddGroup              // Name
	OpRemoveGroup           // Name
	OpCancel                // Req: the client has gone
)

// Command is a request of a client. It is answered by one Reply effect, unless
// it is cancelled or Req is 0.
type Command struct {
	Req  Req
	Op   Op
	Name string
	// Wait asks for the outcome of a start or stop instead of its beginning.
	Wait bool
	Sig  syscall.Signal
	// SigFault, if set, is why the signal of the request is none.
	SigFault *api.Fault
	Kind     string
	Data     []byte
	Config   *config.Config
	// Refused holds the processes that cannot be started because their command
	// cannot be found or executed, with the fault to answer.
	Refused map[ProcID]*api.Fault
}

// Exit is how a process ended.
type Exit struct {
	// Code is the exit status, if Signal is 0.
	Code int
	// Signal is what terminated the process.
	Signal syscall.Signal
	// Core says that the process dumped core.
	Core bool
	// Unknown says that nobody could tell how the process ended: it was no child
	// of this supervisord.
	Unknown bool `json:",omitempty"`
}

// Status is the exit status that clients see: -1 after a death by signal, and
// where it is unknown.
func (e Exit) Status() int {
	if e.Signal != 0 || e.Unknown {
		return -1
	}
	return e.Code
}

// signaled is what a shell adds to the number of a signal that ended a process.
const signaled = 128

// unknownStatus is the exit status of a process of which it is not known.
const unknownStatus = 255

// ShellStatus is the exit status as a shell tells it: 128 and the number of the
// signal after a death by signal.
func (e Exit) ShellStatus() int {
	if e.Unknown {
		return unknownStatus
	}
	if e.Signal != 0 {
		return signaled + int(e.Signal)
	}
	return e.Code
}

// code is the exit status in words.
func (e Exit) code() string {
	if e.Unknown {
		return "unknown"
	}
	return strconv.Itoa(e.Status())
}

// String says what happened in the words of the activity log.
func (e Exit) String() string {
	if e.Unknown {
		return "exit status unknown"
	}
	if e.Signal == 0 {
		return "exit status " + strconv.Itoa(e.Code)
	}
	s := "terminated by " + api.SignalName(e.Signal)
	if e.Core {
		s += " (core dumped)"
	}
	return s
}

func (Boot) isEvent()           {}
func (Started) isEvent()        {}
func (SpawnFailed) isEvent()    {}
func (Exited) isEvent()         {}
func (Signaled) isEvent()       {}
func (StdinWritten) isEvent()   {}
func (Probed) isEvent()         {}
func (Notified) isEvent()       {}
func (Resumed) isEvent()        {}
func (Output) isEvent()         {}
func (Captured) isEvent()       {}
func (ListenerOutput) isEvent() {}
func (SignalReceived) isEvent() {}
func (Tick) isEvent()           {}
func (Command) isEvent()        {}
