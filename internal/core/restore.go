package core

import (
	"fmt"

	"supervisord/internal/config"
	"supervisord/internal/event"
)

// Restore returns a Core that goes on where the one of the snapshot was: for
// the same events it has the same effects. The snapshot belongs to the Core
// afterwards. Of the options, Serial and Seed are not used. The error says what in the
// snapshot makes no sense.
func Restore(o Options, s *Snapshot) (*Core, error) {
	if s.Version != SnapshotVersion {
		return nil, fmt.Errorf("restore state: version %d is not known; this program knows version %d", s.Version, SnapshotVersion)
	}
	o.Serial, o.Seed = s.Serial, s.Chance
	c := New(o)
	c.mood, c.config, c.nextProc = s.Mood, s.Config, s.NextProc
	if len(s.Ticks) != len(c.ticks) {
		return nil, fmt.Errorf("restore state: %d periods of ticks in place of %d", len(s.Ticks), len(c.ticks))
	}
	copy(c.ticks[:], s.Ticks)
	r := restorer{core: c, timers: make(map[int]*timer)}
	r.readRequests(s.Requests)
	for i := range s.Groups {
		if err := r.group(&s.Groups[i]); err != nil {
			return nil, fmt.Errorf("restore state: %w", err)
		}
	}
	c.updatePools()
	if err := r.shutdown(&s.Shutdown); err != nil {
		return nil, fmt.Errorf("restore state: %w", err)
	}
	if err := r.placeTimers(); err != nil {
		return nil, fmt.Errorf("restore state: %w", err)
	}
	c.dependencies.stale = true
	c.relink()
	c.effects = nil // It was said before.
	return c, nil
}

// restorer is what one Restore has to remember.
type restorer struct {
	core     *Core
	requests []*request
	timers   map[int]*timer // by their place in the heap
}

func (r *restorer) readRequests(list []RequestSnapshot) {
	for _, s := range list {
		rq := &request{
			req: s.Req, name: s.Name, list: s.List, pending: s.Pending, statuses: s.Statuses, later: s.Later,
		}
		r.requests = append(r.requests, rq)
		if rq.req != 0 {
			r.core.requests[rq.req] = rq
		}
	}
}

func (r *restorer) group(s *GroupSnapshot) error {
	c := r.core
	cfg := s.Config
	if cfg == nil {
		if c.config == nil || s.Loaded < 0 || s.Loaded >= len(c.config.Groups) {
			return fmt.Errorf("a group has configuration %d, which does not exist", s.Loaded)
		}
		cfg = c.config.Groups[s.Loaded]
	}
	if len(cfg.Processes) != len(s.Processes) {
		return fmt.Errorf("group %s has %d processes, its configuration %d", cfg.Name, len(s.Processes), len(cfg.Processes))
	}
	g := &group{config: cfg, byName: make(map[string]*process, len(cfg.Processes))}
	if cfg.Kind == config.ListenerPool {
		if s.Pool == nil {
			return fmt.Errorf("listener pool %s has no buffer", cfg.Name)
		}
		if err := r.pool(g, s.Pool); err != nil {
			return err
		}
	}
	for i := range s.Processes {
		if err := r.process(g, cfg.Processes[i], &s.Processes[i]); err != nil {
			return fmt.Errorf("process %s: %w", cfg.Processes[i].Name, err)
		}
	}
	c.groups = append(c.groups, g)
	return nil
}

func (r *restorer) pool(g *group, s *PoolSnapshot) error {
	g.pool = newPool(g)
	g.pool.serial = s.Serial
	for i := range s.Buffer {
		n, err := s.Buffer[i].notice()
		if err != nil {
			return err
		}
		g.pool.buffer = append(g.pool.buffer, n)
	}
	return r.timer(&g.pool.hold, s.Hold)
}

