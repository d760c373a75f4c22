package daemon

import (
	"context"
	"os"
	"slices"
	"sort"
	"syscall"
	"time"

	"supervisord/internal/api"
	"supervisord/internal/config"
	"supervisord/internal/core"
)

// The methods in this file are what clients can ask for. They may be called
// from any goroutine.

// errEnded answers a client whose question came too late.
var errEnded = api.NewFault(api.ShutdownState)

// ask has a question run by whoever has the turn, and waits for it. If it fails
// the question may still run, now or later: what it answers must not be looked at.
func (d *Daemon) ask(ctx context.Context, q func(*Daemon)) error {
	answered := make(chan struct{})
	if !d.act(query(func(d *Daemon) { q(d); close(answered) })) {
		return errEnded
	}
	select {
	case <-answered:
		return nil
	case <-d.done:
		return errEnded
	case <-ctx.Done():
		return ctx.Err()
	}
}

// do has the core carry out a command and waits for the answer. A client that
// goes away takes its command's wait with it.
func (d *Daemon) do(ctx context.Context, cmd core.Command, ticket *api.Ticket, list bool) (core.Reply, error) {
	cmd.Req = core.Req(d.nextReq.Add(1))
	reply := make(chan core.Reply, 1)
	if !d.act(call{cmd, reply}) {
		return core.Reply{}, errEnded
	}
	select {
	case r := <-reply:
		return answered(r)
	default:
	}
	defer ticket.Hold(api.Wait{Req: uint64(cmd.Req), List: list})()
	return d.answer(ctx, cmd.Req, reply)
}

// answer waits for the answer to a request.
func (d *Daemon) answer(ctx context.Context, req core.Req, reply <-chan core.Reply) (core.Reply, error) {
	select {
	case r := <-reply:
		return answered(r)
	case <-ctx.Done():
		d.post(query(func(d *Daemon) {
			delete(d.replies, req)
			d.step(core.Command{Op: core.OpCancel, Req: req})
		}))
		return core.Reply{}, ctx.Err()
	case <-d.done:
		select {
		case r := <-reply:
			if r.Fault == nil {
				return r, nil
			}
		default:
		}
		return core.Reply{}, errEnded
	}
}

// answered returns an answer, or the fault that it is.
func answered(r core.Reply) (core.Reply, error) {
	if r.Fault != nil {
		return r, r.Fault
	}
	return r, nil
}

func (d *Daemon) doList(ctx context.Context, cmd core.Command) ([]api.ProcessStatus, error) {
	r, err := d.do(ctx, cmd, api.TicketOf(ctx), true)
	return r.Statuses, err
}

func (d *Daemon) doOne(ctx context.Context, cmd core.Command) error {
	_, err := d.do(ctx, cmd, api.TicketOf(ctx), false)
	return err
}

// Identifier returns the identifier of this supervisord.
func (d *Daemon) Identifier() string { return d.options.Config.Supervisord.Identifier }

// PID returns the process id of supervisord.
func (d *Daemon) PID() int { return os.Getpid() }

// Mood returns the state of supervisord.
func (d *Daemon) Mood() api.Mood { return api.Mood(d.mood.Load()) }

// Changed returns a channel that is closed at the next change of a process's
// state, of the set of groups or of the mood.
func (d *Daemon) Changed() <-chan struct{} { return d.changed.wait() }

// ProcessInfo describes one process.
func (d *Daemon) ProcessInfo(ctx context.Context, name string) (api.ProcessInfo, error) {
	var info api.ProcessInfo
	var err error = api.NewFault(api.BadName, name)
	if asked := d.ask(ctx, func(d *Daemon) {
		if v, ok := d.core.Process(name); ok {
			info, err = d.info(v, time.Now()), nil
		}
	}); asked != nil {
		return api.ProcessInfo{}, asked
	}
	return info, err
}

// AllProcessInfo describes all processes, sorted by group and name.
func (d *Daemon) AllProcessInfo(ctx context.Context) ([]api.ProcessInfo, error) {
	return d.AppendProcessInfo(ctx, nil)
}

// AppendProcessInfo appends what AllProcessInfo returns to a list, which is lost
// if it fails.
func (d *Daemon) AppendProcessInfo(ctx context.Context, list []api.ProcessInfo) ([]api.ProcessInfo, error) {
	if err := d.ask(ctx, func(d *Daemon) {
		now := time.Now()
		list = slices.Grow(list, len(d.children))
		for v := range d.core.SortedProcesses() {
			list = append(list, d.info(v, now))
		}
	}); err != nil {
		return nil, err
	}
	return list, nil
}

// info completes what the core knows of a process.
func (d *Daemon) info(v core.View, now time.Time) api.ProcessInfo {
	info := v.Info
	info.Now = now
	if c := d.children[v.ID]; c != nil {
		info.StdoutLogfile = c.logs[api.Stdout].Path()
		info.StderrLogfile = c.logs[api.Stderr].Path()
	}
	return info
}

