package launch

import (
	"encoding/binary"
	"os"

	"golang.org/x/sys/unix"
)

// watchName calls lost once, from a goroutine, when path does not name the file
// any more. The function that it returns ends the watch; it is nil if there can
// be none.
//
// The file itself is watched, not its directory, where others may be busy: the
// kernel reports the loss of a name as a change of the file's attributes.
func watchName(path string, file os.FileInfo, lost func()) (stop func()) {
	fd, err := unix.InotifyInit1(unix.IN_CLOEXEC | unix.IN_NONBLOCK)
	if err != nil {
		return nil
	}
	f := os.NewFile(uintptr(fd), "inotify")
	const events = unix.IN_ATTRIB | unix.IN_MOVE_SELF | unix.IN_DELETE_SELF | unix.IN_DONT_FOLLOW
	if _, err := unix.InotifyAddWatch(fd, path, events); err != nil && isNamed(path, file) {
		f.Close()
		return nil
	}
	go func() {
		defer f.Close()
		buf := make([]byte, 16*(unix.SizeofInotifyEvent+unix.NAME_MAX+1))
		// It may have gone before the watch began.
		for isNamed(path, file) {
			n, err := f.Read(buf)
			if err != nil || ended(buf[:n]) && isNamed(path, file) {
				return
			}
		}
		lost()
	}()
	return func() { f.Close() }
}

// isNamed reports whether path names the file.
func isNamed(path string, file os.FileInfo) bool {
	info, err := os.Lstat(path)
	return err == nil && os.SameFile(info, file)
}

// ended reports whether the kernel says that nothing more will come: the file
// system was unmounted, for example.
func ended(buf []byte) bool {
	for len(buf) >= unix.SizeofInotifyEvent {
		mask := binary.NativeEndian.Uint32(buf[4:])
		if mask&unix.IN_IGNORED != 0 {
			return true
		}
		buf = buf[unix.SizeofInotifyEvent+binary.NativeEndian.Uint32(buf[12:]):]
	}
	return false
}
