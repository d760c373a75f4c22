package sim

import (
	"slices"
	"syscall"
	"time"

	"supervisord/internal/api"
	"supervisord/internal/config"
	"supervisord/internal/core"
)

// A model is what the manual says of one process (Subprocess, process states),
// and of the options that decide about it. It watches the core from outside and
// shares nothing with it: it sees changes of state, what was asked of the
// system, and the events from which they followed.
type model struct {
	since    time.Duration // when the present state began
	started  time.Duration // when STARTING began
	failures int           // starts that failed since the last that succeeded
	words    string        // the last of the process, if its end was a failure
	owed     bool          // a restart, by autorestart, after restart_delay
	waiting  bool          // for what it depends on, as the core says
	released bool          // a client's stop was the last that was asked of it
	taken    bool          // so was one of something that it depends on
	back     bool          // it is to be started when it has ended, as one before has left it
	vital    vital
	restarts int  // as the core counts them
	healed   bool // the last start was one for the health of the process
	// The step in which the process was last in each state, for those who
	// waited for it.
	seen map[api.ProcessState]int
}

// asked reports whether the event is one that may start processes.
func asked(ev core.Event) bool {
	_, boot := ev.(core.Boot)
	return boot || asks(ev, starts)
}

// What clients can ask for to start and to stop processes.
var (
	starts = []core.Op{core.OpStart, core.OpStartGroup, core.OpStartAll, core.OpAddGroup}
	stops  = []core.Op{core.OpStop, core.OpStopGroup, core.OpStopAll}
)

// asks reports whether the event is one of these requests.
func asks(ev core.Event, ops []core.Op) bool {
	cmd, ok := ev.(core.Command)
	return ok && slices.Contains(ops, cmd.Op)
}

// pause is what the manual says of the pause that a process is in: the least
// and the most of it.
func (p *process) pause() (least, most time.Duration) {
	cfg := p.config
	d, unit := float64(cfg.RestartDelay), float64(cfg.RestartDelay)
	if p.state == api.Backoff {
		if unit == 0 {
			unit = float64(time.Second)
		}
		d = unit
		for n := 1; n < p.model.failures && d < float64(24*time.Hour); n++ {
			if cfg.BackoffFactor == 0 {
				d += unit
			} else {
				d *= cfg.BackoffFactor
			}
		}
		d = min(d, float64(24*time.Hour))
		if cfg.BackoffMax > 0 {
			d = min(d, float64(cfg.BackoffMax))
		}
	}
	// Floating point numbers may differ in the last place.
	return time.Duration(d) - time.Microsecond, time.Duration(d*(1+cfg.BackoffJitter)) + time.Microsecond
}