// AllConfigInfo describes every configured process, sorted by name.
func (d *Daemon) AllConfigInfo(ctx context.Context) ([]api.ConfigInfo, error) {
	var list []api.ConfigInfo
	if err := d.ask(ctx, func(d *Daemon) {
		for _, g := range d.core.Config().Groups {
			inUse := d.core.HasGroup(g.Name)
			for _, p := range g.Processes {
				list = append(list, d.configInfo(g, p, inUse))
			}
		}
	}); err != nil {
		return nil, err
	}
	sort.SliceStable(list, func(i, j int) bool { return list[i].Name < list[j].Name })
	return list, nil
}

func (d *Daemon) configInfo(g *config.Group, p *config.Process, inUse bool) api.ConfigInfo {
	c := api.ConfigInfo{
		Name: p.Name, Group: g.Name, GroupPriority: g.Priority, ProcessPriority: p.Priority, InUse: inUse,
		Command: p.Command, Autostart: p.Autostart, Autorestart: p.Autorestart.String(),
		Directory: p.Directory, UID: p.UID, ExitCodes: p.ExitCodes,
		KillAsGroup: p.KillAsGroup, RedirectStderr: p.RedirectStderr,
		StartRetries: p.StartRetries, StartSecs: int(p.StartSecs / time.Second),
		StopSignal: int(p.StopSignal), StopWaitSecs: int(p.StopWaitSecs / time.Second),
		ServerURL: p.ServerURL,
		Stdout:    d.channelInfo(p, api.Stdout), Stderr: d.channelInfo(p, api.Stderr),
		RestartDelay: p.RestartDelay, BackoffMax: p.BackoffMax,
		BackoffFactor: p.BackoffFactor, BackoffJitter: p.BackoffJitter,
		UserEnvironment: p.UserEnvironment,
	}
	if p.ExitOn != config.ExitOnNever {
		c.ExitOn = p.ExitOn.String()
	}
	if p.GID >= 0 {
		c.GID = &p.GID
	}
	for _, file := range p.EnvironmentFiles {
		c.EnvironmentFiles = append(c.EnvironmentFiles, file.String())
	}
	return c
}

func (d *Daemon) channelInfo(p *config.Process, ch api.Channel) api.ChannelConfigInfo {
	l := channelConfig(p, ch)
	path := d.logPath(p, ch)
	switch {
	case l.File.Kind == config.LogNone:
		path = "none"
	case l.File.Kind == config.LogAuto && path == "":
		path = "auto"
	}
	return api.ChannelConfigInfo{
		Logfile: path, LogfileMaxBytes: l.MaxBytes, LogfileBackups: l.Backups,
		CaptureMaxBytes: l.CaptureMaxBytes, EventsEnabled: l.EventsEnabled, Syslog: l.Syslog,
		Format: l.Format, LogfileRotate: l.Rotate,
	}
}

// StartProcess starts one process.
func (d *Daemon) StartProcess(ctx context.Context, name string, wait bool) error {
	var v core.View
	var ok bool
	if err := d.ask(ctx, func(d *Daemon) { v, ok = d.core.Process(name) }); err != nil {
		return err
	}
	if !ok {
		return api.NewFault(api.BadName, name)
	}
	return d.doOne(ctx, core.Command{Op: core.OpStart, Name: name, Wait: wait, Refused: refusals([]core.View{v})})
}

// StartGroup starts the processes of a group that do not run.
func (d *Daemon) StartGroup(ctx context.Context, group string, wait bool) ([]api.ProcessStatus, error) {
	var views []core.View
	var ok bool
	if err := d.ask(ctx, func(d *Daemon) { views, ok = d.core.GroupProcesses(group) }); err != nil {
		return nil, err
	}
	if !ok {
		return nil, api.NewFault(api.BadName, group)
	}
	return d.doList(ctx, core.Command{Op: core.OpStartGroup, Name: group, Wait: wait, Refused: refusals(views)})
}

// StartAll starts all processes that do not run.
func (d *Daemon) StartAll(ctx context.Context, wait bool) ([]api.ProcessStatus, error) {
	var views []core.View
	if err := d.ask(ctx, func(d *Daemon) { views = d.core.AllProcesses() }); err != nil {
		return nil, err
	}
	return d.doList(ctx, core.Command{Op: core.OpStartAll, Wait: wait, Refused: refusals(views)})
}

// refusals looks for commands that cannot be executed, before they are tried.
func refusals(views []core.View) map[core.ProcID]*api.Fault {
	refused := make(map[core.ProcID]*api.Fault)
	for _, v := range views {
		if f := refusal(v.Config); f != nil {
			refused[v.ID] = f
		}
	}
	return refused
}

