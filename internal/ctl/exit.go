package ctl

import "supervisord/internal/api"

// ExitStatus is an exit status of supervisorctl. The values follow those that
// the Linux Standard Base gives to init scripts; what they mean is not the same
// for status as for the other actions.
type ExitStatus int

// The exit statuses of all actions but status.
const (
	Success                ExitStatus = 0
	Generic                ExitStatus = 1
	InvalidArgs            ExitStatus = 2
	Unimplemented          ExitStatus = 3
	InsufficientPrivileges ExitStatus = 4
	NotInstalled           ExitStatus = 5
	NotRunning             ExitStatus = 7
)

// The exit statuses of status, besides Success and Generic.
const (
	StatusNotRunning ExitStatus = 3
	StatusUnknown    ExitStatus = 4
)

// fail sets the exit status.
func (c *Controller) fail(s ExitStatus) { c.exit = s }

// failFault sets the exit status after a fault, or the status of one of
// several processes, unless it is the one that the action does not mind.
func (c *Controller) failFault(code, ignored api.FaultCode) {
	switch code {
	case ignored, api.Success:
	case api.SpawnError, api.AbnormalTermination, api.NotRunning:
		c.fail(NotRunning)
	default:
		c.fail(Generic)
	}
}
