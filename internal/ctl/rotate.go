package ctl

import (
	"context"

	"supervisord/internal/api"
	"supervisord/internal/rpcclient"
)

// rotateChange is what rotate does to all processes or to a group. The daemon
// tells whether there was something to rotate.
func rotateChange() *change {
	return &change{
		group: func(cl *rpcclient.Client, ctx context.Context, group string) ([]rpcclient.ProcessStatus, error) {
			return cl.RotateProcessLogs(ctx, group+":*")
		},
		each: func(cl *rpcclient.Client, ctx context.Context, name string) ([]rpcclient.ProcessStatus, error) {
			return cl.RotateProcessLogs(ctx, name)
		},
		all: func(cl *rpcclient.Client, ctx context.Context) ([]rpcclient.ProcessStatus, error) {
			return cl.RotateAllProcessLogs(ctx)
		},
		words:    map[api.FaultCode]string{api.BadName: "no such process", api.Failed: "failed"},
		badGroup: Generic,
	}
}

// doRotate rotates the logs of processes.
func (c *Controller) doRotate(ctx context.Context, arg string) error {
	if up, err := c.upcheck(ctx); err != nil || !up {
		return err
	}
	names := fields(arg)
	if len(names) == 0 {
		c.misused(Generic, "Error: rotate requires a process name", helpRotate)
		return nil
	}
	return c.apply(ctx, rotateChange(), names)
}

// doMainrotate rotates the daemon's own log.
func (c *Controller) doMainrotate(ctx context.Context, arg string) error {
	if up, err := c.upcheck(ctx); err != nil || !up {
		return err
	}
	if arg != "" {
		c.misused(Generic, "Error: mainrotate accepts no arguments", helpMainrotate)
		return nil
	}
	client, err := c.rpc()
	if err != nil {
		return err
	}
	rotated, err := client.RotateLog(ctx)
	word := map[api.FaultCode]string{api.NoFile: "no log file", api.Failed: "failed"}[faultCode(err)]
	switch {
	case word != "":
		c.output("supervisord: ERROR (" + word + ")")
		c.fail(Generic)
		return nil
	case err != nil:
		return err
	case rotated:
		c.output("supervisord: rotated")
	default:
		c.output("supervisord: nothing to rotate")
	}
	return nil
}
