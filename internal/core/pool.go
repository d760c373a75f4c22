package core

import (
	"time"

	"supervisord/internal/api"
	"supervisord/internal/event"
)

const (
	// freeRejections is how often an event may be rejected before it is held
	// back for a while, so that a listener that always fails does not keep the
	// machine busy; maxHold is the longest such pause.
	freeRejections = 3
	minHold        = 10 * time.Millisecond
	maxHold        = time.Second
)

// pool is the event buffer of a group of listeners.
type pool struct {
	group     *group
	subscribe event.Set
	// subscriptions are those that subscribe is made of. An event that several
	// of them cover is delivered as often.
	subscriptions []event.Set
	buffer        []*notice
	serial        uint64 // of the next event
	hold          timer  // while it is set nothing is sent
}

// notice is an event on its way through a pool.
type notice struct {
	typ        event.Type
	payload    string
	serial     uint64
	poolSerial uint64
	rejections int
}

// listener is the part of a process that answers events.
type listener struct {
	protocol event.Protocol
	// current is the event that was sent and not yet answered.
	current *notice
	// deaf says that the process closed its standard input.
	deaf bool
}

func (l *listener) reset() { *l = listener{}; l.protocol.Reset() }

func newPool(g *group) *pool {
	p := &pool{group: g}
	// When the time is over, dispatch does the rest.
	p.hold = timer{index: -1, fire: func(*Core) {}}
	for _, name := range g.config.Events {
		if t, ok := event.ParseType(name); ok {
			var s event.Set
			s.Subscribe(t)
			p.subscriptions = append(p.subscriptions, s)
			p.subscribe = p.subscribe.Union(s)
		}
	}
	return p
}

// updatePools finds the pools and what any of them subscribes to. The groups
// may be many, of which few have a pool.
func (c *Core) updatePools() {
	c.pools, c.interest = nil, 0
	for _, g := range c.groups {
		if g.pool != nil {
			c.pools = append(c.pools, g.pool)
			c.interest = c.interest.Union(g.pool.subscribe)
		}
	}
}

// notify puts an event into the buffers of the pools that subscribe to it. It
// gets a serial if there is at least one.
func (c *Core) notify(typ event.Type, payload string) {
	if !c.interest.Has(typ) {
		return
	}
	serial := c.serial
	c.serial++
	for _, p := range c.pools {
		if !p.subscribe.Has(typ) {
			continue
		}
		n := notice{typ: typ, payload: payload, serial: serial, poolSerial: p.serial}
		p.serial++
		for _, s := range p.subscriptions {
			if s.Has(typ) {
				again := n
				c.makeRoom(p)
				p.buffer = append(p.buffer, &again)
			}
		}
	}
}

// makeRoom discards the oldest event of a full buffer.
func (c *Core) makeRoom(p *pool) {
	if len(p.buffer) < p.group.config.BufferSize {
		return
	}
	c.logf(api.LevelError, "pool %s event buffer overflowed, discarding event %d", p.group.config.Name, p.buffer[0].serial)
	p.buffer = p.buffer[1:]
}

// rebuffer puts an event back at the head of the buffer.
func (c *Core) rebuffer(p *pool, n *notice) {
	c.logf(api.LevelDebug, "rebuffering event %d for pool %s (buf size=%d, max=%d)",
		n.serial, p.group.config.Name, len(p.buffer), p.group.config.BufferSize)
	c.makeRoom(p)
	p.buffer = append([]*notice{n}, p.buffer...)
}

// dispatch sends buffered events to the listeners that are ready.
func (c *Core) dispatch() {
	for _, p := range c.pools {
		if p.hold.index >= 0 {
			continue
		}
		for len(p.buffer) > 0 && c.send(p) {
		}
	}
}

