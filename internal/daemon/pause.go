package daemon

import (
	"context"
	"fmt"

	"supervisord/internal/api"
	"supervisord/internal/core"
	"supervisord/internal/spawn"
)

// pause is what the daemon knows of what it has begun, and of a stop of all
// that: nothing is started, signalled or reaped, and no output is read, so that
// another program can go on with what there is. It belongs to the daemon's
// goroutine.
type pause struct {
	begun bool
	// handed are the starts whose outcome is not known, killing counts the
	// signals, draining the processes whose last output is being read, and aside
	// what else goes on in other goroutines.
	handed   map[spawn.Token]bool
	killing  int
	draining int
	aside    int
	// kills are the signals that wait for the end of the pause.
	kills []KillState
	// closed says that the spawner has ended, running and adopted what it left; reading
	// is how many pumps have not stopped yet, of those that were asked in this
	// round.
	closed  bool
	running []spawn.Running
	adopted []spawn.Adopted
	reading int
	round   int

	wanted  func() bool
	reached chan struct{} // closed when wanted is so, or there is no hope; nil if nobody waits
}

// look tells those who wait for it that things have come to rest.
func (p *pause) look() {
	if p.reached != nil && p.wanted() {
		close(p.reached)
		p.reached = nil
	}
}

// end lets nobody wait any longer.
func (p *pause) end() {
	if p.reached != nil {
		close(p.reached)
		p.reached = nil
	}
}

// aside does something in a goroutine of its own that a pause has to wait for.
func (d *Daemon) aside(f func()) {
	d.pause.aside++
	go func() {
		f()
		d.post(query(func(d *Daemon) { d.pause.aside-- }))
	}()
}

// await has the daemon's goroutine begin something and waits until it has come
// so far.
func (d *Daemon) await(ctx context.Context, begin func(*Daemon), far func(*pause) bool) error {
	reached := make(chan struct{})
	if err := d.ask(ctx, func(d *Daemon) {
		begin(d)
		d.pause.reached = reached
		d.pause.wanted = func() bool { return far(&d.pause) }
	}); err != nil {
		return err
	}
	select {
	case <-reached:
	case <-ctx.Done():
		return ctx.Err()
	}
	select {
	case <-d.done:
		return errEnded
	default:
		return nil
	}
}

// Freeze stops everything, at a point where nothing is half done, and returns
// what another program needs to go on, or Resume in this one. In between the
// daemon's goroutine waits. If there is an error, or the context ends before
// that point is reached, everything goes on as before.
func (d *Daemon) Freeze(ctx context.Context) (*State, error) {
	state, err := d.freeze(ctx)
	if err != nil {
		_ = d.ask(context.Background(), (*Daemon).unpause) // It is only refused where all has ended.
	}
	return state, err
}

func (d *Daemon) freeze(ctx context.Context) (*State, error) {
	err := d.await(ctx, func(d *Daemon) { d.pause.begun = true }, func(p *pause) bool { return len(p.handed) == 0 && p.killing == 0 })
	if err != nil {
		return nil, fmt.Errorf("wait for starts and signals: %w", err)
	}
	var spawner *spawn.Spawner
	if err := d.ask(ctx, func(d *Daemon) { spawner = d.spawner }); err != nil {
		return nil, err
	}
	running, adopted := spawner.Close()
	// From here on nobody is reaped. What was is dealt with.
	err = d.await(ctx, func(d *Daemon) {
		d.pause.closed, d.pause.running, d.pause.adopted = true, running, adopted
	}, func(p *pause) bool { return p.draining == 0 && p.aside == 0 })
	if err != nil {
		return nil, fmt.Errorf("wait for the last output of what has ended: %w", err)
	}
	err = d.await(ctx, (*Daemon).stopReading, func(p *pause) bool { return p.reading == 0 && p.aside == 0 })
	if err != nil {
		return nil, fmt.Errorf("wait for the output of programs to be logged: %w", err)
	}
	return d.stand(ctx)
}

// stopReading has all pumps stop, and what takes messages.
func (d *Daemon) stopReading() {
	p := &d.pause
	p.round++
	p.reading = 0
	round := p.round
	stopped := func() {
		d.post(query(func(d *Daemon) {
			if d.pause.round == round {
				d.pause.reading--
			}
		}))
	}
	for _, c := range d.children {
		for _, pump := range c.allPumps() {
			p.reading++
			pump.Pause(stopped)
		}
		if c.notify != nil {
			p.reading++
			served := c.notify.Pause()
			go func() {
				<-served
				stopped()
			}()
		}
	}
}

