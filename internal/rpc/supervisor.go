package rpc

import (
	"context"

	"supervisord/internal/api"
)

// Supervisor is what the methods of the supervisor namespace need from the
// daemon. Methods may be called from any goroutine. Those that fail for a
// reason that a client should see return a *api.Fault as the error; names are
// namespecs unless they say group.
//
// A method that waits does so until the outcome is known or ctx ends; it never
// polls. A caller that goes away leaves nothing behind.
type Supervisor interface {
	// Identifier is the identifier of this supervisord, PID its process id.
	Identifier() string
	PID() int
	// Mood is the current mood. Methods other than those of the system
	// namespace and sendRemoteCommEvent are refused with SHUTDOWN_STATE when it
	// is below api.MoodRunning; the method table checks that, not the daemon.
	Mood() api.Mood

	// ProcessInfo describes one process. AppendProcessInfo appends the descriptions
	// of all, sorted by group name, then process name, to a list, which is lost if it
	// fails.
	ProcessInfo(ctx context.Context, name string) (api.ProcessInfo, error)
	AppendProcessInfo(ctx context.Context, list []api.ProcessInfo) ([]api.ProcessInfo, error)
	// AllConfigInfo describes every configured process, sorted by name.
	AllConfigInfo(ctx context.Context) ([]api.ConfigInfo, error)

	// StartProcess starts one process, StartGroup those of a group that do not
	// run, StartAll all that do not run. With wait they return when the
	// outcome is known.
	StartProcess(ctx context.Context, name string, wait bool) error
	StartGroup(ctx context.Context, group string, wait bool) ([]api.ProcessStatus, error)
	StartAll(ctx context.Context, wait bool) ([]api.ProcessStatus, error)
	// StopProcess, StopGroup and StopAll stop processes. With wait they return
	// when these are stopped.
	StopProcess(ctx context.Context, name string, wait bool) error
	StopGroup(ctx context.Context, group string, wait bool) ([]api.ProcessStatus, error)
	StopAll(ctx context.Context, wait bool) ([]api.ProcessStatus, error)
	// SignalProcess, SignalGroup and SignalAll send a signal. The signal is a
	// name or a number as the client wrote it; a bad one is BAD_SIGNAL, for
	// each process in the two that return a list.
	SignalProcess(ctx context.Context, name, signal string) error
	SignalGroup(ctx context.Context, group, signal string) ([]api.ProcessStatus, error)
	SignalAll(ctx context.Context, signal string) ([]api.ProcessStatus, error)

	// SendProcessStdin writes to the standard input of a process.
	SendProcessStdin(ctx context.Context, name string, data []byte) error
	// SendRemoteCommEvent makes a REMOTE_COMMUNICATION event.
	SendRemoteCommEvent(ctx context.Context, kind, data string) error

	// Shutdown and Restart ask the daemon to end or to start anew. They return
	// at once.
	Shutdown(ctx context.Context) error
	Restart(ctx context.Context) error
	// Upgrade has the program on disk take the place of this one, which answers
	// for it then. It returns if that fails.
	Upgrade(ctx context.Context) error
	// ReloadConfig reads the configuration again and returns the names of the
	// groups that were added, changed and removed since.
	ReloadConfig(ctx context.Context) (added, changed, removed []string, err error)
	// DiffConfig reads the configuration and tells how it differs from what is
	// active. It is not kept.
	DiffConfig(ctx context.Context) ([]api.GroupChange, error)
	// AddGroup makes a configured group active, RemoveGroup makes one inactive
	// whose processes are all stopped.
	AddGroup(ctx context.Context, group string) error
	RemoveGroup(ctx context.Context, group string) error

	// MainLog is the activity log. ClearMainLog removes its file and opens a
	// new one.
	MainLog() api.LogSource
	ClearMainLog(ctx context.Context) error
	// ProcessLog is the log of a channel of a process.
	ProcessLog(ctx context.Context, name string, channel api.Channel) (api.LogSource, error)
	// ClearProcessLogs removes the log files of a process and opens new ones,
	// ClearAllProcessLogs does it for all.
	ClearProcessLogs(ctx context.Context, name string) error
	ClearAllProcessLogs(ctx context.Context) ([]api.ProcessStatus, error)

	// RotateMainLog rotates the file of the activity log and reports whether
	// there was something to rotate. RotateProcessLogs does it with the logs of
	// a process, or of a group as group:*, RotateAllProcessLogs with all.
	RotateMainLog(ctx context.Context) (bool, error)
	RotateProcessLogs(ctx context.Context, name string) ([]api.ProcessStatus, error)
	RotateAllProcessLogs(ctx context.Context) ([]api.ProcessStatus, error)

	// Changed returns a channel that is closed at the next change of a
	// process's state, or of the set of groups.
	Changed() <-chan struct{}
}
