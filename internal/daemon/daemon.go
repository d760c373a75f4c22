package daemon

import (
	"context"
	"math/rand/v2"
	"os"
	"path/filepath"
	"sync/atomic"
	"syscall"
	"time"

	"supervisord/internal/adopt"
	"supervisord/internal/api"
	"supervisord/internal/applog"
	"supervisord/internal/config"
	"supervisord/internal/core"
	"supervisord/internal/spawn"
)

// mailboxSize is how much news may wait for the daemon's goroutine. When it is
// full, those who send wait: pumps and with them the programs that write.
const mailboxSize = 1024

// Options are what a Daemon works with.
type Options struct {
	Config *config.Config
	Log    *applog.Logger
	// Load reads the configuration anew.
	Load func() (*config.Config, error)
	// Signals are the signals to the process; nil for none.
	Signals <-chan os.Signal
	// Serial is the serial of the first event.
	Serial uint64
	// Adopt, if not nil, is where a successor finds what it needs to take the
	// processes back if this supervisord is killed, and Adopted what was found
	// there of a predecessor.
	Adopt   *adopt.Directory
	Adopted []*adopt.Survivor
	// Prepare, if not nil, is called once when Run begins, and nothing is started
	// before it has returned. Clients are answered meanwhile.
	Prepare func()
	// Started, if not nil, is called once by Run when the processes with
	// autostart are about to be started.
	Started func()
	// Upgrade, if not nil, has another program take the place of this one.
	Upgrade func(context.Context) error
}

// Daemon runs the programs of a configuration.
type Daemon struct {
	options Options
	core    *core.Core
	log     *applog.Logger
	spawner *spawn.Spawner
	starter *starter
	begun   time.Time // the origin of the monotonic clock
	logDir  string    // of automatic log files

	turn    turn
	mailbox chan any
	// largePieces has an element for each large piece of output in the mailbox.
	largePieces chan struct{}
	prepared    chan struct{} // closed when Options.Prepare has returned
	done        chan struct{} // closed when Run returns
	// follow-up events of effects that were performed at once; they come before
	// the mailbox.
	pending  []core.Event
	effects  []core.Effect
	children map[core.ProcID]*child
	sockets  map[*config.Group]*groupSocket
	autoLogs map[*config.Process]*autoLogs
	replies  map[core.Req]chan<- core.Reply
	settling settling
	finished bool
	restart  bool
	status   int    // to exit with
	resumed  *State // what Run goes on with; nil to boot
	pause    pause
	check    check
	// probes are the commands that probe processes, nextProbe the last number
	// of one.
	probes    map[spawn.Token]*probeRun
	nextProbe spawn.Token

	// What follows is shared.
	nextReq atomic.Uint64
	mood    atomic.Int32
	changed broadcast

	// What is kept for a successor; see keep.
	moved      []core.ProcID // processes whose state has changed in this step
	noted      uint64        // the serial that was noted
	survivors  map[string]*adopt.Survivor
	survivings map[*config.Group]int // sockets of FastCGI groups, until they are used
}

// call is a command with the place where its answer goes.
type call struct {
	command core.Command
	reply   chan<- core.Reply
}

// query is a question that whoever has the turn answers by running it.
type query func(*Daemon)

// New returns a Daemon that does nothing until Run.
func New(o Options) *Daemon { return newDaemon(o, core.New(coreOptions(&o))) }

func coreOptions(o *Options) core.Options {
	return core.Options{
		Identifier: o.Config.Supervisord.Identifier, Serial: o.Serial, Seed: rand.Uint64(), LogLevel: o.Log.Level(),
	}
}

func newDaemon(o Options, c *core.Core) *Daemon {
	d := &Daemon{
		options:     o,
		core:        c,
		log:         o.Log,
		begun:       time.Now(),
		logDir:      o.Config.Supervisord.ChildLogDir,
		mailbox:     make(chan any, mailboxSize),
		largePieces: make(chan struct{}, maxLargePieces),
		prepared:    make(chan struct{}),
		done:        make(chan struct{}),
		turn:        turn{ended: make(chan struct{}, 1), due: stale},
		children:    make(map[core.ProcID]*child),
		sockets:     make(map[*config.Group]*groupSocket),
		autoLogs:    make(map[*config.Process]*autoLogs),
		replies:     make(map[core.Req]chan<- core.Reply),
		pause:       pause{handed: make(map[spawn.Token]bool)},
		probes:      make(map[spawn.Token]*probeRun),
	}
	d.mood.Store(int32(c.Mood()))
	if o.Adopt != nil {
		d.prepareAdoption()
	}
	// Run may find itself in another directory than the configuration was read in.
	if dir, err := filepath.Abs(d.logDir); err == nil {
		d.logDir = dir
	}
	return d
}

