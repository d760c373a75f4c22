package launch

import (
	"fmt"
	"syscall"

	"golang.org/x/sys/unix"
)

// RaiseLimits raises the limits on open files and on processes to the minimum
// that is configured, as Supervisor does (manual: Configuration File,
// [supervisord] section settings, minfds and minprocs), and returns what there
// is to say about it in the activity log. The error is the text that ends the
// daemon. Children inherit the limits that result.
//
// Call it before other goroutines work.
func RaiseLimits(minFDs, minProcs int) (infos []string, err error) {
	restoreFileLimit()
	limits := []struct {
		name     string
		resource int
		min      int
		refusal  string
	}{
		{"RLIMIT_NOFILE", unix.RLIMIT_NOFILE, minFDs, "The minimum number of file descriptors required" +
			" to run this process is %d as per the \"minfds\" command-line argument or config file setting." +
			" The current environment will only allow you to open %d file descriptors." +
			"  Either raise the number of usable file descriptors in your environment (see README.rst)" +
			" or lower the minfds setting in the config file to allow the process to start."},
		{"RLIMIT_NPROC", unix.RLIMIT_NPROC, minProcs, "The minimum number of available processes required" +
			" to run this program is %d as per the \"minprocs\" command-line argument or config file setting." +
			" The current environment will only allow you to open %d processes." +
			"  Either raise the number of usable processes in your environment (see README.rst)" +
			" or lower the minprocs setting in the config file to allow the program to start."},
	}
	for _, l := range limits {
		var current syscall.Rlimit
		if err := syscall.Getrlimit(l.resource, &current); err != nil {
			return infos, fmt.Errorf("read limit %s: %w", l.name, err)
		}
		raised, refused := raisedLimit(current, l.min)
		if raised == current {
			continue
		}
		if err := syscall.Setrlimit(l.resource, &raised); err != nil {
			return infos, refusef(l.refusal, l.min, refused)
		}
		infos = append(infos, fmt.Sprintf("Increased %s limit to %d", l.name, l.min))
	}
	return infos, nil
}

// raisedLimit returns the limit that allows at least atLeast, and the hard
// limit that a refusal speaks of. Only root can raise a hard limit; the attempt
// decides.
func raisedLimit(current syscall.Rlimit, atLeast int) (raised syscall.Rlimit, hard int64) {
	raised = current
	if want := uint64(max(atLeast, 0)); uint64(current.Cur) < want {
		setLimit(&raised.Cur, want)
		if uint64(current.Max) < want {
			setLimit(&raised.Max, want)
		}
	}
	return raised, int64(raised.Max)
}

// setLimit sets a limit, whose type is not the same on all systems.
func setLimit[T int64 | uint64](limit *T, value uint64) { *limit = T(value) }

// restoreFileLimit gives this process back the soft limit on open files that it
// was started with. Go's runtime raises that limit to the hard one when it
// starts, hides the old value, hands it to children, and puts it back for
// itself only when it executes another program. So it is made to execute one
// that cannot exist: the empty path.
func restoreFileLimit() {
	syscall.Exec("", []string{""}, nil)
}
