// Package childlog moves the output of processes. A Log is where one channel
// of a process is written, for as long as the process is configured; a Pump
// reads one pipe of one running process into it, in its own goroutine, so that
// a slow disk holds up only the program that writes there.
package childlog

import (
	"supervisord/internal/api"
	"supervisord/internal/logfile"
)

// LogOptions describe a Log.
type LogOptions struct {
	// Path is the log file, empty for none. /dev/stdout, /dev/fd/1 and other
	// things that are not regular files are written without rotation or seek.
	Path   string
	Rotate logfile.Options
	// SyslogTag, if not empty, sends every line to syslog too, after this tag.
	SyslogTag string
	// Report is told once when the log cannot be written, and once when it can
	// be written again. It may be called from any goroutine.
	Report func(level api.LogLevel, text string)
}

// Log is where a channel of a process is logged. It is an api.LogSource.
type Log struct{}

// NewLog returns a Log. Nothing is opened before it is needed.
func NewLog(o LogOptions) *Log { panic("not yet") }

// Open opens the file, as starting a process does. An error is reported and
// the Log stays usable: it tries again.
func (l *Log) Open() error { panic("not yet") }

// Path returns the path of the file, or "".
func (l *Log) Path() string { panic("not yet") }

// Changed returns a channel that is closed at the next write.
func (l *Log) Changed() <-chan struct{} { panic("not yet") }

// Reopen, Clear and Close act on the file as logfile.File's methods do. They
// may block on a slow disk.
func (l *Log) Reopen() error { panic("not yet") }

// Clear removes the log file and opens a new one, also when no process runs.
func (l *Log) Clear() error { panic("not yet") }

// Close closes the file until the next write.
func (l *Log) Close() error { panic("not yet") }

// Sink takes what a Pump finds in the output besides log lines. Its methods
// are called from the pump's goroutine and may block, which holds up the
// program that wrote the output, and only that. The slices are valid during
// the call.
type Sink interface {
	// Output gets every piece of output that is logged, if PumpOptions.Events
	// is set.
	Output(data []byte)
	// Captured gets what stood between capture tags.
	Captured(data []byte)
	// Listener gets the raw output of an event listener.
	Listener(data []byte)
}

// PumpOptions describe a Pump.
type PumpOptions struct {
	FD      int // the pipe, nonblocking; the Pump closes it
	Channel api.Channel
	Log     *Log
	// ProcessName stands in messages to the activity log.
	ProcessName string
	StripANSI   bool
	// CaptureMaxBytes is the size of the capture buffer; 0 without capturing.
	CaptureMaxBytes int64
	Events          bool // call Sink.Output
	Listener        bool // call Sink.Listener
	Sink            Sink
	// MainLog, if not nil, gets a copy of the output at debug level.
	MainLog func(level api.LogLevel, text string)
}

// Pump moves the output of one pipe.
type Pump struct{}

// Start starts a pump.
func Start(o PumpOptions) *Pump { panic("not yet") }

// Drain says that the process exited. The pump logs what is in the pipe, then
// calls done once, from its own goroutine. Where another process still holds
// the pipe, the pump goes on afterwards until that one closes it.
func (p *Pump) Drain(done func()) { panic("not yet") }

// Close ends the pump at once, after what is in the pipe was logged.
func (p *Pump) Close() { panic("not yet") }

// Done is closed when the pump has ended and its descriptor is closed.
func (p *Pump) Done() <-chan struct{} { panic("not yet") }
