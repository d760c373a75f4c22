package daemon

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"strings"
	"syscall"
	"time"

	"supervisord/internal/spawn"
)

// maxVerdict is how much of what a checking program says is read.
const maxVerdict = 4 << 10

// check is a program that is run beside those of the configuration, to ask it
// something. There is at most one at a time. It belongs to the daemon's
// goroutine.
type check struct {
	pid     int
	started func(spawn.Started)
	ended   func(status syscall.WaitStatus, errno syscall.Errno)
}

// checkToken is one that no process of the core has: these count from 1.
const checkToken = spawn.Token(0)

// report takes the news that are about it.
func (c *check) report(r spawn.Report) bool {
	switch r := r.(type) {
	case spawn.Started:
		if r.Token == checkToken && c.started != nil {
			c.pid = r.PID
			c.started(r)
			return true
		}
	case spawn.Failed:
		if r.Token == checkToken && c.ended != nil {
			c.finish(0, r.Errno)
			return true
		}
	case spawn.Exited:
		if r.Token == checkToken && c.ended != nil {
			c.finish(r.Status, 0)
			return true
		}
	case spawn.Signaled:
		return r.Token == checkToken
	}
	return false
}

func (c *check) finish(status syscall.WaitStatus, errno syscall.Errno) {
	ended := c.ended
	*c = check{}
	ended(status, errno)
}

// checked is how a checking program ended.
type checked struct {
	status syscall.WaitStatus
	errno  syscall.Errno
}

// Ask runs a program with a file as its standard input and returns what it says.
// The error is that of a program that cannot be run, fails, or does not end
// before ctx does; it is killed then.
func (d *Daemon) Ask(ctx context.Context, path string, argv, env []string, input *os.File) (string, error) {
	started, ended := make(chan spawn.Started, 1), make(chan checked, 1)
	conn, err := input.SyscallConn()
	if err != nil {
		return "", err
	}
	busy := false
	if err := d.ask(ctx, func(d *Daemon) {
		if busy = d.check.ended != nil || d.pause.begun; busy {
			return
		}
		d.check.started = func(s spawn.Started) { started <- s }
		d.check.ended = func(status syscall.WaitStatus, errno syscall.Errno) { ended <- checked{status, errno} }
		_ = conn.Control(func(fd uintptr) {
			d.spawner.Start(checkToken, &spawn.Spec{
				Path: path, Argv: argv, Env: env, Umask: -1,
				Pipes: spawn.Pipes{StdinFD: int(fd), MergeStderr: true},
			})
		})
	}); err != nil {
		return "", err
	}
	if busy {
		return "", errors.New("a check of another program has not ended")
	}
	select {
	case s := <-started:
		out := os.NewFile(uintptr(s.Stdout), "pipe")
		defer out.Close()
		return d.hear(ctx, out, ended)
	case e := <-ended:
		return "", e.verdict("")
	case <-ctx.Done():
		d.abandonCheck()
		return "", fmt.Errorf("start %s: %w", path, ctx.Err())
	}
}

// hear returns what a checking program says, when it has ended.
func (d *Daemon) hear(ctx context.Context, out *os.File, ended <-chan checked) (string, error) {
	stop := context.AfterFunc(ctx, func() { _ = out.SetReadDeadline(time.Now()) })
	defer stop()
	said, _ := io.ReadAll(io.LimitReader(out, maxVerdict)) // What follows says whether it is all.
	text := strings.TrimSpace(string(said))
	select {
	case e := <-ended:
		return text, e.verdict(text)
	case <-ctx.Done():
		d.abandonCheck()
		return "", fmt.Errorf("wait for its verdict: %w", ctx.Err())
	}
}

// abandonCheck kills a checking program as soon as it runs.
func (d *Daemon) abandonCheck() {
	d.post(query(func(d *Daemon) {
		c := &d.check
		if c.ended == nil {
			return
		}
		if c.pid != 0 {
			d.spawner.Kill(checkToken, c.pid, true, syscall.SIGKILL)
		}
		c.started = func(s spawn.Started) {
			closeAll(s.Stdin, s.Stdout, s.Stderr)
			d.spawner.Kill(checkToken, s.PID, true, syscall.SIGKILL)
		}
		c.ended = func(syscall.WaitStatus, syscall.Errno) {}
	}))
}

// verdict returns an error if the program does not agree, with what it said.
func (c checked) verdict(text string) error {
	switch {
	case c.errno != 0:
		return fmt.Errorf("it cannot be started: %w", c.errno)
	case c.status.Exited() && c.status.ExitStatus() == 0:
		return nil
	case text != "":
		return errors.New(text)
	}
	return fmt.Errorf("it ended with %s", exitOf(c.status))
}
