package sim

import (
	"syscall"

	"supervisord/internal/api"
	"supervisord/internal/core"
)

// needs reports whether p depends on q.
func needs(p, q *process) bool {
	for i := range p.config.DependsOn {
		if p.config.DependsOn[i].Covers(q.group, q.config) {
			return true
		}
	}
	return false
}

// dependents returns the processes that depend on one.
func (w *World) dependents(q *process) []*process {
	var list []*process
	for _, p := range w.procs {
		if needs(p, q) {
			list = append(list, p)
		}
	}
	return list
}

// blocked names something that a process depends on and that is not ready. Moves
// of the present step count as far as they have been followed.
func (w *World) blocked(p *process) string {
	for i := range p.config.DependsOn {
		dep, found := &p.config.DependsOn[i], false
		for _, q := range w.procs {
			if dep.Covers(q.group, q.config) {
				found = true
				if q.state != api.Running || !q.isFound() {
					return q.name
				}
			}
		}
		if !found {
			return dep.Name
		}
	}
	return ""
}

// latest is the state that a process has in the present step, whose moves may
// not all have been followed yet.
func (w *World) latest(p *process) api.ProcessState {
	for i := len(w.moves) - 1; i >= 0; i-- {
		if w.moves[i].id == p.id {
			return w.moves[i].to
		}
	}
	return p.state
}

// earlier is the state that a process had before the present step.
func (w *World) earlier(p *process) api.ProcessState {
	for _, m := range w.moves {
		if m.id == p.id {
			return m.from
		}
	}
	return p.state
}

// killedInOrder checks that nothing is asked to end before what depends on it
// has ended.
func (w *World) killedInOrder(p *process, e *core.Effect) {
	if e.Req != 0 || e.Sig == syscall.SIGKILL && p.state == api.Stopping {
		return
	}
	if !p.model.released && !p.model.taken && (!w.ending || ends(w.cause)) && (p.model.vital.overdue || p.isSick()) {
		return // It does not concern the others.
	}
	if _, boot := w.cause.(core.Boot); boot {
		return // It was told to before supervisord was killed.
	}
	for _, d := range w.dependents(p) {
		if !w.latest(d).IsStopped() {
			w.fail("%s is told to end while %s, which depends on it, is %s", p.name, d.name, w.latest(d))
		}
	}
}

// waited checks who has begun and who has ended to wait for others, and that
// nobody waits for what is ready.
func (w *World) waited() {
	for v := range w.core.SortedProcesses() {
		p := w.procs[v.ID]
		m := &p.model
		m.released = m.released || w.stopAsked(p)
		m.taken = m.taken || w.needsAsked(p)
		if asked(w.cause) && p.state == api.Stopped {
			m.vital.told = true
		}
		w.minded(p, &v.Info)
		w.counted(p, &v.Info)
		was, is := m.waiting, v.Info.Waiting != ""
		m.waiting = is
		switch {
		case is && w.ending:
			w.fail("%s waits in a shutdown", p.name)
		case is && w.blocked(p) == "" && !w.beingStopped(p):
			w.fail("%s waits for nothing", p.name)
		case is && !was && !asked(w.cause) && !m.owed && p.state != api.Backoff && !m.vital.again && !w.comesBack(p):
			w.fail("%s waits to be started because of %T", p.name, w.cause)
		case was && !is && !w.ending && !w.movesTo(p.id, api.Starting) && !m.released:
			w.fail("%s does not wait any more because of %T", p.name, w.cause)
		}
	}
}

// comesBack reports whether a process has ended in the present step because one
// that it depends on was to be stopped.
func (w *World) comesBack(p *process) bool {
	return !p.model.released && p.model.taken && (w.movesTo(p.id, api.Stopped) || w.movesTo(p.id, api.Exited))
}

// stopAsked reports whether the cause of the step is a client that wants the
// process to be stopped.
func (w *World) stopAsked(p *process) bool {
	cmd, ok := w.cause.(core.Command)
	if !ok {
		return false
	}
	switch cmd.Op {
	case core.OpStop:
		return cmd.Name == p.name
	case core.OpStopGroup:
		return cmd.Name == p.group
	case core.OpStopAll:
		return true
	}
	return false
}

// needsAsked reports whether the cause of the step is a client that wants
// something to be stopped that a process depends on.
func (w *World) needsAsked(p *process) bool {
	for _, q := range w.procs {
		if needs(p, q) && (w.stopAsked(q) || w.needsAsked(q)) && (w.earlier(q).IsRunning() || w.movesTo(q.id, api.Stopped)) {
			return true
		}
	}
	return false
}

// beingStopped reports whether something that a process depends on is to be
// stopped, as a client has asked.
func (w *World) beingStopped(p *process) bool {
	for _, q := range w.procs {
		if needs(p, q) && (q.model.released || q.model.taken || w.beingStopped(q)) {
			return true
		}
	}
	return false
}