// Serial returns the serial of the next event, for a successor. It may be
// called when Run has returned.
func (d *Daemon) Serial() uint64 { return d.core.Serial() }

// ExitStatus returns what supervisord is to exit with. It may be called when Run
// has returned.
func (d *Daemon) ExitStatus() int { return d.status }

// Run starts the programs and serves until supervisord is to end. It reports
// whether it is to start anew.
func (d *Daemon) Run() (restart bool) {
	d.turn.mu.Lock()
	d.turn.timer = time.NewTimer(time.Hour)
	defer d.turn.timer.Stop()
	d.starter = newStarter(d)
	d.settling.begin()
	if d.resumed != nil {
		d.resume()
	} else {
		d.spawner = spawn.New(d.reported)
		if d.options.Started != nil {
			d.options.Started()
		}
		d.step(core.Boot{Config: d.options.Config, Adopted: d.adoptees()})
	}
	d.endTurn()
	d.turn.open = !d.finished
	for !d.finished {
		d.turn.mu.Unlock()
		var news any
		posted := int64(0)
		select {
		case news = <-d.mailbox:
			posted = 1
		case s := <-d.options.Signals:
			news = s.(syscall.Signal)
		case <-d.turn.timer.C:
			news = core.Tick{}
		case <-d.turn.ended:
		}
		d.turn.mu.Lock()
		d.turn.waiting.Add(-posted)
		if !d.finished {
			d.receive(news)
			d.endTurn()
		}
	}
	d.turn.open = false
	d.close()
	d.turn.mu.Unlock()
	return d.restart
}

// reported takes news of the spawner.
func (d *Daemon) reported(r spawn.Report) { d.post(r) }

func (d *Daemon) receive(m any) {
	switch m := m.(type) {
	case core.Tick:
		d.turn.due = stale
		d.step(m)
	case core.Event:
		d.step(m)
	case piece:
		<-d.largePieces
		d.step(m.event)
	case spawn.Report:
		d.report(m)
	case call:
		d.replies[m.command.Req] = m.reply
		d.step(m.command)
	case query:
		m(d)
	case syscall.Signal:
		d.signal(m)
	}
}

// step gives an event to the core and performs what it decides, and goes on
// with what came of that at once.
func (d *Daemon) step(ev core.Event) {
	d.pending = append(d.pending, ev)
	for len(d.pending) > 0 {
		ev := d.pending[0]
		d.pending = d.pending[1:]
		now := time.Now()
		fx := d.core.Step(ev, core.Now{Mono: now.Sub(d.begun), Wall: now}, d.effects[:0])
		d.keep(ev, fx)
		// Before those who wait for a change are woken.
		d.mood.Store(int32(d.core.Mood()))
		for i := range fx {
			d.perform(&fx[i])
			fx[i] = core.Effect{}
		}
		d.effects = fx
	}
	d.pending = nil
}

// signal takes a signal to supervisord itself. SIGUSR1 asks for an upgrade. A SIGHUP stops everything before
// the new configuration is read, as it always did, unless it is configured that
// a restart is only begun with one that can be loaded.
func (d *Daemon) signal(sig syscall.Signal) {
	if sig == syscall.SIGUSR1 {
		d.upgradeOnSignal()
		return
	}
	if sig != syscall.SIGHUP || !d.options.Config.Supervisord.CheckRestart || d.core.Mood() == api.MoodShutdown {
		d.step(core.SignalReceived{Sig: sig})
		return
	}
	go func() {
		if _, err := d.options.Load(); err != nil {
			d.log.Log(api.LevelError, "received SIGHUP indicating restart request, but the configuration "+
				"cannot be loaded; everything goes on as before: "+err.Error())
			return
		}
		d.post(core.SignalReceived{Sig: sig})
	}()
}

// close releases what is left when the run loop has ended.
func (d *Daemon) close() {
	d.settling.end()
	d.starter.close()
	close(d.done)
	d.pause.end()
	d.spawner.Close()
	for id := range d.children {
		d.closeChild(id)
	}
	for _, reply := range d.replies {
		reply <- core.Reply{Fault: api.NewFault(api.ShutdownState)}
	}
	d.changed.send()
}
