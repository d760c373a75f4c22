//go:build unix && !linux

package launch

import "syscall"

// CloseOnExec marks all descriptors above standard error close-on-exec, so that
// what the daemon inherited does not reach its children.
func CloseOnExec() error {
	var limit syscall.Rlimit
	if err := syscall.Getrlimit(syscall.RLIMIT_NOFILE, &limit); err != nil {
		return err
	}
	const most = 65536 // no daemon inherits more
	for fd := syscall.Stderr + 1; fd < int(min(uint64(limit.Cur), most)); fd++ {
		syscall.CloseOnExec(fd)
	}
	return nil
}
