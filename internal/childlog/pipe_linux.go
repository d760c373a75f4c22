package childlog

import "golang.org/x/sys/unix"

// pending returns how many bytes are in a pipe.
func pending(fd int) (int, error) { return unix.IoctlGetInt(fd, unix.TIOCINQ) }