func (r *restorer) process(g *group, cfg *config.Process, s *ProcessSnapshot) error {
	if r.core.procs[s.ID] != nil || s.ID == 0 || s.ID > r.core.nextProc {
		return fmt.Errorf("its number %d is not its own", s.ID)
	}
	p := newProcess(s.ID, g, cfg)
	p.gen, p.state, p.pid, p.backoff = s.Gen, s.State, s.PID, s.Backoff
	p.killing, p.stopOnStart = s.Killing, s.StopOnStart
	for _, sig := range s.SignalsOnStart {
		p.signalsOnStart = append(p.signalsOnStart, pendingSignal{sig.Sig, sig.Req})
	}
	p.startMono, p.start, p.stop, p.nextStart = s.StartMono, s.Start, s.Stop, s.NextStart
	p.spawnErr, p.problem = s.SpawnErr, s.Problem
	p.exit, p.hasExit, p.exitText = s.LastExit, s.HasExit, s.ExitText
	p.lastWords, p.result, p.restarts, p.asked, p.adopted = s.LastWords, s.Result, s.Restarts, s.Asked, s.Adopted
	p.order = order{waiting: s.Order.Waiting, held: s.Order.Held, again: s.Order.Again, failed: s.Order.Failed}
	p.vital = vital{
		found: s.Vital.Found, probing: s.Vital.Probing, sign: s.Vital.Sign,
		failures: s.Vital.Failures, reason: s.Vital.Reason, status: s.Vital.Status,
	}
	if err := r.waiters(p, s.Waiters); err != nil {
		return err
	}
	if err := r.listener(p, s.Listener); err != nil {
		return err
	}
	if !p.state.IsStopped() {
		g.unstopped++
	}
	g.processes = append(g.processes, p)
	g.byName[cfg.Name] = p
	r.core.procs[p.id] = p
	if err := r.timer(&p.due, s.Due); err != nil {
		return err
	}
	if err := r.timer(&p.readyBy, s.ReadyBy); err != nil {
		return err
	}
	if err := r.timer(&p.check, s.Check); err != nil {
		return err
	}
	return r.timer(&p.stopReport, s.StopReport)
}

func (r *restorer) waiters(p *process, list []WaiterSnapshot) error {
	for _, s := range list {
		if s.Request < 0 || s.Request >= len(r.requests) {
			return fmt.Errorf("request %d does not exist", s.Request)
		}
		w := waiter{request: r.requests[s.Request], name: s.Name, slot: s.Slot}
		if s.Slot < 0 || s.Slot >= len(w.request.later) {
			return fmt.Errorf("answer %d of request %d does not exist", s.Slot, s.Request)
		}
		known := false
		for kind, name := range waitKindNames {
			if name == s.Kind {
				w.kind, known = kind, true
			}
		}
		if !known {
			return fmt.Errorf("a request waits for %q, which is not known", s.Kind)
		}
		p.waiters = append(p.waiters, w)
	}
	return nil
}

func (r *restorer) listener(p *process, s *ListenerSnapshot) error {
	if p.listener == nil || s == nil {
		if p.listener != nil || s != nil {
			return fmt.Errorf("it is a listener only in one of state and configuration")
		}
		return nil
	}
	p.listener.protocol, p.listener.deaf = s.Protocol, s.Deaf
	if s.Current == nil {
		return nil
	}
	var err error
	p.listener.current, err = s.Current.notice()
	return err
}

func (s *NoticeSnapshot) notice() (*notice, error) {
	typ, ok := event.ParseType(s.Type)
	if !ok {
		return nil, fmt.Errorf("event type %q is not known", s.Type)
	}
	return &notice{typ: typ, payload: string(s.Payload), serial: s.Serial, poolSerial: s.PoolSerial, rejections: s.Rejections}, nil
}

func (r *restorer) shutdown(s *ShutdownSnapshot) error {
	c := r.core
	c.shutdown.begun, c.shutdown.finished, c.shutdown.status = s.Begun, s.Finished, s.Status
	for _, i := range s.Remaining {
		if i < 0 || i >= len(c.groups) {
			return fmt.Errorf("group %d does not exist", i)
		}
		c.shutdown.remaining = append(c.shutdown.remaining, c.groups[i])
	}
	return r.timer(&c.shutdown.report, s.Report)
}

// timer notes where a timer stands in the heap.
func (r *restorer) timer(t *timer, s *TimerSnapshot) error {
	if s == nil {
		return nil
	}
	if r.timers[s.Place] != nil {
		return fmt.Errorf("two timers stand at place %d", s.Place)
	}
	t.due, t.index = s.Due, s.Place
	r.timers[s.Place] = t
	return nil
}

// placeTimers makes the heap.
func (r *restorer) placeTimers() error {
	h := make(timers, len(r.timers))
	for place, t := range r.timers {
		if place < 0 || place >= len(h) {
			return fmt.Errorf("a timer stands at place %d of %d", place, len(h))
		}
		h[place] = t
	}
	for i := 1; i < len(h); i++ {
		if h[i].before(h[(i-1)/2]) {
			return fmt.Errorf("the timer at place %d is not in order", i)
		}
	}
	r.core.timers = h
	return nil
}
