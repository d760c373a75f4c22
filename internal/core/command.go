package core

import (
	"fmt"

	"supervisord/internal/api"
	"supervisord/internal/config"
	"supervisord/internal/event"
)

// command carries out the request of a client (manual: XML-RPC API).
func (c *Core) command(cmd Command) {
	if c.mood < api.MoodRunning && cmd.Op != OpRemoteEvent && cmd.Op != OpCancel {
		c.answer(cmd.Req, Reply{Fault: api.NewFault(api.ShutdownState)})
		return
	}
	switch cmd.Op {
	case OpStart, OpStop, OpSignal, OpWriteStdin:
		p := c.lookup(cmd.Name)
		if p == nil {
			c.answer(cmd.Req, Reply{Fault: api.NewFault(api.BadName, cmd.Name)})
			return
		}
		c.commandOne(cmd, p)
	case OpStartGroup, OpStopGroup, OpSignalGroup:
		g := c.groupNamed(cmd.Name)
		if g == nil {
			c.answer(cmd.Req, Reply{Fault: api.NewFault(api.BadName, cmd.Name)})
			return
		}
		c.commandMany(cmd, c.needsFirst(g.byPriority()))
	case OpStartAll, OpStopAll, OpSignalAll:
		c.commandMany(cmd, c.needsFirst(c.allByPriority()))
	case OpRemoteEvent:
		c.notify(event.RemoteCommunication, event.RemotePayload(cmd.Kind, string(cmd.Data)))
		c.answer(cmd.Req, Reply{})
	case OpShutdown:
		c.setMood(api.MoodShutdown)
		c.answer(cmd.Req, Reply{})
	case OpRestart:
		c.setMood(api.MoodRestarting)
		c.answer(cmd.Req, Reply{})
	case OpReload:
		c.reload(cmd)
	case OpAddGroup:
		c.answer(cmd.Req, Reply{Fault: c.commandAdd(cmd.Name)})
	case OpRemoveGroup:
		c.answer(cmd.Req, Reply{Fault: c.commandRemove(cmd.Name)})
	case OpCancel:
		c.cancel(cmd.Req)
	default:
		panic(fmt.Sprintf("core: unknown operation %d", cmd.Op))
	}
}

// lookup finds the process of a namespec, nil if it names none or a group.
func (c *Core) lookup(namespec string) *process {
	name, proc, all := api.SplitNamespec(namespec)
	g := c.groupNamed(name)
	if g == nil || all {
		return nil
	}
	return g.byName[proc]
}

// commandOne carries out a command for one process.
func (c *Core) commandOne(cmd Command, p *process) {
	rq := &request{req: cmd.Req, name: cmd.Name}
	var fault *api.Fault
	waits := false
	switch cmd.Op {
	case OpStart:
		waits, fault = c.commandStart(cmd, rq, p, cmd.Name)
	case OpStop:
		waits, fault = c.commandStop(cmd, rq, p, cmd.Name)
	case OpSignal:
		waits, fault = c.commandSignal(cmd, rq, p, cmd.Name)
	case OpWriteStdin:
		waits, fault = c.commandStdin(cmd, p)
		if waits {
			c.requests[cmd.Req] = rq
			return
		}
	}
	if waits {
		c.submit(rq)
		return
	}
	c.answer(cmd.Req, Reply{Fault: fault})
}

// commandMany carries out a command for those of the processes that it
// concerns.
func (c *Core) commandMany(cmd Command, list []*process) {
	rq := &request{req: cmd.Req, list: true, statuses: []api.ProcessStatus{}}
	for _, p := range list {
		var fault *api.Fault
		waits := false
		switch cmd.Op {
		case OpStartGroup, OpStartAll:
			if p.state.IsRunning() {
				continue
			}
			waits, fault = c.commandStart(cmd, rq, p, p.namespec())
		case OpStopGroup, OpStopAll:
			if !p.isBusy() {
				continue
			}
			waits, fault = c.commandStop(cmd, rq, p, p.namespec())
		case OpSignalGroup, OpSignalAll:
			if !p.state.IsSignallable() {
				continue
			}
			waits, fault = c.commandSignal(cmd, rq, p, p.namespec())
		}
		switch {
		case waits:
		case cmd.Wait:
			rq.statuses = append(rq.statuses, p.status(fault))
		default:
			// Where nothing is waited for, the order is that of the processes.
			rq.later = append(rq.later, p.status(fault))
		}
	}
	c.submit(rq)
}