// moved checks a change of state against the model: whether the event can have
// caused it, and whether it is time for it.
func (w *World) moved(p *process, from, to api.ProcessState) {
	m := &p.model
	now := w.now.Mono
	switch to {
	case api.Starting:
		w.mayStart(p, from)
		m.started, m.owed, m.released, m.taken, m.back = now, false, false, false, false
		m.healed = m.vital.again && !m.vital.told && !asked(w.cause)
		m.vital = vital{}
	case api.Running:
		if now < m.started+p.config.StartSecs {
			w.fail("%s is RUNNING %v after its start, startsecs is %v", p.name, now-m.started, p.config.StartSecs)
		}
		if p.isFound() {
			m.failures = 0
		}
	case api.Backoff:
		m.failures++
		if from == api.Stopping {
			if _, ok := w.cause.(core.Exited); !ok || !m.vital.late {
				w.fail("%s was stopped and is in BACKOFF because of %T", p.name, w.cause)
			}
			break
		}
		switch ev := w.cause.(type) {
		case core.SpawnFailed:
			m.words = ""
		case core.Exited:
			m.words = ev.LastWords
		default:
			w.fail("%s failed to start because of %T", p.name, w.cause)
		}
	case api.Fatal:
		if m.failures <= p.config.StartRetries && !w.ending {
			w.fail("%s was given up after %d failures, startretries is %d", p.name, m.failures, p.config.StartRetries)
		}
		if p.config.StartRetries == config.RetryForEver && !w.ending {
			w.fail("%s was given up, which is to be tried for ever", p.name)
		}
		m.failures = 0
		w.lost(p, to)
	case api.Exited:
		m.failures = 0
		ev, ok := w.cause.(core.Exited)
		if m.words = ev.LastWords; expected(p.config, ev.Exit) {
			m.words = ""
		}
		switch {
		case !ok:
			w.fail("%s has EXITED because of %T", p.name, w.cause)
		case from == api.Running && restarts(p.config, ev.Exit):
			m.owed = !w.ending
		default:
			w.lost(p, to)
		}
	case api.Stopped:
		// It does not end a series of failures: only a start that succeeds does.
		if _, ok := w.cause.(core.Exited); !ok && from == api.Stopping {
			w.fail("%s is STOPPED because of %T", p.name, w.cause)
		}
		if from == api.Exited && (!m.owed || !asks(w.cause, stops)) {
			w.fail("%s is STOPPED because of %T, a restart being owed: %t", p.name, w.cause, m.owed)
		}
		if from == api.Stopping && m.vital.late && !m.vital.told {
			w.fail("%s was not ready in time, which is not a failed start", p.name)
		}
		m.owed = false
	case api.Stopping:
		w.stopping(p)
	case api.Unknown:
		m.vital.again = false // It could not be stopped.
	}
	m.since = now
	m.seen[to] = w.steps
}

// mayStart checks the reason of a start.
func (w *World) mayStart(p *process, from api.ProcessState) {
	m := &p.model
	if name := w.blocked(p); name != "" {
		w.fail("%s is started before %s is ready", p.name, name)
	}
	switch {
	case from == api.Backoff:
		if asked(w.cause) {
			break
		}
		w.mayBeTime(p)
		if m.failures > p.config.StartRetries && p.config.StartRetries != config.RetryForEver {
			w.fail("%s is tried again after %d failures, startretries is %d", p.name, m.failures, p.config.StartRetries)
		}
		if w.ending {
			w.fail("%s is tried again in a shutdown", p.name)
		}
	case (m.waiting || m.vital.again) && !w.ending:
	case from == api.Exited && m.owed && !asked(w.cause):
		w.mayBeTime(p)
	case (m.waiting || m.taken && !m.released) && !w.ending:
	case !asked(w.cause):
		w.fail("%s is started from %s because of %T", p.name, from, w.cause)
	case w.ending:
		w.fail("%s is started in a shutdown", p.name)
	}
}

// mayBeTime checks that the pause before a start is over.
func (w *World) mayBeTime(p *process) {
	least, _ := p.pause()
	if due := p.model.since + least; w.now.Mono < due {
		w.fail("%s is started %v too early", p.name, due-w.now.Mono)
	}
}

// lost notes that a process has ended for good, which may end supervisord, and
// with which status.
func (w *World) lost(p *process, state api.ProcessState) {
	ends := p.config.ExitOn == config.ExitOnExit || p.config.ExitOn == config.ExitOnFatal && state == api.Fatal
	stopped := p.state == api.Running && (p.model.released || p.model.taken) // It ended before its turn came.
	if w.ending || !ends || stopped {
		return
	}
	w.ending = true
	w.status = 127 // of one that was not started
	if ev, ok := w.cause.(core.Exited); ok {
		w.status = ev.Exit.Code
		if ev.Exit.Unknown {
			w.status = 255
		}
		if ev.Exit.Signal != 0 {
			w.status = 128 + int(ev.Exit.Signal)
		}
		if state == api.Fatal && w.status == 0 {
			w.status = 1
		}
	}
}

