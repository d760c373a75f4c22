package core

import (
	"syscall"

	"supervisord/internal/api"
	"supervisord/internal/config"
)

// EffectKind tells what is to be done.
type EffectKind uint8

// The kinds of effects, with the members of Effect that they use. They are
// performed in the order in which Step returns them.
const (
	// OpenGroup makes a group active: Group, Procs. It comes before any other
	// effect for its processes.
	OpenGroup EffectKind = iota
	// CloseGroup ends a group: Procs. Nothing comes for them afterwards.
	CloseGroup
	// Spawn starts a process: Proc, Gen. It is answered by Started or
	// SpawnFailed.
	Spawn
	// Kill sends a signal: Proc, Gen, PID, AsGroup, Sig, Req. It is answered by
	// Signaled.
	Kill
	// WriteStdin writes to a process: Proc, Gen, Data, Req. It is answered by
	// StdinWritten before any other event.
	WriteStdin
	// Up says that a start has succeeded: Proc.
	Up
	// Adopt says that a process is one that runs already: Proc, Gen, PID. It
	// stands in the place of a Spawn that was confirmed.
	Adopt
	// Release says that the end of a process was dealt with: Proc. What it
	// shared with others is not needed any more.
	Release
	// Probe probes a process once: Proc, Gen, Health. It is answered by Probed.
	Probe
	// Log writes to the activity log: Level, Text.
	Log
	// Answer answers a request: Req, Reply.
	Answer
	// ReopenLogs reopens all log files.
	ReopenLogs
	// Changed says that the state of a process or the set of groups changed.
	Changed
	// Finish ends the run loop: Restart, or the Status to exit with.
	Finish
)

// Effect is something for the daemon to do. Only the members that its kind
// names are set.
type Effect struct {
	Kind    EffectKind
	AsGroup bool
	Restart bool
	Health  bool // the probe is that of health=, and not that of ready=
	Level   api.LogLevel
	Proc    ProcID
	Gen     Gen
	PID     int
	Sig     syscall.Signal
	Status  int
	Req     Req
	Text    string
	Data    []byte
	Reply   *Reply
	Group   *config.Group
	Procs   []ProcID
}

// Reply is the answer to a command.
type Reply struct {
	// Fault, if set, is why the request failed.
	Fault *api.Fault
	// Statuses is the answer of the operations on groups and on all processes.
	Statuses []api.ProcessStatus
	// Added, Changed and Removed are the answer of OpReload.
	Added, Changed, Removed []string
}
