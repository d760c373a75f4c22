package upgrade

import (
	"os"
	"runtime"
	"syscall"
	"unsafe"

	"golang.org/x/sys/unix"
)

// Supported says whether a program can be put in the place of this one on this
// system.
const Supported = true

// Signals are those that are blocked while one program takes the place of the
// other.
var Signals = []syscall.Signal{
	syscall.SIGHUP, syscall.SIGINT, syscall.SIGQUIT, syscall.SIGTERM, syscall.SIGUSR1, syscall.SIGUSR2,
}

// memoryFile makes a file in memory, which is close-on-exec.
func memoryFile(name string) (*os.File, error) {
	fd, err := unix.MemfdCreate(name, unix.MFD_CLOEXEC)
	if err != nil {
		return nil, os.NewSyscallError("memfd_create", err)
	}
	return os.NewFile(uintptr(fd), name), nil
}

// Exec executes a program in this process. It keeps the descriptors and inherits
// the state. last is called when no more signals are delivered and returns those
// that were not dealt with. If Exec returns it has failed, and signals are
// delivered as before.
func Exec(program string, argv []string, state *os.File, keep []int, last func() []syscall.Signal) error {
	runtime.LockOSThread()
	defer runtime.UnlockOSThread()
	block(unix.SIG_BLOCK)
	defer block(unix.SIG_UNBLOCK)
	before, err := unix.Open("/proc/self/exe", unix.O_PATH|unix.O_CLOEXEC, 0)
	if err != nil {
		before = -1
	} else {
		defer unix.Close(before)
		keep = append(keep[:len(keep):len(keep)], before)
	}
	fd := int(state.Fd())
	keep = append(keep[:len(keep):len(keep)], fd)
	for _, fd := range keep {
		setCloseOnExec(fd, 0)
		defer setCloseOnExec(fd, unix.FD_CLOEXEC)
	}
	env := append(os.Environ(), handoverVariable(fd, before, last()))
	return os.NewSyscallError("execute "+program, syscall.Exec(program, argv, env))
}

func setCloseOnExec(fd, flag int) {
	// It fails for a descriptor that is not open, which nobody will miss.
	_, _ = unix.FcntlInt(uintptr(fd), unix.F_SETFD, flag)
}

// mask is the argument of block, which the system calls of all threads read.
var mask uint64

// block changes which signals are blocked in the calling thread. In the others it
// has no lasting effect: the runtime makes the system call in a handler, whose end
// restores the mask.
func block(how uintptr) {
	mask = 0
	for _, s := range Signals {
		mask |= 1 << (s - 1)
	}
	const size = 8
	_, _, errno := syscall.AllThreadsSyscall6(syscall.SYS_RT_SIGPROCMASK, how, uintptr(unsafe.Pointer(&mask)), 0, size, 0, 0)
	if errno == syscall.ENOTSUP {
		_, _, _ = syscall.RawSyscall6(syscall.SYS_RT_SIGPROCMASK, how, uintptr(unsafe.Pointer(&mask)), 0, size, 0, 0)
	}
}
