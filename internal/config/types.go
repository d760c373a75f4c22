package config

import (
	"os"
	"syscall"
	"time"

	"supervisord/internal/api"
)

// Config is one configuration, loaded from a file, its includes and the
// command line. It is never changed after Load returned it: whoever holds a
// *Config may read it from any goroutine.
type Config struct {
	// File is the main configuration file as it was named, Here the absolute
	// path of its directory, the value of %(here)s.
	File string
	Here string
	// Files are all files that were read, File first.
	Files []string

	Supervisord Supervisord
	// Servers holds the inet servers first, then the unix servers, each in the
	// order of their sections.
	Servers []Server
	// ServerURL is what SUPERVISOR_SERVER_URL says in the environment of a
	// process without a serverurl of its own; empty without servers.
	ServerURL string
	// RPCInterfaces holds the namespaces under which the servers offer
	// Supervisor's RPC interface, usually just "supervisor".
	RPCInterfaces []string
	// Groups are in ascending order of priority, then of name. Two sections
	// may make groups of one name; the first of them counts.
	Groups []*Group

	// Criticals, Warnings and Infos are what parsing had to say. They go to
	// the activity log once it is open, in this order.
	Criticals []string
	Warnings  []string
	Infos     []string
}

// Supervisord holds the [supervisord] section after the command line was
// applied (manual: Configuration File, [supervisord] section settings).
type Supervisord struct {
	// Logfile is an absolute path, or "syslog".
	Logfile         string
	LogfileMaxBytes int64
	LogfileBackups  int
	LogfileCompress bool // addition: timestamped, compressed backups
	LogfileMaxAge   int  // addition: days that backups are kept; 0 for ever
	// LogfileRotate is an addition: rotation by time, besides that by size.
	LogfileRotate api.Period
	// LogFormat is an addition (logformat): text or JSON.
	LogFormat api.LogFormat
	// StdoutFormat and StderrFormat are additions: how programs are logged that
	// do not say it themselves.
	StdoutFormat api.LogFormat
	StderrFormat api.LogFormat
	LogLevel     api.LogLevel
	Pidfile      string
	Identifier   string
	ChildLogDir  string
	// Directory is where a daemon changes to; empty to stay.
	Directory string
	Umask     os.FileMode
	// UID is the user to become, or -1. User is the value as it was written.
	UID       int
	User      string
	MinFDs    int
	MinProcs  int
	NoDaemon  bool
	Silent    bool
	NoCleanup bool
	StripANSI bool
	// CheckRestart is an addition (check_before_restart): SIGHUP restarts only
	// with a configuration that can be loaded.
	CheckRestart bool
	// Adopt is an addition: after the end of a supervisord that was killed, the
	// next one takes its processes back. AdoptDirectory is where what that takes
	// is kept, AdoptOtherwise what becomes of processes that are not taken back.
	Adopt          bool
	AdoptDirectory string
	AdoptOtherwise OrphanPolicy
	// ExitOn is an addition (exit_on): the default for programs.
	ExitOn      ExitOn
	Environment map[string]string
	// EnvironmentFiles and UserEnvironment are additions (environment_file,
	// user_environment): the defaults for programs.
	EnvironmentFiles []EnvironmentFile
	UserEnvironment  bool
}

// OrphanPolicy is the value of adopt_otherwise.
type OrphanPolicy int

// The values of adopt_otherwise.
const (
	LeaveOrphans OrphanPolicy = iota
	StopOrphans
)

// Family is the address family of a Server.
type Family int

// The address families of servers.
const (
	Inet Family = iota
	Unix
)

// Server holds an [inet_http_server] or [unix_http_server] section.
type Server struct {
	// Section is the name of the section, for messages.
	Section string
	Family  Family

	// Host and Port of an inet server. An empty Host means all addresses; an
	// IPv6 address stands without brackets.
	Host string
	Port int

	// File, Mode and owner of a unix server's socket; -1 keeps the owner.
	File     string
	Mode     os.FileMode
	OwnerUID int
	OwnerGID int

	// Username and Password are both set or both empty. Password is plain, or
	// {SHA} and 40 hex digits.
	Username string
	Password string
}

// GroupKind tells which kind of section a group was made from.
type GroupKind int

// The kinds of groups.
const (
	// ProgramGroup is the group of a [program:x] or of a [group:x].
	ProgramGroup GroupKind = iota
	// ListenerPool is the group of an [eventlistener:x].
	ListenerPool
	// FastCGIGroup is the group of an [fcgi-program:x].
	FastCGIGroup
)

// String returns the word that begins the name of the section.
func (k GroupKind) String() string {
	switch k {
	case ListenerPool:
		return "eventlistener"
	case FastCGIGroup:
		return "fcgi-program"
	case ProgramGroup:
	}
	return "program"
}

// Group is a process group (manual: Configuration File, [group:x] section
// settings).
type Group struct {
	Name     string
	Kind     GroupKind
	Priority int
	// Processes are in the order in which they are started.
	Processes []*Process

	// BufferSize and Events belong to listener pools. Events holds event type
	// names as written in capitals, sorted, without duplicates.
	BufferSize int
	Events     []string
	// LenBytes is an addition (len_bytes): the header of an event gives the
	// length of the payload in bytes instead of characters.
	LenBytes bool

	// Socket belongs to FastCGI groups.
	Socket *Socket
}

// Socket is the listening socket of a FastCGI group.
type Socket struct {
	// URL is the socket as it was configured, for messages.
	URL  string
	Unix bool
	// Path, Mode and owner of a unix socket; -1 keeps the owner.
	Path     string
	Mode     os.FileMode
	OwnerUID int
	OwnerGID int
	// Host and Port of a tcp socket.
	Host string
	Port int
	// Backlog of the socket, 0 for the system's maximum.
	Backlog int
}

