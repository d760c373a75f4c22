package applog

import (
	"os"
	"testing"

	"golang.org/x/sys/unix"
)

// redirect makes f the standard output of this process until restore is
// called.
func redirect(t *testing.T, f *os.File) (restore func()) {
	t.Helper()
	saved, err := unix.FcntlInt(1, unix.F_DUPFD_CLOEXEC, 3)
	if err != nil {
		t.Fatal(err)
	}
	conn, err := f.SyscallConn()
	if err != nil {
		t.Fatal(err)
	}
	conn.Control(func(fd uintptr) {
		if err := unix.Dup2(int(fd), 1); err != nil {
			t.Fatal(err)
		}
	})
	return func() {
		unix.Dup2(saved, 1)
		unix.Close(saved)
	}
}
