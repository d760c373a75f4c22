//go:build unix && !linux

package spawn

import "syscall"

const selfExe = ""

// pipe makes a pipe whose ends are close-on-exec. The lock keeps a fork from
// happening in between.
func pipe(fds *[2]int) error {
	syscall.ForkLock.RLock()
	defer syscall.ForkLock.RUnlock()
	if err := syscall.Pipe(fds[:]); err != nil {
		return err
	}
	syscall.CloseOnExec(fds[0])
	syscall.CloseOnExec(fds[1])
	return nil
}
