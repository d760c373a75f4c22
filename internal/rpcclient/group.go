package rpcclient

import (
	"context"

	"supervisord/internal/api"
)

// ConfigInfo describes the configuration of a process as getAllConfigInfo does.
// Only the members that clients of this module use are decoded.
type ConfigInfo struct {
	Name            string `xmlrpc:"name"`
	Group           string `xmlrpc:"group"`
	InUse           bool   `xmlrpc:"inuse"`
	Autostart       bool   `xmlrpc:"autostart"`
	GroupPriority   int    `xmlrpc:"group_prio"`
	ProcessPriority int    `xmlrpc:"process_prio"`
	Command         string `xmlrpc:"command"`
}

// Changes are the names of the groups that differ between the configuration in
// use and the one that was read last.
type Changes struct {
	Added, Changed, Removed []string
}

// AllConfigInfo describes every configured process.
func (c *Client) AllConfigInfo(ctx context.Context) ([]ConfigInfo, error) {
	var infos []ConfigInfo
	err := c.Call(ctx, "supervisor.getAllConfigInfo", &infos)
	return infos, err
}

// ReloadConfig makes the daemon read its configuration again.
func (c *Client) ReloadConfig(ctx context.Context) (Changes, error) {
	var result [][][]string
	if err := c.Call(ctx, "supervisor.reloadConfig", &result); err != nil {
		return Changes{}, err
	}
	if len(result) != 1 || len(result[0]) != 3 {
		return Changes{}, errNotArray
	}
	lists := result[0]
	return Changes{Added: lists[0], Changed: lists[1], Removed: lists[2]}, nil
}

// AddProcessGroup makes a configured group active.
func (c *Client) AddProcessGroup(ctx context.Context, group string) error {
	return c.Call(ctx, "supervisor.addProcessGroup", nil, group)
}

// RemoveProcessGroup makes a stopped group inactive.
func (c *Client) RemoveProcessGroup(ctx context.Context, group string) error {
	return c.Call(ctx, "supervisor.removeProcessGroup", nil, group)
}

// ClearProcessLogs empties the logs of a process.
func (c *Client) ClearProcessLogs(ctx context.Context, name string) error {
	return c.Call(ctx, "supervisor.clearProcessLogs", nil, name)
}

// ClearAllProcessLogs empties the logs of every process.
func (c *Client) ClearAllProcessLogs(ctx context.Context) ([]ProcessStatus, error) {
	return c.statuses(ctx, "supervisor.clearAllProcessLogs")
}

// RotateProcessLogs rotates the logs of a process, or of a group as group:*. The
// descriptions tell whether there was something to rotate.
func (c *Client) RotateProcessLogs(ctx context.Context, name string) ([]ProcessStatus, error) {
	return c.statuses(ctx, "supervisord.rotateProcessLogs", name)
}

// RotateAllProcessLogs rotates the logs of every process.
func (c *Client) RotateAllProcessLogs(ctx context.Context) ([]ProcessStatus, error) {
	return c.statuses(ctx, "supervisord.rotateAllProcessLogs")
}

// RotateLog rotates the daemon's own log and reports whether there was something
// to rotate.
func (c *Client) RotateLog(ctx context.Context) (bool, error) {
	var rotated bool
	err := c.Call(ctx, "supervisord.rotateLog", &rotated)
	return rotated, err
}

// ReadProcessLog reads from the log of a process. A negative offset counts
// from the end; length 0 means up to the end (manual: XML-RPC API,
// readProcessStdoutLog).
func (c *Client) ReadProcessLog(ctx context.Context, name string, channel api.Channel, offset, length int) (string, error) {
	method := "supervisor.readProcessStdoutLog"
	if channel == api.Stderr {
		method = "supervisor.readProcessStderrLog"
	}
	return c.callText(ctx, method, name, offset, length)
}
