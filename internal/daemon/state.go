package daemon

import (
	"context"
	"fmt"
	"syscall"
	"time"

	"golang.org/x/sys/unix"

	"supervisord/internal/api"
	"supervisord/internal/childlog"
	"supervisord/internal/config"
	"supervisord/internal/core"
	"supervisord/internal/spawn"
)

// State is everything that a Daemon has, as plain data. The numbers of
// descriptors in it mean something only to who has these.
type State struct {
	Core *core.Snapshot
	// Mono is the time of the core, and Clock that of the system's monotonic
	// clock, which goes on from one program to the next.
	Mono, Clock time.Duration
	NextReq     uint64
	LogDir      string
	// AutoLogs are the names of the automatic logs of the processes that were
	// loaded last, in their order.
	AutoLogs [][2]string
	Children []ChildState
	Sockets  []SocketState
	// Running are the processes that were started and not reaped, Adopted those
	// that were started by an earlier supervisord. Kills are the signals that are
	// still to be sent.
	Running []spawn.Running
	Adopted []spawn.Adopted `json:",omitempty"`
	Kills   []KillState

	thaw chan struct{}
}

// ChildState is what a Daemon has for a process.
type ChildState struct {
	ID      core.ProcID
	Gen     core.Gen
	PID     int
	Paid    time.Duration // from now; 0 also where that is past
	Up      bool          `json:",omitempty"`
	Ended   bool          `json:",omitempty"`
	Waiting bool          `json:",omitempty"`
	Holds   bool          `json:",omitempty"`
	Foreign bool          `json:",omitempty"`
	Stdin   *StdinState   `json:",omitempty"`
	Notify  *NotifyState  `json:",omitempty"`
	Logs    [2]childlog.LogState
	Pumps   []LifePump `json:",omitempty"`
	// Lingering are pumps of former lives.
	Lingering []LifePump `json:",omitempty"`
	AutoLogs  [2]string
}

// LifePump is a pump with the life that it belongs to.
type LifePump struct {
	childlog.PumpState
	Gen core.Gen
	PID int
}

// SocketState is the socket of a FastCGI group.
type SocketState struct {
	Group string
	FD    int
	Users int
}

// KillState is a signal that is to be sent to a process.
type KillState struct {
	Proc    core.ProcID
	Gen     core.Gen
	PID     int
	AsGroup bool
	Sig     syscall.Signal
	Req     core.Req
}

// state takes stock, but for what is in files.
func (d *Daemon) state() *State {
	s := &State{
		Core: d.core.Snapshot(), Mono: time.Since(d.begun), Clock: monotonic(),
		NextReq: d.nextReq.Load(), LogDir: d.logDir,
		Running: d.pause.running, Adopted: d.pause.adopted, Kills: d.pause.kills,
	}
	now := time.Now()
	if cfg := d.core.Config(); cfg != nil {
		for _, g := range cfg.Groups {
			for _, p := range g.Processes {
				s.AutoLogs = append(s.AutoLogs, d.autoLogsOf(p))
			}
		}
	}
	for _, c := range d.children {
		s.Children = append(s.Children, ChildState{
			ID: c.id, Gen: c.gen, PID: c.pid, Paid: max(c.paid.Sub(now), 0), Waiting: c.waiting, Holds: c.holds,
			Up: c.up, Ended: c.ended, Foreign: c.foreign && c.pid != 0,
			Pumps: pumpStates(c.pumps), Lingering: pumpStates(c.lingering), AutoLogs: d.autoLogsOf(c.config),
			Notify: c.notifyState(),
		})
	}
	for g, socket := range d.sockets {
		s.Sockets = append(s.Sockets, SocketState{Group: g.Name, FD: socket.fd, Users: socket.users})
	}
	return s
}

func (d *Daemon) autoLogsOf(p *config.Process) [2]string {
	if names := d.autoLogs[p]; names != nil {
		return *names
	}
	return [2]string{}
}

func pumpStates(pumps []pump) (list []LifePump) {
	for _, p := range pumps {
		if s, ok := p.State(); ok {
			list = append(list, LifePump{s, p.gen, p.pid})
		}
	}
	return list
}

// freezeFiles completes a state with what is in files, and stops what writes
// there.
func (d *Daemon) freezeFiles(s *State) {
	for i := range s.Children {
		cs := &s.Children[i]
		c := d.children[cs.ID]
		for ch := range c.logs {
			cs.Logs[ch] = c.logs[ch].Freeze()
		}
		if c.stdin != nil {
			stdin := c.stdin.freeze()
			cs.Stdin = &stdin
		}
	}
}

// thawFiles ends freezeFiles.
func (d *Daemon) thawFiles() {
	for _, c := range d.children {
		for _, l := range c.logs {
			l.Thaw()
		}
		if c.stdin != nil {
			c.stdin.thaw()
		}
	}
}

