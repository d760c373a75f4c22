// Package logfile writes, rotates, reads and follows the log files of
// programs and of the daemon itself (manual: Logging). A File is safe for use
// by any goroutine.
package logfile

import "context"

// Options say how a File is rotated.
type Options struct {
	// MaxBytes is the size at which the file is rotated; 0 never.
	MaxBytes int64
	// Backups is how many rotated files are kept: .1 is the newest. With 0 the
	// file is truncated instead.
	Backups int
	// Compress and MaxAge (days), if set, select timestamped backups, gzip
	// compressed or limited in age, instead of numbered ones.
	Compress bool
	MaxAge   int
}

// File is a log file that is appended to.
type File struct{}

// Open returns a File for path and opens it. If that fails the error is
// returned with the File nil.
func Open(path string, o Options) (*File, error) { panic("not yet") }

// Path returns the path that was given to Open.
func (f *File) Path() string { panic("not yet") }

// Write appends p, rotating before or after as the sizes demand. It returns
// an error when bytes could not be written; it tries again at the next Write.
func (f *File) Write(p []byte) (int, error) { panic("not yet") }

// Reopen closes the file and opens the path again: for external rotation.
func (f *File) Reopen() error { panic("not yet") }

// Clear removes the file and opens a new one.
func (f *File) Clear() error { panic("not yet") }

// Close closes the file. A later Write opens it again.
func (f *File) Close() error { panic("not yet") }

// Changed returns a channel that is closed at the next write, rotation,
// reopening or clearing. Without followers it costs a writer one atomic load.
func (f *File) Changed() <-chan struct{} { panic("not yet") }

// Read returns bytes of a file by the rules of readLog and readProcessLog
// (manual: XML-RPC API): a negative offset counts from the end, length 0 means
// up to the end. The error is ErrBadArguments or ErrFailed.
func Read(path string, offset, length int64) ([]byte, error) { panic("not yet") }

// Tail returns bytes of a file by the rules of tailProcessLog (manual: XML-RPC
// API): data, the size of the file and whether data was left out. A file that
// cannot be read gives no data, the offset that was given and false.
func Tail(path string, offset, length int64) (data []byte, newOffset int64, overflow bool) {
	panic("not yet")
}

// Follower reads a log file as it grows, through rotation, truncation,
// clearing and replacement.
type Follower struct{}

// Follow returns a Follower that starts back bytes before the end of the file.
// changed is asked before every read for the channel to wait on.
func Follow(path string, changed func() <-chan struct{}, back int64) (*Follower, error) {
	panic("not yet")
}

// Read fills p with the next bytes of the log, waiting for them if there are
// none. It returns ctx's error when ctx ends first.
func (f *Follower) Read(ctx context.Context, p []byte) (int, error) { panic("not yet") }

// Close releases the file.
func (f *Follower) Close() error { panic("not yet") }
