package ctl

import (
	"context"
	"errors"
	"io"
	"os"
	"os/signal"
	"syscall"
)

// Shell reads lines and carries them out until the input ends, a line says so,
// or it is interrupted. It starts with the status of all processes.
func (c *Controller) Shell(ctx context.Context) error {
	defer c.flush()
	for line := "status"; ; {
		quit, err := c.doInterruptibly(ctx, line)
		if err != nil {
			c.output("")
			return nil
		}
		if quit {
			return nil
		}
		line, err = c.lineReader().readLine(ctx, c.set.Prompt+"> ", true)
		switch {
		case errors.Is(err, io.EOF), errors.Is(err, errInterrupted):
			if _, plain := c.lines.(plainReader); plain {
				c.output("")
			}
			return nil
		case err != nil:
			return err
		}
	}
}

// doInterruptibly is Do, but Ctrl-C ends the line with an error instead of
// ending the program.
func (c *Controller) doInterruptibly(ctx context.Context, line string) (quit bool, err error) {
	ctx, stop := signal.NotifyContext(ctx, os.Interrupt)
	defer stop()
	return c.Do(ctx, line)
}

// catchSignals returns a context that ends when a signal arrives which would
// otherwise end the program, and a function that is to be called once the
// terminal is as it was. That returns errInterrupted after SIGINT; after
// another signal it does not return, because the program ends by it. A signal
// that is ignored, as under nohup, stays so.
func catchSignals(ctx context.Context) (_ context.Context, release func(error) error) {
	signals := make(chan os.Signal, 1)
	for _, s := range []os.Signal{syscall.SIGINT, syscall.SIGTERM, syscall.SIGHUP} {
		if !signal.Ignored(s) {
			signal.Notify(signals, s)
		}
	}
	ctx, cancel := context.WithCancel(ctx)
	caught := make(chan os.Signal, 1)
	go func() {
		defer close(caught)
		select {
		case s := <-signals:
			caught <- s
			cancel()
		case <-ctx.Done():
		}
	}()
	return ctx, func(err error) error {
		cancel()
		s, ok := <-caught
		signal.Stop(signals)
		switch {
		case !ok:
			return err
		case s == syscall.SIGINT:
			return errInterrupted
		}
		syscall.Kill(os.Getpid(), s.(syscall.Signal))
		select {}
	}
}
