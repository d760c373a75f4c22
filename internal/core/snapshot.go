package core

import (
	"cmp"
	"slices"
	"syscall"
	"time"

	"supervisord/internal/api"
	"supervisord/internal/config"
	"supervisord/internal/event"
)

// SnapshotVersion is the version of the form that a Snapshot has. It changes
// when a Core of before could not make sense of one, or would lose something
// that matters.
const SnapshotVersion = 1

// Snapshot is everything that a Core knows between two steps, as plain data: it
// can be written down and taken up by another program, of another version too.
// What has a number of its own in this package is named in it, as numbers may
// come to mean something else. Times on the monotonic clock stay what they are:
// whoever goes on with a Snapshot goes on with the clock.
type Snapshot struct {
	Version  int
	Serial   uint64
	Chance   uint64
	Mood     api.Mood
	Config   *config.Config // nil before boot
	Groups   []GroupSnapshot
	NextProc ProcID
	Requests []RequestSnapshot
	Ticks    []int64
	Shutdown ShutdownSnapshot
}

// TimerSnapshot is a timer that is set. Place is where it stands among all that
// are.
type TimerSnapshot struct {
	Due   time.Duration
	Place int
}

// GroupSnapshot is an active group.
type GroupSnapshot struct {
	// Loaded is the index of its configuration in that which was loaded last.
	// If it is another one it is Config, and Loaded is -1.
	Loaded    int
	Config    *config.Group `json:",omitempty"`
	Processes []ProcessSnapshot
	Pool      *PoolSnapshot `json:",omitempty"`
}

// ProcessSnapshot is a process of a group, in the order of its configuration.
type ProcessSnapshot struct {
	ID             ProcID
	Gen            Gen
	State          api.ProcessState
	PID            int
	Backoff        int
	Killing        bool             `json:",omitempty"`
	StopOnStart    bool             `json:",omitempty"`
	SignalsOnStart []SignalSnapshot `json:",omitempty"`
	StartMono      time.Duration
	Start, Stop    time.Time
	SpawnErr       string `json:",omitempty"`
	Problem        string `json:",omitempty"`
	LastExit       Exit
	HasExit        bool   `json:",omitempty"` // LastExit is that of the last start
	ExitText       string `json:",omitempty"`
	LastWords      string `json:",omitempty"`
	Result         int    `json:",omitempty"`
	Restarts       int
	Asked          bool `json:",omitempty"`
	Adopted        bool `json:",omitempty"`
	Order          OrderSnapshot
	Vital          VitalSnapshot
	Due            *TimerSnapshot `json:",omitempty"`
	NextStart      time.Time
	StopReport     *TimerSnapshot    `json:",omitempty"`
	ReadyBy        *TimerSnapshot    `json:",omitempty"`
	Check          *TimerSnapshot    `json:",omitempty"`
	Waiters        []WaiterSnapshot  `json:",omitempty"`
	Listener       *ListenerSnapshot `json:",omitempty"`
}

// OrderSnapshot is what keeps a process from starting or stopping at once.
type OrderSnapshot struct {
	Waiting bool   `json:",omitempty"`
	Held    bool   `json:",omitempty"`
	Again   bool   `json:",omitempty"`
	Failed  string `json:",omitempty"`
}

// VitalSnapshot is what the probes of a process have found out.
type VitalSnapshot struct {
	Found    bool   `json:",omitempty"`
	Probing  bool   `json:",omitempty"`
	Sign     bool   `json:",omitempty"`
	Failures int    `json:",omitempty"`
	Reason   string `json:",omitempty"`
	Status   string `json:",omitempty"`
}

// SignalSnapshot is a signal that waits for the confirmation of a start.
type SignalSnapshot struct {
	Sig syscall.Signal
	Req Req
}

// WaiterSnapshot is the part of a request that concerns a process. Request is
// the index of the request.
type WaiterSnapshot struct {
	Request int
	Kind    string
	Name    string
	Slot    int
}

// RequestSnapshot is a command that is not answered yet.
type RequestSnapshot struct {
	Req      Req
	Name     string
	List     bool
	Pending  int
	Statuses []api.ProcessStatus
	Later    []api.ProcessStatus
}

// PoolSnapshot is the event buffer of a group of listeners.
type PoolSnapshot struct {
	Buffer []NoticeSnapshot
	Serial uint64
	Hold   *TimerSnapshot `json:",omitempty"`
}

// NoticeSnapshot is an event on its way through a pool.
type NoticeSnapshot struct {
	Type       string
	Payload    []byte // a client may have sent what is no text
	Serial     uint64
	PoolSerial uint64
	Rejections int
}

// ListenerSnapshot is the part of a process that answers events.
type ListenerSnapshot struct {
	Protocol event.Protocol
	Current  *NoticeSnapshot `json:",omitempty"`
	Deaf     bool
}

// ShutdownSnapshot is the progress of a shutdown. Remaining are indexes of
// groups.
type ShutdownSnapshot struct {
	Begun, Finished bool
	Status          int
	Remaining       []int
	Report          *TimerSnapshot `json:",omitempty"`
}

// waitKindNames are the names of what waiters wait for.
var waitKindNames = map[waitKind]string{
	waitSpawned: "spawned",
	waitRunning: "running",
	waitStopped: "stopped",
	waitSignal:  "signal",
	waitKilled:  "killed",
}

