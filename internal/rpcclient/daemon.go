package rpcclient

import (
	"context"

	"supervisord/internal/api"
)

// State is the mood of the daemon as getState reports it.
type State struct {
	Code api.Mood `xmlrpc:"statecode"`
	Name string   `xmlrpc:"statename"`
}

// APIVersion returns the version of the RPC interface.
func (c *Client) APIVersion(ctx context.Context) (string, error) {
	return c.text(ctx, "supervisor.getAPIVersion")
}

// SupervisorVersion returns the version of the daemon.
func (c *Client) SupervisorVersion(ctx context.Context) (string, error) {
	return c.text(ctx, "supervisor.getSupervisorVersion")
}

// Identification returns the identifier of the daemon.
func (c *Client) Identification(ctx context.Context) (string, error) {
	return c.text(ctx, "supervisor.getIdentification")
}

// State returns the mood of the daemon.
func (c *Client) State(ctx context.Context) (State, error) {
	var s State
	err := c.Call(ctx, "supervisor.getState", &s)
	return s, err
}

// PID returns the process id of the daemon.
func (c *Client) PID(ctx context.Context) (int, error) {
	var pid int
	err := c.Call(ctx, "supervisor.getPID", &pid)
	return pid, err
}

// Shutdown asks the daemon to stop everything and end.
func (c *Client) Shutdown(ctx context.Context) error {
	return c.Call(ctx, "supervisor.shutdown", nil)
}

// Restart asks the daemon to stop everything and start anew.
func (c *Client) Restart(ctx context.Context) error {
	return c.Call(ctx, "supervisor.restart", nil)
}

// Upgrade has the program on disk take the place of the running daemon.
func (c *Client) Upgrade(ctx context.Context) error {
	return c.Call(ctx, "supervisord.upgrade", nil)
}

// ReadLog reads from the daemon's own log, as ReadProcessLog does.
func (c *Client) ReadLog(ctx context.Context, offset, length int) (string, error) {
	return c.callText(ctx, "supervisor.readLog", offset, length)
}

// ClearLog empties the daemon's own log.
func (c *Client) ClearLog(ctx context.Context) error {
	return c.Call(ctx, "supervisor.clearLog", nil)
}

// ListMethods returns the names of all methods.
func (c *Client) ListMethods(ctx context.Context) ([]string, error) {
	var names []string
	err := c.Call(ctx, "system.listMethods", &names)
	return names, err
}

func (c *Client) text(ctx context.Context, method string) (string, error) {
	var s string
	err := c.Call(ctx, method, &s)
	return s, err
}
