package core

import (
	"iter"
	"maps"
	"slices"
	"strings"

	"supervisord/internal/api"
	"supervisord/internal/config"
)

// View is a process as its owner shows it to others.
type View struct {
	ID     ProcID
	Group  *config.Group
	Config *config.Process
	PID    int
	// Info lacks Now and the log files, which the core does not know.
	Info api.ProcessInfo
}

func (p *process) view() View {
	status := 0
	if p.hasExit {
		status = p.exit.Status()
	}
	waiting := ""
	if p.order.waiting {
		waiting = p.waitsFor()
	}
	v := View{
		ID: p.id, Group: p.group.config, Config: p.config, PID: p.pid,
		Info: api.ProcessInfo{
			Name: p.config.Name, Group: p.group.config.Name,
			Start: p.start, Stop: p.stop, State: p.state,
			SpawnErr: p.spawnErr, ExitStatus: status, PID: p.pid,
			Restarts: p.restarts, ExitReason: p.exitText, StderrTail: p.lastWords,
			Waiting:  waiting,
			HasReady: p.config.Ready.Kind != config.NoProbe, Ready: p.isReady(),
			Health: p.health(), StatusText: p.vital.status,
		},
	}
	if p.config.ExitOn != config.ExitOnNever {
		v.Info.ExitOn = p.config.ExitOn.String()
	}
	if p.isPaced() && p.isPausing() {
		v.Info.NextStart = p.nextStart
	}
	return v
}

// ByID returns a process.
func (c *Core) ByID(id ProcID) (View, bool) {
	p := c.procs[id]
	if p == nil {
		return View{}, false
	}
	return p.view(), true
}

// Process returns the process that a namespec names.
func (c *Core) Process(namespec string) (View, bool) {
	p := c.lookup(namespec)
	if p == nil {
		return View{}, false
	}
	return p.view(), true
}

// GroupProcesses returns the processes of a group in ascending order of
// priority.
func (c *Core) GroupProcesses(name string) ([]View, bool) {
	g := c.groupNamed(name)
	if g == nil {
		return nil, false
	}
	return views(g.byPriority()), true
}

// AllProcesses returns all processes in ascending order of priority of their
// groups, then of their own.
func (c *Core) AllProcesses() []View { return views(c.allByPriority()) }

// SortedProcesses yields all processes sorted by group name, then by name.
func (c *Core) SortedProcesses() iter.Seq[View] {
	if c.sorted == nil {
		c.sorted = slices.SortedFunc(maps.Values(c.procs), func(a, b *process) int {
			if d := strings.Compare(a.group.config.Name, b.group.config.Name); d != 0 {
				return d
			}
			return strings.Compare(a.config.Name, b.config.Name)
		})
	}
	return func(yield func(View) bool) {
		for _, p := range c.sorted {
			if !yield(p.view()) {
				return
			}
		}
	}
}

// Config returns the configuration that was loaded last, which is the one that
// groups are added from.
func (c *Core) Config() *config.Config { return c.config }

// HasGroup reports whether a group is active.
func (c *Core) HasGroup(name string) bool { return c.groupNamed(name) != nil }

// ActiveGroups returns the configurations of the groups that are active.
func (c *Core) ActiveGroups() []*config.Group {
	active := make([]*config.Group, 0, len(c.groups))
	for _, g := range c.groups {
		active = append(active, g.config)
	}
	return active
}

func views(list []*process) []View {
	out := make([]View, len(list))
	for i, p := range list {
		out[i] = p.view()
	}
	return out
}