// Snapshot returns everything that the Core knows. It shares configurations and
// the text of events with the Core, and nothing that either of them changes.
func (c *Core) Snapshot() *Snapshot {
	s := &Snapshot{
		Version: SnapshotVersion, Serial: c.serial, Chance: c.chance, Mood: c.mood, Config: c.config,
		NextProc: c.nextProc, Ticks: slices.Clone(c.ticks[:]),
	}
	requests := c.allRequests()
	for _, rq := range requests {
		s.Requests = append(s.Requests, RequestSnapshot{
			Req: rq.req, Name: rq.name, List: rq.list, Pending: rq.pending,
			Statuses: slices.Clone(rq.statuses), Later: slices.Clone(rq.later),
		})
	}
	loaded := make(map[*config.Group]int)
	if c.config != nil {
		for i, g := range c.config.Groups {
			loaded[g] = i
		}
	}
	for _, g := range c.groups {
		s.Groups = append(s.Groups, g.snapshot(loaded, requests))
	}
	s.Shutdown = ShutdownSnapshot{
		Begun: c.shutdown.begun, Finished: c.shutdown.finished, Status: c.shutdown.status, Report: c.shutdown.report.snapshot(),
	}
	for _, g := range c.shutdown.remaining {
		s.Shutdown.Remaining = append(s.Shutdown.Remaining, slices.Index(c.groups, g))
	}
	return s
}

// allRequests returns those that have a client and those that only a process
// still knows, in a stable order.
func (c *Core) allRequests() []*request {
	var list []*request
	for _, rq := range c.requests {
		list = append(list, rq)
	}
	slices.SortFunc(list, func(a, b *request) int { return cmp.Compare(a.req, b.req) })
	for _, g := range c.groups {
		for _, p := range g.processes {
			for _, w := range p.waiters {
				if !slices.Contains(list, w.request) {
					list = append(list, w.request)
				}
			}
		}
	}
	return list
}

func (g *group) snapshot(loaded map[*config.Group]int, requests []*request) GroupSnapshot {
	s := GroupSnapshot{Loaded: -1}
	if i, ok := loaded[g.config]; ok {
		s.Loaded = i
	} else {
		s.Config = g.config
	}
	for _, p := range g.processes {
		s.Processes = append(s.Processes, p.snapshot(requests))
	}
	if g.pool != nil {
		s.Pool = &PoolSnapshot{Serial: g.pool.serial, Hold: g.pool.hold.snapshot()}
		for _, n := range g.pool.buffer {
			s.Pool.Buffer = append(s.Pool.Buffer, n.snapshot())
		}
	}
	return s
}

func (p *process) snapshot(requests []*request) ProcessSnapshot {
	s := ProcessSnapshot{
		ID: p.id, Gen: p.gen, State: p.state, PID: p.pid, Backoff: p.backoff,
		Killing: p.killing, StopOnStart: p.stopOnStart,
		StartMono: p.startMono, Start: p.start.UTC(), Stop: p.stop.UTC(),
		SpawnErr: p.spawnErr, Problem: p.problem, LastExit: p.exit, HasExit: p.hasExit,
		ExitText: p.exitText, LastWords: p.lastWords, Result: p.result, Restarts: p.restarts, Asked: p.asked, Adopted: p.adopted,
		Due: p.due.snapshot(), NextStart: p.nextStart.UTC(), StopReport: p.stopReport.snapshot(),
		Order: OrderSnapshot{Waiting: p.order.waiting, Held: p.order.held, Again: p.order.again, Failed: p.order.failed},
		Vital: VitalSnapshot{
			Found: p.vital.found, Probing: p.vital.probing, Sign: p.vital.sign,
			Failures: p.vital.failures, Reason: p.vital.reason, Status: p.vital.status,
		},
		ReadyBy: p.readyBy.snapshot(), Check: p.check.snapshot(),
	}
	for _, sig := range p.signalsOnStart {
		s.SignalsOnStart = append(s.SignalsOnStart, SignalSnapshot{Sig: sig.sig, Req: sig.req})
	}
	for _, w := range p.waiters {
		s.Waiters = append(s.Waiters, WaiterSnapshot{
			Request: slices.Index(requests, w.request), Kind: waitKindNames[w.kind], Name: w.name, Slot: w.slot,
		})
	}
	if l := p.listener; l != nil {
		s.Listener = &ListenerSnapshot{Protocol: l.protocol, Deaf: l.deaf}
		s.Listener.Protocol.Pending = slices.Clone(l.protocol.Pending)
		s.Listener.Protocol.Result = slices.Clone(l.protocol.Result)
		if l.current != nil {
			current := l.current.snapshot()
			s.Listener.Current = &current
		}
	}
	return s
}

func (n *notice) snapshot() NoticeSnapshot {
	return NoticeSnapshot{
		Type: n.typ.String(), Payload: []byte(n.payload), Serial: n.serial, PoolSerial: n.poolSerial, Rejections: n.rejections,
	}
}

func (t *timer) snapshot() *TimerSnapshot {
	if t.index < 0 {
		return nil
	}
	return &TimerSnapshot{Due: t.due, Place: t.index}
}
