package core

import (
	"math"
	"time"

	"supervisord/internal/api"
	"supervisord/internal/config"
)

// firstPause is the pause after the first failed start of a program without
// restart_delay, and longestPause what it can grow to.
const (
	firstPause   = time.Second
	longestPause = 24 * time.Hour
)

// restart starts a process that has ended by itself, after its restart_delay.
func (c *Core) restart(p *process) {
	if p.config.RestartDelay <= 0 {
		c.start(p)
		return
	}
	d := c.pause(p, p.config.RestartDelay)
	c.logf(api.LevelInfo, "%s will be restarted in %.1f seconds", p.config.Name, d.Seconds())
}

// backoffPause is the pause after so many failed starts in a row.
func backoffPause(cfg *config.Process, failures int) time.Duration {
	pause, limit := float64(firstPause), longestPause
	if cfg.RestartDelay > 0 {
		pause = float64(cfg.RestartDelay)
	}
	if cfg.BackoffFactor > 0 {
		pause *= math.Pow(cfg.BackoffFactor, float64(failures-1))
	} else {
		pause *= float64(failures)
	}
	if cfg.BackoffMax > 0 {
		limit = cfg.BackoffMax
	}
	return time.Duration(min(pause, float64(limit)))
}

// pause has a process wait for its next start, for the time given and what
// backoff_jitter adds to it.
func (c *Core) pause(p *process, d time.Duration) time.Duration {
	if jitter := p.config.BackoffJitter; jitter > 0 {
		d += time.Duration(float64(d) * jitter * c.draw())
	}
	p.nextStart = c.now.Wall.Add(d)
	c.timers.set(&p.due, c.now.Mono+d)
	return d
}

// isPausing reports whether a process that has ended is going to be started.
func (p *process) isPausing() bool {
	return p.due.index >= 0 && (p.state == api.Exited || p.state == api.Backoff)
}

// isPaced reports whether its configuration says something about pauses.
func (p *process) isPaced() bool {
	cfg := p.config
	return cfg.RestartDelay > 0 || cfg.BackoffFactor > 0 || cfg.BackoffMax > 0 || cfg.BackoffJitter > 0
}

// draw returns the next of a series of numbers from 0 up to 1 that depends on
// Options.Seed and looks like chance (splitmix64).
func (c *Core) draw() float64 {
	c.chance += 0x9e3779b97f4a7c15
	z := c.chance
	z = (z ^ z>>30) * 0xbf58476d1ce4e5b9
	z = (z ^ z>>27) * 0x94d049bb133111eb
	z ^= z >> 31
	return float64(z>>11) / (1 << 53)
}
