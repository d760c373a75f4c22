package daemon

import (
	"fmt"
	"sync"
	"time"

	"supervisord/internal/adopt"
	"supervisord/internal/api"
	"supervisord/internal/applog"
	"supervisord/internal/childlog"
	"supervisord/internal/config"
	"supervisord/internal/core"
	"supervisord/internal/event"
	"supervisord/internal/spawn"
)

// prepareAdoption finds the places of what is to be taken back.
func (d *Daemon) prepareAdoption() {
	d.core.SetTrace(d.traced)
	d.noted = d.options.Serial
	d.survivors = make(map[string]*adopt.Survivor)
	d.survivings = make(map[*config.Group]int)
	for _, s := range d.options.Adopted {
		d.survivors[s.Name] = s
	}
	for _, g := range d.options.Config.Groups {
		for _, p := range g.Processes {
			if s := d.survivors[api.Namespec(g.Name, p.Name)]; s != nil && s.Socket >= 0 {
				d.survivings[g] = s.Socket
			}
		}
	}
}

// resumeKept goes on with what is kept of a process that the program before this
// one has started or adopted.
func (d *Daemon) resumeKept(c *child) {
	if d.options.Adopt == nil {
		return
	}
	c.kept = d.options.Adopt.Process(api.Namespec(c.group.Name, c.config.Name))
	if p, found := d.core.Progress(c.id); found {
		c.heard = c.kept.HeardBytes() + p.Unheard
	}
}

// formerLogs returns the automatic log files of a process that is taken back.
func (d *Daemon) formerLogs(p *config.Process) *autoLogs {
	for _, g := range d.options.Config.Groups {
		for _, other := range g.Processes {
			if other != p {
				continue
			}
			if s := d.survivors[api.Namespec(g.Name, p.Name)]; s != nil {
				names := autoLogs(s.Logs)
				return &names
			}
		}
	}
	return &autoLogs{}
}

// adoptees tells the core what is to be taken back.
func (d *Daemon) adoptees() map[string]core.Adoptee {
	list := make(map[string]core.Adoptee, len(d.survivors))
	for name, s := range d.survivors {
		list[name] = core.Adoptee{
			State: s.State, PID: s.PID, Start: s.Started, Stop: s.Stopped, Ran: s.Ran,
			LastExit: core.Exit{Code: s.Code, Signal: s.Signal, Unknown: s.Unknown}, HasExit: s.Ended,
			Restarts: s.Restarts, Backoff: s.Backoff, Ready: s.Ready, Wanted: s.Wanted, Listener: adoptedListener(s),
		}
	}
	return list
}

func adoptedListener(s *adopt.Survivor) *core.AdoptedListener {
	a := &s.Answer
	if !a.Kept {
		return nil
	}
	l := &core.AdoptedListener{State: a.State, Unsent: s.Unsent, PoolSerial: a.NextPoolSerial}
	if a.InFlight {
		l.InFlight = &core.AdoptedEvent{Type: event.Type(a.Type), Serial: a.Serial, PoolSerial: a.PoolSerial,
			Rejections: a.Rejections, Payload: string(s.Payload), Lost: a.Size < 0}
	}
	return l
}

// adopt takes the pipes of a process that runs already and has it watched.
func (d *Daemon) adopt(e *core.Effect) {
	c := d.children[e.Proc]
	s := d.survivors[api.Namespec(c.group.Name, c.config.Name)]
	c.gen, c.pid, c.kills, c.foreign = e.Gen, e.PID, nil, true
	if c.socket != nil && !c.holds {
		c.holds = true
		c.socket.users++
	}
	if s.Stdin >= 0 {
		c.stdin = newStdin(s.Stdin)
	}
	c.heard = s.Answer.Heard
	c.watch = d.matchers(c)
	if s.Stdout >= 0 {
		c.pumps = append(c.pumps, d.pump(c, s.Stdout, api.Stdout))
	}
	if s.Stderr >= 0 {
		c.pumps = append(c.pumps, d.pump(c, s.Stderr, api.Stderr))
	}
	fd := s.PIDFD
	if fd < 0 {
		fd = s.Former
	}
	d.spawner.Adopt(spawn.Adopted{Token: tokenOf(c.id, c.gen), PID: e.PID, FD: fd})
}

// keepStart has the start of a process be such that a successor can take it
// back. It is called by the starter.
func (d *Daemon) keepStart(j job, spec *spawn.Spec) {
	kept := j.child.kept
	if kept == nil {
		return
	}
	id := adopt.Identity{
		Fingerprint: adopt.Fingerprint(d.options.Config, j.group, j.config),
		StopSignal:  int(j.config.StopSignal), StopWait: j.config.StopWaitSecs.Seconds(), StopGroup: j.config.StopAsGroup,
	}
	for ch, l := range []config.Log{j.config.Stdout, j.config.Stderr} {
		if l.File.Kind == config.LogAuto {
			id.Logs[ch] = j.child.logs[ch].Path()
		}
	}
	if err := kept.Prepare(id); err != nil {
		d.log.Log(api.LevelError, fmt.Sprintf("'%s' is started so that a successor cannot adopt it: %v", j.config.Name, err))
		return
	}
	spec.Pipes.Make, spec.Forked = kept.Pipe, kept.Forked
}

// keepOutput has the output of a process be moved such that none of it is lost
// or doubled when this supervisord is killed.
func (d *Daemon) keepOutput(c *child, o *childlog.PumpOptions) {
	if c.kept == nil {
		return
	}
	o.Whole = true
	if !o.Listener {
		d.keepSpool(c, o)
		return
	}
	f, err := c.kept.Heard()
	if err != nil {
		d.log.Log(api.LevelError, fmt.Sprintf("what '%s' says is not kept for a successor: %v", c.config.Name, err))
		return
	}
	o.Heard, o.HeardFrom = f, c.heard
}

