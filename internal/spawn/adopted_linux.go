package spawn

import (
	"bytes"
	"os"
	"strconv"
	"sync"
	"syscall"
	"time"
	"unsafe"

	"golang.org/x/sys/unix"
)

// exitWatch waits for the end of processes that are no children, by their
// pidfds, all in one goroutine.
type exitWatch struct {
	fd    int
	ended func(pid int, status syscall.WaitStatus, known bool)

	mu  sync.Mutex
	fds map[int]int // pidfds by pid
}

// newExitWatch starts a watch, until it is closed.
func newExitWatch(ended func(pid int, status syscall.WaitStatus, known bool)) *exitWatch {
	fd, err := unix.EpollCreate1(unix.EPOLL_CLOEXEC)
	w := &exitWatch{fd: fd, ended: ended, fds: map[int]int{}}
	if err != nil {
		w.fd = -1
		return w
	}
	go w.run()
	return w
}

func (w *exitWatch) add(pid, pidfd int) {
	w.mu.Lock()
	w.fds[pid] = pidfd
	w.mu.Unlock()
	event := unix.EpollEvent{Events: unix.EPOLLIN | unix.EPOLLONESHOT, Fd: int32(pid)}
	if w.fd < 0 || unix.EpollCtl(w.fd, unix.EPOLL_CTL_ADD, pidfd, &event) != nil {
		go w.poll(pid)
	}
}

func (w *exitWatch) remove(pid int) {
	w.mu.Lock()
	defer w.mu.Unlock()
	if fd, found := w.fds[pid]; found && w.fd >= 0 {
		_ = unix.EpollCtl(w.fd, unix.EPOLL_CTL_DEL, fd, nil) // it goes with the descriptor
	}
	delete(w.fds, pid)
}

func (w *exitWatch) run() {
	var events [64]unix.EpollEvent
	for {
		n, err := unix.EpollWait(w.fd, events[:], -1)
		if err != nil && err != unix.EINTR {
			panic("spawn: " + os.NewSyscallError("epoll_wait", err).Error())
		}
		for _, e := range events[:max(n, 0)] {
			if e.Fd == stopWatch {
				unix.Close(int(e.Pad))
				unix.Close(w.fd)
				return
			}
			go w.conclude(int(e.Fd))
		}
	}
}

// stopWatch stands where a pid does in the event that ends a watch.
const stopWatch = -1

// close ends the watch, when nothing is watched any more.
func (w *exitWatch) close() {
	if w.fd < 0 {
		return
	}
	// Something that can be read at once.
	fd, err := unix.Eventfd(1, unix.EFD_CLOEXEC)
	if err != nil {
		return // The goroutine waits for ever and does nothing.
	}
	event := unix.EpollEvent{Events: unix.EPOLLIN, Fd: stopWatch, Pad: int32(fd)}
	if unix.EpollCtl(w.fd, unix.EPOLL_CTL_ADD, fd, &event) != nil {
		unix.Close(fd)
	}
}

// pollInterval is how often a process is looked at that cannot be watched: the
// system is out of descriptors or memory.
const pollInterval = time.Second

// poll waits for the end of a process without epoll.
func (w *exitWatch) poll(pid int) {
	for {
		w.mu.Lock()
		fd, found := w.fds[pid]
		w.mu.Unlock()
		if !found {
			return
		}
		n, err := unix.Poll([]unix.PollFd{{Fd: int32(fd), Events: unix.POLLIN}}, 0)
		if n > 0 || err != nil && err != unix.EINTR {
			w.conclude(pid)
			return
		}
		time.Sleep(pollInterval)
	}
}

// The exit status of a process is known from when its parent has reaped it,
// which is up to the parent. It is asked for at longer and longer intervals, for
// reapTime in all.
const (
	firstWait = time.Millisecond
	reapTime  = 2 * time.Second
)

