// Package childlog moves the output of processes. A Log is where one channel
// of a process is written, for as long as the process is configured; a Pump
// reads one pipe of one running process into it, in a goroutine that nobody
// else waits for, so that a slow disk holds up only the program that writes
// there.
//
// Bytes are read once and written once, in the order in which they came;
// nothing is kept back between reads but what may become a capture tag or a
// terminal escape, and what may become a whole line for syslog or for a log that
// has a record for each line. A pipe that
// nobody writes to costs a registration with the kernel and about 2 KiB: no
// goroutine, no buffer and no wake-up. One that is written to all the time is
// read about once in a millisecond.
package childlog

import (
	"fmt"

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

// Log is where a channel of a process is logged. It is an api.LogSource, and
// safe for use by any goroutine.
type Log struct {
	o      LogOptions
	file   *logfile.File // nil for none
	syslog *lineSender   // nil for none
}

// NewLog returns a Log. Nothing is opened before it is needed.
func NewLog(o LogOptions) *Log {
	l := &Log{o: o}
	if o.Path != "" {
		l.file = logfile.New(o.Path, o.Rotate)
		l.file.OnFailure(l.report)
	}
	if o.SyslogTag != "" {
		l.syslog = newLineSender(o.SyslogTag)
	}
	return l
}

// report tells what has become of the file.
func (l *Log) report(err error, lost int64) {
	switch {
	case l.o.Report == nil:
	case err != nil:
		l.o.Report(api.LevelError, fmt.Sprintf("log file cannot be written: %v", err))
	case lost > 0:
		l.o.Report(api.LevelWarn, fmt.Sprintf("log file %s is written again; %d bytes were lost", l.o.Path, lost))
	default:
		l.o.Report(api.LevelInfo, fmt.Sprintf("log file %s is written again; nothing was lost", l.o.Path))
	}
}

// Open opens the file, as starting a process does: again if it was renamed or
// removed since the last time. An error is returned, and the Log stays usable:
// it tries again when there is something to write.
func (l *Log) Open() error {
	if l.file == nil {
		return nil
	}
	return l.file.Open()
}

// toFile writes to the file, whole records if the log is not raw. What goes
// wrong is reported by the file.
func (l *Log) toFile(p []byte) {
	if l.file != nil && len(p) > 0 {
		_, _ = l.file.Write(p)
	}
}

// toSyslog sends a piece of output to syslog, which makes lines of it by itself.
func (l *Log) toSyslog(p []byte) {
	if l.syslog != nil {
		l.syslog.write(p)
	}
}

// endLine ends a line that the program did not end.
func (l *Log) endLine() {
	if l.syslog != nil {
		l.syslog.flush()
	}
}

// Path returns the path of the file, or "".
func (l *Log) Path() string { return l.o.Path }

// isRegular reports whether what is written can be read again.
func (l *Log) isRegular() bool { return l.file != nil && l.file.IsRegular() }

// Changed returns a channel that is closed at the next write. Without a file
// that never happens.
func (l *Log) Changed() <-chan struct{} {
	if l.file == nil {
		return nil
	}
	return l.file.Changed()
}

// Reopen, Clear and Close act on the file as logfile.File's methods do. They
// may block on a slow disk.
func (l *Log) Reopen() error {
	if l.file == nil {
		return nil
	}
	return l.file.Reopen()
}

// Clear removes the log file and opens a new one, also when no process runs.
func (l *Log) Clear() error {
	if l.file == nil {
		return nil
	}
	return l.file.Clear()
}

// Rotate rotates the log file now, also when no process runs, and reports
// whether it did: an empty one is left alone.
func (l *Log) Rotate() (rotated bool, err error) {
	if l.file == nil {
		return false, nil
	}
	return l.file.Rotate()
}

// Close closes the file until the next write.
func (l *Log) Close() error {
	if l.file == nil {
		return nil
	}
	return l.file.Close()
}
