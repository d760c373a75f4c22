package core

import (
	"fmt"
	"slices"
	"time"

	"supervisord/internal/api"
	"supervisord/internal/config"
	"supervisord/internal/event"
)

// Options are what a Core needs to know from the start.
type Options struct {
	// Identifier names this supervisord to event listeners.
	Identifier string
	// Serial is the serial of the next event. Serials go on over a restart.
	Serial uint64
	// Seed is where chance begins, of which backoff_jitter makes use.
	Seed uint64
	// LogLevel is the least severe level of the activity log. Nothing below it
	// is worded.
	LogLevel api.LogLevel
	// Trace, if not nil, is told every change of a process's state, and from a
	// state to itself when something else of its Legacy changes. It must not
	// use the Core.
	Trace func(p ProcID, from, to api.ProcessState)
}

// Core is the state of supervisord. See the package comment.
type Core struct {
	identifier string
	serial     uint64
	chance     uint64 // see draw
	logLevel   api.LogLevel
	trace      func(p ProcID, from, to api.ProcessState)

	mood     api.Mood
	config   *config.Config
	groups   []*group // in the order in which they were added
	pools    []*pool  // of those groups that have one
	procs    map[ProcID]*process
	sorted   []*process // see SortedProcesses; nil after a change
	nextProc ProcID
	requests map[Req]*request
	interest event.Set // what any pool subscribes to

	dependencies dependencies

	timers   timers
	ticks    [len(tickPeriods)]int64
	shutdown shutdown

	now     Now
	effects []Effect
	answers []Effect // the last effects of the step
	changed bool     // an effect Changed is due
}

// New returns a Core that waits for Boot.
func New(o Options) *Core {
	c := &Core{
		identifier: o.Identifier,
		serial:     o.Serial,
		chance:     o.Seed,
		logLevel:   o.LogLevel,
		trace:      o.Trace,
		mood:       api.MoodRunning,
		procs:      make(map[ProcID]*process),
		requests:   make(map[Req]*request),
	}
	c.shutdown.report = timer{index: -1, fire: (*Core).shutdownReport}
	return c
}

// SetTrace sets Options.Trace.
func (c *Core) SetTrace(trace func(p ProcID, from, to api.ProcessState)) { c.trace = trace }

// Serial returns the serial that the next event gets.
func (c *Core) Serial() uint64 { return c.serial }

// Mood returns the state of supervisord itself.
func (c *Core) Mood() api.Mood { return c.mood }

// Step reacts to an event and appends the effects to fx. The time must not go
// back on the monotonic clock.
func (c *Core) Step(ev Event, now Now, fx []Effect) []Effect {
	c.now = now
	c.effects = fx
	c.expire()
	c.handle(ev)
	c.tick()
	c.proceedOrder()
	c.proceedShutdown()
	for c.dependencies.stirred {
		c.proceedOrder()
		c.proceedShutdown()
	}
	c.dispatch()
	if c.changed {
		c.changed = false
		c.emit(Effect{Kind: Changed})
	}
	fx = append(c.effects, c.answers...)
	clear(c.answers)
	c.effects, c.answers = nil, c.answers[:0]
	return fx
}

// Deadline returns the time on the monotonic clock by which Step must be
// called again; without one there is nothing to wait for.
func (c *Core) Deadline() (time.Duration, bool) {
	due, ok := c.tickDeadline()
	if len(c.timers) > 0 && (!ok || c.timers[0].due < due) {
		return c.timers[0].due, true
	}
	return due, ok
}

func (c *Core) handle(ev Event) {
	switch ev := ev.(type) {
	case Boot:
		c.boot(ev)
	case Started:
		if p := c.current(ev.Proc, ev.Gen); p != nil {
			c.started(p, ev.PID)
		}
	case SpawnFailed:
		if p := c.current(ev.Proc, ev.Gen); p != nil {
			c.spawnFailed(p, ev.Reason)
		}
	case Exited:
		if p := c.current(ev.Proc, ev.Gen); p != nil {
			c.exited(p, ev.Exit, ev.LastWords)
		}
	case Signaled:
		c.signaled(ev)
	case StdinWritten:
		c.stdinWritten(ev)
	case Resumed:
		c.probeAgain()
	case Probed:
		c.probed(ev)
	case Notified:
		c.notified(ev)
	case Output:
		c.output(ev)
	case Captured:
		c.captured(ev)
	case ListenerOutput:
		if p := c.current(ev.Proc, ev.Gen); p != nil {
			c.listenerOutput(p, ev.Data)
		}
	case SignalReceived:
		c.signalReceived(ev.Sig)
	case Command:
		c.command(ev)
	case Tick:
	default:
		panic(fmt.Sprintf("core: unknown event %T", ev))
	}
}

// current returns the process if gen is its last start, else nil.
func (c *Core) current(id ProcID, gen Gen) *process {
	if p := c.procs[id]; p != nil && p.gen == gen {
		return p
	}
	return nil
}

// expire fires the timers that are due. Listeners that are RUNNING now get their
// events before those of the next group change their state, as their news may
// push events out of the buffer.
func (c *Core) expire() {
	var last *group
	for len(c.timers) > 0 && c.timers[0].due <= c.now.Mono {
		t := c.timers[0]
		if p := c.procs[t.order]; p != nil && p.group != last {
			last = p.group
			c.dispatch()
		}
		c.timers.clear(t)
		t.fire(c)
	}
}

// boot adds the groups and starts what has autostart, in this order, so that
// listener pools hear of the groups after them and of every start.
func (c *Core) boot(ev Boot) {
	c.config = ev.Config
	c.startTicks()
	for _, g := range c.config.Groups {
		c.addGroup(g)
	}
	c.notify(event.SupervisorStateChangeRunning, "")
	c.adoptAll(ev.Adopted)
	for _, g := range slices.Clone(c.groups) {
		c.autostart(g)
	}
}

func (c *Core) emit(e Effect) { c.effects = append(c.effects, e) }

func (c *Core) log(level api.LogLevel, text string) {
	if level >= c.logLevel {
		c.emit(Effect{Kind: Log, Level: level, Text: text})
	}
}

func (c *Core) logf(level api.LogLevel, format string, args ...any) {
	if level >= c.logLevel {
		c.emit(Effect{Kind: Log, Level: level, Text: fmt.Sprintf(format, args...)})
	}
}
