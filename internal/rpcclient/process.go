package rpcclient

import (
	"context"
	"encoding/base64"

	"github.com/kolo/xmlrpc"

	"supervisord/internal/api"
)

// ProcessInfo describes a process as getProcessInfo does (manual: XML-RPC API,
// getProcessInfo). Times are seconds since 1970, 0 for never. A daemon that is
// not ours leaves the last members out.
type ProcessInfo struct {
	Name          string           `xmlrpc:"name"`
	Group         string           `xmlrpc:"group"`
	Start         int              `xmlrpc:"start"`
	Stop          int              `xmlrpc:"stop"`
	Now           int              `xmlrpc:"now"`
	State         api.ProcessState `xmlrpc:"state"`
	StateName     string           `xmlrpc:"statename"`
	SpawnErr      string           `xmlrpc:"spawnerr"`
	ExitStatus    int              `xmlrpc:"exitstatus"`
	Logfile       string           `xmlrpc:"logfile"`
	StdoutLogfile string           `xmlrpc:"stdout_logfile"`
	StderrLogfile string           `xmlrpc:"stderr_logfile"`
	PID           int              `xmlrpc:"pid"`
	Description   string           `xmlrpc:"description"`
	Restarts      int              `xmlrpc:"restarts"`
	ExitReason    string           `xmlrpc:"exitreason"`
	StderrTail    string           `xmlrpc:"stderr_tail"`
	ExitOn        string           `xmlrpc:"exit_on"`
	NextStart     int              `xmlrpc:"nextstart"`
	Waiting       string           `xmlrpc:"waiting"`
	Ready         *bool            `xmlrpc:"ready"` // nil where nobody asks
	Health        string           `xmlrpc:"health"`
}

// ProcessStatus is one element of what the methods for groups and for all
// processes return.
type ProcessStatus struct {
	Name        string        `xmlrpc:"name"`
	Group       string        `xmlrpc:"group"`
	Status      api.FaultCode `xmlrpc:"status"`
	Description string        `xmlrpc:"description"`
}

// ProcessInfo describes the process with the given namespec.
func (c *Client) ProcessInfo(ctx context.Context, name string) (ProcessInfo, error) {
	var info ProcessInfo
	err := c.Call(ctx, "supervisor.getProcessInfo", &info, name)
	return info, err
}

// AllProcessInfo describes every process, in the order of the daemon.
func (c *Client) AllProcessInfo(ctx context.Context) ([]ProcessInfo, error) {
	var infos []ProcessInfo
	err := c.Call(ctx, "supervisor.getAllProcessInfo", &infos)
	return infos, err
}

// StartProcess starts a process and, with wait, returns when the outcome is
// known.
func (c *Client) StartProcess(ctx context.Context, name string, wait bool) error {
	return c.Call(ctx, "supervisor.startProcess", nil, name, wait)
}

// StartProcessGroup starts every process of a group.
func (c *Client) StartProcessGroup(ctx context.Context, group string, wait bool) ([]ProcessStatus, error) {
	return c.statuses(ctx, "supervisor.startProcessGroup", group, wait)
}

// StartAllProcesses starts every process that does not run.
func (c *Client) StartAllProcesses(ctx context.Context, wait bool) ([]ProcessStatus, error) {
	return c.statuses(ctx, "supervisor.startAllProcesses", wait)
}

// StopProcess stops a process and, with wait, returns when it is stopped.
func (c *Client) StopProcess(ctx context.Context, name string, wait bool) error {
	return c.Call(ctx, "supervisor.stopProcess", nil, name, wait)
}

// StopProcessGroup stops every process of a group.
func (c *Client) StopProcessGroup(ctx context.Context, group string, wait bool) ([]ProcessStatus, error) {
	return c.statuses(ctx, "supervisor.stopProcessGroup", group, wait)
}

// StopAllProcesses stops every process.
func (c *Client) StopAllProcesses(ctx context.Context, wait bool) ([]ProcessStatus, error) {
	return c.statuses(ctx, "supervisor.stopAllProcesses", wait)
}

// SignalProcess sends a signal, a name or a number, to a process.
func (c *Client) SignalProcess(ctx context.Context, name, signal string) error {
	return c.Call(ctx, "supervisor.signalProcess", nil, name, signal)
}

// SignalProcessGroup sends a signal to every process of a group.
func (c *Client) SignalProcessGroup(ctx context.Context, group, signal string) ([]ProcessStatus, error) {
	return c.statuses(ctx, "supervisor.signalProcessGroup", group, signal)
}

// SignalAllProcesses sends a signal to every process.
func (c *Client) SignalAllProcesses(ctx context.Context, signal string) ([]ProcessStatus, error) {
	return c.statuses(ctx, "supervisor.signalAllProcesses", signal)
}

// SendProcessStdin writes data to the standard input of a process. What XML
// cannot carry as text goes as base64.
func (c *Client) SendProcessStdin(ctx context.Context, name string, data []byte) error {
	var chars any = string(data)
	if firstForbidden(data) >= 0 {
		chars = xmlrpc.Base64(base64.StdEncoding.EncodeToString(data))
	}
	return c.Call(ctx, "supervisor.sendProcessStdin", nil, name, chars)
}

// SendRemoteCommEvent makes a REMOTE_COMMUNICATION event.
func (c *Client) SendRemoteCommEvent(ctx context.Context, kind, data string) error {
	return c.Call(ctx, "supervisor.sendRemoteCommEvent", nil, kind, data)
}

func (c *Client) statuses(ctx context.Context, method string, args ...any) ([]ProcessStatus, error) {
	var list []ProcessStatus
	err := c.Call(ctx, method, &list, args...)
	return list, err
}
