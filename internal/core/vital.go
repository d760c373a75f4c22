package core

import (
	"fmt"
	"time"

	"supervisord/internal/api"
	"supervisord/internal/config"
	"supervisord/internal/event"
)

// ReadyTimeout is how long one attempt of a probe of ready= may take.
const ReadyTimeout = 10 * time.Second

// probeGrace is how long after its time the answer of a probe may come.
const probeGrace = 5 * time.Second

// vital is what the probes of ready= and health= have found out about a process
// since its start. It is plain data.
type vital struct {
	// found says that the probe of ready= succeeded.
	found bool
	// probing says that the answer of a probe is awaited.
	probing bool
	// sign says that a process that gives signs of health by itself has done so
	// since the last check.
	sign bool
	// failures counts the checks of health= that failed in a row, and reason is
	// why the last probe of either kind did.
	failures int
	reason   string
	// status is what the process says of itself (STATUS= of sd_notify).
	status string
}

// isFound reports whether nothing but its state keeps the process from being
// ready.
func (p *process) isFound() bool { return p.config.Ready.Kind == config.NoProbe || p.vital.found }

// beginProbes asks whether a process that was started is ready. It may have
// said so itself before its start was confirmed.
func (c *Core) beginProbes(p *process) {
	r := &p.config.Ready
	if p.isFound() {
		return
	}
	if r.Timeout > 0 {
		c.timers.set(&p.readyBy, max(p.startMono+r.Timeout, c.now.Mono))
	}
	if !r.IsPassive() {
		c.probe(p)
	}
}

// endProbes forgets what the probes of a process found out.
func (c *Core) endProbes(p *process) {
	c.timers.clear(&p.readyBy)
	c.timers.clear(&p.check)
	p.vital = vital{}
}

// checksHealth reports whether the probe whose turn it is is that of health=.
func (p *process) checksHealth() bool { return p.isFound() }

// probe has the process probed once.
func (c *Core) probe(p *process) {
	health := p.checksHealth()
	limit := ReadyTimeout
	if health {
		limit = p.config.Health.Timeout
	}
	p.vital.probing = true
	c.timers.set(&p.check, c.now.Mono+limit+probeGrace)
	c.emit(Effect{Kind: Probe, Proc: p.id, Gen: p.gen, Health: health})
}

// probeAgain asks anew what no answer will come to.
func (c *Core) probeAgain() {
	for _, g := range c.groups {
		for _, p := range g.processes {
			if p.vital.probing {
				c.probe(p)
			}
		}
	}
}

// probed takes the answer of a probe.
func (c *Core) probed(ev Probed) {
	p := c.current(ev.Proc, ev.Gen)
	if p == nil || !p.vital.probing || p.checksHealth() != ev.Health {
		return
	}
	p.vital.probing = false
	c.judge(p, ev.Reason)
}

// judge draws the conclusion from a probe, which failed if there is a reason.
func (c *Core) judge(p *process, reason string) {
	v := &p.vital
	if v.reason != reason {
		v.reason = reason
		c.changed = true
	}
	switch {
	case !p.checksHealth() && reason == "":
		c.found(p)
	case !p.checksHealth():
		c.timers.set(&p.check, c.now.Mono+p.config.Ready.Interval)
	case reason == "":
		v.failures = 0
		c.timers.set(&p.check, c.now.Mono+p.config.Health.Interval)
	default:
		v.failures++
		c.timers.set(&p.check, c.now.Mono+p.config.Health.Interval)
		if v.failures >= p.config.Health.Retries {
			c.unhealthy(p)
		}
	}
}

// checkDue acts when it is time for the next probe, or an answer is overdue.
func (c *Core) checkDue(p *process) {
	v := &p.vital
	switch {
	case v.probing:
		v.probing = false
		c.judge(p, "no answer")
	case !p.checksHealth() || !p.config.Health.IsPassive():
		c.probe(p)
	case v.sign:
		v.sign = false
		c.judge(p, "")
	case p.config.Health.Kind == config.ProbeNotify && p.adopted:
		c.judge(p, "") // It has nowhere to send its signs.
	default:
		c.judge(p, fmt.Sprintf("no sign of life for %d seconds", p.config.Health.Interval/time.Second))
	}
}

// notified takes what a process says of itself.
func (c *Core) notified(ev Notified) {
	p := c.current(ev.Proc, ev.Gen)
	if p == nil || p.state != api.Starting && p.state != api.Running {
		return
	}
	if ev.HasStatus && p.vital.status != ev.Status {
		p.vital.status = ev.Status
		c.changed = true
	}
	if ev.Alive {
		p.vital.sign = true
	}
	if ev.Ready && p.config.Ready.IsPassive() && !p.vital.found {
		c.found(p)
	}
}

// found says that the probe of ready= succeeded.
func (c *Core) found(p *process) {
	p.vital.found = true
	p.vital.reason = ""
	c.timers.clear(&p.readyBy)
	c.timers.clear(&p.check)
	c.changed = true
	c.note(p)
	if p.state == api.Running {
		c.becameReady(p)
	}
}

// becameReady follows from a start that succeeded and a probe that did.
func (c *Core) becameReady(p *process) {
	p.backoff = 0
	if p.config.Ready.Kind != config.NoProbe {
		c.logf(api.LevelInfo, "ready: %s (%s)", p.config.Name, p.config.Ready.Text)
	}
	if p.config.Health.Kind != config.NoProbe {
		c.timers.set(&p.check, c.now.Mono+p.config.Health.Interval)
	}
	c.stir()
	c.resolve(p)
}

// notReady ends a start that took too long: the process is stopped, and what
// follows is what follows when a process ends too quickly.
func (c *Core) notReady(p *process) {
	if p.order.held || c.mood != api.MoodRunning {
		return // It is to be stopped in any case, in its turn.
	}
	text := fmt.Sprintf("not ready after %d seconds", p.config.Ready.Timeout/time.Second)
	if p.vital.reason != "" {
		text += ": " + p.vital.reason
	}
	c.logf(api.LevelWarn, "%s: %s (%s); stopping it", p.config.Name, text, p.config.Ready.Text)
	p.order.failed = text
	c.kill(p, p.config.StopSignal)
}

// unhealthy restarts a process that does not work any more.
func (c *Core) unhealthy(p *process) {
	if p.order.held || c.mood != api.MoodRunning {
		return // It is to be stopped in any case, in its turn.
	}
	reason, failures := p.vital.reason, p.vital.failures
	c.logf(api.LevelWarn, "%s is not healthy: %s (%s, %d times in a row); restarting it",
		p.config.Name, reason, p.config.Health.Text, failures)
	c.notify(event.ProcessUnhealthy, event.Unhealthy{
		Group: p.group.config.Name, Process: p.config.Name, PID: p.pid, Failures: failures, Reason: reason,
	}.Payload())
	p.order.again = true
	c.kill(p, p.config.StopSignal)
}

// health is what clients are told of the probe of health=.
func (p *process) health() string {
	switch {
	case p.config.Health.Kind == config.NoProbe || p.state != api.Running || !p.isFound():
		return ""
	case p.vital.failures > 0:
		return "failing: " + p.vital.reason
	}
	return "ok"
}
