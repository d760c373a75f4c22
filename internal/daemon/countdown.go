package daemon

import "sync/atomic"

// countdown calls a function when something has happened a number of times.
type countdown struct {
	left atomic.Int32
	done func()
}

func newCountdown(n int, done func()) *countdown {
	c := &countdown{done: done}
	c.left.Store(int32(n))
	return c
}

// down counts. It may be called from any goroutine.
func (c *countdown) down() {
	if c.left.Add(-1) == 0 {
		c.done()
	}
}
