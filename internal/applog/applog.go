// Package applog writes the daemon's activity log (manual: Logging, activity
// log): lines of the form "2007-09-08 14:43:22,886 INFO text", to a file that
// is rotated, to standard output with -n, or to syslog. Its lock is a leaf: it
// never calls out while it holds it.
//
// A text is written as it is. Some texts have several lines, as the copies of
// what programs print do; only the first of them has a time. With Options.JSON a
// text is one line, a JSON object, except in the system log.
package applog

import (
	"strconv"
	"sync"
	"time"

	"supervisord/internal/api"
	"supervisord/internal/logfile"
	"supervisord/internal/logline"
	"supervisord/internal/syslog"
)

// syslogPath is the Options.Path that means the system log.
const syslogPath = "syslog"

// maxKept limits the line buffer that is kept for the next line.
const maxKept = 64 << 10

// Options say where the log goes.
type Options struct {
	Level api.LogLevel
	// Path is the file, "syslog" for the system log, or empty for none.
	Path     string
	MaxBytes int64
	Backups  int
	Compress bool
	MaxAge   int
	Every    api.Period
	// JSON makes each message a JSON object.
	JSON bool
	// Stdout copies every line to standard output.
	Stdout bool
}

// Logger is the activity log. It is safe for use by any goroutine.
type Logger struct {
	level  api.LogLevel
	json   bool
	file   *logfile.File // nil for none
	stdout *logfile.File // nil for none
	syslog *syslog.Queue // nil for none
	stderr *logfile.File // for what goes wrong with the file

	mu   sync.Mutex
	line []byte // reused
}

// Open opens the log.
func Open(o Options) (*Logger, error) {
	l := &Logger{level: o.Level, json: o.JSON, stderr: logfile.New("/dev/stderr", logfile.Options{})}
	if o.Stdout {
		l.stdout = logfile.New("/dev/stdout", logfile.Options{})
	}
	switch o.Path {
	case "":
	case syslogPath:
		l.syslog = syslog.NewQueue(syslog.New())
	default:
		f, err := logfile.Open(o.Path, o.rotation())
		if err != nil {
			return nil, err
		}
		l.file = f
		f.OnFailure(l.fileFailed)
	}
	return l, nil
}

// rotation returns how the file is rotated.
func (o *Options) rotation() logfile.Options {
	return logfile.Options{
		MaxBytes: o.MaxBytes, Backups: o.Backups, Compress: o.Compress, MaxAge: o.MaxAge, Every: o.Every,
	}
}

// Level returns the least severe level that is written.
func (l *Logger) Level() api.LogLevel { return l.level }

// Log writes one message, if its level is severe enough. It never fails: what
// goes wrong is reported to the other outputs once.
func (l *Logger) Log(level api.LogLevel, text string) {
	if level < l.level {
		return
	}
	l.mu.Lock()
	defer l.mu.Unlock()
	now := time.Now()
	l.line = l.appendMessage(l.line[:0], now, level, text)
	// The order of the lines is the same everywhere, therefore the lock is held
	// while they are written. What a file does not take it keeps and reports by
	// itself.
	if l.stdout != nil {
		_, _ = l.stdout.Write(l.line)
	}
	if l.file != nil {
		_, _ = l.file.Write(l.line)
	}
	if l.syslog != nil {
		l.toSyslog(now, level, text)
	}
	if cap(l.line) > maxKept {
		l.line = nil
	}
}

// appendMessage appends a message in the form of the log.
func (l *Logger) appendMessage(b []byte, now time.Time, level api.LogLevel, text string) []byte {
	if l.json {
		return appendObject(b, now, level, text)
	}
	return appendLine(b, now, level, text)
}

// appendObject appends a message as a JSON object.
func appendObject(b []byte, now time.Time, level api.LogLevel, text string) []byte {
	b = append(b, `{"time":"`...)
	b = logline.AppendTime(b, now)
	b = append(b, `","level":"`...)
	b = append(b, level.Name()...)
	b = append(b, `","message":"`...)
	b = logline.AppendEscaped(b, []byte(text))
	return append(b, "\"}\n"...)
}

// appendLine appends a line of the log.
func appendLine(b []byte, now time.Time, level api.LogLevel, text string) []byte {
	return append(appendEntry(b, now, level, text), '\n')
}

// appendEntry appends a line of the log without the newline at its end.
func appendEntry(b []byte, now time.Time, level api.LogLevel, text string) []byte {
	b = now.AppendFormat(b, "2006-01-02 15:04:05,000")
	b = append(b, ' ')
	b = append(b, level.String()...)
	b = append(b, ' ')
	return append(b, text...)
}

// toSyslog sends each line of the text as a line of the log.
func (l *Logger) toSyslog(now time.Time, level api.LogLevel, text string) {
	syslog.Lines([]byte(text), func(line []byte) {
		l.syslog.Send(appendEntry(nil, now, level, string(line)))
	})
}

// fileFailed reports, where a person may see it, that the file cannot be
// written, or can be again. It may be called while l.mu is held.
func (l *Logger) fileFailed(err error, lost int64) {
	level, text := api.LevelInfo, "log file "+l.file.Path()+" is written again"
	switch {
	case err != nil:
		level, text = api.LevelCritical, "log file cannot be written: "+err.Error()
	case lost > 0:
		level, text = api.LevelWarn, text+"; "+strconv.FormatInt(lost, 10)+" bytes were lost"
	}
	out := l.stdout
	if out == nil {
		out = l.stderr
	}
	_, _ = out.Write(l.appendMessage(nil, time.Now(), level, text))
}

// Path returns the path of the log file, or "" where there is none, and
// Changed a channel closed at the next line: a Logger is an api.LogSource.
func (l *Logger) Path() string {
	if l.file == nil {
		return ""
	}
	return l.file.Path()
}

// Changed returns a channel that is closed at the next write. Without a file
// that never happens.
func (l *Logger) Changed() <-chan struct{} {
	if l.file == nil {
		return nil
	}
	return l.file.Changed()
}

// Reopen closes and opens the file, after external rotation.
func (l *Logger) Reopen() error {
	if l.file == nil {
		return nil
	}
	return l.file.Reopen()
}

// Outputs returns the number of places to which lines are written.
func (l *Logger) Outputs() int {
	n := 0
	for _, there := range []bool{l.stdout != nil, l.file != nil, l.syslog != nil} {
		if there {
			n++
		}
	}
	return n
}

// Rotate rotates the file now and reports whether it did: an empty one is left
// alone.
func (l *Logger) Rotate() (rotated bool, err error) {
	if l.file == nil {
		return false, nil
	}
	return l.file.Rotate()
}

// Clear removes the file and opens a new one.
func (l *Logger) Clear() error {
	if l.file == nil {
		return nil
	}
	return l.file.Clear()
}

// Close closes the outputs.
func (l *Logger) Close() error {
	if l.syslog != nil {
		l.syslog.Close()
	}
	if l.stdout != nil {
		l.stdout.Close()
	}
	l.stderr.Close()
	if l.file == nil {
		return nil
	}
	return l.file.Close()
}