// keepSpool gives the output of a process a spool, if it needs one or one was left
// by a supervisord that had another configuration.
func (d *Daemon) keepSpool(c *child, o *childlog.PumpOptions) {
	needed := o.NeedsSpool()
	f, err := c.kept.Spool(1+int(o.Channel), needed)
	switch {
	case err == nil:
		o.Spool = f
	case needed:
		d.log.Log(api.LevelError, fmt.Sprintf("output of '%s' may be lost when supervisord is killed: %v", c.config.Name, err))
	}
}

// traced notes that a process is not as it is written down, which the core tells in
// the middle of a step.
func (d *Daemon) traced(id core.ProcID, _, _ api.ProcessState) { d.moved = append(d.moved, id) }

// keep writes down what has come of a step, before anything of it is done.
func (d *Daemon) keep(ev core.Event, fx []core.Effect) {
	if d.options.Adopt == nil {
		return
	}
	if serial := d.core.Serial(); serial != d.noted {
		d.noted = serial
		d.options.Adopt.SetSerial(serial)
	}
	// Groups come first, so that there is a place for what is written down.
	for i := range fx {
		if fx[i].Kind == core.OpenGroup {
			d.perform(&fx[i])
			fx[i] = core.Effect{Kind: core.Changed}
		}
	}
	gone := d.goneIn(ev)
	if gone != 0 {
		d.keepState(gone, (*adopt.Process).Ended)
	}
	for _, id := range d.moved {
		if id != gone {
			d.keepState(id, (*adopt.Process).Set)
		}
	}
	d.moved = d.moved[:0]
	d.keepConversations(ev, fx)
}

// goneIn returns the process of whose end the core has heard in a step, 0 for
// none. Before that a successor has to find it, with its last output.
func (d *Daemon) goneIn(ev core.Event) core.ProcID {
	if ev, ok := ev.(core.Exited); ok {
		if c := d.children[ev.Proc]; c != nil && c.gen == ev.Gen {
			return ev.Proc
		}
	}
	return 0
}

// keepState has what has become of a process written down.
func (d *Daemon) keepState(id core.ProcID, note func(*adopt.Process, func(*adopt.Status))) {
	c := d.children[id]
	a, found := d.core.Legacy(id)
	if c == nil || !found {
		return
	}
	note(c.kept, func(s *adopt.Status) {
		s.State, s.Started, s.Stopped, s.Restarts, s.Backoff = a.State, a.Start, a.Stop, a.Restarts, a.Backoff
		s.Ended, s.Code, s.Signal, s.Unknown = a.HasExit, a.LastExit.Code, a.LastExit.Signal, a.LastExit.Unknown
		s.Ready, s.Wanted = a.Ready, a.Wanted
	})
}

// keepConversations writes down how far the listeners have come that are
// concerned: one that spoke, and those that are sent an event.
func (d *Daemon) keepConversations(ev core.Event, fx []core.Effect) {
	var spoke core.ProcID
	switch ev := ev.(type) {
	case core.ListenerOutput:
		spoke = ev.Proc
		if c := d.children[spoke]; c != nil && c.gen == ev.Gen {
			c.heard += int64(len(ev.Data))
		}
	case core.StdinWritten:
		if ev.Req == 0 {
			spoke = ev.Proc
		}
	}
	for i := range fx {
		if e := &fx[i]; e.Kind == core.WriteStdin && e.Req == 0 {
			d.keepConversation(e.Proc, true)
			if e.Proc == spoke {
				spoke = 0
			}
		}
	}
	if spoke != 0 {
		d.keepConversation(spoke, false)
	}
}

// keepConversation writes down how far a listener has come; sent says that it
// is about to be sent an event.
func (d *Daemon) keepConversation(id core.ProcID, sent bool) {
	c := d.children[id]
	p, found := d.core.Progress(id)
	if c == nil || !found {
		return
	}
	a := adopt.Answer{State: p.State, Heard: c.heard - p.Unheard, NextPoolSerial: p.PoolSerial}
	var payload []byte
	if e := p.InFlight; e != nil {
		a.InFlight, a.Serial, a.PoolSerial = true, e.Serial, e.PoolSerial
		a.Type, a.Rejections = uint32(e.Type), e.Rejections
		if sent {
			payload = []byte(e.Payload)
		}
	}
	c.kept.SetAnswer(a, payload)
}

// Refuse deals with processes of a predecessor that are not taken back: they are
// reported and left, or stopped, which is waited for. What they write is thrown
// away.
func Refuse(list []*adopt.Stranger, policy config.OrphanPolicy, log *applog.Logger) {
	var stops sync.WaitGroup
	for _, s := range list {
		for _, fd := range []int{s.Stdout, s.Stderr} {
			if fd >= 0 {
				childlog.Start(childlog.PumpOptions{FD: fd, ProcessName: s.Name})
			}
		}
		text := fmt.Sprintf("a process of '%s' from an earlier supervisord is running with pid %d and is not adopted: %s", s.Name, s.PID, s.Reason)
		stranger := spawn.Adopted{PID: s.PID, FD: s.PIDFD}
		if policy != config.StopOrphans {
			log.Log(api.LevelWarn, text+"; it is left alone")
			stranger.Forget()
			continue
		}
		log.Log(api.LevelWarn, text+"; it is stopped")
		stops.Go(func() {
			stranger.Stop(s.StopGroup, s.StopSignal, time.Duration(s.StopWait*float64(time.Second)))
		})
	}
	stops.Wait()
}
