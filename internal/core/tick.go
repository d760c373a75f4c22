package core

import (
	"time"

	"supervisord/internal/event"
)

// tickPeriods are the periods of the TICK events in seconds.
var tickPeriods = [...]struct {
	seconds int64
	typ     event.Type
}{
	{5, event.Tick5},
	{60, event.Tick60},
	{3600, event.Tick3600},
}

// tickPatience is after which time the clock is looked at although no period is
// over: nobody tells when it is set.
const tickPatience = time.Minute

// slice returns the start of the period that the time falls into.
func slice(now time.Time, period int64) int64 {
	t := now.Unix()
	return t - t%period
}

// startTicks begins the periods that are running now.
func (c *Core) startTicks() {
	for i, p := range tickPeriods {
		c.ticks[i] = slice(c.now.Wall, p.seconds)
	}
}

// tick makes the TICK events of the periods that have begun.
func (c *Core) tick() {
	if c.config == nil {
		return
	}
	for i, p := range tickPeriods {
		if this := slice(c.now.Wall, p.seconds); this != c.ticks[i] {
			c.ticks[i] = this
			c.notify(p.typ, event.TickPayload(this))
		}
	}
}

// tickDeadline returns when the next period may begin that a listener wants to
// hear of. Nobody is woken for the others.
func (c *Core) tickDeadline() (due time.Duration, ok bool) {
	for i, p := range tickPeriods {
		if !c.interest.Has(p.typ) {
			continue
		}
		next := time.Unix(c.ticks[i]+p.seconds, 0).Sub(c.now.Wall)
		if at := c.now.Mono + min(max(next, 0), tickPatience); !ok || at < due {
			due, ok = at, true
		}
	}
	return due, ok
}
