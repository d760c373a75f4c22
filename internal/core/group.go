package core

import (
	"slices"

	"supervisord/internal/api"
	"supervisord/internal/config"
	"supervisord/internal/event"
)

// group is an active process group. A group of event listeners has a pool.
type group struct {
	config    *config.Group
	processes []*process // in the order of the configuration
	byName    map[string]*process
	pool      *pool
	// unstopped counts the processes in a state that is not a stopped one.
	unstopped int
}

// count keeps unstopped.
func (g *group) count(from, to api.ProcessState) {
	if from.IsStopped() && !to.IsStopped() {
		g.unstopped++
	} else if !from.IsStopped() && to.IsStopped() {
		g.unstopped--
	}
}

// byPriority returns the processes in ascending order of priority, those of
// one priority in the order of the configuration.
func (g *group) byPriority() []*process {
	list := slices.Clone(g.processes)
	slices.SortStableFunc(list, func(a, b *process) int { return a.config.Priority - b.config.Priority })
	return list
}

// groupsByPriority returns the groups in ascending order of priority, those of
// one priority in the order in which they were added.
func (c *Core) groupsByPriority() []*group {
	list := slices.Clone(c.groups)
	slices.SortStableFunc(list, func(a, b *group) int { return a.config.Priority - b.config.Priority })
	return list
}

// allByPriority returns all processes, group by group.
func (c *Core) allByPriority() []*process {
	var list []*process
	for _, g := range c.groupsByPriority() {
		list = append(list, g.byPriority()...)
	}
	return list
}

func (c *Core) groupNamed(name string) *group {
	for _, g := range c.groups {
		if g.config.Name == name {
			return g
		}
	}
	return nil
}

// addGroup makes a group active. Its programs are not started yet.
func (c *Core) addGroup(cfg *config.Group) *group {
	g := &group{config: cfg, byName: make(map[string]*process, len(cfg.Processes))}
	if cfg.Kind == config.ListenerPool {
		g.pool = newPool(g)
	}
	ids := make([]ProcID, 0, len(cfg.Processes))
	for _, pc := range cfg.Processes {
		c.nextProc++
		p := newProcess(c.nextProc, g, pc)
		g.processes = append(g.processes, p)
		g.byName[pc.Name] = p
		c.procs[p.id] = p
		ids = append(ids, p.id)
	}
	c.groups = append(c.groups, g)
	c.sorted = nil
	c.dependencies.stale = true
	if g.pool != nil {
		c.updatePools()
	}
	c.changed = true
	c.emit(Effect{Kind: OpenGroup, Group: cfg, Procs: ids})
	c.notify(event.ProcessGroupAdded, event.GroupPayload(cfg.Name))
	return g
}

// removeGroup makes a group inactive. All its processes are stopped.
func (c *Core) removeGroup(g *group) {
	ids := make([]ProcID, 0, len(g.processes))
	for _, p := range g.processes {
		c.timers.clear(&p.due)
		c.timers.clear(&p.stopReport)
		c.endProbes(p)
		c.abandon(p)
		delete(c.procs, p.id)
		ids = append(ids, p.id)
	}
	if g.pool != nil {
		c.timers.clear(&g.pool.hold)
	}
	c.groups = slices.DeleteFunc(c.groups, func(x *group) bool { return x == g })
	c.sorted = nil
	c.dependencies.stale = true
	c.stir()
	if g.pool != nil {
		c.updatePools()
	}
	c.changed = true
	c.emit(Effect{Kind: CloseGroup, Procs: ids})
	c.notify(event.ProcessGroupRemoved, event.GroupPayload(g.config.Name))
}

// autostart starts the processes of a group that was just added and that are
// to be started with it.
func (c *Core) autostart(g *group) {
	if c.mood != api.MoodRunning {
		return
	}
	for _, p := range g.processes {
		if p.config.Autostart && p.state == api.Stopped && p.start.IsZero() && !p.order.waiting {
			c.startAll(p)
		}
	}
}

// stopGroup stops the processes of a group as a shutdown does, in descending
// order of priority.
func (c *Core) stopGroup(g *group) {
	list := g.byPriority()
	slices.Reverse(list)
	for _, p := range list {
		switch p.state {
		case api.Running, api.Starting:
			if !p.order.held {
				c.halt(p)
			}
		case api.Backoff:
			c.giveUp(p)
		case api.Exited:
			c.timers.clear(&p.due)
			c.note(p)
		case api.Stopped, api.Stopping, api.Fatal, api.Unknown:
		}
	}
}
