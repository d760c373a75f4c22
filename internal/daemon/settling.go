package daemon

import (
	"time"

	"supervisord/internal/launch"
)

const (
	// settleTime is how long after the last start the daemon counts as settled.
	settleTime = time.Second
	// crowd is how many starts, after the first settling, are worth another.
	crowd = 100
)

// settling gives back the memory that starts have used and nobody needs any
// more, when they are over. It belongs to the daemon's goroutine.
type settling struct {
	timer  *time.Timer
	starts int // since it settled last
}

// begin says that the programs are about to be started.
func (s *settling) begin() { s.timer = time.AfterFunc(settleTime, launch.ReleaseMemory) }

// started says that a program was started. One that is started now and then
// costs nothing.
func (s *settling) started() {
	s.starts++
	if s.timer.Stop() || s.starts >= crowd {
		s.starts = 0
		s.timer.Reset(settleTime)
	}
}

// end says that the daemon ends.
func (s *settling) end() { s.timer.Stop() }
