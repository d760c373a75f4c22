package logfile

import (
	"errors"
	"os"
	"strconv"
	"time"
)

// rotateIfFull rotates the file if it has reached its size. When that fails
// the file grows on, and it is tried again at most once in retryInterval. f.mu
// is held.
func (f *File) rotateIfFull() {
	if f.o.MaxBytes <= 0 || !f.regular {
		return
	}
	if f.size() < f.o.MaxBytes {
		return
	}
	f.tryRotate(f.now())
}

// tryRotate rotates the file, unless that has just failed. f.mu is held.
func (f *File) tryRotate(now time.Time) {
	if f.health.rotate != nil && now.Sub(f.health.tried) < retryInterval {
		return
	}
	f.health.tried = now
	f.health.set(&f.health.rotate, f.rotate(now))
}

// Rotate rotates the file now, whatever its size, and reports whether it did: a
// file that is empty, or is none that may be rotated, is left alone, and so is
// one that was rotated so recently that the name of the backup would be the
// same. A File that is not open stays so.
func (f *File) Rotate() (rotated bool, err error) {
	f.mu.Lock()
	rotated, err = f.rotateNow()
	f.mu.Unlock()
	f.notice.send()
	f.report()
	return rotated, err
}

// rotateNow is Rotate without the locking.
func (f *File) rotateNow() (rotated bool, err error) {
	if f.f == nil {
		if info, err := os.Stat(f.path); err != nil || !rotatable(f.path, info) || info.Size() == 0 {
			return false, nil
		}
		if err := f.open(); err != nil {
			return false, err
		}
		defer func() {
			if closing := f.close(); err == nil {
				err = closing
			}
		}()
	}
	if f.health.write != nil {
		if err := f.flush(); err != nil {
			return false, err
		}
	}
	if !f.regular || f.empty() {
		return false, nil
	}
	f.health.set(&f.health.rotate, f.rotate(f.now()))
	return f.health.rotate == nil && f.empty(), f.health.rotate
}

// rotate makes the open file a backup and opens a new one, or truncates it if
// no backups are kept.
//
// If the path is not the open file any more, somebody else has rotated it: a
// tool, or another File of the same path. Then the path is only opened again.
func (f *File) rotate(now time.Time) error {
	f.shared.mu.Lock()
	defer f.shared.mu.Unlock()
	if !f.current() {
		return f.reopen()
	}
	switch {
	case f.o.timestamped():
		return f.rotateTimestamped(now)
	case f.o.Backups <= 0:
		return f.f.Truncate(0)
	}
	if err := shift(f.path, f.o.Backups); err != nil {
		return err
	}
	return f.reopen()
}

// current reports whether the path still leads to the open file.
func (f *File) current() bool {
	open, err := f.f.Stat()
	if err != nil {
		return false
	}
	named, err := os.Stat(f.path)
	return err == nil && os.SameFile(open, named)
}

// shift renames path to path.1 after it made room for it: path.1 becomes
// path.2 and so on. What was path.N, N being backups, is gone then. A number
// that does not exist is left out.
func shift(path string, backups int) error {
	for n := backups - 1; n > 0; n-- {
		if err := rename(numbered(path, n), numbered(path, n+1)); err != nil {
			return err
		}
	}
	return rename(path, numbered(path, 1))
}

// rename renames a file. It is no error that it does not exist.
func rename(from, to string) error {
	err := os.Rename(from, to)
	if errors.Is(err, os.ErrNotExist) {
		return nil
	}
	return err
}

// numbered returns the name of the nth backup; with n 0 that is path itself.
func numbered(path string, n int) string {
	if n == 0 {
		return path
	}
	return path + "." + strconv.Itoa(n)
}