// commandStart starts one process. It reports whether the request waits for
// the outcome.
func (c *Core) commandStart(cmd Command, rq *request, p *process, name string) (waits bool, fault *api.Fault) {
	if fault := cmd.Refused[p.id]; fault != nil {
		return false, fault
	}
	switch p.state {
	case api.Running, api.Starting, api.Backoff:
		return false, api.NewFault(api.AlreadyStarted, name)
	case api.Unknown:
		return false, api.NewFault(api.Failed, name+" is in an unknown process state")
	case api.Stopping:
		c.logf(api.LevelWarn, "process '%s' already running", p.config.Name)
		if !cmd.Wait {
			return false, nil
		}
		return false, api.NewFault(api.AbnormalTermination, name)
	case api.Stopped, api.Exited, api.Fatal:
	}
	p.asked = true
	c.startAll(p)
	if p.order.waiting && !cmd.Wait {
		return false, nil
	}
	kind := waitSpawned
	if cmd.Wait {
		kind = waitRunning
	}
	c.wait(rq, p, kind, name)
	return true, nil
}

// commandStop stops one process.
func (c *Core) commandStop(cmd Command, rq *request, p *process, name string) (waits bool, fault *api.Fault) {
	if !p.isBusy() {
		return false, api.NewFault(api.NotRunning, name)
	}
	c.forgetStart(p)
	begun := !p.state.IsRunning() && !p.isPausing() || p.order.held
	if !begun {
		c.halt(p)
	}
	if p.state.IsStopped() || !cmd.Wait && (begun || p.order.held) {
		return false, nil
	}
	kind := waitKilled
	if cmd.Wait {
		c.reportStop(p)
		kind = waitStopped
	}
	c.wait(rq, p, kind, name)
	return true, nil
}

// commandSignal sends a signal to one process.
func (c *Core) commandSignal(cmd Command, rq *request, p *process, name string) (waits bool, fault *api.Fault) {
	if cmd.SigFault != nil {
		return false, cmd.SigFault
	}
	if !p.state.IsSignallable() {
		return false, api.NewFault(api.NotRunning, name)
	}
	c.wait(rq, p, waitSignal, name)
	c.signal(p, cmd.Sig, cmd.Req)
	return true, nil
}

// commandStdin writes to the standard input of a process.
func (c *Core) commandStdin(cmd Command, p *process) (waits bool, fault *api.Fault) {
	if p.pid == 0 || p.killing {
		return false, api.NewFault(api.NotRunning, cmd.Name)
	}
	c.emit(Effect{Kind: WriteStdin, Proc: p.id, Gen: p.gen, Data: cmd.Data, Req: cmd.Req})
	return true, nil
}

// stdinWritten takes the result of a write, whoever asked for it.
func (c *Core) stdinWritten(ev StdinWritten) {
	if ev.Req != 0 {
		c.answerStdin(ev)
		return
	}
	p := c.current(ev.Proc, ev.Gen)
	if p == nil || p.listener == nil || p.listener.current == nil {
		return
	}
	if ev.Broken || ev.Full {
		c.unsend(p)
	}
}

func (c *Core) answerStdin(ev StdinWritten) {
	rq := c.requests[ev.Req]
	if rq == nil {
		return
	}
	delete(c.requests, ev.Req)
	switch {
	case ev.Broken:
		c.answer(ev.Req, Reply{Fault: api.NewFault(api.NoFile, rq.name)})
	case ev.Full:
		c.answer(ev.Req, Reply{Fault: api.NewFault(api.Failed, rq.name+" does not read its standard input")})
	default:
		c.answer(ev.Req, Reply{})
	}
}

// reload takes a configuration that was read anew. It changes nothing yet: the
// client adds and removes groups.
func (c *Core) reload(cmd Command) {
	c.config = cmd.Config
	added, changed, removed := config.Diff(c.ActiveGroups(), cmd.Config.Groups)
	c.answer(cmd.Req, Reply{Added: names(added), Changed: names(changed), Removed: names(removed)})
}

func names(groups []*config.Group) []string {
	list := make([]string, len(groups))
	for i, g := range groups {
		list[i] = g.Name
	}
	return list
}

func (c *Core) commandAdd(name string) *api.Fault {
	for _, cfg := range c.config.Groups {
		if cfg.Name != name {
			continue
		}
		if c.groupNamed(name) != nil {
			return api.NewFault(api.AlreadyAdded, name)
		}
		g := c.addGroup(cfg)
		c.autostart(g)
		c.startNewcomers(g)
		return nil
	}
	return api.NewFault(api.BadName, name)
}

func (c *Core) commandRemove(name string) *api.Fault {
	g := c.groupNamed(name)
	if g == nil {
		return api.NewFault(api.BadName, name)
	}
	if g.unstopped > 0 {
		return api.NewFault(api.StillRunning, name)
	}
	c.removeGroup(g)
	return nil
}
