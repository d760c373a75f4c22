package main

import "golang.org/x/sys/unix"

// watch returns a channel that is closed when the process has ended, or nil if
// the system cannot tell.
func watch(pid int) <-chan struct{} {
	fd, err := unix.PidfdOpen(pid, 0)
	if err != nil {
		return nil
	}
	end := make(chan struct{})
	go func() {
		defer close(end)
		defer unix.Close(fd)
		fds := []unix.PollFd{{Fd: int32(fd), Events: unix.POLLIN}}
		for {
			if _, err := unix.Poll(fds, -1); err != unix.EINTR {
				return
			}
		}
	}()
	return end
}
