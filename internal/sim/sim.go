// Package sim plays the world to the core: an operating system that starts,
// kills and loses processes, clients that ask for anything at any time, and
// clocks that pass and jump. Now and then it takes the core down and has another
// one go on with what the first had written down, or kills it and has another one
// take the processes back. Everything is drawn from one
// seed, so that a failure can be played again. After every step the world checks
// what must hold whatever happens.
package sim

import (
	"cmp"
	"fmt"
	"maps"
	"math/rand/v2"
	"slices"
	"syscall"
	"time"

	"supervisord/internal/api"
	"supervisord/internal/config"
	"supervisord/internal/core"
)

// World is a core with everything around it. It is used by one goroutine.
type World struct {
	seed uint64
	rand *rand.Rand
	core *core.Core
	now  core.Now

	config  *config.Config
	procs   map[core.ProcID]*process
	pids    map[int]*process // processes of the operating system that live
	nextPID int
	news    []core.Event // what the core is still to hear of
	fx      []core.Effect

	nextReq   core.Req
	unsettled map[core.Req]request // requests that are not answered
	cause     core.Event           // of the present step
	ending    bool                 // there was a reason for a shutdown or a restart
	status    int                  // what supervisord is to exit with
	exited    int                  // what it exits with
	// Trace, if not nil, is given every event and effect, for a person.
	Trace func(text string)
	// Transcript, if not nil, is given every event. It begins anew with each core
	// that adopts.
	Transcript *Transcript

	finished bool
	problems []string
	// steps and changes count what was done.
	steps, changes int
	moves          []move // of the present step
	ups            int    // starts that succeeded in it, as the core says
	tame           bool   // processes obey and start well
	essential      bool   // there are programs whose end is that of supervisord
	ordered        bool   // programs depend on others
	probed         bool   // programs have probes

	resumption resumption
	murder     murder
	told       []core.ProcID     // whose Legacy has changed in this step
	cut        bool              // supervisord was killed in it
	serials    map[string]string // the events that were sent
	// sick are the events that are due because processes are restarted in this
	// step for their health; true if there may be none. overflowed says that
	// an event was dropped in it.
	sick       map[string]bool
	overflowed bool
}

// process is what the operating system knows of a process of the core.
type process struct {
	id     core.ProcID
	config *config.Process
	group  string
	events []string // of a pool
	name   string
	gen    core.Gen
	// busy says that a start was asked for whose end the core has not heard of.
	busy  bool
	pid   int
	state api.ProcessState // as traced
	held  bool             // what is shared with others: a FastCGI socket
	// foreign says that it was started by a supervisord that was killed.
	foreign bool
	model   model
}

// request is what a client asked for.
type request struct {
	command core.Command
	proc    core.ProcID // of the operations on one process
	step    int
}

// New returns a world with a configuration drawn from the seed, before boot.
func New(seed uint64) *World {
	w := &World{
		seed:      seed,
		rand:      rand.New(rand.NewPCG(seed, 0x5eed)),
		now:       core.Now{Wall: time.Date(2026, 7, 1, 0, 0, 0, 0, time.UTC)},
		procs:     make(map[core.ProcID]*process),
		pids:      make(map[int]*process),
		nextPID:   1000,
		unsettled: make(map[core.Req]request),
		sick:      make(map[string]bool),
		murder:    murder{records: make(map[string]*record)},
	}
	w.core = core.New(w.options())
	w.essential = w.rand.IntN(15) == 0 // Such a world does not last.
	w.ordered = seed%2 == 0
	w.probed = seed%3 > 0
	w.config = w.drawConfig()
	return w
}

// Run boots the core and takes up to n steps, then shuts it down. It returns
// what was found wrong.
func (w *World) Run(n int) []string {
	w.step(core.Boot{Config: w.config})
	for w.steps < n && !w.finished && len(w.problems) == 0 {
		w.act()
	}
	if w.rand.IntN(2) == 0 {
		w.endSlowly()
	}
	w.end()
	return w.problems
}

// slowSteps is how long a shutdown goes on in a world that does not obey.
const slowSteps = 300

// endSlowly begins a shutdown while processes ignore signals and clients go on to
// ask, so that time passes in it. It comes at a bad moment, if there is one.
func (w *World) endSlowly() {
	for n := w.steps + slowSteps; w.steps < n && !w.finished && len(w.problems) == 0 && !w.isDelicate(); {
		w.act()
	}
	if !w.finished && len(w.problems) == 0 {
		w.step(core.SignalReceived{Sig: syscall.SIGTERM})
	}
	for n := w.steps + slowSteps; w.steps < n && !w.finished && len(w.problems) == 0; {
		w.act()
	}
}

// isDelicate reports whether a process is not ready, which is soon too late, while
// others run that depend on it: they outlived its former life.
func (w *World) isDelicate() bool {
	for _, p := range w.procs {
		if p.lives() && !p.isFound() && p.config.Ready.Timeout > 0 &&
			slices.ContainsFunc(w.dependents(p), func(d *process) bool { return !d.state.IsStopped() }) {
			return true
		}
	}
	return false
}

