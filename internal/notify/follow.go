package notify

import (
	"context"
	"fmt"
	"strings"
	"time"

	"golang.org/x/sys/unix"

	"supervisord/internal/api"
)

// statusInterval is the least time between two messages about the states of the
// programs: when thousands of them start, not every step is news.
const statusInterval = 500 * time.Millisecond

// stopMargin is added to the time that the programs may take to stop.
const stopMargin = 30 * time.Second

// Supervisor is what a Notifier needs from the daemon.
type Supervisor interface {
	Mood() api.Mood
	AllProcessInfo(context.Context) ([]api.ProcessInfo, error)
	AllConfigInfo(context.Context) ([]api.ConfigInfo, error)
	// Changed returns a channel that is closed at the next change of a state
	// or of the mood.
	Changed() <-chan struct{}
}

// Follow tells the manager what becomes of the daemon until stop is called,
// which returns when the last message has been sent. Errors are passed to warn,
// the first of a row only; it is called from another goroutine.
func (n *Notifier) Follow(s Supervisor, warn func(error)) (stop func()) {
	if n.address == "" {
		return func() {}
	}
	ctx, cancel := context.WithCancel(context.Background())
	done := make(chan struct{})
	f := &follower{notifier: n, supervisor: s, warn: warn, mood: api.MoodRunning}
	go func() {
		defer close(done)
		f.run(ctx)
	}()
	return func() {
		cancel()
		<-done
	}
}

// A follower is what a Notifier knows of a daemon.
type follower struct {
	notifier   *Notifier
	supervisor Supervisor
	warn       func(error)
	failing    bool // the last message was not delivered

	ready  bool // the manager knows that the daemon is ready
	mood   api.Mood
	status string // what the manager was last told
}

// run tells news until ctx ends. A deaf daemon is not ready, and gives no sign
// of life.
func (f *follower) run(ctx context.Context) {
	var alive <-chan time.Time
	if f.notifier.watchdog > 0 {
		ticker := time.NewTicker(f.notifier.watchdog / 2)
		defer ticker.Stop()
		alive = ticker.C
	}
	pause := time.NewTimer(0)
	defer pause.Stop()
	changed := f.supervisor.Changed()
	due, paused := true, true
	for {
		select {
		case <-ctx.Done():
			f.tellMood(context.Background())
			if f.mood == api.MoodShutdown {
				f.send("STATUS=stopped") // What was told of the programs is past.
			}
			return
		case <-changed:
			changed = f.supervisor.Changed()
			due = true
			f.tellMood(ctx)
		case <-pause.C:
			paused = false
		case <-alive:
			f.tellStatus(ctx, "WATCHDOG=1")
		}
		if due && !paused {
			due, paused = false, true
			f.tellStatus(ctx)
			pause.Reset(statusInterval)
		}
	}
}

// tellMood tells that the daemon ends or restarts, once, and how long that may
// take.
func (f *follower) tellMood(ctx context.Context) {
	mood := f.supervisor.Mood()
	if mood == f.mood {
		return
	}
	f.mood = mood
	switch mood {
	case api.MoodShutdown:
		f.send("STOPPING=1", f.extension(ctx))
	case api.MoodRestarting:
		f.send("RELOADING=1", monotonic(), f.extension(ctx))
	}
}

// extension asks the manager for the time that the programs have to stop: one
// group after another, and the programs of each together.
func (f *follower) extension(ctx context.Context) string {
	total := stopMargin
	if configs, err := f.supervisor.AllConfigInfo(ctx); err == nil {
		groups := make(map[string]int)
		for i := range configs {
			if c := &configs[i]; c.InUse {
				groups[c.Group] = max(groups[c.Group], c.StopWaitSecs)
			}
		}
		for _, secs := range groups {
			total += time.Duration(secs) * time.Second
		}
	}
	return fmt.Sprintf("EXTEND_TIMEOUT_USEC=%d", total.Microseconds())
}

// tellStatus sends the assignments together with what is new of the programs.
func (f *follower) tellStatus(ctx context.Context, assignments ...string) {
	processes, err := f.supervisor.AllProcessInfo(ctx)
	if err != nil {
		return // The daemon does not answer, or has ended.
	}
	if !f.ready {
		f.ready = true
		assignments = append(assignments, "READY=1")
	}
	if status := summary(processes); status != f.status {
		f.status = status
		assignments = append(assignments, "STATUS="+status)
	}
	if len(assignments) > 0 {
		f.send(assignments...)
	}
}

func (f *follower) send(assignments ...string) {
	err := f.notifier.send(assignments...)
	if err != nil && !f.failing {
		f.warn(err)
	}
	f.failing = err != nil
}

// summary counts the programs in each state, such as "3 RUNNING, 1 FATAL".
func summary(processes []api.ProcessInfo) string {
	if len(processes) == 0 {
		return "no programs"
	}
	counts := make(map[api.ProcessState]int)
	for i := range processes {
		counts[processes[i].State]++
	}
	var parts []string
	for _, state := range []api.ProcessState{
		api.Running, api.Starting, api.Backoff, api.Stopping, api.Stopped, api.Exited, api.Fatal, api.Unknown,
	} {
		if n := counts[state]; n > 0 {
			parts = append(parts, fmt.Sprintf("%d %v", n, state))
		}
	}
	return strings.Join(parts, ", ")
}

// monotonic says what time it is on the clock that the manager compares with.
func monotonic() string {
	var now unix.Timespec
	if err := unix.ClockGettime(unix.CLOCK_MONOTONIC, &now); err != nil {
		return "MONOTONIC_USEC=0"
	}
	return fmt.Sprintf("MONOTONIC_USEC=%d", now.Nano()/int64(time.Microsecond))
}
