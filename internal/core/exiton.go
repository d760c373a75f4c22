package core

import (
	"supervisord/internal/api"
	"supervisord/internal/config"
)

// statusNotStarted is the exit status that stands for a program that could not
// be started at all, as in a shell.
const statusNotStarted = 127

// lost says that a process has ended and is not started again by itself, which
// begins a shutdown if its exit_on asks for one. The first such end tells the
// exit status of supervisord; what ends in a shutdown or a restart is only
// doing what was asked of it.
func (c *Core) lost(p *process) {
	if c.mood != api.MoodRunning {
		return
	}
	status := p.result
	switch p.config.ExitOn {
	case config.ExitOnNever:
		return
	case config.ExitOnFatal:
		if p.state != api.Fatal {
			return
		}
	case config.ExitOnExit:
	}
	if p.state == api.Fatal {
		// A program that ended too quickly has failed, whatever its status is.
		status = max(status, 1)
	}
	c.logf(api.LevelWarn, "%s is in state %s and has exit_on=%s: stopping everything, to exit with status %d",
		p.config.Name, p.state, p.config.ExitOn, status)
	c.shutdown.status = status
	c.setMood(api.MoodShutdown)
}
