package daemon

import (
	"fmt"
	"syscall"
	"time"

	"golang.org/x/sys/unix"

	"supervisord/internal/api"
	"supervisord/internal/childlog"
	"supervisord/internal/core"
	"supervisord/internal/spawn"
)

// perform carries out one effect of the core.
func (d *Daemon) perform(e *core.Effect) {
	switch e.Kind {
	case core.OpenGroup:
		d.openGroup(e.Group, e.Procs)
	case core.CloseGroup:
		for _, id := range e.Procs {
			d.closeChild(id)
		}
	case core.Spawn:
		d.spawn(e)
	case core.Adopt:
		d.adopt(e)
	case core.Kill:
		d.kill(e)
	case core.WriteStdin:
		d.writeStdin(e)
	case core.Up:
		d.settle(e.Proc)
	case core.Release:
		if c := d.children[e.Proc]; c != nil {
			c.release()
		}
	case core.Probe:
		d.probe(e)
	case core.Log:
		d.log.Log(e.Level, e.Text)
	case core.Answer:
		if reply := d.replies[e.Req]; reply != nil {
			delete(d.replies, e.Req)
			reply <- *e.Reply
		}
	case core.ReopenLogs:
		d.reopenLogs()
	case core.Changed:
		d.changed.send()
	case core.Finish:
		d.finished, d.restart, d.status = true, e.Restart, e.Status
	}
}

// A process is started once in startInterval in the long run, which bounds what
// a program can cost that ends as fast as it is started. startBurst starts may
// come sooner: a program that has died now and then is restarted at once.
const (
	startInterval = 20 * time.Millisecond
	startBurst    = 50
)

// spawn starts a process, not too soon after the last times.
func (d *Daemon) spawn(e *core.Effect) {
	c := d.children[e.Proc]
	c.gen = e.Gen
	c.up, c.ended, c.kills = false, false, nil
	if c.socket != nil {
		if err := c.socket.acquire(); err != nil {
			d.pending = append(d.pending, core.SpawnFailed{Proc: e.Proc, Gen: e.Gen, Reason: err.Error()})
			return
		}
		c.holds = true
	}
	if err := d.listen(c, e.Gen); err != nil {
		c.release()
		d.pending = append(d.pending, core.SpawnFailed{Proc: e.Proc, Gen: e.Gen, Reason: err.Error()})
		return
	}
	d.spawnWhenPaid(c)
}

// spawnWhenPaid has the process started as soon as its last starts are paid for.
func (d *Daemon) spawnWhenPaid(c *child) {
	wait := time.Until(c.paid.Add(-startBurst * startInterval))
	if wait <= 0 {
		d.begin(c, c.gen)
		return
	}
	c.waiting = true
	id, gen := c.id, c.gen
	time.AfterFunc(wait, func() {
		d.post(query(func(d *Daemon) {
			if c := d.children[id]; c != nil && c.gen == gen && c.waiting {
				d.begin(c, gen)
			}
		}))
	})
}

// begin hands the process to the starter, or has it wait for the end of a pause.
func (d *Daemon) begin(c *child, gen core.Gen) {
	c.waiting = d.pause.begun
	if c.waiting {
		return
	}
	if now := time.Now(); c.paid.Before(now) {
		c.paid = now
	}
	c.paid = c.paid.Add(startInterval)
	d.pause.handed[tokenOf(c.id, gen)] = true
	d.starter.start(c, gen)
}

func (d *Daemon) kill(e *core.Effect) {
	c := d.children[e.Proc]
	if c == nil {
		return
	}
	c.ended = c.ended || e.Req == 0
	switch {
	case d.pause.begun:
		d.pause.kills = append(d.pause.kills, KillState{
			Proc: e.Proc, Gen: e.Gen, PID: e.PID, AsGroup: e.AsGroup, Sig: e.Sig, Req: e.Req,
		})
	default:
		c.kills = append(c.kills, e.Req)
		d.pause.killing++
		d.spawner.Kill(tokenOf(e.Proc, e.Gen), e.PID, e.AsGroup, e.Sig)
	}
}

func (d *Daemon) writeStdin(e *core.Effect) {
	ev := core.StdinWritten{Proc: e.Proc, Gen: e.Gen, Req: e.Req, Broken: true}
	if c := d.children[e.Proc]; c != nil && c.gen == e.Gen && c.stdin != nil {
		ev.Broken, ev.Full = c.stdin.write(e.Data)
	}
	d.pending = append(d.pending, ev)
}

// report takes news of the spawner.
func (d *Daemon) report(r spawn.Report) {
	if d.check.report(r) || d.probeReport(r) {
		return
	}
	switch r := r.(type) {
	case spawn.Started:
		delete(d.pause.handed, r.Token)
		d.started(r)
	case spawn.Failed:
		delete(d.pause.handed, r.Token)
		d.failed(r)
	case spawn.Exited:
		d.exited(r)
	case spawn.Orphan:
		d.log.Log(api.LevelInfo, fmt.Sprintf("reaped unknown pid %d (%s)", r.PID, exitOf(r.Status)))
	case spawn.Signaled:
		d.pause.killing--
		d.signaled(r)
	}
}

// failed words why a process could not be made.
func (d *Daemon) failed(r spawn.Failed) {
	c, gen := d.childOf(r.Token)
	if c == nil || c.gen != gen {
		return
	}
	var reason string
	switch {
	case r.Step == spawn.StepPipe && r.Errno == syscall.EMFILE:
		reason = fmt.Sprintf("too many open files to spawn '%s'", c.config.Name)
	case r.Step == spawn.StepPipe:
		reason = fmt.Sprintf("unknown error making dispatchers for '%s': %s", c.config.Name, unix.ErrnoName(r.Errno))
	case r.Errno == syscall.EAGAIN:
		reason = fmt.Sprintf("Too many processes in process table to spawn '%s'", c.config.Name)
	default:
		reason = fmt.Sprintf("unknown error during fork for '%s': %s", c.config.Name, unix.ErrnoName(r.Errno))
	}
	d.spawnFailed(c, gen, reason)
}

// spawnFailed gives up what was prepared for a process and tells the core.
func (d *Daemon) spawnFailed(c *child, gen core.Gen, reason string) {
	c.release()
	d.step(core.SpawnFailed{Proc: c.id, Gen: gen, Reason: reason})
}

// reopenLogs opens all log files again, after they were renamed. Those of
// processes that do not run are closed: they come back when there is something
// to write.
func (d *Daemon) reopenLogs() {
	d.log.Log(api.LevelInfo, "supervisord logreopen")
	if err := d.log.Reopen(); err != nil {
		d.log.Log(api.LevelError, "cannot reopen the activity log: "+err.Error())
	}
	var open, idle []*childlog.Log
	for _, c := range d.children {
		if c.pid != 0 {
			open = append(open, c.logs[:]...)
		} else {
			idle = append(idle, c.logs[:]...)
		}
	}
	d.aside(func() {
		for _, l := range idle {
			l.Close()
		}
		for _, l := range open {
			if err := l.Reopen(); err != nil {
				d.log.Log(api.LevelError, fmt.Sprintf("cannot reopen %s: %v", l.Path(), err))
			}
		}
	})
}
