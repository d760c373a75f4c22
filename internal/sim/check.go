package sim

import (
	"slices"

	"supervisord/internal/api"
	"supervisord/internal/core"
)

// allowed is the state graph of the manual (Subprocess, process states), with
// what the original adds to it: STARTING can end at once in EXITED by way of
// RUNNING, and only a signal that cannot be sent leads to UNKNOWN. A client can
// stop what waits for its restart_delay. What was not ready in time is stopped, and
// has failed to start.
var allowed = map[api.ProcessState][]api.ProcessState{
	api.Stopped:  {api.Starting},
	api.Starting: {api.Running, api.Backoff, api.Stopping, api.Unknown},
	api.Running:  {api.Stopping, api.Exited, api.Unknown},
	api.Backoff:  {api.Starting, api.Fatal, api.Stopped},
	api.Stopping: {api.Stopped, api.Backoff, api.Unknown},
	api.Exited:   {api.Starting, api.Stopped},
	api.Fatal:    {api.Starting},
	api.Unknown:  {api.Exited},
}

// move is a change of a process's state.
type move struct {
	id       core.ProcID
	from, to api.ProcessState
}

// traced notes a change of state. It is checked when the effects of the step
// were performed.
func (w *World) traced(id core.ProcID, from, to api.ProcessState) {
	if !w.resumption.playing {
		w.told = append(w.told, id)
	}
	if from == to {
		return
	}
	if w.resumption.playing {
		w.resumption.moves = append(w.resumption.moves, move{id, from, to})
		return
	}
	w.moves = append(w.moves, move{id, from, to})
}

// follow checks a change of state against the graph.
func (w *World) follow(m move) {
	w.changes++
	p := w.procs[m.id]
	if p == nil {
		w.fail("process %d changed from %s to %s and is not there", m.id, m.from, m.to)
		return
	}
	if p.state != m.from {
		w.fail("%s changed from %s to %s, but was %s", p.name, m.from, m.to, p.state)
	}
	if !slices.Contains(allowed[m.from], m.to) {
		w.fail("%s changed from %s to %s", p.name, m.from, m.to)
	}
	w.trace("    %s: %s to %s", p.name, m.from, m.to)
	w.moved(p, m.from, m.to)
	p.state = m.to
}

// check compares what the core believes with what is so.
func (w *World) check() {
	views := slices.Collect(w.core.SortedProcesses())
	if len(views) != len(w.procs) {
		w.fail("the core has %d processes, the world %d", len(views), len(w.procs))
	}
	for _, v := range views {
		p := w.procs[v.ID]
		state := v.Info.State
		switch state {
		case api.Running, api.Stopping:
			if v.PID == 0 {
				w.fail("%s is %s and has no pid", p.name, state)
			}
		case api.Stopped, api.Backoff, api.Exited, api.Fatal:
			if v.PID != 0 {
				w.fail("%s is %s and has a pid", p.name, state)
			}
		case api.Starting, api.Unknown:
		}
		if v.Info.StderrTail != p.model.words {
			w.fail("the last words of %s were %q, the core says %q", p.name, p.model.words, v.Info.StderrTail)
		}
		if v.PID != 0 && v.PID != p.pid {
			w.fail("%s has pid %d, the core says %d", p.name, p.pid, v.PID)
		}
	}
	for _, p := range w.pids {
		if w.procs[p.id] == p && p.state.IsStopped() && p.state != api.Unknown {
			w.fail("%s is %s and runs as pid %d", p.name, p.state, p.pid)
		}
	}
	if due, ok := w.core.Deadline(); ok && due < w.now.Mono {
		w.fail("the deadline is %s in the past", w.now.Mono-due)
	}
}
