package launch

import "syscall"

// Touch looks at what the start of a process needs first: its directory and the
// beginning of the file that it executes. A file system that does not answer
// then holds up the caller and nobody else. If a fork were the first to find
// out, the whole daemon would wait for it: Go's runtime cannot stop the world,
// as it must to collect garbage, while a thread is between fork and exec.
func Touch(file, dir string) {
	if dir != "" {
		var stat syscall.Stat_t
		syscall.Stat(dir, &stat)
	}
	fd, err := syscall.Open(file, syscall.O_RDONLY|syscall.O_NONBLOCK|syscall.O_CLOEXEC, 0)
	if err != nil {
		return // it may be executable and not readable
	}
	var head [256]byte // as much as the kernel reads to tell the format
	syscall.Read(fd, head[:])
	syscall.Close(fd)
}
