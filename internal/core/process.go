package core

import (
	"strconv"
	"syscall"
	"time"

	"supervisord/internal/api"
	"supervisord/internal/config"
	"supervisord/internal/event"
)

// stopReportInterval is how often the activity log says that a client waits
// for a process to stop.
const stopReportInterval = 2 * time.Second

// minKillInterval is the least time between two SIGKILLs to one process.
const minKillInterval = time.Second

// process is one process of a group. Its methods named after events are those
// of the Core below: started, spawnFailed, exited, due.
type process struct {
	id     ProcID
	group  *group
	config *config.Process
	gen    Gen

	state api.ProcessState
	pid   int // 0 when there is none
	// backoff counts the failed starts since the last good one.
	backoff int
	// killing says that the coming exit is what a stop asked for.
	killing bool
	// adopted says that the process was started by an earlier supervisord.
	adopted bool
	// stopOnStart and signalsOnStart wait for the confirmation of a start: a
	// process cannot be signalled before it has a pid.
	stopOnStart    bool
	signalsOnStart []pendingSignal

	startMono time.Duration
	start     time.Time // zero: never
	stop      time.Time // zero: never
	spawnErr  string
	problem   string // why it is UNKNOWN
	exit      Exit
	hasExit   bool   // exit belongs to the last start
	exitText  string // how it last ended by itself
	lastWords string // what it wrote before that, if that was a failure
	// result is the exit status of the last start, as a shell tells it.
	result   int
	restarts int
	asked    bool // the coming start is one that a client asked for

	order order
	links links
	vital vital

	due        timer     // startsecs, the pause before the next start or stopwaitsecs, by state
	nextStart  time.Time // the end of that pause on the wall clock
	stopReport timer
	readyBy    timer // ready_timeout
	check      timer // the next probe, or the limit of the present one
	waiters    []waiter
	listener   *listener // of processes of a pool
}

// pendingSignal is a signal that a client asked for during a start.
type pendingSignal struct {
	sig syscall.Signal
	req Req
}

func newProcess(id ProcID, g *group, cfg *config.Process) *process {
	p := &process{id: id, group: g, config: cfg, state: api.Stopped}
	p.due = timer{index: -1, order: id, fire: func(c *Core) { c.due(p) }}
	p.stopReport = timer{index: -1, order: id, fire: func(c *Core) { c.reportStop(p) }}
	p.readyBy = timer{index: -1, order: id, fire: func(c *Core) { c.notReady(p) }}
	p.check = timer{index: -1, order: id, fire: func(c *Core) { c.checkDue(p) }}
	if g.pool != nil {
		p.listener = &listener{}
		p.listener.protocol.Reset()
	}
	return p
}

// spawning reports whether a start was asked for and not yet confirmed.
func (p *process) spawning() bool { return p.state == api.Starting && p.pid == 0 }

// transition changes the state, announces it and resolves the requests that
// waited for it. Nothing happens if p is in the state already.
func (c *Core) transition(p *process, to api.ProcessState, expected bool) {
	from := p.state
	if from == to {
		return
	}
	p.state = to
	p.group.count(from, to)
	c.changed = true
	if to != api.Running {
		c.endProbes(p)
	}
	if c.trace != nil {
		c.trace(p.id, from, to)
	}
	switch to {
	case api.Backoff:
		p.backoff++
	case api.Unknown:
		p.order = order{}
	}
	if typ := event.StateType(to); c.interest.Has(typ) {
		c.notify(typ, event.StateChange{
			Group: p.group.config.Name, Process: p.config.Name, From: from, To: to,
			PID: p.pid, Tries: p.backoff, Expected: expected,
		}.Payload())
	}
	c.resolve(p)
	c.stir()
}

// spawn begins a start. The process has no pid, and what it depends on is ready.
func (c *Core) spawn(p *process) {
	p.order = order{}
	if !p.start.IsZero() && !p.asked {
		p.restarts++
	}
	p.asked = false
	p.gen++
	p.adopted = false
	p.killing, p.stopOnStart = false, false
	p.spawnErr, p.hasExit = "", false
	p.startMono, p.start = c.now.Mono, c.now.Wall
	c.timers.clear(&p.due)
	c.transition(p, api.Starting, true)
	c.emit(Effect{Kind: Spawn, Proc: p.id, Gen: p.gen})
}

// started confirms a start.
func (c *Core) started(p *process, pid int) {
	if !p.spawning() {
		c.bug(p, "a start was confirmed that was not asked for")
		return
	}
	p.pid = pid
	p.spawnErr = ""
	if p.listener != nil {
		p.listener.reset()
	}
	c.logf(api.LevelInfo, "spawned: '%s' with pid %d", p.config.Name, pid)
	c.resolve(p)
	c.sendPending(p)
	if p.stopOnStart {
		p.stopOnStart = false
		c.kill(p, p.config.StopSignal)
		return
	}
	c.beginProbes(p)
	if ready := p.startMono + p.config.StartSecs; ready > c.now.Mono {
		c.timers.set(&p.due, ready)
	} else {
		c.startSucceeded(p)
	}
}

