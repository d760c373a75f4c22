package core

import (
	"slices"
	"strings"
	"syscall"
	"time"

	"supervisord/internal/api"
	"supervisord/internal/event"
)

// shutdownReportInterval is how often the activity log says what a shutdown
// waits for.
const shutdownReportInterval = 3 * time.Second

// shutdown is the progress of stopping everything, one group at a time.
type shutdown struct {
	begun    bool
	finished bool
	// remaining are the groups that are not stopped yet, in ascending order of
	// priority; the last one is being stopped.
	remaining []*group
	report    timer
	// status is what supervisord exits with; see lost.
	status int
}

// reached reports whether a group is being stopped, or is past it.
func (s *shutdown) reached(g *group) bool {
	if !s.begun {
		return false
	}
	i := slices.Index(s.remaining, g)
	return i < 0 || i == len(s.remaining)-1
}

// signalReceived reacts to a signal to supervisord itself (manual: Running
// Supervisor, signals).
func (c *Core) signalReceived(sig syscall.Signal) {
	name := api.SignalName(sig)
	switch sig {
	case syscall.SIGTERM, syscall.SIGINT, syscall.SIGQUIT:
		c.logf(api.LevelWarn, "received %s indicating exit request", name)
		c.setMood(api.MoodShutdown)
	case syscall.SIGHUP:
		if c.mood == api.MoodShutdown {
			c.logf(api.LevelWarn, "ignored %s indicating restart request (shutdown in progress)", name)
			return
		}
		c.logf(api.LevelWarn, "received %s indicating restart request", name)
		c.setMood(api.MoodRestarting)
	case syscall.SIGUSR2:
		c.logf(api.LevelInfo, "received %s indicating log reopen request", name)
		c.emit(Effect{Kind: ReopenLogs})
	default:
		c.logf(api.LevelBlather, "received %s indicating nothing", name)
	}
}

func (c *Core) setMood(m api.Mood) {
	if c.mood != m {
		c.mood = m
		c.changed = true
	}
}

// proceedShutdown takes a shutdown as far as it goes without waiting.
func (c *Core) proceedShutdown() {
	s := &c.shutdown
	if c.mood >= api.MoodRunning || s.finished {
		return
	}
	if !s.begun {
		s.begun = true
		s.remaining = c.groupsByPriority()
		for _, p := range c.allByPriority() {
			c.forgetStart(p)
		}
		c.notify(event.SupervisorStateChangeStopping, "")
		c.stopLast()
	}
	for len(s.remaining) > 0 && s.remaining[len(s.remaining)-1].unstopped == 0 {
		s.remaining = s.remaining[:len(s.remaining)-1]
		c.stopLast()
	}
	if len(s.remaining) == 0 {
		s.finished = true
		c.timers.clear(&s.report)
		c.emit(Effect{Kind: Finish, Restart: c.mood == api.MoodRestarting, Status: s.status})
		return
	}
	if s.report.index < 0 {
		c.shutdownReport()
	}
}

// stopLast begins to stop the group whose turn it is. Listeners that are still
// running are sent what happened before, and so not the last news of the group
// that was stopped before theirs.
func (c *Core) stopLast() {
	if n := len(c.shutdown.remaining); n > 0 {
		c.stopGroup(c.shutdown.remaining[n-1])
		c.dispatch()
	}
}

// shutdownReport says what the shutdown waits for, now and again.
func (c *Core) shutdownReport() {
	var names, states []string
	for _, g := range c.groups {
		for _, p := range g.processes {
			if !p.state.IsStopped() {
				names = append(names, p.config.Name)
				states = append(states, p.config.Name+" state: "+p.state.String())
			}
		}
	}
	c.logf(api.LevelInfo, "waiting for %s to die", strings.Join(names, ", "))
	for _, s := range states {
		c.log(api.LevelBlather, s)
	}
	c.timers.set(&c.shutdown.report, c.now.Mono+shutdownReportInterval)
}
