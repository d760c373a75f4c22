package sim

import (
	"maps"
	"slices"
	"strings"

	"supervisord/internal/api"
	"supervisord/internal/config"
	"supervisord/internal/core"
)

// murder is how often supervisord is killed and another one takes its processes
// back, and what is on disk for that.
type murder struct {
	// every is the mean number of steps from one to the next; 0 for never.
	every int
	count int
	// records are what is written down of each process since its first start.
	records map[string]*record
	// left are the records that the present supervisord found when it began.
	left map[string]*inheritance
	// taken are the pids that were adopted, in how many lives does not matter.
	adopted int
}

// record is what is written down of a process.
type record struct {
	core.Adoptee
	config *config.Process // with which it was started last
	kept   bool            // it was started once; there is nothing on disk before
}

// inheritance is what was left of a process.
type inheritance struct {
	record
	model model // of its former life
	lives bool
	found bool // the process was adopted
}

// record returns what is written down of a process.
func (w *World) record(p *process) *record {
	r := w.murder.records[p.name]
	if r == nil {
		r = &record{}
		w.murder.records[p.name] = r
	}
	return r
}

// keep writes down what has become of processes in a step, before anything of it
// is done but that new groups have a place.
func (w *World) keep() {
	for i := range w.fx {
		if w.fx[i].Kind == core.OpenGroup {
			w.perform(&w.fx[i])
			w.fx[i] = core.Effect{Kind: core.Changed}
		}
	}
	for _, id := range w.told {
		p := w.procs[id]
		a, ok := w.core.Legacy(id)
		if p == nil || !ok {
			continue // It has gone.
		}
		r := w.record(p)
		a.PID = r.PID
		r.Adoptee = a
	}
}

// isKilled draws whether supervisord is killed after the step, and how many of
// its effects it has performed.
func (w *World) isKilled() (after int, yes bool) {
	m := &w.murder
	ends := slices.ContainsFunc(w.fx, func(e core.Effect) bool { return e.Kind == core.Finish })
	if m.every == 0 || w.tame || w.finished || ends || w.rand.IntN(m.every) > 0 {
		return 0, false
	}
	if w.rand.IntN(2) == 0 {
		return len(w.fx), true
	}
	return w.rand.IntN(len(w.fx) + 1), true
}

// kill9 ends supervisord. The effects that it did not come to are not performed,
// and what it had not heard of is lost. Another one takes its processes back.
func (w *World) kill9(undone []core.Effect) {
	m := &w.murder
	m.count++
	w.trace("    SIGKILL, %d effects are not performed", len(undone))
	unsent := map[core.ProcID]bool{}
	for i := range undone {
		if e := &undone[i]; e.Kind == core.WriteStdin && e.Req == 0 {
			unsent[e.Proc] = true
		}
	}
	// Some were reaped, which the core did not hear of.
	for _, ev := range w.news {
		if e, ok := ev.(core.Exited); ok && w.rand.IntN(2) == 0 {
			if p := w.procs[e.Proc]; p != nil && p.gen == e.Gen {
				w.record(p).PID = 0
			}
		}
	}
	// Some end while nobody looks.
	for _, pid := range slices.Sorted(maps.Keys(w.pids)) {
		if w.rand.IntN(10) == 0 {
			delete(w.pids, pid)
		}
	}
	known := map[string]*config.Process{}
	for _, g := range w.config.Groups {
		for _, p := range g.Processes {
			known[api.Namespec(g.Name, p.Name)] = p
		}
	}
	m.left = map[string]*inheritance{}
	list := map[string]core.Adoptee{}
	for _, id := range slices.Sorted(maps.Keys(w.procs)) {
		p := w.procs[id]
		r := m.records[p.name]
		if r == nil || !r.kept || known[p.name] != r.config {
			continue
		}
		if progress, ok := w.core.Progress(id); ok {
			progress.Unsent = unsent[id]
			r.Listener = &progress.AdoptedListener
		}
		r.Ran = w.now.Mono - p.model.started
		m.left[p.name] = &inheritance{record: *r, model: p.model, lives: r.PID != 0 && w.pids[r.PID] != nil}
		list[p.name] = r.Adoptee
	}
	// What is not taken back is no business of the next supervisord.
	for pid, p := range w.pids {
		if l := m.left[p.name]; l == nil || l.PID != pid {
			delete(w.pids, pid)
		}
	}
	for name := range m.records {
		if m.left[name] == nil {
			delete(m.records, name)
		}
	}
	if w.Transcript != nil {
		w.Transcript = NewTranscript(w.seed) // It is that of the last life.
	}
	o := w.options()
	o.Serial = w.core.Serial()
	w.core = core.New(o)
	w.procs = map[core.ProcID]*process{}
	w.news, w.unsettled = nil, map[core.Req]request{}
	w.ending, w.status, w.cut = false, 0, true
	w.step(core.Boot{Config: w.config, Adopted: list})
	w.inherited()
}

