package logfile

import (
	"os"
	"path/filepath"
	"strconv"
	"strings"

	"golang.org/x/sys/unix"
)

// openAppend opens path for appending, creating it if need be, and reports
// whether it is a file that may be rotated.
//
// A name of one of this process's descriptors is not opened but duplicated:
// opening it would fail for a socket, and for a pipe or terminal that belongs
// to another user, and on a file would not share the offset with whoever else
// writes there.
func openAppend(path string) (f *os.File, regular bool, err error) {
	if fd, ok := descriptor(path); ok {
		f, err = duplicate(path, fd)
		return f, false, err
	}
	f, info, err := openOwn(path)
	if err != nil {
		return nil, false, err
	}
	return f, info.Mode().IsRegular(), nil
}

// rotatable reports whether path, which info describes, may be renamed,
// truncated or removed.
func rotatable(path string, info os.FileInfo) bool {
	if _, ok := descriptor(path); ok {
		return false
	}
	return info.Mode().IsRegular()
}

// maxLinks limits the symbolic links that descriptor follows.
const maxLinks = 10

// descriptor returns the number of the descriptor of this process that path
// names, directly or as a symbolic link: images of containers have such links
// in place of log files.
func descriptor(path string) (fd int, ok bool) {
	for range maxLinks {
		path = filepath.Clean(path)
		if fd, ok := descriptorName(path); ok {
			return fd, true
		}
		link, err := os.Readlink(path)
		if err != nil {
			return 0, false
		}
		if !filepath.IsAbs(link) {
			link = filepath.Join(filepath.Dir(path), link)
		}
		path = link
	}
	return 0, false
}

// descriptorName returns the number in one of the names that descriptors have.
func descriptorName(path string) (fd int, ok bool) {
	switch path {
	case "/dev/stdin":
		return 0, true
	case "/dev/stdout":
		return 1, true
	case "/dev/stderr":
		return 2, true
	}
	for _, dir := range []string{"/dev/fd/", "/proc/self/fd/"} {
		if rest, found := strings.CutPrefix(path, dir); found {
			fd, err := strconv.ParseUint(rest, 10, 31)
			return int(fd), err == nil
		}
	}
	return 0, false
}

// duplicate returns a file that shares the open file description of fd.
func duplicate(path string, fd int) (*os.File, error) {
	dup, err := unix.FcntlInt(uintptr(fd), unix.F_DUPFD_CLOEXEC, 3)
	if err == unix.EBADF {
		err = unix.ENOENT
	}
	if err != nil {
		return nil, &os.PathError{Op: "open", Path: path, Err: err}
	}
	return os.NewFile(uintptr(dup), path), nil
}
