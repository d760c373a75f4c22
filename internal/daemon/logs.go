package daemon

import (
	"context"
	"os"

	"supervisord/internal/api"
	"supervisord/internal/childlog"
	"supervisord/internal/core"
)

// The methods in this file are what clients can ask of logs. Files are handled
// in the goroutine of the client.

// MainLog returns the activity log.
func (d *Daemon) MainLog() api.LogSource { return d.log }

// ClearMainLog removes the file of the activity log and opens a new one, which
// is empty: what is said about it, once for every place where lines go, stands
// at the end of the old one.
func (d *Daemon) ClearMainLog(context.Context) error {
	path := d.log.Path()
	if _, err := os.Stat(path); path == "" || err != nil {
		return api.NewFault(api.NoFile)
	}
	for range d.log.Outputs() {
		d.log.Log(api.LevelInfo, "reopening log file")
	}
	if err := d.log.Clear(); err != nil {
		return api.NewFault(api.Failed)
	}
	return nil
}

// ProcessLog returns the log of a channel of a process.
func (d *Daemon) ProcessLog(ctx context.Context, name string, ch api.Channel) (api.LogSource, error) {
	logs, err := d.logs(ctx, name)
	if err != nil {
		return nil, err
	}
	return logs[ch], nil
}

// ClearProcessLogs removes the log files of a process and opens new ones.
func (d *Daemon) ClearProcessLogs(ctx context.Context, name string) error {
	logs, err := d.logs(ctx, name)
	if err != nil {
		return err
	}
	return clearLogs(logs, name)
}

func (d *Daemon) logs(ctx context.Context, name string) (logs [2]*childlog.Log, err error) {
	err = api.NewFault(api.BadName, name)
	if asked := d.ask(ctx, func(d *Daemon) {
		if v, ok := d.core.Process(name); ok {
			logs, err = d.children[v.ID].logs, nil
		}
	}); asked != nil {
		return [2]*childlog.Log{}, asked
	}
	return logs, err
}

func clearLogs(logs [2]*childlog.Log, name string) error {
	for _, l := range logs {
		if err := l.Clear(); err != nil {
			return api.NewFault(api.Failed, name)
		}
	}
	return nil
}

// processLogs are the logs of one process.
type processLogs struct {
	group, name string
	logs        [2]*childlog.Log
}

// clearAll removes the log files of processes and opens new ones.
func clearAll(all []processLogs) []api.ProcessStatus {
	statuses := make([]api.ProcessStatus, 0, len(all))
	for _, e := range all {
		if err := clearLogs(e.logs, api.Namespec(e.group, e.name)); err != nil {
			statuses = append(statuses, api.FaultStatus(e.group, e.name, err.(*api.Fault)))
			continue
		}
		statuses = append(statuses, api.OKStatus(e.group, e.name))
	}
	return statuses
}

// logsOf returns the logs of processes. d is the daemon's goroutine.
func (d *Daemon) logsOf(views []core.View) []processLogs {
	all := make([]processLogs, 0, len(views))
	for _, v := range views {
		all = append(all, processLogs{v.Group.Name, v.Config.Name, d.children[v.ID].logs})
	}
	return all
}

// ClearAllProcessLogs removes the log files of all processes and opens new
// ones.
func (d *Daemon) ClearAllProcessLogs(ctx context.Context) ([]api.ProcessStatus, error) {
	var all []processLogs
	if err := d.ask(ctx, func(d *Daemon) { all = d.logsOf(d.core.AllProcesses()) }); err != nil {
		return nil, err
	}
	return clearAll(all), nil
}

// RotateProcessLogs rotates the log files of a process, or with group:* of a
// group.
func (d *Daemon) RotateProcessLogs(ctx context.Context, name string) ([]api.ProcessStatus, error) {
	group, _, whole := api.SplitNamespec(name)
	var all []processLogs
	var found bool
	if err := d.ask(ctx, func(d *Daemon) {
		var views []core.View
		if whole {
			views, found = d.core.GroupProcesses(group)
		} else {
			var v core.View
			v, found = d.core.Process(name)
			views = []core.View{v}
		}
		if found {
			all = d.logsOf(views)
		}
	}); err != nil {
		return nil, err
	}
	if !found {
		return nil, api.NewFault(api.BadName, name)
	}
	return d.rotateAll(all), nil
}

// RotateAllProcessLogs rotates the log files of all processes.
func (d *Daemon) RotateAllProcessLogs(ctx context.Context) ([]api.ProcessStatus, error) {
	var all []processLogs
	if err := d.ask(ctx, func(d *Daemon) { all = d.logsOf(d.core.AllProcesses()) }); err != nil {
		return nil, err
	}
	return d.rotateAll(all), nil
}

// rotateAll rotates the logs of processes and tells what became of each.
func (d *Daemon) rotateAll(all []processLogs) []api.ProcessStatus {
	statuses := make([]api.ProcessStatus, 0, len(all))
	for _, e := range all {
		rotated := false
		var failure error
		for _, l := range e.logs {
			did, err := l.Rotate()
			rotated = rotated || did
			if err != nil {
				failure = err
			}
		}
		s := api.ProcessStatus{Group: e.group, Name: e.name, Status: api.Success, Description: "nothing to rotate"}
		switch {
		case failure != nil:
			name := api.Namespec(e.group, e.name)
			d.log.Log(api.LevelError, "cannot rotate the logs of "+name+": "+failure.Error())
			s = api.FaultStatus(e.group, e.name, api.NewFault(api.Failed, name))
		case rotated:
			s.Description = "rotated"
		}
		statuses = append(statuses, s)
	}
	return statuses
}

// RotateMainLog rotates the file of the activity log and reports whether there
// was something to rotate.
func (d *Daemon) RotateMainLog(context.Context) (bool, error) {
	if d.log.Path() == "" {
		return false, api.NewFault(api.NoFile)
	}
	rotated, err := d.log.Rotate()
	if err != nil {
		return false, api.NewFault(api.Failed, err.Error())
	}
	return rotated, nil
}
