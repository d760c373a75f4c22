package ctl

import (
	"context"
	"errors"
	"fmt"
	"net/url"
	"os"
	"os/signal"
	"strings"

	"supervisord/internal/api"
	"supervisord/internal/python"
	"supervisord/internal/rpcclient"
)

// tailBytes is how much of a log tail shows if nothing else is said.
const tailBytes = 1600

// followBanner is what is said before a log is followed.
const followBanner = "==> Press Ctrl-C to exit <=="

// doTail shows the end of a process's log, or follows it.
func (c *Controller) doTail(ctx context.Context, arg string) error {
	if up, err := c.upcheck(ctx); err != nil || !up {
		return err
	}
	args := fields(arg)
	switch {
	case len(args) < 1:
		c.misused(Generic, "Error: too few arguments", helpTail)
		return nil
	case len(args) > 3:
		c.misused(Generic, "Error: too many arguments", helpTail)
		return nil
	}
	modifier := ""
	if strings.HasPrefix(args[0], "-") {
		modifier, args = args[0], args[1:]
	}
	channel := api.Stdout
	switch {
	case len(args) == 0:
		c.output("Error: tail requires process name")
		c.fail(Generic)
		return nil
	case len(args) > 1:
		word := strings.ToLower(args[len(args)-1])
		switch word {
		case "stdout":
		case "stderr":
			channel = api.Stderr
		default:
			c.output("Error: bad channel " + python.Repr(word))
			c.fail(Generic)
			return nil
		}
	}
	name := args[0]
	if modifier == "-f" {
		return c.follow(ctx, rpcclient.ProcessLogPath(name, channel))
	}
	read := func(client *rpcclient.Client, offset int) (string, error) {
		return client.ReadProcessLog(ctx, name, channel, offset, 0)
	}
	return c.showTail(name, modifier, read, map[api.FaultCode]string{
		api.NoFile:  "no log file",
		api.Failed:  "unknown error reading log",
		api.BadName: "no such process name",
	})
}

// doMaintail shows the end of the daemon's own log, or follows it.
func (c *Controller) doMaintail(ctx context.Context, arg string) error {
	if up, err := c.upcheck(ctx); err != nil || !up {
		return err
	}
	args := fields(arg)
	modifier := ""
	switch {
	case len(args) > 1:
		c.misused(Generic, "Error: too many arguments", helpMaintail)
		return nil
	case len(args) == 1:
		modifier = args[0]
	}
	switch {
	case modifier == "-f":
		return c.follow(ctx, rpcclient.MainLogPath)
	case modifier != "" && modifier[0] != '-':
		c.output("Error: bad argument " + modifier)
		c.fail(Generic)
		return nil
	}
	read := func(client *rpcclient.Client, offset int) (string, error) {
		return client.ReadLog(ctx, offset, 0)
	}
	return c.showTail("supervisord", modifier, read, map[api.FaultCode]string{
		api.NoFile: "no log file",
		api.Failed: "unknown error reading log",
	})
}

// showTail shows the end of a log. The modifier is "-" and a number of bytes,
// or empty; words are what is said for faults.
func (c *Controller) showTail(name, modifier string, read func(client *rpcclient.Client, offset int) (string, error),
	words map[api.FaultCode]string) error {
	bytes := int64(tailBytes)
	if modifier != "" {
		var err error
		if bytes, err = python.Int(modifier[1:], 10); err != nil {
			c.output("Error: bad argument " + modifier)
			c.fail(Generic)
			return nil
		}
	}
	const maxInt = 1<<31 - 1
	if bytes > maxInt+1 || bytes < -maxInt {
		return raise("OverflowError", "int exceeds XML-RPC limits")
	}
	client, err := c.rpc()
	if err != nil {
		return err
	}
	text, err := read(client, int(-bytes))
	if err != nil {
		c.fail(Generic)
		word, ok := words[faultCode(err)]
		if !ok {
			return err
		}
		c.output(name + ": ERROR (" + word + ")")
		return nil
	}
	c.logWriter().Write([]byte(text + "\n"))
	return nil
}

// follow shows what is written to a log until it is interrupted or the daemon
// ends.
func (c *Controller) follow(ctx context.Context, path string) error {
	c.output(followBanner)
	client, err := c.rpc()
	if err != nil || c.outErr != nil {
		return err // The banner was written by now.
	}
	ctx, stop := signal.NotifyContext(ctx, os.Interrupt)
	defer stop()
	w := c.logWriter()
	err = copyLog(ctx, client, path, func(p []byte) {
		w.Write(p)
		c.flush()
		if c.outErr != nil {
			stop()
		}
	})
	if err != nil {
		c.warn(err.Error())
	}
	if ctx.Err() != nil {
		c.output("")
	}
	return nil
}

// copyLog hands what is written to a log to show, at once, until the stream or
// ctx ends. The error is for a log that cannot be read.
func copyLog(ctx context.Context, client *rpcclient.Client, path string, show func(p []byte)) error {
	stream, err := client.Follow(ctx, path)
	if ctx.Err() != nil {
		return nil
	}
	if err != nil {
		if plain, err := url.PathUnescape(path); err == nil {
			path = plain
		}
		if status, ok := errors.AsType[*rpcclient.StatusError](err); ok {
			return fmt.Errorf("%s%s Cannot read, status code %d", client.ServerURL(), path, status.Code)
		}
		class, text := describe(err)
		return fmt.Errorf("%s%s Cannot connect, error: <class '%s'> (%s)", client.ServerURL(), path, class, text)
	}
	defer stream.Close()
	buf := make([]byte, 32<<10)
	for {
		n, err := stream.Read(buf)
		if n > 0 {
			show(buf[:n])
		}
		if err != nil {
			// However the stream ended, there is nothing more to show.
			return nil
		}
	}
}
