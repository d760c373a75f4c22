package logfile

import (
	"errors"
	"os"
	"strconv"
	"syscall"

	"golang.org/x/sys/unix"
)

// ErrNoSplice says that a file cannot take bytes from a pipe right now, or ever:
// they have to be read and written.
var ErrNoSplice = errors.New("bytes cannot be moved into the file as one")

// Splice moves up to limit bytes from a pipe to the end of the file in one call
// of the system, so that whoever kills this process finds each byte either in
// the pipe or in the file. It returns 0 at the end of the pipe and
// syscall.EAGAIN where it is empty. If seen is not nil, what was moved is read
// back into it; it has room for limit bytes. The file is rotated then as by
// Write.
//
// Nobody else may append to the file: the system refuses to do this in append
// mode.
func (f *File) Splice(pipe, limit int, seen []byte) (n int, err error) {
	f.mu.Lock()
	n, err = f.splice(pipe, limit, seen)
	f.mu.Unlock()
	if n > 0 {
		f.notice.send()
		f.report()
	}
	return n, err
}

// splice is Splice without the locking.
func (f *File) splice(pipe, limit int, seen []byte) (int, error) {
	if f.health.write != nil || f.open() != nil || !f.regular || f.unspliceable {
		return 0, ErrNoSplice
	}
	f.rotateIfOver()
	out, err := f.splicer()
	if err != nil {
		return 0, ErrNoSplice
	}
	f.shared.mu.Lock()
	n, at, err := spliceToEnd(pipe, out, limit)
	f.shared.mu.Unlock()
	switch {
	case n > 0:
	case err == nil || err == syscall.EAGAIN:
		return 0, err
	case err == syscall.EINVAL:
		f.unspliceable = true
		return 0, ErrNoSplice
	default:
		return 0, ErrNoSplice // Write finds out what is wrong.
	}
	if seen != nil {
		if _, err := out.ReadAt(seen[:n], at); err != nil {
			clear(seen[:n])
		}
	}
	f.rotateIfFull()
	f.mill()
	return n, nil
}

// splicer returns the open file by a descriptor that is not in append mode.
// f.mu is held.
func (f *File) splicer() (*os.File, error) {
	if f.spliced != nil && f.splicedOf == f.f {
		return f.spliced, nil
	}
	f.closeSplicer()
	out, err := os.OpenFile("/proc/self/fd/"+strconv.Itoa(int(f.f.Fd())), os.O_RDWR, 0)
	if err != nil {
		return nil, err
	}
	f.spliced, f.splicedOf = out, f.f
	return out, nil
}

// spliceToEnd moves bytes to the end of a file and tells where that was.
func spliceToEnd(pipe int, out *os.File, limit int) (n int, at int64, err error) {
	var stat unix.Stat_t
	if err := unix.Fstat(int(out.Fd()), &stat); err != nil {
		return 0, 0, err
	}
	for {
		end := stat.Size
		moved, err := unix.Splice(pipe, nil, int(out.Fd()), &end, limit, unix.SPLICE_F_NONBLOCK|unix.SPLICE_F_MOVE)
		if err != unix.EINTR {
			return int(moved), stat.Size, err
		}
	}
}

// SpliceToEnd moves up to limit bytes from a pipe to the end of a file that only
// the caller writes to, reads them back into seen, and tells where that was. It
// returns 0 at the end of the pipe and syscall.EAGAIN where it is empty.
func SpliceToEnd(pipe int, out *os.File, limit int, seen []byte) (n int, at int64, err error) {
	n, at, err = spliceToEnd(pipe, out, limit)
	if n <= 0 {
		return 0, at, err
	}
	_, err = out.ReadAt(seen[:n], at)
	return n, at, err
}

// Forget gives back the room that the first bytes of a file take, where the file
// system can do that.
func Forget(f *os.File, size int64) {
	if size > 0 {
		_ = unix.Fallocate(int(f.Fd()), unix.FALLOC_FL_PUNCH_HOLE|unix.FALLOC_FL_KEEP_SIZE, 0, size)
	}
}