// Descriptors returns the descriptors that the state speaks of.
func (s *State) Descriptors() (list []int) {
	for i := range s.Children {
		c := &s.Children[i]
		if c.Notify != nil {
			list = append(list, c.Notify.FD)
		}
		if c.Stdin != nil {
			list = append(list, c.Stdin.FD)
		}
		for _, l := range c.Logs {
			if l.File != nil && l.File.FD >= 0 {
				list = append(list, l.File.FD)
			}
		}
		for _, p := range append(c.Pumps[:len(c.Pumps):len(c.Pumps)], c.Lingering...) {
			list = append(list, p.FD)
		}
	}
	for _, a := range s.Adopted {
		list = append(list, a.FD)
	}
	for _, socket := range s.Sockets {
		if socket.FD > 0 {
			list = append(list, socket.FD)
		}
	}
	return list
}

// Trial returns the state as it would be now, but for what is in files, so that
// another program can say whether it would make sense of it.
func (d *Daemon) Trial(ctx context.Context) (*State, error) {
	var s *State
	if err := d.ask(ctx, func(d *Daemon) { s = d.state() }); err != nil {
		return nil, err
	}
	return s, nil
}

// Resume returns a Daemon that goes on with a state as soon as it is run. The
// descriptors are its own then.
func Resume(o Options, s *State) (*Daemon, error) {
	c, err := core.Restore(coreOptions(&o), s.Core)
	if err != nil {
		return nil, err
	}
	d := newDaemon(o, c)
	d.logDir = s.LogDir
	d.resumed = s
	gap := max(monotonic()-s.Clock, 0)
	d.begun = time.Now().Add(-s.Mono - gap)
	d.nextReq.Store(s.NextReq)
	d.pause.kills = s.Kills
	d.resumeAutoLogs(s.AutoLogs)
	return d, d.resumeChildren(s, gap)
}

func (d *Daemon) resumeAutoLogs(names [][2]string) {
	cfg := d.core.Config()
	if cfg == nil {
		return
	}
	for _, g := range cfg.Groups {
		for _, p := range g.Processes {
			if len(names) == 0 {
				return
			}
			d.autoLogs[p] = (*autoLogs)(&names[0])
			names = names[1:]
		}
	}
}

// resumeChildren makes the children that the core knows.
func (d *Daemon) resumeChildren(s *State, gap time.Duration) error {
	states := make(map[core.ProcID]*ChildState, len(s.Children))
	for i := range s.Children {
		states[s.Children[i].ID] = &s.Children[i]
	}
	for _, v := range d.core.AllProcesses() {
		cs := states[v.ID]
		if cs == nil {
			return fmt.Errorf("restore state: process %s has none", v.Config.Name)
		}
		if v.Group.Kind == config.FastCGIGroup && d.sockets[v.Group] == nil {
			d.sockets[v.Group] = d.resumeSocket(v.Group, s.Sockets)
		}
		names := autoLogs(cs.AutoLogs)
		d.autoLogs[v.Config] = &names
		c := &child{
			id: v.ID, group: v.Group, config: v.Config, socket: d.sockets[v.Group],
			gen: cs.Gen, paid: time.Now().Add(cs.Paid - gap), pid: cs.PID, waiting: cs.Waiting, holds: cs.Holds,
			up: cs.Up, ended: cs.Ended, foreign: cs.Foreign,
		}
		for ch := range c.logs {
			c.logs[ch] = childlog.ResumeLog(d.logOptions(c.config, api.Channel(ch)), cs.Logs[ch])
		}
		d.resumeKept(c)
		d.children[c.id] = c
	}
	return nil
}

func (d *Daemon) resumeSocket(g *config.Group, list []SocketState) *groupSocket {
	socket := &groupSocket{config: g.Socket, log: d.log}
	for _, s := range list {
		if s.Group == g.Name {
			socket.fd, socket.users = s.FD, s.Users
		}
	}
	return socket
}

// resume goes on where the state was taken.
func (d *Daemon) resume() {
	s := d.resumed
	d.resumed = nil
	d.spawner = spawn.New(d.reported, s.Running...)
	d.spawner.Adopt(s.Adopted...)
	for i := range s.Children {
		cs := &s.Children[i]
		c := d.children[cs.ID]
		if c == nil {
			continue
		}
		if cs.Stdin != nil {
			c.stdin = resumeStdin(*cs.Stdin)
		}
		d.resumeProbes(c, cs.Notify)
		c.pumps, c.lingering = d.resumePumps(c, cs.Pumps), d.resumePumps(c, cs.Lingering)
	}
	d.endFormerProbes(s.Running)
	d.catchUp()
	d.step(core.Resumed{})
}

func (d *Daemon) resumePumps(c *child, list []LifePump) (pumps []pump) {
	for _, s := range list {
		o := d.pumpOptions(c, s.FD, s.Channel, s.Gen, s.PID)
		pumps = append(pumps, pump{childlog.ResumePump(o, s.PumpState), s.Gen, s.PID})
	}
	return pumps
}

// monotonic returns the time on the clock that goes on from one program to the
// next.
func monotonic() time.Duration {
	var now unix.Timespec
	if err := unix.ClockGettime(unix.CLOCK_MONOTONIC, &now); err != nil {
		return 0
	}
	return time.Duration(now.Nano())
}
