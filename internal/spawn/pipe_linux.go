package spawn

import "syscall"

// selfExe names the running program, also after its file was replaced or
// removed: the child resolves the link after the fork, and is a copy of us.
const selfExe = "/proc/self/exe"

func pipe(fds *[2]int) error {
	return syscall.Pipe2(fds[:], syscall.O_CLOEXEC)
}
