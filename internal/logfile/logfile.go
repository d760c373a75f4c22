// Package logfile writes, rotates, reads and follows the log files of
// programs and of the daemon itself (manual: Logging).
//
// A File is opened for appending and for nothing else, so that a tool that
// copies and truncates it (copytruncate) leaves no hole. It is safe for use by
// any goroutine; a write that blocks on a slow disk blocks the callers of that
// File and nobody else. What cannot be written at once is kept in memory, up to
// a limit, and written as soon as that is possible.
//
// Paths that are not regular files are written and nothing else: they are never
// rotated, truncated, removed or sought in. A path that names a descriptor of
// this process, such as /dev/stdout, stands for that descriptor itself.
//
// gopkg.in/natefinch/lumberjack.v2 is used here and nowhere else, for the
// timestamped backups that Options.Compress and Options.MaxAge ask for.
package logfile

import (
	"io"
	"os"
	"sync"
	"time"

	"supervisord/internal/api"
)

// Options say how a File is rotated.
type Options struct {
	// MaxBytes is the size at which the file is rotated; 0 never.
	MaxBytes int64
	// Backups is how many rotated files are kept: .1 is the newest. With 0 the
	// file is truncated instead; with timestamped backups all are kept.
	Backups int
	// Compress and MaxAge (days), if set, select timestamped backups, gzip
	// compressed or limited in age, instead of numbered ones.
	Compress bool
	MaxAge   int
	// Every, if it is not api.Never, rotates the file also at the first write of
	// each hour or day, in local time. No timer waits for these: a log that
	// nobody writes to has nothing to be rotated for.
	Every api.Period
}

// timestamped reports whether backups are named after the time of rotation.
func (o Options) timestamped() bool { return o.Compress || o.MaxAge > 0 }

// File is a log file that is appended to.
type File struct {
	path   string
	o      Options
	shared *place
	notice notice
	health health

	mu      sync.Mutex
	f       *os.File // nil while it is not open
	regular bool     // f is a regular file, which may be rotated
	closed  bool     // Close was called, or nothing else yet
	backlog backlog
	milled  time.Time // when timestamped backups were last looked after
	due     time.Time // when Options.Every wants a rotation; zero if that is not known
	now     func() time.Time

	// spliced is splicedOf by a descriptor that is not in append mode, for
	// Splice; nil until that is used.
	spliced, splicedOf *os.File
	unspliceable       bool
}

// Open returns a File for path and opens it. If that fails the error is
// returned with the File nil.
func Open(path string, o Options) (*File, error) {
	f := New(path, o)
	if err := f.Open(); err != nil {
		return nil, err
	}
	return f, nil
}

// New returns a File for path that the first Write opens.
func New(path string, o Options) *File {
	return &File{path: path, o: o, closed: true, shared: placeOf(path), now: time.Now}
}

// Path returns the path that was given to Open.
func (f *File) Path() string { return f.path }

// IsRegular reports whether the file is open and one that can be read again: no
// device, pipe or descriptor of this process.
func (f *File) IsRegular() bool {
	f.mu.Lock()
	defer f.mu.Unlock()
	return f.f != nil && f.regular
}

// Open opens the file, if it is not open, and again if it was renamed or
// removed since. If the path cannot be opened an open file is kept.
func (f *File) Open() error {
	f.mu.Lock()
	moved := f.moved()
	var err error
	if moved {
		err = f.reopen()
	} else {
		err = f.open()
	}
	f.mu.Unlock()
	if moved {
		f.notice.send()
	}
	return err
}

// moved reports whether the open file is not the one at the path any more.
func (f *File) moved() bool {
	if f.f == nil || !f.regular {
		return false
	}
	own, err := f.f.Stat()
	return err == nil && !isAt(own, f.path)
}

// open opens the file, if it is not open. f.mu is held.
func (f *File) open() error {
	if f.f != nil {
		return nil
	}
	file, regular, err := openAppend(f.path)
	if err != nil {
		return err
	}
	f.f, f.regular, f.closed, f.due = file, regular, false, time.Time{}
	f.mill()
	return nil
}

