package spawn

import "golang.org/x/sys/unix"

// unblockSignals makes sure that no signal is blocked in the processes that this
// thread starts: they get its mask. The daemon's own may block some, after it
// was executed anew while it ran.
func unblockSignals() {
	var none unix.Sigset_t
	// It fails only for bad arguments.
	_ = unix.PthreadSigmask(unix.SIG_SETMASK, &none, nil)
}