// StopProcess stops one process.
func (d *Daemon) StopProcess(ctx context.Context, name string, wait bool) error {
	return d.doOne(ctx, core.Command{Op: core.OpStop, Name: name, Wait: wait})
}

// StopGroup stops the processes of a group.
func (d *Daemon) StopGroup(ctx context.Context, group string, wait bool) ([]api.ProcessStatus, error) {
	return d.doList(ctx, core.Command{Op: core.OpStopGroup, Name: group, Wait: wait})
}

// StopAll stops all processes.
func (d *Daemon) StopAll(ctx context.Context, wait bool) ([]api.ProcessStatus, error) {
	return d.doList(ctx, core.Command{Op: core.OpStopAll, Wait: wait})
}

// SignalProcess sends a signal to one process.
func (d *Daemon) SignalProcess(ctx context.Context, name, signal string) error {
	return d.doOne(ctx, signalCommand(core.OpSignal, name, signal))
}

// SignalGroup sends a signal to the processes of a group.
func (d *Daemon) SignalGroup(ctx context.Context, group, signal string) ([]api.ProcessStatus, error) {
	return d.doList(ctx, signalCommand(core.OpSignalGroup, group, signal))
}

// SignalAll sends a signal to all processes.
func (d *Daemon) SignalAll(ctx context.Context, signal string) ([]api.ProcessStatus, error) {
	return d.doList(ctx, signalCommand(core.OpSignalAll, "", signal))
}

func signalCommand(op core.Op, name, signal string) core.Command {
	cmd := core.Command{Op: op, Name: name}
	sig, err := api.ParseSignal(signal)
	if err != nil {
		cmd.SigFault = api.NewFault(api.BadSignal, signal)
	}
	cmd.Sig = syscall.Signal(sig)
	return cmd
}

// SendProcessStdin writes to the standard input of a process.
func (d *Daemon) SendProcessStdin(ctx context.Context, name string, data []byte) error {
	return d.doOne(ctx, core.Command{Op: core.OpWriteStdin, Name: name, Data: data})
}

// SendRemoteCommEvent makes a REMOTE_COMMUNICATION event.
func (d *Daemon) SendRemoteCommEvent(ctx context.Context, kind, data string) error {
	return d.doOne(ctx, core.Command{Op: core.OpRemoteEvent, Kind: kind, Data: []byte(data)})
}

// Shutdown asks supervisord to end.
func (d *Daemon) Shutdown(ctx context.Context) error {
	return d.doOne(ctx, core.Command{Op: core.OpShutdown})
}

// Restart asks supervisord to start anew. A configuration that cannot be loaded
// is CANT_REREAD, and nothing is stopped.
func (d *Daemon) Restart(ctx context.Context) error {
	if _, err := d.options.Load(); err != nil {
		return api.NewFault(api.CantReread, err.Error())
	}
	return d.doOne(ctx, core.Command{Op: core.OpRestart})
}

// ReloadConfig reads the configuration again.
func (d *Daemon) ReloadConfig(ctx context.Context) (added, changed, removed []string, err error) {
	cfg, err := d.options.Load()
	if err != nil {
		return nil, nil, nil, api.NewFault(api.CantReread, err.Error())
	}
	r, err := d.do(ctx, core.Command{Op: core.OpReload, Config: cfg}, nil, false)
	return r.Added, r.Changed, r.Removed, err
}

// DiffConfig reads the configuration and tells how it differs from what is
// active. It is not kept.
func (d *Daemon) DiffConfig(ctx context.Context) ([]api.GroupChange, error) {
	cfg, err := d.options.Load()
	if err != nil {
		return nil, api.NewFault(api.CantReread, err.Error())
	}
	var active []*config.Group
	if err := d.ask(ctx, func(d *Daemon) { active = d.core.ActiveGroups() }); err != nil {
		return nil, err
	}
	return config.Changes(active, cfg.Groups), nil
}

// AddGroup makes a configured group active.
func (d *Daemon) AddGroup(ctx context.Context, group string) error {
	var found []*config.Group
	if err := d.ask(ctx, func(d *Daemon) {
		for _, g := range d.core.Config().Groups {
			if g.Name == group && !d.core.HasGroup(group) {
				found = append(found, g)
			}
		}
	}); err != nil {
		return err
	}
	if err := CheckSockets(found, nil, d.log); err != nil {
		return api.NewFault(api.Failed, err.Error())
	}
	return d.doOne(ctx, core.Command{Op: core.OpAddGroup, Name: group})
}

// RemoveGroup makes a stopped group inactive.
func (d *Daemon) RemoveGroup(ctx context.Context, group string) error {
	return d.doOne(ctx, core.Command{Op: core.OpRemoveGroup, Name: group})
}
