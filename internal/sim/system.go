package sim

import (
	"strings"
	"syscall"

	"supervisord/internal/api"
	"supervisord/internal/core"
)

// perform carries out an effect as the daemon and the operating system would.
// What the core must hear of before anything else is returned.
func (w *World) perform(e *core.Effect) core.Event {
	w.trace("    effect %d: proc %d, gen %d, pid %d, signal %d, req %d %s", e.Kind, e.Proc, e.Gen, e.PID, e.Sig, e.Req, e.Text)
	switch e.Kind {
	case core.OpenGroup:
		for i, id := range e.Procs {
			cfg := e.Group.Processes[i]
			if w.procs[id] != nil {
				w.fail("id %d is used twice", id)
			}
			w.procs[id] = &process{id: id, config: cfg, group: e.Group.Name, events: e.Group.Events, name: api.Namespec(e.Group.Name, cfg.Name)}
			w.procs[id].model.seen = make(map[api.ProcessState]int)
			w.procs[id].state = api.Stopped
			w.inherit(w.procs[id])
		}
	case core.CloseGroup:
		for _, id := range e.Procs {
			if p := w.procs[id]; p.busy && p.state != api.Unknown {
				w.fail("%s was removed while it runs", p.name)
			}
			if p := w.procs[id]; p.held && !p.busy {
				w.fail("%s was removed and holds its socket", p.name)
			}
			delete(w.murder.records, w.procs[id].name)
			delete(w.procs, id)
		}
	case core.Spawn:
		w.spawn(e)
	case core.Adopt:
		w.adopt(e)
	case core.Kill:
		w.kill(e)
	case core.WriteStdin:
		w.heardSerial(e)
		return w.write(e)
	case core.Log:
		if strings.HasPrefix(e.Text, "bug:") {
			w.fail("%s", e.Text)
		}
		w.overflowed = w.overflowed || strings.Contains(e.Text, "buffer overflowed")
	case core.Answer:
		q, ok := w.unsettled[e.Req]
		if !ok {
			w.fail("request %d was answered twice, or never asked", e.Req)
		}
		w.answered(q, e.Reply)
		delete(w.unsettled, e.Req)
	case core.Finish:
		if w.finished {
			w.fail("finished twice")
		}
		w.finished, w.exited = true, e.Status
	case core.Release:
		if p := w.procs[e.Proc]; p == nil || !p.held {
			w.fail("process %d released what it does not hold", e.Proc)
		} else {
			p.held = false
		}
	case core.Up:
		_, boot := w.cause.(core.Boot)
		switch p := w.procs[e.Proc]; {
		case boot && p != nil && p.foreign:
			return nil // It has been up for a while.
		case !w.movesTo(e.Proc, api.Running):
			w.fail("process %d is said to be up, and is not RUNNING since this step", e.Proc)
		}
		w.ups++
	case core.Probe:
		w.probe(e)
	case core.ReopenLogs, core.Changed:
	}
	return nil
}

// spawn answers a start later, mostly with success. Some processes end before
// anybody has heard that they began.
func (w *World) spawn(e *core.Effect) {
	p := w.procs[e.Proc]
	switch {
	case p == nil:
		w.fail("a process was started that is not there")
		return
	case p.busy:
		w.fail("%s was started twice", p.name)
		return
	}
	p.gen, p.busy = e.Gen, true
	if p.held {
		w.fail("%s was started and still holds its socket", p.name)
	}
	p.held, p.foreign = true, false
	r := w.record(p)
	r.kept, r.config, r.PID = true, p.config, 0
	if !w.tame && w.rand.IntN(10) == 0 {
		w.news = append(w.news, core.SpawnFailed{Proc: p.id, Gen: p.gen, Reason: "no luck"})
		return
	}
	w.nextPID++
	w.pids[w.nextPID] = p
	p.pid, r.PID = w.nextPID, w.nextPID
	w.news = append(w.news, core.Started{Proc: p.id, Gen: p.gen, PID: p.pid})
	if w.probed && w.rand.IntN(2) == 0 {
		w.announce(p)
	}
	if w.rand.IntN(8) == 0 {
		w.exit(p, w.drawExit())
	}
}

// exit ends a process of the operating system.
func (w *World) exit(p *process, e core.Exit) {
	delete(w.pids, p.pid)
	words := []string{"", "no", "not today"}[w.rand.IntN(3)]
	w.news = append(w.news, core.Exited{Proc: p.id, Gen: p.gen, Exit: e, LastWords: words})
}

// die ends some process for no reason.
func (w *World) die() {
	if pid, ok := draw(w, w.pids); ok {
		w.exit(w.pids[pid], w.drawExit())
	}
}

func (w *World) drawExit() core.Exit {
	if w.rand.IntN(3) == 0 {
		return core.Exit{Signal: syscall.SIGSEGV, Core: w.rand.IntN(2) == 0}
	}
	return core.Exit{Code: w.rand.IntN(4)}
}

// kill sends a signal. Some processes ignore all but SIGKILL, some signals may
// not be sent.
func (w *World) kill(e *core.Effect) {
	p := w.procs[e.Proc]
	if p == nil || e.PID == 0 || e.Gen != p.gen || e.PID != p.pid {
		w.fail("a signal was sent to pid %d of process %d, which is not its own", e.PID, e.Proc)
		return
	}
	w.killed(p, e)
	w.killedInOrder(p, e)
	result := core.Signaled{Proc: e.Proc, Gen: e.Gen, Req: e.Req, Sig: e.Sig}
	switch {
	case w.pids[e.PID] == nil:
		result.Gone = true
	case !w.tame && w.rand.IntN(50) == 0:
		result.Problem = "[Errno 1] EPERM"
	case e.Sig == syscall.SIGKILL || e.Req == 0 && (w.tame || w.rand.IntN(3) > 0):
		w.exit(p, core.Exit{Signal: e.Sig})
	}
	w.news = append(w.news, result)
}

func (w *World) write(e *core.Effect) core.Event {
	p := w.procs[e.Proc]
	r := core.StdinWritten{Proc: e.Proc, Gen: e.Gen, Req: e.Req}
	switch {
	case p == nil || p.gen != e.Gen || w.pids[p.pid] == nil || w.rand.IntN(30) == 0:
		r.Broken = true
	case w.rand.IntN(30) == 0:
		r.Full = true
	}
	return r
}

// talk has some process write something: a listener mostly what it should.
func (w *World) talk() {
	pid, ok := draw(w, w.pids)
	if !ok {
		return
	}
	p := w.pids[pid]
	if w.probed && w.rand.IntN(2) == 0 {
		w.announce(p)
		return
	}
	words := []string{"READY\n", "RESULT 2\nOKREADY\n", "RESULT 4\nFAILREADY\n", "RESULT 2\nO", "K", "REA", "DY\n", "junk\n", "RESULT x\n"}
	text := words[min(w.rand.IntN(len(words)), w.rand.IntN(len(words)))]
	if p.config.Program == "listener" {
		w.news = append(w.news, core.ListenerOutput{Proc: p.id, Gen: p.gen, Data: []byte(text)})
	} else if w.rand.IntN(2) == 0 {
		w.news = append(w.news, core.Captured{Proc: p.id, PID: p.pid, Data: []byte(text)})
	} else {
		w.news = append(w.news, core.Output{Proc: p.id, PID: p.pid, Data: []byte(text)})
	}
}