// spawnFailed ends a start for which no process ever existed.
func (c *Core) spawnFailed(p *process, reason string) {
	if !p.spawning() {
		c.bug(p, "a start failed that was not asked for")
		return
	}
	p.spawnErr, p.lastWords, p.result = reason, "", statusNotStarted
	c.log(api.LevelInfo, "spawnerr: "+reason)
	stop := p.stopOnStart
	p.stopOnStart = false
	c.failPending(p)
	c.transition(p, api.Backoff, true)
	if stop {
		c.kill(p, p.config.StopSignal)
		return
	}
	c.settle(p)
}

// startSucceeded ends a start: the process has run for startsecs.
func (c *Core) startSucceeded(p *process) {
	c.timers.clear(&p.due)
	if p.isFound() {
		p.backoff = 0
	}
	c.transition(p, api.Running, true)
	c.emit(Effect{Kind: Up, Proc: p.id})
	c.logf(api.LevelInfo, "success: %s entered RUNNING state, process has stayed up for > than %d seconds (startsecs)",
		p.config.Name, p.config.StartSecs/time.Second)
	if p.isFound() {
		c.becameReady(p)
	}
}

// exited takes the end of a process.
func (c *Core) exited(p *process, exit Exit, lastWords string) {
	if p.pid == 0 {
		c.bug(p, "a process ended that did not run")
		return
	}
	c.timers.clear(&p.due)
	c.timers.clear(&p.stopReport)
	p.stop, p.result = c.now.Wall, exit.ShellStatus()
	expected := p.expects(exit)
	switch {
	case p.killing:
		p.killing = false
		p.exit, p.hasExit = exit, true
		if p.order.failed != "" {
			p.spawnErr, p.order.failed = p.order.failed, ""
			c.transition(p, api.Backoff, true)
		} else {
			c.transition(p, api.Stopped, true)
		}
		c.logf(infoIf(expected), "stopped: %s (%s)", p.config.Name, exit)
	case p.state == api.Starting:
		p.exitText, p.lastWords = exit.String(), lastWords
		p.spawnErr = "Exited too quickly (process log may have details)"
		c.transition(p, api.Backoff, true)
		c.logf(api.LevelWarn, "exited: %s (%s; not expected)", p.config.Name, exit)
	default:
		// RUNNING, or UNKNOWN after a signal that could not be sent.
		p.backoff = 0
		p.exit, p.hasExit = exit, true
		p.exitText, p.lastWords = exit.String(), ""
		outcome := "expected"
		if !expected {
			p.lastWords = lastWords
			p.spawnErr = "Bad exit code " + exit.code()
			outcome = "not expected"
		}
		autorestart := p.state == api.Running
		c.transition(p, api.Exited, expected)
		c.logf(infoIf(expected), "exited: %s (%s; %s)", p.config.Name, exit, outcome)
		if !autorestart {
			c.finish(p)
			c.lost(p)
			return
		}
	}
	c.finish(p)
	c.settle(p)
}

// finish releases what belonged to the process that ended.
func (c *Core) finish(p *process) {
	p.pid = 0
	c.emit(Effect{Kind: Release, Proc: p.id})
	if p.listener != nil {
		c.returnEvent(p)
	}
}

// expects reports whether the exit status is one of exitcodes.
func (p *process) expects(exit Exit) bool {
	if exit.Unknown {
		return false
	}
	status := exit.Status()
	for _, code := range p.config.ExitCodes {
		if code == status {
			return true
		}
	}
	return false
}

// settle decides what follows from a state that a process cannot stay in:
// EXITED may restart it, BACKOFF tries again or gives up.
func (c *Core) settle(p *process) {
	switch p.state {
	case api.Stopped:
		c.ended(p)
	case api.Exited:
		if p.order.held {
			c.ended(p)
			return
		}
		if c.mood != api.MoodRunning {
			return
		}
		if p.config.Autorestart == config.RestartAlways ||
			p.config.Autorestart == config.RestartUnexpected && !p.expects(p.exit) {
			c.restart(p)
		} else {
			c.lost(p)
		}
	case api.Backoff:
		switch {
		case p.order.held:
			c.release(p)
		case c.shutdown.reached(p.group):
			c.giveUp(p)
		case p.config.StartRetries != config.RetryForEver && p.backoff > p.config.StartRetries:
			c.giveUp(p)
			c.logf(api.LevelInfo, "gave up: %s entered FATAL state, too many start retries too quickly", p.config.Name)
			c.lost(p)
		default:
			c.pause(p, backoffPause(p.config, p.backoff))
		}
	case api.Starting, api.Running, api.Stopping, api.Fatal, api.Unknown:
	}
}

// giveUp ends the attempts to start a process in BACKOFF.
func (c *Core) giveUp(p *process) {
	c.timers.clear(&p.due)
	p.backoff = 0
	c.transition(p, api.Fatal, true)
}