// conclude tells how a process ended. One that has not ended is watched on: it
// is better to look twice than to start a program beside itself.
func (w *exitWatch) conclude(pid int) {
	w.mu.Lock()
	fd, found := w.fds[pid]
	alive := found && !waitFor(fd, 0)
	w.mu.Unlock()
	if alive {
		go w.poll(pid)
		return
	}
	for wait, end := firstWait, time.Now().Add(reapTime); ; wait = min(2*wait, 100*time.Millisecond) {
		w.mu.Lock()
		fd, found := w.fds[pid]
		var status syscall.WaitStatus
		known, done := false, true
		if found {
			status, known, done = exitOf(fd, pid)
		}
		w.mu.Unlock()
		if !found {
			return
		}
		if known || done || time.Now().After(end) {
			w.ended(pid, status, known)
			return
		}
		time.Sleep(wait)
	}
}

// pidfdInfo is struct pidfd_info of the kernel, in its second version.
type pidfdInfo struct {
	mask, cgroup             uint64
	pid, tgid, ppid          uint32
	ruid, rgid, euid, egid   uint32
	suid, sgid, fsuid, fsgid uint32
	exit                     int32
}

const (
	pidfdInfoExit = 1 << 3
	// pidfdGetInfo is the request PIDFD_GET_INFO for a struct of that size.
	pidfdGetInfo = 3<<30 | unsafe.Sizeof(pidfdInfo{})<<16 | 0xFF<<8 | 11
)

// exitOf returns how a process ended. Without it, done says that it will never
// be known.
func exitOf(pidfd, pid int) (status syscall.WaitStatus, known, done bool) {
	info := pidfdInfo{mask: pidfdInfoExit}
	_, _, errno := unix.Syscall(unix.SYS_IOCTL, uintptr(pidfd), pidfdGetInfo, uintptr(unsafe.Pointer(&info)))
	if errno == 0 && info.mask&pidfdInfoExit != 0 {
		return syscall.WaitStatus(info.exit), true, true
	}
	// While it is a zombie, /proc knows the status and tells those who may
	// trace it.
	dir := "/proc/" + strconv.Itoa(pid)
	stat, err := os.ReadFile(dir + "/stat")
	if err != nil {
		return 0, false, errno != 0
	}
	if _, err := os.ReadFile(dir + "/io"); err != nil {
		return 0, false, false
	}
	// What was read is of this process if it was not reaped before.
	if err := unix.PidfdSendSignal(pidfd, 0, nil, 0); err != nil {
		return 0, false, errno != 0
	}
	const state, exitCode, first = 3, 52, 3 // fields of proc(5)
	fields := bytes.Fields(stat[bytes.LastIndexByte(stat, ')')+1:])
	if len(fields) <= exitCode-first || string(fields[state-first]) != "Z" {
		return 0, false, false
	}
	code, err := strconv.Atoi(string(fields[exitCode-first]))
	return syscall.WaitStatus(code), err == nil, false
}

// killAdopted sends a signal to a process that is no child, or to its group.
func killAdopted(a Adopted, group bool, sig syscall.Signal) syscall.Errno {
	if !group {
		return errnoOf(unix.PidfdSendSignal(a.FD, sig, nil, 0))
	}
	const processGroup = 1 << 2 // PIDFD_SIGNAL_PROCESS_GROUP
	errno := errnoOf(unix.PidfdSendSignal(a.FD, sig, nil, processGroup))
	if errno != syscall.EINVAL {
		return errno
	}
	// Before Linux 6.9: the pid is not given away as long as the leader lives.
	if errno := errnoOf(unix.PidfdSendSignal(a.FD, 0, nil, 0)); errno != 0 {
		return errno
	}
	return kill(a.PID, true, sig)
}

// waitFor waits for the end of a process and reports whether it came in time.
func waitFor(pidfd int, limit time.Duration) bool {
	for end := time.Now().Add(limit); ; {
		left := max(time.Until(end), 0)
		n, err := unix.Poll([]unix.PollFd{{Fd: int32(pidfd), Events: unix.POLLIN}}, int((left+time.Millisecond-1)/time.Millisecond))
		if err == unix.EINTR {
			continue
		}
		return n > 0 || err != nil
	}
}
