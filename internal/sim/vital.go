package sim

import (
	"fmt"
	"slices"
	"strings"
	"time"

	"supervisord/internal/api"
	"supervisord/internal/config"
	"supervisord/internal/core"
)

// probeGrace is how much longer than the probe may take its answer may take.
const probeGrace = 5 * time.Second

// vital is what the manual says of the probes of one process (ready and health).
// It begins anew with each start.
type vital struct {
	up    bool // the start was confirmed
	found bool // the probe of ready has succeeded
	ready bool // and the process is RUNNING
	// overdue says that the process has not become ready in time.
	overdue bool
	sign    bool // a sign of life has come since the last look for one
	asked   bool // a probe is going on
	health  bool // it is the one of health
	due     time.Duration
	// failures are the checks of health that failed in a row.
	failures int
	// late says that the process is stopped because it was not ready in time,
	// again that it is because of its health, and told that there may have been
	// another reason.
	late, again, told bool
	// adopted is when a supervisord took the process back.
	adopted time.Duration
}

// drawVital makes up the probes of a program.
func (w *World) drawVital(p *config.Process) {
	if !w.probed {
		return
	}
	kinds := []config.ProbeKind{config.NoProbe, config.ProbeTCP, config.ProbeNotify}
	secs := func(least, n int) time.Duration { return time.Duration(least+w.rand.IntN(n)) * time.Second }
	p.Ready.Kind = kinds[w.rand.IntN(len(kinds))]
	p.Ready.Text = "ready"
	p.Ready.Timeout, p.Ready.Interval = secs(0, 20), secs(1, 3)
	p.Health.Kind = kinds[w.rand.IntN(len(kinds))]
	p.Health.Text = "health"
	p.Health.Timeout, p.Health.Interval = secs(1, 5), secs(1, 5)
	p.Health.Retries = 1 + w.rand.IntN(3)
}

// isFound reports whether nothing but its state keeps a process from being
// ready.
func (p *process) isFound() bool { return p.config.Ready.Kind == config.NoProbe || p.model.vital.found }

// lives reports whether a process is one that probes are about.
func (p *process) lives() bool { return p.state == api.Starting || p.state == api.Running }

// expired reports whether the time is over in which a process is to become
// ready.
func (w *World) expired(p *process) bool {
	limit := p.config.Ready.Timeout
	return limit > 0 && p.lives() && p.model.vital.up && !p.isFound() && w.now.Mono >= max(p.model.started, p.model.vital.adopted)+limit
}

// isSick reports whether enough checks of a process have failed.
func (p *process) isSick() bool {
	return p.config.Health.Kind != config.NoProbe && p.model.vital.failures >= p.config.Health.Retries
}

// elapse notes what follows for the probes from the time that has passed, which
// comes before the event of the step.
func (w *World) elapse() {
	for _, p := range w.procs {
		v := &p.model.vital
		v.overdue = v.overdue || w.expired(p)
		switch {
		case !p.lives() || w.now.Mono < v.due:
		case v.asked:
			w.judge(p, false)
		case v.ready && p.config.Health.IsPassive():
			w.judge(p, v.sign || p.foreign) // One that was adopted is not heard.
			v.sign = false
		}
	}
}

// judge notes the outcome of a probe.
func (w *World) judge(p *process, good bool) {
	v := &p.model.vital
	v.asked = false
	switch {
	case !v.ready && good:
		v.found = true
	case !v.ready:
		v.due = w.now.Mono + p.config.Ready.Interval
	default:
		v.due = w.now.Mono + p.config.Health.Interval
		if v.failures++; good {
			v.failures = 0
		}
	}
}

// heard notes what an event says of the health of a process.
func (w *World) heard(ev core.Event) {
	switch ev := ev.(type) {
	case core.Started:
		if p := w.procs[ev.Proc]; p != nil && p.gen == ev.Gen {
			p.model.vital.up = true
		}
	case core.Probed:
		p := w.procs[ev.Proc]
		if p == nil || p.gen != ev.Gen || !p.lives() {
			return
		}
		if v := &p.model.vital; v.asked && v.health == ev.Health {
			w.judge(p, ev.Reason == "")
		}
	case core.Notified:
		p := w.procs[ev.Proc]
		if p == nil || p.gen != ev.Gen || !p.lives() {
			return
		}
		v := &p.model.vital
		v.sign = v.sign || ev.Alive
		v.found = v.found || ev.Ready && p.config.Ready.IsPassive()
	}
}

// probe answers a probe later, or never, and checks that it is time for it.
func (w *World) probe(e *core.Effect) {
	p := w.procs[e.Proc]
	if p == nil || p.gen != e.Gen || !p.lives() && w.latest(p) != api.Running {
		w.fail("process %d is probed and does not run", e.Proc)
		return
	}
	v := &p.model.vital
	kind, limit := p.config.Ready.Kind, core.ReadyTimeout
	if e.Health {
		kind, limit = p.config.Health.Kind, p.config.Health.Timeout
	}
	switch {
	case v.asked:
		w.fail("%s is probed twice at a time", p.name)
	case kind != config.ProbeTCP:
		w.fail("%s is probed and has nothing to probe", p.name)
	case e.Health != v.ready:
		w.fail("%s is probed for its health: %t, and is ready: %t", p.name, e.Health, v.ready)
	case w.now.Mono < v.due:
		w.fail("%s is probed %v too early", p.name, v.due-w.now.Mono)
	}
	v.asked, v.health, v.due = true, e.Health, w.now.Mono+limit+probeGrace
	answer := core.Probed{Proc: e.Proc, Gen: e.Gen, Health: e.Health}
	switch w.rand.IntN(8) {
	case 0:
		return
	case 1, 2, 3:
		answer.Reason = "no luck"
	}
	w.news = append(w.news, answer)
}