// inherit has a process of the new supervisord be what the manual says of what
// was left of it (adoption.md).
func (w *World) inherit(p *process) {
	l := w.murder.left[p.name]
	if _, boot := w.cause.(core.Boot); l == nil || !boot {
		return
	}
	m := &p.model
	m.since, m.restarts, m.failures = w.now.Mono, l.Restarts, l.model.failures
	if l.State == api.Running && l.Ready {
		m.failures = 0 // It may be since the step in which supervisord was killed.
	}
	if l.PID == 0 {
		switch {
		case l.Wanted:
		case l.State == api.Stopped, l.State == api.Exited, l.State == api.Fatal:
			p.state = l.State
		case l.State == api.Stopping:
			p.state = api.Stopped
		case l.State == api.Unknown:
			p.state = api.Exited
		}
		return
	}
	p.foreign, p.pid, p.busy, p.held = true, l.PID, true, true
	m.started = w.now.Mono - l.Ran
	v := &m.vital
	v.up, v.adopted = true, w.now.Mono
	v.found = l.Ready || p.config.Ready.Kind == config.ProbeNotify
	switch l.State {
	case api.Starting:
		p.state = api.Starting
	case api.Stopping:
		// It is told to stop once more.
		p.state = api.Running
		m.released, m.back = !l.Wanted, l.Wanted
		m.taken = l.Wanted
	default:
		p.state = api.Running
	}
	if v.ready = p.state == api.Running && p.isFound(); v.ready {
		v.due = w.now.Mono + p.config.Health.Interval
	}
}

// adopt takes a process back.
func (w *World) adopt(e *core.Effect) {
	p := w.procs[e.Proc]
	l := w.murder.left[p.name]
	switch {
	case l == nil || l.PID != e.PID:
		w.fail("%s is adopted with pid %d, which is not its own", p.name, e.PID)
		return
	case l.found:
		w.fail("%s is adopted twice", p.name)
		return
	}
	l.found = true
	w.murder.adopted++
	p.gen = e.Gen
	if l.lives {
		w.pids[e.PID] = p
		return
	}
	w.news = append(w.news, core.Exited{Proc: p.id, Gen: p.gen, Exit: core.Exit{Unknown: true}})
}

// inherited checks what a new supervisord has made of what was left to it.
func (w *World) inherited() {
	if len(w.problems) > 0 || w.cut {
		return
	}
	names := map[string]*process{}
	for _, p := range w.procs {
		names[p.name] = p
	}
	for name, l := range w.murder.left {
		p := names[name]
		switch {
		case p == nil:
			w.fail("%s was left in %s and is not there", name, l.State)
		case l.PID != 0 && !l.found:
			w.fail("%s was left with pid %d and not adopted", name, l.PID)
		case l.PID == 0 && l.found:
			w.fail("%s was adopted, and there was none", name)
		case l.PID == 0 && (l.Wanted || l.State == api.Backoff || l.State == api.Running || l.State == api.Starting):
			if p.state != api.Starting && !p.model.waiting {
				w.fail("%s was left in %s and to be started, and is %s", name, l.State, p.state)
			}
		case l.PID != 0 && l.State == api.Stopping && p.state != api.Stopping:
			w.fail("%s was left in STOPPING and is %s", name, p.state)
		case l.PID != 0 && l.State == api.Running && p.state != api.Running:
			w.fail("%s was left in RUNNING and is %s", name, p.state)
		case l.PID == 0 && p.state == api.Starting && !w.isNeeded(p):
			w.fail("%s was left in %s and is started", name, l.State)
		}
	}
}

// isNeeded reports whether something that was started or waits depends on a
// process.
func (w *World) isNeeded(p *process) bool {
	return slices.ContainsFunc(w.dependents(p), func(d *process) bool {
		return d.state == api.Starting || d.model.waiting || w.isNeeded(d)
	})
}

// heardSerial checks that no serial of an event comes twice but with the same
// event.
func (w *World) heardSerial(e *core.Effect) {
	if e.Req != 0 {
		return
	}
	head, _, _ := strings.Cut(string(e.Data), "\n")
	for field := range strings.FieldsSeq(head) {
		if serial, ok := strings.CutPrefix(field, "serial:"); ok {
			body := string(e.Data[len(head):])
			if w.serials == nil {
				w.serials = map[string]string{}
			}
			if before, ok := w.serials[serial]; ok && before != body {
				w.fail("event %s is sent as %q, and was %q", serial, body, before)
			}
			w.serials[serial] = body
		}
	}
}