func (c *child) allPumps() []pump {
	return append(c.lingering[:len(c.lingering):len(c.lingering)], c.pumps...)
}

// stand has the daemon's goroutine deal with what it was told, take stock and
// wait.
func (d *Daemon) stand(ctx context.Context) (*State, error) {
	taken := make(chan *State, 1)
	thaw := make(chan struct{})
	if !d.post(query(func(d *Daemon) {
		d.empty()
		if d.pause.aside > 0 || d.finished {
			taken <- nil
			return
		}
		s := d.state()
		d.freezeFiles(s)
		s.thaw = thaw
		taken <- s
		<-thaw
		d.thawFiles()
		d.unpause()
	})) {
		return nil, errEnded
	}
	select {
	case s := <-taken:
		if s == nil {
			return nil, fmt.Errorf("supervisord was given something else to do")
		}
		return s, nil
	case <-d.done:
		return nil, errEnded
	case <-ctx.Done():
		// It is on its way, and is to go on.
		go func() {
			select {
			case s := <-taken:
				if s != nil {
					close(thaw)
				}
			case <-d.done:
			}
		}()
		return nil, ctx.Err()
	}
}

// empty receives what is in the mailbox.
func (d *Daemon) empty() {
	for {
		select {
		case m := <-d.mailbox:
			d.turn.waiting.Add(-1)
			d.receive(m)
		default:
			return
		}
	}
}

// Thaw lets the daemon go on whose state it is.
func (s *State) Thaw() { close(s.thaw) }

// unpause ends a pause, wherever it has got to.
func (d *Daemon) unpause() {
	p := &d.pause
	p.end()
	p.begun = false
	p.round++
	if p.closed {
		p.closed = false
		d.spawner = spawn.New(d.reported, p.running...)
		d.spawner.Adopt(p.adopted...)
		p.running, p.adopted = nil, nil
	}
	for _, c := range d.children {
		for _, pump := range c.allPumps() {
			pump.Resume()
		}
		if c.notify != nil && c.notify.Paused() {
			d.heed(c)
		}
	}
	d.catchUp()
}

// catchUp does what had to wait for the end of a pause.
func (d *Daemon) catchUp() {
	kills := d.pause.kills
	d.pause.kills = nil
	for _, k := range kills {
		d.kill(&core.Effect{Proc: k.Proc, Gen: k.Gen, PID: k.PID, AsGroup: k.AsGroup, Sig: k.Sig, Req: k.Req})
	}
	for _, c := range d.children {
		if c.waiting {
			d.spawnWhenPaid(c)
		}
	}
}

// Expect returns the answer to a request that is in the state that the Daemon
// goes on with. It is called before Run, and the function that it returns once.
// That one waits for the answer, which nobody gets when the client has gone.
func (d *Daemon) Expect(req uint64) func(ctx context.Context) ([]api.ProcessStatus, error) {
	reply := make(chan core.Reply, 1)
	d.replies[core.Req(req)] = reply
	return func(ctx context.Context) ([]api.ProcessStatus, error) {
		r, err := d.answer(ctx, core.Req(req), reply)
		return r.Statuses, err
	}
}

// upgradeOnSignal upgrades as SIGUSR1 asks for.
func (d *Daemon) upgradeOnSignal() {
	if d.options.Upgrade == nil {
		return
	}
	d.log.Log(api.LevelInfo, "received SIGUSR1 indicating upgrade request")
	go func() {
		_ = d.Upgrade(context.Background()) // What became of it is in the log.
	}()
}

// Upgrade has another program take the place of this one, which goes on with
// everything. If it returns there is an error, and nothing has happened.
func (d *Daemon) Upgrade(ctx context.Context) error {
	switch {
	case d.options.Upgrade == nil:
		return api.NewFault(api.Failed, "this supervisord cannot be upgraded while it runs")
	case d.Mood() < api.MoodRunning:
		return errEnded
	}
	defer api.TicketOf(ctx).Hold(api.Wait{})()
	// The other program would not go on with what is prepared.
	select {
	case <-d.prepared:
	case <-d.done:
		return errEnded
	case <-ctx.Done():
		return ctx.Err()
	}
	err := d.options.Upgrade(ctx)
	d.log.Log(api.LevelError, "supervisord was not upgraded, and goes on: "+err.Error())
	return api.NewFault(api.Failed, err.Error())
}