// announce has a process say something of itself, rarely one that has gone.
func (w *World) announce(p *process) {
	if p.foreign {
		return // It says so to the one that was killed.
	}
	gen := p.gen
	if w.rand.IntN(10) == 0 {
		gen--
	}
	w.news = append(w.news, core.Notified{
		Proc: p.id, Gen: gen, Ready: w.rand.IntN(2) == 0, Alive: w.rand.IntN(2) == 0,
		HasStatus: w.rand.IntN(4) == 0, Status: "busy",
	})
}

// stopping checks that there is a reason for a stop.
func (w *World) stopping(p *process) {
	v := &p.model.vital
	v.told = w.ending || p.model.released || p.model.taken || w.stopAsked(p) || w.needsAsked(p)
	v.late = v.overdue
	v.again = !v.late && p.isSick()
	v.asked = false
	if v.again {
		w.sick[fmt.Sprintf("processname:%s groupname:%s pid:%d failures:%d", p.config.Name, p.group, p.pid, v.failures)] = v.told
	}
	if !v.told && !v.late && !v.again {
		w.fail("%s is stopped because of %T, after %d failures", p.name, w.cause, v.failures)
	}
}

// unhealthy is the event that tells of a restart for the health of a process.
const unhealthy = "PROCESS_UNHEALTHY"

// announced checks that the pools that want it have heard of each process that is
// restarted for its health in this step, once, and of no others.
func (w *World) announced() {
	if len(w.sick) == 0 {
		return
	}
	for _, g := range w.core.Snapshot().Groups {
		if g.Pool == nil {
			continue
		}
		list := g.Pool.Buffer
		wanted := false
		for i := range g.Processes {
			if l := g.Processes[i].Listener; l != nil && l.Current != nil {
				list = append(list, *l.Current)
			}
			if p := w.procs[g.Processes[i].ID]; p != nil {
				wanted = slices.Contains(p.events, unhealthy)
			}
		}
		for text, optional := range w.sick {
			n := 0
			for _, e := range list {
				head, _, _ := strings.Cut(string(e.Payload), "\n")
				if e.Type == unhealthy && head == text {
					n++
				}
			}
			if !wanted && n > 0 || wanted && n != 1 && !optional && !w.overflowed {
				w.fail("a pool that wants it: %t, was told %d times of %s", wanted, n, text)
			}
		}
	}
}

// minded checks that what follows from the probes of a process has followed.
func (w *World) minded(p *process, info *api.ProcessInfo) {
	v := &p.model.vital
	if p.state == api.Running && p.isFound() && !v.ready {
		v.ready, v.due = true, w.now.Mono+p.config.Health.Interval
		p.model.failures = 0
	}
	v.told = v.told || w.ending || w.stopAsked(p) || w.needsAsked(p)
	held := w.ending || p.model.released || p.model.taken
	switch {
	case p.lives() && v.overdue && !held:
		w.fail("%s is not ready in time and was not stopped", p.name)
	case v.ready && p.state == api.Running && p.isSick() && !held:
		w.fail("%s was not restarted after %d failures", p.name, v.failures)
	case v.ready && p.state == api.Running && p.config.Health.Kind == config.ProbeTCP && !held && w.now.Mono >= v.due && !v.asked:
		w.fail("the health of %s is not checked any more", p.name)
	case p.lives() && v.up && !p.isFound() && p.config.Ready.Kind == config.ProbeTCP && !held && w.now.Mono >= v.due && !v.asked:
		w.fail("whether %s is ready is not looked for any more", p.name)
	case p.state == api.Stopped && v.again && !v.told && info.Waiting == "":
		w.fail("%s was not started again after it was stopped for its health", p.name)
	}
	if want := v.ready && p.state == api.Running; info.HasReady && info.Ready != want && !held {
		w.fail("%s is ready: %t, the core says %t", p.name, want, info.Ready)
	}
}

// counted checks the number of restarts: those for the health count, those that
// a client asks for do not.
func (w *World) counted(p *process, info *api.ProcessInfo) {
	m := &p.model
	more := info.Restarts - m.restarts
	m.restarts = info.Restarts
	if !w.movesTo(p.id, api.Starting) {
		if more != 0 {
			w.fail("%s is not started, and its restarts are %d more", p.name, more)
		}
		return
	}
	cmd, ok := w.cause.(core.Command)
	switch {
	case m.healed && more != 1:
		w.fail("a restart for the health of %s counts %d", p.name, more)
	case ok && cmd.Op == core.OpStart && cmd.Name == p.name && w.earlier(p) != api.Starting && more != 0:
		w.fail("a start of %s that a client asked for counts %d", p.name, more)
	case more < 0 || more > 1:
		w.fail("the restarts of %s are %d more", p.name, more)
	}
}

// awaited checks that clients that wait for a start wait for something.
func (w *World) awaited() {
	for req, q := range w.unsettled {
		p := w.procs[q.proc]
		if p == nil || q.command.Op != core.OpStart {
			continue
		}
		if done := p.state != api.Starting && (p.state != api.Running || p.model.vital.ready); done && !p.model.waiting {
			w.fail("request %d still waits for the start of %s, which is %s", req, p.name, p.state)
		}
	}
}
