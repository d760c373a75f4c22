package ctl

import (
	"bytes"
	"context"
	"errors"
	"io"
	"os"
	"os/signal"
	"sync"

	"supervisord/internal/api"
	"supervisord/internal/rpcclient"
)

// doFg connects the terminal with a process: what it writes is shown, lines
// that are typed are sent to it.
func (c *Controller) doFg(ctx context.Context, arg string) error {
	if up, err := c.upcheck(ctx); err != nil || !up {
		return err
	}
	names := fields(arg)
	switch {
	case len(names) == 0:
		c.misused(Generic, "ERROR: no process name supplied", helpFg)
		return nil
	case len(names) > 1:
		c.output("ERROR: too many process names supplied")
		c.fail(Generic)
		return nil
	}
	client, err := c.rpc()
	if err != nil {
		return err
	}
	info, err := client.ProcessInfo(ctx, names[0])
	if fault, ok := errors.AsType[*api.Fault](err); ok {
		if fault.Code == api.BadName {
			c.output("ERROR: bad process name supplied")
			c.fail(Generic)
		} else {
			c.output("ERROR: " + faultText(fault))
		}
		return nil
	}
	if err != nil {
		return err
	}
	if info.State != api.Running {
		c.output("ERROR: process not running")
		c.fail(Generic)
		return nil
	}
	c.output(followBanner)
	c.flush()
	ctx, stop := signal.NotifyContext(ctx, os.Interrupt)
	defer stop()
	return (&foreground{c: c, client: client, info: info, name: names[0]}).run(ctx)
}

// foreground is a process that the terminal is connected with. Its goroutines
// show the process's logs; the one that called run reads lines.
type foreground struct {
	c      *Controller
	client *rpcclient.Client
	info   rpcclient.ProcessInfo
	name   string

	mu sync.Mutex // guards the output of c
}

// errDied ends the foreground of a process that does not run any more.
var errDied = errors.New("process does not run")

// run ends when ctx or the input does, or when the process dies.
func (f *foreground) run(ctx context.Context) error {
	ctx, cancel := context.WithCancelCause(ctx)
	var shows sync.WaitGroup
	shows.Go(func() { f.show(ctx, api.Stdout) })
	shows.Go(func() { f.show(ctx, api.Stderr) })
	shows.Go(func() { f.watch(ctx, cancel) })
	err := f.sendLines(ctx)
	if errors.Is(context.Cause(ctx), errDied) {
		err = errDied
	}
	cancel(nil)
	shows.Wait()

	switch fault, _ := errors.AsType[*api.Fault](err); {
	case errors.Is(err, errDied) || fault != nil && fault.Code == api.NotRunning:
		f.c.output("Process got killed")
	case fault != nil:
		f.c.output("ERROR: " + faultText(fault))
	case err != nil && !errors.Is(err, io.EOF) && !errors.Is(err, context.Canceled):
		return err
	}
	f.c.output("Exiting foreground")
	return nil
}

// sendLines sends lines to the process. It never returns nil.
func (f *foreground) sendLines(ctx context.Context) error {
	for {
		line, err := f.c.in.readLine(ctx)
		if err != nil {
			return err
		}
		if err := f.client.SendProcessStdin(ctx, f.name, []byte(line+"\n")); err != nil {
			return err
		}
		if err := f.check(ctx); err != nil {
			return err
		}
	}
}

// check returns errDied if the process does not run.
func (f *foreground) check(ctx context.Context) error {
	info, err := f.client.ProcessInfo(ctx, f.name)
	if err != nil {
		return err
	}
	if info.State != api.Running {
		return errDied
	}
	return nil
}

// show shows what the process writes to a channel.
func (f *foreground) show(ctx context.Context, channel api.Channel) {
	w := f.c.logWriter()
	err := copyLog(ctx, f.client, rpcclient.ProcessLogPath(f.name, channel), func(p []byte) {
		f.mu.Lock()
		defer f.mu.Unlock()
		w.Write(p)
		f.c.flush()
	})
	if err != nil {
		f.mu.Lock()
		defer f.mu.Unlock()
		f.c.warn(err.Error())
	}
}

// watch ends the foreground when the process has died. The daemon writes the
// name of a process to its log when it ends, so that its state need only be
// asked for then. Without that log the death shows with the next line sent.
func (f *foreground) watch(ctx context.Context, cancel context.CancelCauseFunc) {
	_ = copyLog(ctx, f.client, rpcclient.MainLogPath, func(p []byte) {
		if bytes.Contains(p, []byte(f.info.Name)) && errors.Is(f.check(ctx), errDied) {
			cancel(errDied)
		}
	})
}
