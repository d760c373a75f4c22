package ctl

import (
	"context"
	"errors"
	"strings"
	"syscall"

	"supervisord/internal/api"
)

// doShutdown ends the daemon, after asking in interactive use.
func (c *Controller) doShutdown(ctx context.Context, arg string) error {
	if arg != "" {
		c.misused(Generic, "Error: shutdown accepts no arguments", helpShutdown)
		return nil
	}
	really, err := c.confirm(ctx, "Really shut the remote supervisord process down y/N? ")
	if err != nil || !really {
		return err
	}
	client, err := c.rpc()
	if err != nil {
		return err
	}
	err = client.Shutdown(ctx)
	switch {
	case err == nil:
		c.output("Shut down")
	case faultCode(err) == api.ShutdownState:
		c.output("ERROR: already shutting down")
	case errors.Is(err, syscall.ECONNREFUSED):
		c.output("ERROR: " + c.set.ServerURL + " refused connection (already shut down?)")
		c.fail(Generic)
		c.advise(err)
	case errors.Is(err, syscall.ENOENT):
		c.output("ERROR: " + c.set.ServerURL + " no such file (already shut down?)")
		c.fail(Generic)
		c.advise(err)
	default:
		return err
	}
	return nil
}

// doReload restarts the daemon, after asking in interactive use.
func (c *Controller) doReload(ctx context.Context, arg string) error {
	if arg != "" {
		c.misused(Generic, "Error: reload accepts no arguments", helpReload)
		return nil
	}
	really, err := c.confirm(ctx, "Really restart the remote supervisord process y/N? ")
	if err != nil || !really {
		return err
	}
	client, err := c.rpc()
	if err != nil {
		return err
	}
	err = client.Restart(ctx)
	switch faultCode(err) {
	case api.ShutdownState:
		c.output("ERROR: already shutting down")
		c.fail(Generic)
		return nil
	case api.CantReread:
		// Only our daemon refuses to restart with a bad configuration.
		c.output("ERROR: " + err.Error())
		c.fail(Generic)
		return nil
	}
	if err != nil {
		return err
	}
	c.output("Restarted supervisord")
	return nil
}

// doUpgrade has the program on disk take the place of the running daemon.
func (c *Controller) doUpgrade(ctx context.Context, arg string) error {
	if arg != "" {
		c.misused(Generic, "Error: upgrade accepts no arguments", helpUpgrade)
		return nil
	}
	client, err := c.rpc()
	if err != nil {
		return err
	}
	err = client.Upgrade(ctx)
	switch faultCode(err) {
	case api.ShutdownState:
		c.output("ERROR: supervisor shutting down")
		c.fail(Generic)
		return nil
	case api.UnknownMethod:
		c.output("ERROR: this supervisord cannot be upgraded while it runs")
		c.fail(Generic)
		return nil
	case api.Failed:
		c.output("ERROR: not upgraded: " + strings.TrimPrefix(err.Error(), "FAILED: "))
		c.fail(Generic)
		return nil
	}
	if err != nil {
		return err
	}
	c.output("Upgraded supervisord")
	return nil
}

// confirm asks a question in interactive use and reports whether the answer is
// yes, which it is otherwise.
func (c *Controller) confirm(ctx context.Context, question string) (bool, error) {
	if !c.set.Interactive {
		return true, nil
	}
	answer, err := c.ask(ctx, question)
	if err != nil {
		return false, err
	}
	return strings.HasPrefix(strings.ToLower(answer), "y"), nil
}

// doVersion shows the version of the daemon.
func (c *Controller) doVersion(ctx context.Context, arg string) error {
	if arg != "" && arg != jsonFlag {
		c.misused(Generic, "Error: version accepts no arguments", helpVersion)
		return nil
	}
	c.json = arg == jsonFlag
	if up, err := c.upcheck(ctx); err != nil || !up {
		return err
	}
	client, err := c.rpc()
	if err != nil {
		return err
	}
	version, err := client.SupervisorVersion(ctx)
	if err != nil {
		return err
	}
	if !c.json {
		c.output(version)
		return nil
	}
	identification, err := client.Identification(ctx)
	if err != nil {
		return err
	}
	return c.outputJSON(jsonVersion{Version: version, APIVersion: apiVersion, Identification: identification})
}

// doOpen makes the following actions talk to another daemon.
func (c *Controller) doOpen(ctx context.Context, arg string) error {
	if scheme, _, _ := strings.Cut(arg, ":"); !strings.EqualFold(scheme, "http") && !strings.EqualFold(scheme, "unix") {
		c.output("ERROR: url must be http:// or unix://")
		c.fail(Generic)
		return nil
	}
	c.set.ServerURL = arg
	before := c.exit
	err := c.doStatus(ctx, "")
	c.exit = before
	return err
}
