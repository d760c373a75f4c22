package launch

import (
	"os"
	"runtime"
	"syscall"

	"golang.org/x/sys/unix"
)

// ClearSignalMask makes sure that no signal is blocked in this process and its
// children. Go's runtime keeps the mask with which the process was started and
// gives it to children, which then do not notice their stop signal. There is no
// way to change the runtime's mind, so the program is executed anew with an
// empty mask; the pid stays. That happens only where a parent was careless.
func ClearSignalMask() {
	runtime.LockOSThread()
	defer runtime.UnlockOSThread()
	var empty, old unix.Sigset_t
	if unix.PthreadSigmask(unix.SIG_SETMASK, &empty, &old) != nil || old == empty {
		return
	}
	if exe, err := os.Executable(); err == nil {
		syscall.Exec(exe, os.Args, os.Environ())
	}
	// It goes on with the mask of this thread restored if that failed.
	unix.PthreadSigmask(unix.SIG_SETMASK, &old, nil)
}
