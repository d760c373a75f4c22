// Package applog writes the daemon's activity log (manual: Logging, activity
// log): lines of the form "2007-09-08 14:43:22,886 INFO text", to a file that
// is rotated, to standard output with -n, or to syslog. Its lock is a leaf: it
// never calls out while it holds it.
package applog

import (
	"supervisord/internal/api"
)

// Options say where the log goes.
type Options struct {
	Level api.LogLevel
	// Path is the file, "syslog" for the system log, or empty for none.
	Path     string
	MaxBytes int64
	Backups  int
	Compress bool
	MaxAge   int
	// Stdout copies every line to standard output.
	Stdout bool
}

// Logger is the activity log.
type Logger struct{}

// Open opens the log.
func Open(o Options) (*Logger, error) { panic("not yet") }

// Level returns the least severe level that is written.
func (l *Logger) Level() api.LogLevel { panic("not yet") }

// Log writes one message, if its level is severe enough. It never fails: what
// goes wrong is reported to the other outputs once.
func (l *Logger) Log(level api.LogLevel, text string) { panic("not yet") }

// Path returns the path of the log file, or "" where there is none, and
// Changed a channel closed at the next line: a Logger is an api.LogSource.
func (l *Logger) Path() string { panic("not yet") }

// Changed returns a channel that is closed at the next write.
func (l *Logger) Changed() <-chan struct{} { panic("not yet") }

// Reopen closes and opens the file, after external rotation.
func (l *Logger) Reopen() error { panic("not yet") }

// Clear removes the file and opens a new one.
func (l *Logger) Clear() error { panic("not yet") }

// Close closes the outputs.
func (l *Logger) Close() error { panic("not yet") }
