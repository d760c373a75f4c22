package core

import (
	"fmt"
	"slices"
	"strings"

	"supervisord/internal/api"
)

// order is what keeps a process from starting or stopping at once: others that
// must be ready before it, or must have ended before it (depends_on). It is
// plain data.
type order struct {
	// waiting says that a start is wanted, and comes when everything that the
	// process depends on is ready. Its state stays what it was.
	waiting bool
	// held says that a stop is wanted, and comes when everything that depends on
	// the process has ended.
	held bool
	// again says that a start is wanted when the process has ended.
	again bool
	// failed says why a start is taken for a failed one though the process still
	// runs: it is being stopped for that.
	failed string
}

// links are how a process depends on others that are active now. They are
// worked out anew when groups come and go.
type links struct {
	needs      []*process
	dependents []*process
	missing    []string // elements of depends_on that name nothing active
	// doomed says that the process will not become ready by what is going on.
	doomed bool
}

// dependencies are those of all processes together.
type dependencies struct {
	// sorted are the processes that have links: each stands behind those that it
	// needs, and where that leaves it open behind those of a lower priority.
	sorted []*process
	stale  bool // groups came or went
	// stirred says that something happened that others may have waited for.
	stirred bool
}

// relink works out the links after groups came or went. Active groups can come
// from different configurations; a cycle among them is cut.
func (c *Core) relink() {
	d := &c.dependencies
	if !d.stale {
		return
	}
	d.stale = false
	d.sorted = d.sorted[:0]
	all := c.allByPriority()
	used := false
	for _, p := range all {
		p.links = links{}
		used = used || len(p.config.DependsOn) > 0
	}
	if !used {
		return
	}
	l := linker{core: c, all: all, met: make(map[*process]bool, len(all))}
	for _, p := range all {
		l.link(p)
	}
	for _, p := range l.sorted {
		if len(p.config.DependsOn)+len(p.links.dependents) > 0 {
			d.sorted = append(d.sorted, p)
		}
	}
}

// linker does the work of relink.
type linker struct {
	core   *Core
	all    []*process
	sorted []*process
	met    map[*process]bool // true while what it needs is being linked
}

func (l *linker) link(p *process) {
	if _, done := l.met[p]; done {
		return
	}
	l.met[p] = true
	for i := range p.config.DependsOn {
		dep := &p.config.DependsOn[i]
		found := false
		for _, q := range l.all {
			if !dep.Covers(q.group.config.Name, q.config) {
				continue
			}
			found = true
			l.link(q)
			switch {
			case l.met[q]:
				l.core.logf(api.LevelError, "%s depends on %s and the other way round; it does not wait for it", p.namespec(), q.namespec())
			case !slices.Contains(p.links.needs, q):
				p.links.needs = append(p.links.needs, q)
				q.links.dependents = append(q.links.dependents, p)
			}
		}
		if !found {
			p.links.missing = append(p.links.missing, dep.Name)
		}
	}
	l.met[p] = false
	l.sorted = append(l.sorted, p)
}

// stir says that something happened that others may have waited for.
func (c *Core) stir() {
	if d := &c.dependencies; d.stale || len(d.sorted) > 0 {
		d.stirred = true
	}
}

// isReady reports whether what depends on the process may start.
func (p *process) isReady() bool { return p.state == api.Running && p.isFound() && !p.order.held }

// isBlocked reports whether something that the process depends on is not ready.
func (c *Core) isBlocked(p *process) bool {
	c.relink()
	return len(p.links.missing) > 0 ||
		slices.ContainsFunc(p.links.needs, func(q *process) bool { return !q.isReady() })
}

// start begins a start, or has the process wait for what it depends on.
func (c *Core) start(p *process) {
	if !c.isBlocked(p) {
		c.spawn(p)
		return
	}
	p.order.waiting = true
	c.timers.clear(&p.due)
	c.changed = true
	c.note(p)
	c.stir()
	c.logf(api.LevelInfo, "%s waits for %s", p.config.Name, p.waitsFor())
}

// startAll starts a process after what it needs and does not run.
func (c *Core) startAll(p *process) {
	c.relink()
	if len(p.links.needs) > 0 {
		c.startNeeds(p, make(map[*process]bool))
	}
	c.start(p)
}

func (c *Core) startNeeds(p *process, met map[*process]bool) {
	for _, q := range p.links.needs {
		if met[q] {
			continue
		}
		met[q] = true
		switch q.state {
		case api.Stopped, api.Exited, api.Fatal:
			c.startNeeds(q, met)
			if !q.order.waiting || !c.isBlocked(q) {
				q.asked = p.asked
				c.start(q)
			}
		case api.Backoff:
			c.startNeeds(q, met) // It may wait, too.
		case api.Starting, api.Running, api.Stopping, api.Unknown:
		}
	}
}

// startNewcomers starts the processes of a new group that others wait for.
func (c *Core) startNewcomers(g *group) {
	c.relink()
	for _, q := range g.processes {
		if q.state == api.Stopped && !q.order.waiting &&
			slices.ContainsFunc(q.links.dependents, func(p *process) bool { return p.order.waiting }) {
			c.startAll(q)
		}
	}
}