// expected reports whether a program may end so.
func expected(p *config.Process, e core.Exit) bool {
	return e.Signal == 0 && !e.Unknown && slices.Contains(p.ExitCodes, e.Code)
}

// restarts is the table of the manual for autorestart.
func restarts(p *config.Process, e core.Exit) bool {
	switch p.Autorestart {
	case config.RestartAlways:
		return true
	case config.RestartUnexpected:
		return !expected(p, e)
	case config.RestartNever:
	}
	return false
}

// rested checks what must not be left undone at the end of a step.
func (w *World) rested() {
	runs := 0
	for _, m := range w.moves {
		if m.to == api.Running {
			runs++
		}
	}
	if runs != w.ups {
		w.fail("%d processes are RUNNING since this step, %d are said to be up", runs, w.ups)
	}
	if running := w.core.Mood() == api.MoodRunning; running == w.ending {
		w.fail("the mood is %v, and that there was a reason to end is %t", w.core.Mood(), w.ending)
	}
	if w.finished && w.exited != w.status {
		w.fail("supervisord exits with %d in place of %d", w.exited, w.status)
	}
	for _, p := range w.procs {
		m := &p.model
		_, pause := p.pause()
		m.owed = m.owed && !w.ending
		m.back = m.back && !w.ending && !m.released
		switch {
		case m.back && p.state == api.Stopped && !m.waiting:
			w.fail("%s was not started again after the stop that was left", p.name)
		case m.owed && (m.waiting || m.released):
			m.owed = false
		case m.owed && (p.config.RestartDelay == 0 || w.now.Mono > m.since+pause):
			w.fail("%s was not started again", p.name)
		case p.state == api.Backoff && !w.ending && !m.waiting && w.now.Mono > m.since+pause:
			w.fail("%s was not tried again", p.name)
		case p.state == api.Backoff && m.failures > p.config.StartRetries && p.config.StartRetries != config.RetryForEver:
			w.fail("%s was not given up after %d failures", p.name, m.failures)
		}
	}
}

// killed checks a signal that is not a client's.
func (w *World) killed(p *process, e *core.Effect) {
	if e.Req != 0 {
		return
	}
	if p.state != api.Stopping && !w.movesTo(p.id, api.Stopping) {
		w.fail("%s gets %v in state %s", p.name, e.Sig, p.state)
		return
	}
	if e.Sig != syscall.SIGKILL || p.config.StopSignal == syscall.SIGKILL {
		return
	}
	if w.now.Mono < p.model.since+p.config.StopWaitSecs {
		w.fail("%s gets SIGKILL %v after its stop, stopwaitsecs is %v", p.name, w.now.Mono-p.model.since, p.config.StopWaitSecs)
	}
}

// movesTo reports whether a process enters the state in the present step.
func (w *World) movesTo(id core.ProcID, to api.ProcessState) bool {
	return slices.ContainsFunc(w.moves, func(m move) bool { return m.id == id && m.to == to })
}

// answered checks what a client hears that waited for one process.
func (w *World) answered(q request, reply *core.Reply) {
	if !q.command.Wait || reply.Fault != nil {
		return
	}
	p := w.procs[q.proc]
	if p == nil {
		return
	}
	var state api.ProcessState
	switch q.command.Op {
	case core.OpStart:
		state = api.Running
	case core.OpStop:
		// What waited for others, or ended before its turn came, stays EXITED.
		if w.latest(p).IsStopped() && len(p.config.DependsOn)+len(w.dependents(p)) > 0 {
			return
		}
		state = api.Stopped
	default:
		return
	}
	if state == api.Running && !p.isFound() {
		w.fail("a client heard that %s is started, which is not ready", p.name)
	}
	if seen, ok := p.model.seen[state]; (!ok || seen < q.step) && !w.movesTo(p.id, state) {
		w.fail("a client heard that %s is %s, which it was not since the request", p.name, state)
	}
}
