// Package api holds the vocabulary that every other package speaks: state
// codes and names, the structs that clients see, fault codes, log levels and
// process names (namespecs). It depends on nothing else in this module, knows
// no wire format and holds no state.
//
// The numbers and words are Supervisor's and are part of the contract with
// existing clients: see "Subprocess", "XML-RPC API" and "Logging" in docs/.
package api

// ProcessState is the state of one process, with the code that the XML-RPC
// interface reports.
type ProcessState int

// The states of a process (manual: Subprocess, process states).
const (
	Stopped  ProcessState = 0
	Starting ProcessState = 10
	Running  ProcessState = 20
	Backoff  ProcessState = 30
	Stopping ProcessState = 40
	Exited   ProcessState = 100
	Fatal    ProcessState = 200
	Unknown  ProcessState = 1000
)

// ProcessStates lists every state in the order of its code.
var ProcessStates = []ProcessState{Stopped, Starting, Running, Backoff, Stopping, Exited, Fatal, Unknown}

// String returns the name that clients see, for example "RUNNING".
func (s ProcessState) String() string {
	switch s {
	case Stopped:
		return "STOPPED"
	case Starting:
		return "STARTING"
	case Running:
		return "RUNNING"
	case Backoff:
		return "BACKOFF"
	case Stopping:
		return "STOPPING"
	case Exited:
		return "EXITED"
	case Fatal:
		return "FATAL"
	case Unknown:
		return "UNKNOWN"
	}
	return ""
}

// IsStopped reports whether the state counts as stopped: no process exists and
// none will be started without a new cause.
func (s ProcessState) IsStopped() bool {
	return s == Stopped || s == Exited || s == Fatal || s == Unknown
}

// IsRunning reports whether the state counts as running for start and stop
// requests. A process in BACKOFF counts, because it is going to be started.
func (s ProcessState) IsRunning() bool {
	return s == Running || s == Backoff || s == Starting
}

// IsSignallable reports whether a process in this state can be sent a signal.
func (s ProcessState) IsSignallable() bool {
	return s == Running || s == Starting || s == Stopping
}

// Mood is the state of supervisord itself.
type Mood int

// The moods of supervisord, as getState reports them.
const (
	MoodFatal      Mood = 2
	MoodRunning    Mood = 1
	MoodRestarting Mood = 0
	MoodShutdown   Mood = -1
)

// String returns the name that getState reports, for example "RUNNING".
func (m Mood) String() string {
	switch m {
	case MoodFatal:
		return "FATAL"
	case MoodRunning:
		return "RUNNING"
	case MoodRestarting:
		return "RESTARTING"
	case MoodShutdown:
		return "SHUTDOWN"
	}
	return ""
}

// ListenerState is the state of an event listener process in the listener
// protocol (manual: Events, event listener states).
type ListenerState int

// The states of an event listener.
const (
	ListenerReady        ListenerState = 10
	ListenerBusy         ListenerState = 20
	ListenerAcknowledged ListenerState = 30
	ListenerUnknown      ListenerState = 40
)

// String returns the name that the activity log shows, for example "READY".
func (s ListenerState) String() string {
	switch s {
	case ListenerReady:
		return "READY"
	case ListenerBusy:
		return "BUSY"
	case ListenerAcknowledged:
		return "ACKNOWLEDGED"
	case ListenerUnknown:
		return "UNKNOWN"
	}
	return ""
}

// LogLevel is a level of the activity log; higher is more severe.
type LogLevel int

// The levels of the activity log, with Supervisor's numbers.
const (
	LevelBlather  LogLevel = 3
	LevelTrace    LogLevel = 5
	LevelDebug    LogLevel = 10
	LevelInfo     LogLevel = 20
	LevelWarn     LogLevel = 30
	LevelError    LogLevel = 40
	LevelCritical LogLevel = 50
)

// String returns the four letters that stand in a line of the activity log.
func (l LogLevel) String() string {
	switch l {
	case LevelBlather:
		return "BLAT"
	case LevelTrace:
		return "TRAC"
	case LevelDebug:
		return "DEBG"
	case LevelInfo:
		return "INFO"
	case LevelWarn:
		return "WARN"
	case LevelError:
		return "ERRO"
	case LevelCritical:
		return "CRIT"
	}
	return ""
}

// Name returns the name that the level has in a configuration.
func (l LogLevel) Name() string {
	switch l {
	case LevelBlather:
		return "blather"
	case LevelTrace:
		return "trace"
	case LevelDebug:
		return "debug"
	case LevelInfo:
		return "info"
	case LevelWarn:
		return "warn"
	case LevelError:
		return "error"
	case LevelCritical:
		return "critical"
	}
	return ""
}
