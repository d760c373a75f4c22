package adopt

import (
	"bytes"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"time"

	"golang.org/x/sys/unix"
)

// bootID returns a name for the present boot of the machine.
func bootID() (string, error) {
	id, err := os.ReadFile("/proc/sys/kernel/random/boot_id")
	if err != nil {
		return "", err
	}
	return strings.TrimSpace(string(id)), nil
}

// Fields of /proc/PID/stat after the name, by number as in proc(5).
const (
	statFirst = 3
	statState = 3
	statGroup = 5
	statBorn  = 22
)

// bornOf returns when a process was started, in ticks since the boot, and its
// process group.
func bornOf(pid int) (born uint64, group int, err error) {
	data, err := os.ReadFile("/proc/" + strconv.Itoa(pid) + "/stat")
	if err != nil {
		return 0, 0, err
	}
	return parseStat(data)
}

// parseStat reads the content of /proc/PID/stat.
func parseStat(data []byte) (born uint64, group int, err error) {
	// The name, in parentheses, may have any characters.
	fields := bytes.Fields(data[bytes.LastIndexByte(data, ')')+1:])
	if len(fields) <= statBorn-statFirst {
		return 0, 0, errors.New("the kernel tells too little of the process")
	}
	if born, err = strconv.ParseUint(string(fields[statBorn-statFirst]), 10, 64); err != nil {
		return 0, 0, err
	}
	group, err = strconv.Atoi(string(fields[statGroup-statFirst]))
	return born, group, err
}

// ticksPerSecond is how many there are in what the kernel tells of processes, on
// all architectures that Go knows.
const ticksPerSecond = 100

// ageOf returns how long ago something was born, by the clock that bornOf goes by:
// the wall clock may have been set since.
func ageOf(born uint64) time.Duration {
	var now unix.Timespec
	if err := unix.ClockGettime(unix.CLOCK_BOOTTIME, &now); err != nil {
		return 0
	}
	return max(time.Duration(now.Nano())-time.Duration(born)*(time.Second/ticksPerSecond), 0)
}

// errGone says that the process of a record has ended.
var errGone = errors.New("it has ended")

// hold returns a descriptor of the process that has the pid and was started at
// that time.
func hold(pid int, born uint64) (pidfd int, err error) {
	if err := isBorn(pid, born); err != nil {
		return -1, err
	}
	pidfd, err = unix.PidfdOpen(pid, 0)
	if err == unix.ESRCH {
		return -1, errGone
	}
	if err != nil {
		return -1, os.NewSyscallError("pidfd_open", err)
	}
	// What was looked at before may have ended meanwhile. The pid of what is
	// held is not given away.
	if err := isBorn(pid, born); err != nil {
		unix.Close(pidfd)
		return -1, err
	}
	return pidfd, nil
}

// pidfdOf returns a descriptor of a child, -1 if there is none.
func pidfdOf(pid int) int {
	fd, err := unix.PidfdOpen(pid, 0)
	if err != nil {
		return -1
	}
	return fd
}

// isPIDFD reports whether a descriptor is one of a process, which may have ended.
func isPIDFD(fd int) bool { return unix.PidfdSendSignal(fd, 0, nil, 0) != unix.EBADF }

// isBorn checks that the process of a pid was started at that time. The error is
// errGone if there is none.
func isBorn(pid int, born uint64) error {
	now, _, err := bornOf(pid)
	switch {
	case err == nil && now == born:
		return nil
	case err == nil, errors.Is(err, os.ErrNotExist), errors.Is(err, unix.ESRCH):
		return errGone
	}
	return err
}

// socketOf returns a descriptor of the listening socket that a process has as
// its standard input.
func socketOf(pidfd int) (int, error) {
	fd, err := unix.PidfdGetfd(pidfd, 0, 0)
	if err != nil {
		return -1, os.NewSyscallError("pidfd_getfd", err)
	}
	listening, err := unix.GetsockoptInt(fd, unix.SOL_SOCKET, unix.SO_ACCEPTCONN)
	if err == nil && listening == 0 {
		err = errors.New("it does not listen")
	}
	if err != nil {
		unix.Close(fd)
		return -1, fmt.Errorf("standard input is not its socket: %w", err)
	}
	return fd, nil
}

// stamp gives a FIFO the time 0. Writing to it gives it the time of that.
func stamp(path string) {
	times := []unix.Timespec{{Nsec: unix.UTIME_OMIT}, {}}
	_ = unix.UtimesNanoAt(unix.AT_FDCWD, path, times, unix.AT_SYMLINK_NOFOLLOW)
}

// stamped reports whether nothing was written to a FIFO since stamp.
func stamped(fd int) bool {
	var stat unix.Stat_t
	return unix.Fstat(fd, &stat) == nil && stat.Mtim.Sec == 0 && stat.Mtim.Nsec == 0
}

// finder finds processes by the FIFOs that they have as standard output.
type finder struct{ owners map[string]int }

// find returns the pid of the process that has the FIFO as its standard output
// and leads a process group, as those do that supervisord starts; 0 for none.
func (f *finder) find(fifo string) int {
	if f.owners == nil {
		f.look()
	}
	return f.owners[fifo]
}

func (f *finder) look() {
	f.owners = map[string]int{}
	links, err := filepath.Glob("/proc/[0-9]*/fd/1")
	if err != nil {
		return // The pattern is a good one.
	}
	for _, link := range links {
		target, err := os.Readlink(link)
		if err != nil || !strings.HasPrefix(target, "/") {
			continue
		}
		pid, err := strconv.Atoi(strings.Split(link, "/")[2])
		if err != nil {
			continue
		}
		if _, group, err := bornOf(pid); err == nil && group == pid {
			f.owners[target] = pid
		}
	}
}