// needsFirst sorts processes so that each stands behind those that it needs.
// What that leaves open is left as it was.
func (c *Core) needsFirst(list []*process) []*process {
	c.relink()
	if len(c.dependencies.sorted) == 0 {
		return list
	}
	met := make(map[*process]bool, len(list))
	for _, p := range c.dependencies.sorted {
		met[p] = !slices.Contains(list, p)
	}
	sorted := make([]*process, 0, len(list))
	var add func(p *process)
	add = func(p *process) {
		if met[p] {
			return
		}
		met[p] = true
		for _, q := range p.links.needs {
			add(q)
		}
		sorted = append(sorted, p)
	}
	for _, p := range list {
		add(p)
	}
	return sorted
}

// halt stops a process that is running, after those that depend on it. They
// come back with it.
func (c *Core) halt(p *process) {
	c.relink()
	p.order.held = true
	for _, d := range slices.Backward(p.links.dependents) {
		c.yield(d)
	}
	if c.release(p); p.order.held {
		c.logf(api.LevelInfo, "%s is stopped after %s", p.config.Name, p.heldBy())
		c.stir()
	}
}

// yield stops a process because one that it depends on is being stopped, unless
// it is being stopped already.
func (c *Core) yield(p *process) {
	if p.order.failed != "" {
		p.order.failed, p.order.again = "", true
	}
	if p.state.IsRunning() && !p.order.held && !p.stopOnStart {
		p.order.again = true
		p.asked = true
		c.halt(p)
	}
}

// release stops a process that is held if nothing that depends on it runs any
// more. Between two starts there is nothing to wait for.
func (c *Core) release(p *process) {
	idle := p.isPausing() || p.state == api.Backoff
	if !idle && slices.ContainsFunc(p.links.dependents, (*process).isAlive) {
		return
	}
	p.order.held = false
	c.stir()
	switch {
	case p.state == api.Backoff && c.shutdown.begun:
		c.giveUp(p)
	case idle:
		c.kill(p, p.config.StopSignal)
		c.ended(p)
	case p.state.IsRunning():
		c.kill(p, p.config.StopSignal)
	}
}

// isAlive reports whether what the process depends on must not be stopped yet.
func (p *process) isAlive() bool { return !p.state.IsStopped() }

// ended follows a stop: it begins the start that is wanted after it.
func (c *Core) ended(p *process) {
	again := p.order.again
	p.order.held, p.order.again = false, false
	if again && c.mood == api.MoodRunning {
		c.start(p)
	}
}

// isBusy reports whether there is something that a stop can end: a process, or
// a start that is to come.
func (p *process) isBusy() bool {
	return p.state.IsRunning() || p.isPausing() || p.order.waiting || p.order.again || p.order.failed != ""
}

// forgetStart ends the waiting for a start.
func (c *Core) forgetStart(p *process) {
	waited := p.order.waiting
	p.order.waiting, p.order.again, p.order.failed = false, false, ""
	if waited {
		c.changed = true
		c.note(p)
		c.stir()
		c.resolve(p)
	}
}

// proceedOrder does what others have waited for: it stops what is not needed
// any more, starts what can be started, and tells the clients of what cannot.
func (c *Core) proceedOrder() {
	if !c.dependencies.stirred {
		return
	}
	c.dependencies.stirred = false
	c.relink()
	for _, p := range slices.Backward(c.dependencies.sorted) {
		if p.order.held {
			c.release(p)
		}
	}
	for _, p := range c.dependencies.sorted {
		if p.order.waiting && c.mood == api.MoodRunning && !c.isBlocked(p) {
			c.spawn(p)
		}
		p.links.doomed = p.isDoomed()
		if p.order.waiting {
			c.resolve(p)
		}
	}
}

// isDoomed reports whether nothing that is going on will make the process
// ready. That of those that it needs is known.
func (p *process) isDoomed() bool {
	switch {
	case p.order.again:
		return false
	case p.order.held, p.order.failed != "":
		return true
	case p.order.waiting:
		return len(p.links.missing) > 0 ||
			slices.ContainsFunc(p.links.needs, func(q *process) bool { return q.links.doomed })
	}
	return !p.state.IsRunning() && !p.isPausing()
}

// maxNames is how many processes a text names that tells what others wait for.
const maxNames = 3

// waitsFor tells what a waiting process waits for: "db (STARTING), cache (FATAL)".
func (p *process) waitsFor() string {
	var names []string
	for _, q := range p.links.needs {
		if !q.isReady() {
			names = append(names, fmt.Sprintf("%s (%s)", q.namespec(), q.condition()))
		}
	}
	for _, name := range p.links.missing {
		names = append(names, name+" (not there)")
	}
	return listed(names)
}

// condition is the state of a process for those that wait for it.
func (p *process) condition() string {
	switch {
	case p.order.held:
		return api.Stopping.String()
	case p.order.waiting:
		return "waiting"
	case p.state == api.Running && !p.isFound():
		return "not ready"
	}
	return p.state.String()
}

// heldBy tells what must end before the process is stopped.
func (p *process) heldBy() string {
	var names []string
	for _, d := range p.links.dependents {
		if d.isAlive() {
			names = append(names, d.namespec())
		}
	}
	return listed(names)
}

func listed(names []string) string {
	if more := len(names) - maxNames; more > 0 {
		return fmt.Sprintf("%s and %d more", strings.Join(names[:maxNames], ", "), more)
	}
	return strings.Join(names, ", ")
}