// end shuts the core down in a world that obeys, which must come to an end.
func (w *World) end() {
	w.tame = true
	if !w.finished && !w.ending {
		w.step(core.SignalReceived{Sig: syscall.SIGTERM})
	}
	for i := 0; !w.finished && len(w.problems) == 0; i++ {
		if i == 100_000 {
			w.fail("the shutdown does not end")
			return
		}
		switch {
		case len(w.news) > 0:
			w.deliver(w.rand.IntN(len(w.news)))
		case !w.wait():
			w.fail("the shutdown waits for nothing")
			return
		}
	}
	for len(w.news) > 0 && len(w.problems) == 0 {
		w.deliver(0)
	}
	for req, q := range w.unsettled {
		w.fail("request %d (operation %d on %s) was never answered", req, q.command.Op, q.command.Name)
	}
}

// act does one thing at random.
func (w *World) act() {
	switch k := w.rand.IntN(100); {
	case k < 45 && len(w.news) > 0:
		w.deliver(w.rand.IntN(len(w.news)))
	case k < 60:
		w.client()
	case k < 75:
		w.die()
	case k < 80:
		w.talk()
	case k < 97:
		if !w.wait() {
			w.pass(time.Duration(w.rand.Int64N(int64(5 * time.Second))))
			w.step(core.Tick{})
		}
	case k < 99:
		w.now.Wall = w.now.Wall.Add(time.Duration(w.rand.IntN(200)-100) * time.Hour)
	default:
		sig := syscall.SIGUSR2
		if w.rand.IntN(100) == 0 {
			sig = []syscall.Signal{syscall.SIGTERM, syscall.SIGINT, syscall.SIGHUP}[w.rand.IntN(3)]
		}
		w.step(core.SignalReceived{Sig: sig})
	}
}

// wait lets time pass to the next deadline, or a part of the way.
func (w *World) wait() bool {
	due, ok := w.core.Deadline()
	if !ok {
		return false
	}
	d := max(due-w.now.Mono, 0)
	if !w.tame && d > 0 && w.rand.IntN(3) == 0 {
		d = time.Duration(w.rand.Int64N(int64(d)))
	}
	w.pass(d)
	w.step(core.Tick{})
	return true
}

func (w *World) pass(d time.Duration) {
	w.now.Mono += d
	w.now.Wall = w.now.Wall.Add(d)
}

// deliver tells the core one of the news. News of one process stay in order.
func (w *World) deliver(i int) {
	id := about(w.news[i])
	for j := range i {
		if id != 0 && about(w.news[j]) == id {
			i = j
			break
		}
	}
	ev := w.news[i]
	w.news = append(w.news[:i], w.news[i+1:]...)
	switch ev := ev.(type) {
	case core.SpawnFailed:
		if p := w.procs[id]; p != nil {
			p.busy, p.held = false, false
		}
	case core.Exited:
		if p := w.procs[id]; p != nil {
			p.busy = false
			if p.gen == ev.Gen {
				w.record(p).PID = 0
			}
		}
	}
	w.step(ev)
}

// draw returns one of the keys of a map, the same for the same seed.
func draw[K cmp.Ordered, V any](w *World, m map[K]V) (key K, ok bool) {
	if len(m) == 0 {
		return key, false
	}
	keys := slices.Sorted(maps.Keys(m))
	return keys[w.rand.IntN(len(keys))], true
}

// about returns the process that an event is about.
func about(ev core.Event) core.ProcID {
	switch ev := ev.(type) {
	case core.Started:
		return ev.Proc
	case core.SpawnFailed:
		return ev.Proc
	case core.Exited:
		return ev.Proc
	case core.Signaled:
		return ev.Proc
	case core.ListenerOutput:
		return ev.Proc
	case core.Output:
		return ev.Proc
	case core.Captured:
		return ev.Proc
	}
	return 0
}

// step gives an event to the core, performs the effects and checks everything.
func (w *World) step(ev core.Event) {
	queue := []core.Event{ev}
	for len(queue) > 0 && len(w.problems) == 0 {
		w.steps++
		w.moves, w.told, w.ups, w.cut = w.moves[:0], w.told[:0], 0, false
		w.overflowed = false
		clear(w.sick)
		w.cause = queue[0]
		w.trace("%v %T%+v", w.now.Mono, w.cause, w.cause)
		w.ending = w.ending || ends(w.cause)
		if w.Transcript != nil {
			w.Transcript.add(w.cause, w.now)
		}
		w.elapse()
		w.heard(w.cause)
		w.decide()
		queue = queue[1:]
		w.keep()
		if n, yes := w.isKilled(); yes {
			for i := range w.fx[:n] {
				w.perform(&w.fx[i])
			}
			for _, m := range w.moves {
				w.follow(m)
			}
			w.kill9(w.fx[n:])
			return
		}
		for i := range w.fx {
			if next := w.perform(&w.fx[i]); next != nil {
				queue = append(queue, next)
			}
		}
		for _, m := range w.moves {
			w.follow(m)
		}
		w.waited()
		w.rested()
		w.awaited()
		w.announced()
	}
	w.check()
}

// options are those of the core, and of what takes its place.
func (w *World) options() core.Options { return core.Options{Identifier: "sim", Trace: w.traced} }

// ends reports whether an event begins a shutdown.
func ends(ev core.Event) bool {
	switch ev := ev.(type) {
	case core.SignalReceived:
		return ev.Sig != syscall.SIGUSR2
	case core.Command:
		return ev.Op == core.OpShutdown || ev.Op == core.OpRestart
	}
	return false
}

func (w *World) trace(format string, args ...any) {
	if w.Trace != nil {
		w.Trace(fmt.Sprintf(format, args...))
	}
}

func (w *World) fail(format string, args ...any) {
	w.problems = append(w.problems, fmt.Sprintf("step %d: ", w.steps)+fmt.Sprintf(format, args...))
}
