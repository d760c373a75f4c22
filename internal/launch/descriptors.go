package launch

import (
	"syscall"

	"golang.org/x/sys/unix"

	"supervisord/internal/config"
)

// ReserveDescriptors has the kernel make room for the descriptors that programs
// need: a pipe for each of their streams, and the logs. The table of a process
// with threads grows in steps, and Linux has whoever needs the next one wait
// until all processors have passed a quiet point, about 10 ms each time: as long
// as it takes to start ten programs. This waits once, so it has a goroutine of
// its own, after RaiseLimits.
func ReserveDescriptors(groups []*config.Group) {
	last := descriptors(groups)
	var limit syscall.Rlimit
	if err := syscall.Getrlimit(syscall.RLIMIT_NOFILE, &limit); err != nil {
		return // It only takes longer.
	}
	last = int(min(uint64(last), max(uint64(limit.Cur), 1)-1))
	if fd, err := unix.FcntlInt(uintptr(syscall.Stdin), unix.F_DUPFD_CLOEXEC, last); err == nil {
		_ = syscall.Close(fd)
	}
}

// descriptors is how many descriptors a daemon has when all programs run, and
// some clients.
func descriptors(groups []*config.Group) int {
	n := 32
	for _, g := range groups {
		for _, p := range g.Processes {
			n += 3
			if !p.RedirectStderr {
				n += 2
			}
		}
	}
	return n
}
