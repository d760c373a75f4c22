package api

import "time"

// ProcessInfo describes one process at one moment, as getProcessInfo reports
// it (manual: XML-RPC API, getProcessInfo).
type ProcessInfo struct {
	Name  string
	Group string
	// Start and Stop are wall-clock times; the zero time means never.
	Start time.Time
	Stop  time.Time
	Now   time.Time
	State ProcessState
	// SpawnErr is why the process last failed to start, or is empty.
	SpawnErr string
	// ExitStatus is the last exit status: -1 after a death by signal, 0 when
	// there is none.
	ExitStatus int
	// StdoutLogfile and StderrLogfile are paths, empty where nothing is
	// logged to a file.
	StdoutLogfile string
	StderrLogfile string
	PID           int

	// What follows is not known to Supervisor; it is reported after the
	// members above, and only where there is something to tell.

	// Restarts counts the starts after the first one that no client asked for.
	Restarts int
	// ExitReason says how the process last ended by itself, in the words of
	// the activity log: "exit status 3" or "terminated by SIGKILL". Empty when
	// it has not, and when it was stopped.
	ExitReason string
	// StderrTail are the last lines that the process wrote to its standard error
	// before it last failed to start or ended in a way that is not expected: at
	// most ten and 4 KiB, without control characters.
	StderrTail string
	// ExitOn says which end of the process is the end of supervisord: "fatal" or
	// "exit", or "" for none.
	ExitOn string
	// NextStart is when it will be started again, where its configuration says
	// something about pauses and it is in one; else it is the zero time.
	NextStart time.Time
	// Waiting says what the process waits for before it starts: the processes
	// that it depends on and that are not ready, each with its state. Empty when
	// it does not wait.
	Waiting string
	// HasReady says that the process is asked whether it is ready (ready=), and
	// Ready that it is.
	HasReady, Ready bool
	// Health is "ok", or "failing: " and the reason, of a process that is
	// checked (health=). StatusText is what it says of itself.
	Health     string
	StatusText string
}

// ProcessStatus is one element of what the methods for groups and for all
// processes return.
type ProcessStatus struct {
	Name        string
	Group       string
	Status      FaultCode
	Description string
}

// OKStatus returns the status of a process for which a request succeeded.
func OKStatus(group, name string) ProcessStatus {
	return ProcessStatus{Name: name, Group: group, Status: Success, Description: "OK"}
}

// FaultStatus returns the status of a process for which a request failed.
func FaultStatus(group, name string, f *Fault) ProcessStatus {
	return ProcessStatus{Name: name, Group: group, Status: f.Code, Description: f.Text}
}

// Channel is an output stream of a process.
type Channel int

// The output streams of a process.
const (
	Stdout Channel = iota
	Stderr
)

// String returns "stdout" or "stderr".
func (c Channel) String() string {
	if c == Stderr {
		return "stderr"
	}
	return "stdout"
}

// LogSource is a log file that can be read and followed while another part of
// the program writes it.
type LogSource interface {
	// Path returns the path of the file, or "" where nothing is logged to a
	// file.
	Path() string
	// Changed returns a channel that is closed at the next write, rotation,
	// reopening or clearing of the file. Ask for the channel first and read
	// the file afterwards: then no change is missed.
	Changed() <-chan struct{}
}

// ConfigInfo describes the configuration of one process, as getAllConfigInfo
// reports it. The values are those of the configuration file; a client sees
// "none" for what is not set and "auto" for a log file that the daemon names.
type ConfigInfo struct {
	Name            string
	Group           string
	GroupPriority   int
	ProcessPriority int
	InUse           bool
	Command         string
	Autostart       bool
	Autorestart     string // "true", "false" or "unexpected"
	Directory       string // empty where not set
	UID             int    // -1 where not set
	ExitCodes       []int
	KillAsGroup     bool
	RedirectStderr  bool
	StartRetries    int
	StartSecs       int
	StopSignal      int
	StopWaitSecs    int
	ServerURL       string // empty where not set
	Stdout, Stderr  ChannelConfigInfo

	// What follows is not known to Supervisor, and reported where it is used,
	// which is where it is not the zero value.

	ExitOn        string // "fatal" or "exit"
	RestartDelay  time.Duration
	BackoffMax    time.Duration
	BackoffFactor float64
	BackoffJitter float64

	// GID is the primary group of the process; nil for that of its user.
	GID *int
	// EnvironmentFiles are the files with variables, those that may be missing
	// with a dash in front.
	EnvironmentFiles []string
	// UserEnvironment tells that HOME and the like are those of the user.
	UserEnvironment bool
}

// ChannelConfigInfo is the part of ConfigInfo for one output channel.
type ChannelConfigInfo struct {
	Logfile         string // a path, "auto" or "none"
	LogfileMaxBytes int64
	LogfileBackups  int
	CaptureMaxBytes int64
	EventsEnabled   bool
	Syslog          bool

	// What follows is not known to Supervisor, and reported where it is used.

	// Format is how output is written to the file.
	Format LogFormat
	// LogfileRotate is how often the file is rotated because of the time.
	LogfileRotate Period
}
