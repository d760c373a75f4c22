package logfile

import (
	"errors"
	"os"
	"path/filepath"
	"syscall"
)

// openOwn opens path for appending, creating it if need be. In a directory in
// which everybody may make files, such as /tmp, another user can have put
// something in the place of a log: a link by which we would write to a file of
// ours, or a file to read what we write. Such a thing is refused with EACCES, as
// Linux does itself where fs.protected_symlinks and fs.protected_regular are set.
func openOwn(path string) (*os.File, os.FileInfo, error) {
	// O_NONBLOCK keeps the opening of a fifo without a reader from blocking,
	// and lets a write to a full one wait without a thread. It means nothing
	// for a regular file.
	const flags = os.O_WRONLY | os.O_APPEND | os.O_CREATE | syscall.O_NONBLOCK | syscall.O_NOCTTY
	shared := everybodys(filepath.Dir(path))
	refused := &os.PathError{Op: "open", Path: path, Err: syscall.EACCES}
	f, err := os.OpenFile(path, flags|syscall.O_NOFOLLOW, 0o666)
	if isLink(path, err) {
		// Nobody but its owner can replace the link between this and the opening.
		if link, err := os.Lstat(path); shared != nil && (err != nil || !shared.trusts(link)) {
			return nil, nil, refused
		}
		shared = nil // What the link leads to is its owner's choice.
		f, err = os.OpenFile(path, flags, 0o666)
	}
	if err != nil {
		return nil, nil, err
	}
	info, err := f.Stat()
	if err == nil && shared != nil && (!shared.trusts(info) || info.Mode().IsRegular() && links(info) > 1) {
		err = refused
	}
	if err != nil {
		f.Close()
		return nil, nil, err
	}
	return f, info, nil
}

// isLink reports whether err says that path is a symbolic link. Systems have
// different errors for that.
func isLink(path string, err error) bool {
	if !errors.Is(err, syscall.ELOOP) && !errors.Is(err, syscall.EMLINK) {
		return false
	}
	info, err := os.Lstat(path)
	return err == nil && info.Mode()&os.ModeSymlink != 0
}

// sharedDir is a directory in which everybody may make files and only their
// owners remove them.
type sharedDir struct{ owner uint32 }

// everybodys returns the directory if it is a sharedDir, and nil if not.
func everybodys(path string) *sharedDir {
	info, err := os.Stat(path)
	if err != nil || info.Mode()&os.ModeSticky == 0 || info.Mode()&0o002 == 0 {
		return nil
	}
	owner, ok := ownerOf(info)
	if !ok {
		return nil
	}
	return &sharedDir{owner}
}

// trusts reports whether a file in the directory is ours or its owner's.
func (d *sharedDir) trusts(info os.FileInfo) bool {
	owner, ok := ownerOf(info)
	return ok && (owner == d.owner || int64(owner) == int64(os.Geteuid()))
}

func ownerOf(info os.FileInfo) (uid uint32, ok bool) {
	stat, ok := info.Sys().(*syscall.Stat_t)
	if !ok {
		return 0, false
	}
	return stat.Uid, true
}

// links returns how many names a file has.
func links(info os.FileInfo) uint64 {
	stat, ok := info.Sys().(*syscall.Stat_t)
	if !ok {
		return 1
	}
	return uint64(stat.Nlink)
}
