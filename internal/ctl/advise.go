package ctl

import (
	"errors"
	"fmt"
	"os"
	"strconv"
	"strings"
	"syscall"
)

// advise adds a line for people to what was said of a daemon that cannot be
// reached. It goes to standard error, and only if that is a terminal.
func (c *Controller) advise(err error) {
	if _, ok := errors.AsType[syscall.Errno](err); !ok || !c.errTTY {
		return
	}
	source := "no configuration file found"
	if c.set.ConfigFile != "" {
		source = "configuration read from " + c.set.ConfigFile
	}
	advice := fmt.Sprintf("supervisorctl: %s, tried %s", source, c.set.ServerURL)
	if c.set.Pidfile != nil {
		if pidfile := c.set.Pidfile(); pidfile != "" {
			advice += ", " + daemonState(pidfile)
		}
	}
	if errors.Is(err, syscall.EACCES) {
		advice += "; the socket is not open to this user"
	}
	c.warn(advice)
}

// daemonState says whether the process that a pidfile names lives.
func daemonState(pidfile string) string {
	text, err := os.ReadFile(pidfile)
	if errors.Is(err, os.ErrNotExist) {
		return "no pidfile " + pidfile + ": supervisord does not seem to run"
	}
	if err != nil {
		return "pidfile " + pidfile + " cannot be read"
	}
	pid, err := strconv.Atoi(strings.TrimSpace(string(text)))
	if err != nil || pid <= 0 {
		return "pidfile " + pidfile + " holds no process id"
	}
	if err := syscall.Kill(pid, 0); errors.Is(err, syscall.ESRCH) {
		return fmt.Sprintf("pidfile %s names process %d, which is gone", pidfile, pid)
	}
	return fmt.Sprintf("pidfile %s names process %d, which is alive", pidfile, pid)
}