// send sends the oldest event to the first listener that is ready, if any.
func (c *Core) send(p *pool) bool {
	for _, proc := range p.group.processes {
		l := proc.listener
		if proc.state != api.Running || l.protocol.State != api.ListenerReady || l.deaf {
			continue
		}
		n := p.buffer[0]
		p.buffer = p.buffer[1:]
		if len(p.buffer) == 0 {
			p.buffer = nil
		}
		header := event.Header{
			Server: c.identifier, Serial: n.serial,
			Pool: p.group.config.Name, PoolSerial: n.poolSerial, Type: n.typ,
			CountBytes: p.group.config.LenBytes,
		}
		l.protocol.Sent()
		l.current = n
		// The line comes first, so that what the listener answers comes after it.
		c.logf(api.LevelDebug, "event %d sent to listener %s", n.serial, proc.config.Name)
		c.emit(Effect{Kind: WriteStdin, Proc: proc.id, Gen: proc.gen, Data: header.Envelope(n.payload)})
		return true
	}
	return false
}

// unsend takes back an event that did not reach its listener, because that one
// has closed its standard input.
func (c *Core) unsend(p *process) {
	l := p.listener
	n := l.current
	l.current, l.deaf = nil, true
	l.protocol.Unsent()
	c.logf(api.LevelDebug, "epipe occurred while sending event %d to listener %s, listener state unchanged",
		n.serial, p.config.Name)
	c.rebuffer(p.group.pool, n)
}

// returnEvent gives back the event that a listener did not answer before it
// ended.
func (c *Core) returnEvent(p *process) {
	if n := p.listener.current; n != nil {
		p.listener.current = nil
		c.rebuffer(p.group.pool, n)
	}
}

// reject gives back an event that a listener refused. One that is refused
// again and again comes at longer and longer intervals.
func (c *Core) reject(p *process) {
	n := p.listener.current
	if n == nil {
		return
	}
	p.listener.current = nil
	pool := p.group.pool
	n.rejections++
	if over := n.rejections - freeRejections; over > 0 {
		pause := min(minHold<<min(over-1, 10), maxHold)
		c.timers.set(&pool.hold, c.now.Mono+pause)
	}
	c.rebuffer(pool, n)
}

// listenerOutput follows the listener protocol.
func (c *Core) listenerOutput(p *process, data []byte) {
	if p.listener == nil {
		c.bug(p, "listener output came from a process that is none")
		return
	}
	name := p.config.Name
	for _, o := range p.listener.protocol.Feed(data, nil) {
		switch o.Kind {
		case event.StateChanged:
			c.logf(api.LevelDebug, "%s: %s -> %s", name, o.From, o.To)
			if o.To == api.ListenerUnknown {
				c.logf(api.LevelWarn, "%s: has entered the UNKNOWN state and will no longer receive events, "+
					"this usually indicates the process violated the eventlistener protocol", name)
				c.returnEvent(p)
			}
		case event.Accepted:
			c.logf(api.LevelDebug, "%s: event was processed", name)
			p.listener.current = nil
		case event.Rejected:
			c.logf(api.LevelWarn, "%s: event was rejected", name)
			c.reject(p)
		case event.BadResult:
			c.logf(api.LevelWarn, "%s: bad result line: '%s'", name, event.Text([]byte(o.Text)))
		}
	}
}

// output makes a PROCESS_LOG event.
func (c *Core) output(ev Output) {
	typ := event.LogType(ev.Channel)
	if p := c.procs[ev.Proc]; p != nil && c.interest.Has(typ) {
		c.notify(typ, event.Output{Group: p.group.config.Name, Process: p.config.Name, PID: ev.PID,
			Channel: ev.Channel, Data: ev.Data}.LogPayload())
	}
}

// captured makes a PROCESS_COMMUNICATION event.
func (c *Core) captured(ev Captured) {
	p := c.procs[ev.Proc]
	if p == nil {
		return
	}
	if typ := event.CommunicationType(ev.Channel); c.interest.Has(typ) {
		c.notify(typ, event.Output{Group: p.group.config.Name, Process: p.config.Name, PID: ev.PID,
			Channel: ev.Channel, Data: ev.Data}.CommunicationPayload())
	}
}
