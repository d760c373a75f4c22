package core

import (
	"slices"
	"time"

	"supervisord/internal/api"
	"supervisord/internal/config"
	"supervisord/internal/event"
)

// Adoptee is a process of an earlier supervisord that was killed, as that one
// left it.
type Adoptee struct {
	State api.ProcessState
	// PID is the process that runs or ran last in that state, 0 if none did.
	PID         int
	Start, Stop time.Time
	// Ran is how long ago that process was started, by a clock that does not jump.
	Ran      time.Duration
	LastExit Exit
	HasExit  bool
	Restarts int
	Backoff  int
	// Ready says that ready= had been found to be so.
	Ready bool
	// Wanted says that it is to be started although it did not run, or was being
	// stopped: after a pause, after what it depends on, or anew.
	Wanted   bool
	Listener *AdoptedListener // of processes of a pool, if it is known
}

// Legacy returns what a successor needs to know of a process, but for its pid,
// its age and what it is to a pool. It changes with the calls of Options.Trace only.
func (c *Core) Legacy(id ProcID) (a Adoptee, ok bool) {
	p := c.procs[id]
	if p == nil {
		return a, false
	}
	return Adoptee{
		State: p.state, Start: p.start, Stop: p.stop, LastExit: p.exit, HasExit: p.hasExit, Restarts: p.restarts, Backoff: p.backoff,
		Ready:  p.isFound(),
		Wanted: p.order.waiting || p.order.again || p.order.failed != "" || p.isPausing(),
	}, true
}

// note has Legacy read again, though the state of the process is the same.
func (c *Core) note(p *process) {
	if c.trace != nil {
		c.trace(p.id, p.state, p.state)
	}
}

// AdoptedListener is how far an event listener had come.
type AdoptedListener struct {
	State api.ListenerState
	// InFlight is the event that it was sent and has not answered.
	InFlight *AdoptedEvent
	// Unsent says that the event did not reach it.
	Unsent bool
	// PoolSerial is the serial of the next event of its pool.
	PoolSerial uint64
}

// AdoptedEvent is an event that was sent to a listener.
type AdoptedEvent struct {
	Type               event.Type
	Serial, PoolSerial uint64
	Rejections         int
	// Payload is lost where Lost is set: such an event cannot be sent again.
	Payload string
	Lost    bool
}

// ListenerProgress is how far a listener has come, for a successor to adopt.
type ListenerProgress struct {
	AdoptedListener
	// Unheard is how many bytes of its output did not lead to anything yet. A
	// successor has to hear them again.
	Unheard int64
}

// Progress returns how far a listener has come.
func (c *Core) Progress(id ProcID) (ListenerProgress, bool) {
	p := c.procs[id]
	if p == nil || p.listener == nil {
		return ListenerProgress{}, false
	}
	l := p.listener
	progress := ListenerProgress{Unheard: l.protocol.Unfinished()}
	progress.State, progress.PoolSerial = l.protocol.State, p.group.pool.serial
	if n := l.current; n != nil {
		progress.InFlight = &AdoptedEvent{Type: n.typ, Serial: n.serial, PoolSerial: n.poolSerial,
			Rejections: n.rejections, Payload: n.payload}
	}
	return progress, true
}

// adoptAll takes processes back. Starts that were under way come last, as they
// may depend on others.
func (c *Core) adoptAll(list map[string]Adoptee) {
	var starts []*process
	for _, g := range c.groups {
		for _, p := range g.processes {
			if a, found := list[p.namespec()]; found && !c.adopt(p, a) {
				starts = append(starts, p)
			}
		}
	}
	for _, p := range starts {
		p.asked = true
		c.start(p)
	}
}

// adopt takes a process back in the state in which it was left. Nobody is told
// of a change, since there is none; what was under way goes on.
//
// It reports false if the process is to be started.
func (c *Core) adopt(p *process, a Adoptee) bool {
	p.start, p.stop, p.restarts, p.backoff = a.Start, a.Stop, a.Restarts, a.Backoff
	if a.PID == 0 {
		return c.adoptIdle(p, a)
	}
	p.gen++
	p.pid, p.adopted = a.PID, true
	p.startMono = c.now.Mono - a.Ran
	c.adoptListener(p, a.Listener)
	c.emit(Effect{Kind: Adopt, Proc: p.id, Gen: p.gen, PID: p.pid})
	c.logf(api.LevelInfo, "adopted: '%s' with pid %d", p.config.Name, p.pid)
	// What it says of itself goes where nobody listens any more.
	p.vital.found = a.Ready || p.config.Ready.Kind == config.ProbeNotify
	switch a.State {
	case api.Starting:
		c.place(p, api.Starting)
		c.timers.set(&p.due, max(p.startMono+p.config.StartSecs, c.now.Mono))
	case api.Stopping:
		c.place(p, api.Running)
		p.order.again = a.Wanted
		c.kill(p, p.config.StopSignal)
		return true
	case api.Running, api.Stopped, api.Backoff, api.Exited, api.Fatal, api.Unknown:
		c.place(p, api.Running)
		c.emit(Effect{Kind: Up, Proc: p.id})
		if p.isFound() && p.config.Health.Kind != config.NoProbe {
			c.timers.set(&p.check, c.now.Mono+p.config.Health.Interval)
		}
	}
	if c.beginProbes(p); p.readyBy.index >= 0 {
		// Nobody has asked it for a while.
		c.timers.set(&p.readyBy, c.now.Mono+p.config.Ready.Timeout)
	}
	return true
}

// adoptIdle takes over what is known of a process that does not run. It reports
// false if it is to be started.
func (c *Core) adoptIdle(p *process, a Adoptee) bool {
	p.exit, p.hasExit = a.LastExit, a.HasExit
	state := a.State
	switch state {
	case api.Stopped, api.Exited, api.Fatal:
	case api.Stopping:
		state = api.Stopped // It ended, which nobody has heard.
	case api.Unknown:
		state = api.Exited
	case api.Starting, api.Backoff, api.Running:
		return false
	}
	if a.Wanted {
		return false
	}
	c.place(p, state)
	return true
}

// place sets the state of a process that did not change.
func (c *Core) place(p *process, state api.ProcessState) {
	p.group.count(p.state, state)
	p.state = state
	c.changed = true
}

// adoptListener goes on with the conversation with a listener.
func (c *Core) adoptListener(p *process, a *AdoptedListener) {
	if p.listener == nil {
		return
	}
	p.listener.reset()
	if a == nil {
		return
	}
	pool := p.group.pool
	pool.serial = max(pool.serial, a.PoolSerial)
	p.listener.protocol.State = a.State
	if a.InFlight == nil {
		return
	}
	e := a.InFlight
	n := &notice{typ: e.Type, payload: e.Payload, serial: e.Serial, poolSerial: e.PoolSerial, rejections: e.Rejections}
	switch {
	case !a.Unsent && e.Lost:
	case !a.Unsent:
		p.listener.current = n
	default:
		p.listener.protocol.State = api.ListenerReady
		if !e.Lost {
			pool.buffer = slices.Insert(pool.buffer, 0, n)
		}
	}
}
