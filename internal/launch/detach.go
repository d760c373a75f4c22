package launch

import (
	"errors"
	"fmt"
	"os"
	"strconv"
	"strings"
	"syscall"

	"golang.org/x/sys/unix"

	"supervisord/internal/api"
	"supervisord/internal/python"
)

// readyVariable is the environment variable that tells a daemon which
// descriptor its foreground process waits for. It is removed at once.
const readyVariable = "SUPERVISORD_READY_FD"

// exitSignaled is added to the number of the signal that ended a daemon, as in
// a shell.
const exitSignaled = 128

// Detach starts the daemon: this program again, with the same arguments, in a
// session of its own. It returns with the exit status for this process when
// the daemon says that it is up, or has ended: until then the daemon has the
// terminal, and its errors are seen there. A Go program cannot fork itself into
// the background, as it would be left without its threads.
//
// Nothing else may run in this process yet.
func Detach() (status int, err error) {
	exe, err := os.Executable()
	if err != nil {
		return 1, fmt.Errorf("find own executable: %w", err)
	}
	var ready [2]int
	if err := syscall.Pipe(ready[:]); err != nil {
		return 1, fmt.Errorf("make pipe: %w", err)
	}
	syscall.CloseOnExec(ready[0])
	pid, err := syscall.ForkExec(exe, os.Args, &syscall.ProcAttr{
		Env:   append(os.Environ(), readyVariable+"="+strconv.Itoa(ready[1])),
		Files: []uintptr{0, 1, 2},
		Sys:   &syscall.SysProcAttr{Setsid: true},
	})
	syscall.Close(ready[1])
	if err != nil {
		return 1, fmt.Errorf("start %s: %w", exe, err)
	}
	var b [1]byte
	for {
		n, err := syscall.Read(ready[0], b[:])
		if n > 0 {
			return 0, nil
		}
		if err != syscall.EINTR {
			return waitFor(pid)
		}
	}
}

func waitFor(pid int) (int, error) {
	var status syscall.WaitStatus
	for {
		_, err := syscall.Wait4(pid, &status, 0, nil)
		switch {
		case err == syscall.EINTR:
		case err != nil:
			return 1, fmt.Errorf("wait for daemon: %w", err)
		case status.Signaled():
			return exitSignaled + int(status.Signal()), nil
		case status.Exited():
			return status.ExitStatus(), nil
		}
	}
}

// Daemon is a process that Detach started.
type Daemon struct {
	ready int // the pipe that the foreground process reads
}

// Detached returns the Daemon that this process is, or nil if it was not
// started by Detach. Call it once.
func Detached() *Daemon {
	value := os.Getenv(readyVariable)
	os.Unsetenv(readyVariable)
	fd, err := strconv.Atoi(value)
	if err != nil || fd <= syscall.Stderr {
		return nil
	}
	syscall.CloseOnExec(fd)
	return &Daemon{ready: fd}
}

// Enter leaves the terminal: it changes to the directory, if one is given,
// points standard input, output and error to /dev/null, and sets the umask.
// What there is to say goes to log.
func (d *Daemon) Enter(directory string, umask os.FileMode, log func(api.LogLevel, string)) error {
	log(api.LevelInfo, "daemonizing the supervisord process")
	if directory != "" {
		if err := os.Chdir(directory); err != nil {
			log(api.LevelCritical, "can't chdir into "+python.Repr(directory)+": "+osError(err, directory))
		} else {
			log(api.LevelInfo, "set current directory: "+python.Repr(directory))
		}
	}
	for fd, flag := range [...]int{syscall.O_RDONLY, syscall.O_WRONLY, syscall.O_WRONLY} {
		null, err := syscall.Open(os.DevNull, flag|syscall.O_CLOEXEC, 0)
		if err == nil {
			err = unix.Dup2(null, fd)
			syscall.Close(null)
		}
		if err != nil {
			return fmt.Errorf("redirect descriptor %d to %s: %w", fd, os.DevNull, err)
		}
	}
	syscall.Umask(int(umask))
	return nil
}

// Ready tells the foreground process that the daemon is up, so that it ends.
func (d *Daemon) Ready() {
	syscall.Write(d.ready, []byte{1})
	syscall.Close(d.ready)
}

// osError words an error of the system about a file as Python does.
func osError(err error, path string) string {
	errno, ok := errors.AsType[syscall.Errno](err)
	if !ok {
		return err.Error()
	}
	return errnoText(errno) + ": " + python.Repr(path)
}

// errnoText words an error number as Python does.
func errnoText(errno syscall.Errno) string {
	text := errno.Error()
	return fmt.Sprintf("[Errno %d] %s%s", int(errno), strings.ToUpper(text[:1]), text[1:])
}