// RestartPolicy is the value of autorestart.
type RestartPolicy int

// The values of autorestart.
const (
	RestartNever RestartPolicy = iota
	RestartUnexpected
	RestartAlways
)

// RetryForEver is the startretries of a program that is never given up.
const RetryForEver = -1

// String returns the word that stands in the configuration file.
func (r RestartPolicy) String() string {
	switch r {
	case RestartAlways:
		return "true"
	case RestartUnexpected:
		return "unexpected"
	case RestartNever:
	}
	return "false"
}

// ExitOn is the value of exit_on, an addition: which end of a process is the
// end of supervisord.
type ExitOn int

// The values of exit_on.
const (
	ExitOnNever ExitOn = iota
	// ExitOnFatal is when the process becomes FATAL.
	ExitOnFatal
	// ExitOnExit is also when it has EXITED and is not started again.
	ExitOnExit
)

// exitOnNames are the words for the values of exit_on.
var exitOnNames = [...]string{ExitOnNever: "never", ExitOnFatal: "fatal", ExitOnExit: "exit"}

// String returns the word that stands in the configuration file.
func (e ExitOn) String() string { return exitOnNames[e] }

// Process is one process of a program, with every expansion done (manual:
// Configuration File, [program:x] section settings).
type Process struct {
	// Name is the process_name, Program the x of [program:x].
	Name    string
	Program string
	// Command is the command as configured; Argv its words. Where it cannot be
	// split, Argv is nil and CommandError says why, in the words of the
	// original; the program then cannot be started.
	Command      string
	Argv         []string
	CommandError string

	// Directory is where the process starts; empty to stay.
	Directory string
	// Umask of the process, or -1 for the daemon's.
	Umask    int
	Priority int

	Autostart    bool
	Autorestart  RestartPolicy
	StartSecs    time.Duration
	StartRetries int // RetryForEver, an addition, for no limit
	// ExitCodes are the expected exit statuses as they were listed.
	ExitCodes []int
	ExitOn    ExitOn // addition

	// Additions about pauses. RestartDelay is the one before a restart by
	// autorestart, and the unit of those after failed starts. These grow by
	// BackoffFactor, or in a line if it is 0, up to BackoffMax, if it is not 0.
	// Up to the part BackoffJitter of each of them is added to it.
	RestartDelay  time.Duration
	BackoffMax    time.Duration
	BackoffFactor float64
	BackoffJitter float64
	// DependsOn is an addition (depends_on): what is to be ready before the
	// process starts.
	DependsOn []Dependency
	Ready     Readiness // addition (ready)
	Health    Health    // addition (health)

	StopSignal   syscall.Signal
	StopWaitSecs time.Duration
	StopAsGroup  bool
	KillAsGroup  bool

	// UID is the user to run as, or -1 for the daemon's.
	UID int
	// GID is an addition (group): the primary group, or -1 for that of the user.
	GID            int
	RedirectStderr bool
	Stdout         Log
	Stderr         Log

	// Environment is what the process gets on top of the daemon's own
	// environment: that of [supervisord], then its own.
	Environment map[string]string
	// EnvironmentFiles is an addition (environment_file): files with variables
	// on top of these.
	EnvironmentFiles []EnvironmentFile
	// UserEnvironment is an addition (user_environment): HOME, USER, LOGNAME
	// and SHELL are those of the user, if nothing else sets them.
	UserEnvironment bool
	// ArgvSecrets and EnvironmentSecrets are an addition: the words of Argv, by
	// index, and the values of Environment that have the contents of files.
	// There they stand as %(FILE_/path)s; nil where there are none.
	ArgvSecrets        map[int]Template
	EnvironmentSecrets map[string]Template
	// ServerURL overrides Config.ServerURL; empty for AUTO.
	ServerURL string
}

// EnvironmentFile is a file with environment variables, which is read when a
// process starts.
type EnvironmentFile struct {
	// Path is absolute, and may be a pattern.
	Path string
	// Optional tells that the file may be missing.
	Optional bool
}

// String returns the file as it is configured, with a dash in front if it may be
// missing.
func (f EnvironmentFile) String() string {
	if f.Optional {
		return "-" + f.Path
	}
	return f.Path
}

// Log holds the settings of one output channel of a process.
type Log struct {
	File LogFile
	// MaxBytes is the size at which the file is rotated; 0 never.
	MaxBytes int64
	Backups  int
	// CaptureMaxBytes is the size of the capture buffer; 0 without capturing.
	CaptureMaxBytes int64
	EventsEnabled   bool
	Syslog          bool

	Compress bool // addition: timestamped, compressed backups
	MaxAge   int  // addition: days that backups are kept; 0 for ever
	// Rotate is an addition: rotation by time, besides that by size.
	Rotate api.Period
	// Format is an addition: how output is written to the file.
	Format api.LogFormat
}

// LogFileKind tells where a channel is logged to.
type LogFileKind int

// The kinds of log files.
const (
	// LogAuto is a file that the daemon names, in childlogdir.
	LogAuto LogFileKind = iota
	// LogNone is no file.
	LogNone
	// LogPath is the file LogFile.Path. An empty path logs nothing.
	LogPath
)

// LogFile is the value of stdout_logfile and stderr_logfile.
type LogFile struct {
	Kind LogFileKind
	Path string
}

// String returns the file as it is configured.
func (f LogFile) String() string {
	switch f.Kind {
	case LogAuto:
		return "AUTO"
	case LogNone:
		return "NONE"
	case LogPath:
	}
	return f.Path
}
