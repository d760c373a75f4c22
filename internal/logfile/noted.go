package logfile

import (
	"os"
	"syscall"
)

// Position is the end of a file at some time.
type Position struct {
	Device, Inode uint64
	Size          int64
}

// WriteNoted is Write for somebody who wants to know afterwards, even if this
// process is killed, how much of p has come to the file. begin is told before
// the write where the file ends, and done is called after it, whatever became
// of it. Meanwhile nobody of this process writes to the file who uses
// WriteNoted or Splice, and it is not rotated. begin is not called if the file
// is none that can be cut, or p goes to memory because it cannot be written.
func (f *File) WriteNoted(p []byte, begin func(Position), done func()) {
	f.mu.Lock()
	f.writeNoted(p, begin, done)
	f.mu.Unlock()
	f.notice.send()
	f.report()
}

// writeNoted is WriteNoted without the locking.
func (f *File) writeNoted(p []byte, begin func(Position), done func()) {
	if f.health.write != nil || f.open() != nil || !f.regular {
		_, _ = f.write(p) // What goes wrong is reported.
		done()
		return
	}
	f.rotateIfOver()
	f.shared.mu.Lock()
	if at, ok := positionOf(f.f); ok {
		begin(at)
	}
	n, err := f.f.Write(p)
	if err != nil {
		f.keep(p[n:], err)
	}
	done()
	f.shared.mu.Unlock()
	if err == nil {
		f.rotateIfFull()
		f.mill()
	}
}

// Undo cuts off what was written to the file after it ended there, if it is
// still the same one. The time of its last change stays what it was: by that a
// rotation is due.
func (f *File) Undo(at Position) {
	f.mu.Lock()
	defer f.mu.Unlock()
	if f.open() != nil || !f.regular {
		return
	}
	now, ok := positionOf(f.f)
	if !ok || now.Device != at.Device || now.Inode != at.Inode || now.Size <= at.Size {
		return
	}
	info, err := f.f.Stat()
	if err != nil || f.f.Truncate(at.Size) != nil {
		return // It has what was written twice.
	}
	_ = os.Chtimes(f.path, info.ModTime(), info.ModTime())
}

// positionOf returns where a file ends.
func positionOf(f *os.File) (p Position, ok bool) {
	info, err := f.Stat()
	if err != nil {
		return p, false
	}
	stat, ok := info.Sys().(*syscall.Stat_t)
	if !ok {
		return p, false
	}
	return Position{Device: uint64(stat.Dev), Inode: stat.Ino, Size: stat.Size}, true
}