// due acts at the deadline of the state.
func (c *Core) due(p *process) {
	switch p.state {
	case api.Starting:
		c.startSucceeded(p)
	case api.Backoff, api.Exited:
		if c.mood == api.MoodRunning {
			c.start(p)
		}
	case api.Stopping:
		c.logf(api.LevelWarn, "killing '%s' (%d) with SIGKILL", p.config.Name, p.pid)
		c.kill(p, syscall.SIGKILL)
	case api.Stopped, api.Running, api.Fatal, api.Unknown:
		c.bug(p, "a deadline came in a state that has none")
	}
}

// kill sends a signal that is meant to end the process. A process that waits
// for its next start is stopped by it without a signal.
func (c *Core) kill(p *process, sig syscall.Signal) {
	if p.isPausing() || p.state == api.Backoff {
		c.logf(api.LevelDebug, "Attempted to kill %s, which is in %s state.", p.config.Name, p.state)
		c.timers.clear(&p.due)
		c.transition(p, api.Stopped, true)
		return
	}
	switch p.state {
	case api.Starting:
		if p.spawning() {
			p.stopOnStart = true
			return
		}
	case api.Running, api.Stopping:
	case api.Stopped, api.Exited, api.Backoff, api.Fatal, api.Unknown:
		c.bug(p, "a stop came in a state that has no process")
		return
	}
	asGroup, where := p.config.StopAsGroup, ""
	if p.state == api.Stopping {
		asGroup = p.config.KillAsGroup
	}
	if asGroup {
		where = "process group "
	}
	c.logf(api.LevelDebug, "killing %s (pid %d) %swith signal %s", p.config.Name, p.pid, where, api.SignalName(sig))
	patience := p.config.StopWaitSecs
	if sig == syscall.SIGKILL {
		patience = max(patience, minKillInterval)
	}
	p.killing = true
	c.timers.set(&p.due, c.now.Mono+patience)
	c.transition(p, api.Stopping, true)
	c.emit(Effect{Kind: Kill, Proc: p.id, Gen: p.gen, PID: p.pid, AsGroup: asGroup, Sig: sig})
}

// signal sends a signal that is not meant to end the process; req is answered
// when it was sent.
func (c *Core) signal(p *process, sig syscall.Signal, req Req) {
	if p.spawning() {
		p.signalsOnStart = append(p.signalsOnStart, pendingSignal{sig, req})
		return
	}
	c.logf(api.LevelDebug, "sending %s (pid %d) sig %s", p.config.Name, p.pid, api.SignalName(sig))
	c.emit(Effect{Kind: Kill, Proc: p.id, Gen: p.gen, PID: p.pid, Sig: sig, Req: req})
}

// sendPending sends the signals that waited for the start.
func (c *Core) sendPending(p *process) {
	pending := p.signalsOnStart
	p.signalsOnStart = nil
	for _, s := range pending {
		c.signal(p, s.sig, s.req)
	}
}

// failPending answers the signals that waited for a start that failed.
func (c *Core) failPending(p *process) {
	for _, s := range p.signalsOnStart {
		c.answerSignal(p, s.req, api.NewFault(api.NotRunning))
	}
	p.signalsOnStart = nil
}

// signaled takes the result of a signal.
func (c *Core) signaled(ev Signaled) {
	p := c.procs[ev.Proc]
	if p == nil {
		return
	}
	if p.gen != ev.Gen {
		c.answerSignal(p, ev.Req, nil)
		return
	}
	if ev.Gone {
		c.logf(api.LevelDebug, "unable to signal %s (pid %d), it probably just exited on its own: %s",
			p.config.Name, p.pid, noSuchProcess)
	}
	if ev.Problem == "" || ev.Gone {
		if ev.Req == 0 {
			c.stopSent(p)
		}
		c.answerSignal(p, ev.Req, nil)
		return
	}
	var text string
	if ev.Req != 0 {
		text = "unknown problem sending sig " + p.config.Name + " (" + strconv.Itoa(p.pid) + "): " + ev.Problem
	} else {
		text = "unknown problem killing " + p.config.Name + " (" + strconv.Itoa(p.pid) + "): " + ev.Problem
	}
	c.log(api.LevelCritical, text)
	if p.pid != 0 {
		p.killing = false
		p.problem = text
		c.timers.clear(&p.due)
		c.timers.clear(&p.stopReport)
		c.transition(p, api.Unknown, true)
	}
	c.answerSignal(p, ev.Req, api.NewFault(api.Failed, text))
}

// noSuchProcess is what the original's log says of a signal to a process that
// has gone.
const noSuchProcess = "[Errno 3] No such process"

// reportStop says that a client waits for the process to stop, now and again.
func (c *Core) reportStop(p *process) {
	if p.state != api.Stopping {
		return
	}
	c.logf(api.LevelInfo, "waiting for %s to stop", p.config.Name)
	c.timers.set(&p.stopReport, c.now.Mono+stopReportInterval)
}

// bug reports an event that cannot happen in this state. The process is left
// as it is: doing nothing is safer than guessing.
func (c *Core) bug(p *process, what string) {
	c.logf(api.LevelCritical, "bug: %s: %s in state %s", p.config.Name, what, p.state)
}

func infoIf(expected bool) api.LogLevel {
	if expected {
		return api.LevelInfo
	}
	return api.LevelWarn
}