// Write appends p, then rotates the file if it has reached its size. What
// cannot be written now is kept and tried again at the next Write and every
// second; the error then says what is wrong, while n counts the bytes that were
// written or kept.
func (f *File) Write(p []byte) (n int, err error) {
	f.mu.Lock()
	n, err = f.write(p)
	f.mu.Unlock()
	f.notice.send()
	f.report()
	return n, err
}

// write is Write without the locking.
func (f *File) write(p []byte) (int, error) {
	if f.health.write != nil {
		if err := f.flush(); err != nil {
			return f.keep(p, err), err
		}
	}
	f.rotateIfOver()
	n, err := f.append(p)
	if err != nil {
		return n + f.keep(p[n:], err), err
	}
	f.rotateIfFull()
	f.mill()
	return n, nil
}

// append writes p to the file, opening it first if it is not open. One write
// to a descriptor that others share is not mixed with another.
func (f *File) append(p []byte) (int, error) {
	if err := f.open(); err != nil {
		return 0, err
	}
	if f.regular {
		return f.f.Write(p)
	}
	f.shared.mu.Lock()
	defer f.shared.mu.Unlock()
	return f.f.Write(p)
}

// size returns the size of the file as it was after the last write here: in
// append mode that is the file offset, which also tells of a truncation and of
// what others have written.
func (f *File) size() int64 {
	if f.spliced != nil && f.splicedOf == f.f {
		info, err := f.spliced.Stat()
		if err != nil {
			return 0
		}
		return info.Size()
	}
	n, err := f.f.Seek(0, io.SeekCurrent)
	if err != nil {
		return 0
	}
	return n
}

// Reopen closes the file and opens the path again: for external rotation. If
// the path cannot be opened the open file is kept and the error returned. A
// File that is not open stays so.
func (f *File) Reopen() error {
	f.mu.Lock()
	err := f.reopenIfUsed()
	f.mu.Unlock()
	f.notice.send()
	f.report()
	return err
}

// reopenIfUsed is Reopen without the locking.
func (f *File) reopenIfUsed() error {
	if f.f == nil && f.health.write == nil {
		return nil
	}
	if err := f.reopen(); err != nil {
		return err
	}
	if f.health.write != nil {
		return f.flush()
	}
	return nil
}

// reopen opens the path and makes that the open file. f.mu is held.
func (f *File) reopen() error {
	file, regular, err := openAppend(f.path)
	if err != nil {
		return err
	}
	if f.f != nil {
		f.f.Close()
	}
	f.f, f.regular, f.closed, f.due = file, regular, false, time.Time{}
	return nil
}

// Clear removes the file and makes a new one, which is empty. What is not a
// regular file is left alone, and nothing is made by a File that is not open
// where there is nothing.
func (f *File) Clear() error {
	f.mu.Lock()
	err := f.clear()
	f.mu.Unlock()
	f.notice.send()
	f.report()
	return err
}

// clear is Clear without the locking.
func (f *File) clear() error {
	closed := f.f == nil
	info, err := os.Stat(f.path)
	switch {
	case err == nil && !rotatable(f.path, info):
		return nil
	case err == nil:
		err = os.Remove(f.path)
	case closed && os.IsNotExist(err):
		return nil
	}
	if err != nil && !os.IsNotExist(err) {
		return err
	}
	if err := f.reopen(); err != nil {
		return err
	}
	if closed {
		return f.close()
	}
	return nil
}

// Close closes the file. A later Write opens it again. Bytes that could not be
// written yet are still written as soon as that is possible.
func (f *File) Close() error {
	f.mu.Lock()
	if f.health.write != nil {
		f.flush()
	}
	err := f.close()
	f.mu.Unlock()
	f.report()
	return err
}

// close closes the file, if it is open. f.mu is held.
func (f *File) close() error {
	f.closed = true
	if f.f == nil {
		return nil
	}
	err := f.f.Close()
	f.f = nil
	f.closeSplicer()
	return err
}

// Changed returns a channel that is closed at the next write, rotation,
// reopening or clearing. Without followers it costs a writer one atomic load.
func (f *File) Changed() <-chan struct{} { return f.notice.channel() }

// closeSplicer closes what Splice has open. f.mu is held.
func (f *File) closeSplicer() {
	if f.spliced != nil {
		f.spliced.Close()
		f.spliced, f.splicedOf = nil, nil
	}
}
