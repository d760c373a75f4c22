package daemon

import (
	"fmt"
	"slices"
	"syscall"
	"time"

	"golang.org/x/sys/unix"

	"supervisord/internal/adopt"
	"supervisord/internal/api"
	"supervisord/internal/childlog"
	"supervisord/internal/config"
	"supervisord/internal/core"
	"supervisord/internal/launch"
	"supervisord/internal/logfile"
	"supervisord/internal/probe"
	"supervisord/internal/spawn"
)

// maxLingering is how many pumps of former processes of one child may go on
// reading what orphans of these write.
const maxLingering = 4

// child is what the daemon keeps for one process of the core: where its output
// goes, and the pipes of its present life.
type child struct {
	id     core.ProcID
	group  *config.Group
	config *config.Process
	logs   [2]*childlog.Log // by channel

	gen     core.Gen
	paid    time.Time // until when its starts are paid for: see startInterval
	waiting bool      // a start is, for that or for the end of a pause
	pid     int
	stdin   *stdin
	pumps   []pump
	up      bool       // the start has succeeded
	ended   bool       // it was told to end
	kills   []core.Req // the requests of the signals that are not confirmed yet
	socket  *groupSocket
	holds   bool                           // it is one of the users of socket
	notify  *probe.Socket                  // nil where no messages are expected
	watch   func(ch api.Channel, p []byte) // looks at the output; nil for none
	kept    *adopt.Process                 // what a successor finds of it; nil without adopt=true
	heard   int64                          // how much a listener said in this life
	foreign bool                           // it was adopted: it is no child of this process
	// lingering are pumps of former lives that an orphan keeps open.
	lingering []pump
}

// pump is a pump with the life of the child that it belongs to.
type pump struct {
	*childlog.Pump
	gen core.Gen
	pid int
}

// release gives up what the child shares with others.
func (c *child) release() {
	if c.holds {
		c.holds = false
		c.socket.release()
	}
}

// autoLogs are the log files that the daemon named for a process.
type autoLogs [2]string

func tokenOf(id core.ProcID, gen core.Gen) spawn.Token {
	return spawn.Token(id)<<32 | spawn.Token(gen)
}

func (d *Daemon) childOf(t spawn.Token) (c *child, gen core.Gen) {
	return d.children[core.ProcID(t>>32)], core.Gen(t)
}

// openGroup makes the children of a group.
func (d *Daemon) openGroup(g *config.Group, ids []core.ProcID) {
	if g.Kind == config.FastCGIGroup {
		d.sockets[g] = &groupSocket{config: g.Socket, log: d.log, fd: d.survivings[g]}
		delete(d.survivings, g)
	}
	for i, id := range ids {
		p := g.Processes[i]
		d.nameLogs(p)
		c := &child{id: id, group: g, config: p, socket: d.sockets[g]}
		c.logs[api.Stdout] = d.newLog(p, api.Stdout)
		c.logs[api.Stderr] = d.newLog(p, api.Stderr)
		if d.options.Adopt != nil {
			c.kept = d.options.Adopt.Process(api.Namespec(g.Name, p.Name))
		}
		d.children[id] = c
	}
}

// CreateLogs creates the automatic log files of all processes. Run does it too,
// but whoever reads in the activity log that supervisord has started may expect
// them to be there.
func (d *Daemon) CreateLogs() {
	for _, g := range d.options.Config.Groups {
		for _, p := range g.Processes {
			d.nameLogs(p)
		}
	}
}

// nameLogs creates the log files of a process that the daemon names. They keep
// their names while the configuration is the same.
func (d *Daemon) nameLogs(p *config.Process) {
	if d.autoLogs[p] != nil {
		return
	}
	names := d.formerLogs(p)
	identifier := d.options.Config.Supervisord.Identifier
	for i, l := range []config.Log{p.Stdout, p.Stderr} {
		if l.File.Kind != config.LogAuto || names[i] != "" {
			continue
		}
		name, err := launch.NewChildLog(d.logDir, p.Name, identifier, api.Channel(i))
		if err != nil {
			d.log.Log(api.LevelError, fmt.Sprintf("cannot create a log file for %s %s: %v", p.Name, api.Channel(i), err))
			continue
		}
		names[i] = name
	}
	d.autoLogs[p] = names
}

// logPath returns the file of a channel, "" for none.
func (d *Daemon) logPath(p *config.Process, ch api.Channel) string {
	file := channelConfig(p, ch).File
	switch file.Kind {
	case config.LogPath:
		return file.Path
	case config.LogAuto:
		if names := d.autoLogs[p]; names != nil {
			return names[ch]
		}
	case config.LogNone:
	}
	return ""
}

func channelConfig(p *config.Process, ch api.Channel) *config.Log {
	if ch == api.Stderr {
		return &p.Stderr
	}
	return &p.Stdout
}

func (d *Daemon) newLog(p *config.Process, ch api.Channel) *childlog.Log {
	return childlog.NewLog(d.logOptions(p, ch))
}

func (d *Daemon) logOptions(p *config.Process, ch api.Channel) childlog.LogOptions {
	l := channelConfig(p, ch)
	o := childlog.LogOptions{
		Path: d.logPath(p, ch),
		Rotate: logfile.Options{
			MaxBytes: l.MaxBytes, Backups: l.Backups, Compress: l.Compress, MaxAge: l.MaxAge, Every: l.Rotate,
		},
		Report: d.log.Log,
	}
	if l.Syslog {
		o.SyslogTag = p.Name
	}
	return o
}

// started takes the pipes of a new process.
func (d *Daemon) started(r spawn.Started) {
	c, gen := d.childOf(r.Token)
	if c == nil || c.gen != gen {
		closeAll(r.Stdin, r.Stdout, r.Stderr)
		return
	}
	d.settling.started()
	c.pid, c.heard, c.foreign = r.PID, 0, false
	c.watch = d.matchers(c)
	d.heed(c)
	if r.Stdin >= 0 {
		c.stdin = newStdin(r.Stdin)
	}
	c.pumps = c.pumps[:0]
	if r.Stdout >= 0 {
		c.pumps = append(c.pumps, d.pump(c, r.Stdout, api.Stdout))
	}
	if r.Stderr >= 0 {
		c.pumps = append(c.pumps, d.pump(c, r.Stderr, api.Stderr))
	}
	d.step(core.Started{Proc: c.id, Gen: gen, PID: r.PID})
}

// pump starts the pump of a pipe.
func (d *Daemon) pump(c *child, fd int, ch api.Channel) pump {
	return pump{childlog.Start(d.pumpOptions(c, fd, ch, c.gen, c.pid)), c.gen, c.pid}
}

// pumpOptions are those of a pump of one life of a child.
func (d *Daemon) pumpOptions(c *child, fd int, ch api.Channel, gen core.Gen, pid int) childlog.PumpOptions {
	l := channelConfig(c.config, ch)
	listener := c.group.Kind == config.ListenerPool && ch == api.Stdout
	o := childlog.PumpOptions{
		FD: fd, Channel: ch, Log: c.logs[ch], Format: l.Format,
		ProcessName: c.config.Name, GroupName: c.group.Name, PID: pid,
		Tail:      ch == api.Stderr || c.config.RedirectStderr,
		StripANSI: d.options.Config.Supervisord.StripANSI,
		Listener:  listener,
		Watch:     c.watch,
		Sink:      &sink{daemon: d, proc: c.id, gen: gen, pid: pid, channel: ch},
	}
	if !listener {
		o.CaptureMaxBytes, o.Events = l.CaptureMaxBytes, l.EventsEnabled
	}
	if gen == c.gen {
		d.keepOutput(c, &o)
	}
	if d.log.Level() <= api.LevelDebug {
		o.MainLog = d.log.Log
	}
	return o
}

// exited takes the end of a process. The core hears of it when the pumps have
// logged what the process wrote, so that its last words come before its end.
func (d *Daemon) exited(r spawn.Exited) {
	d.log.Log(api.LevelDebug, "received SIGCHLD indicating a child quit")
	c, gen := d.childOf(r.Token)
	if c == nil || c.gen != gen {
		return
	}
	c.pid = 0
	c.closeNotify()
	d.endProbes(c.id)
	if c.stdin != nil {
		c.stdin.close()
		c.stdin = nil
	}
	ev := core.Exited{Proc: c.id, Gen: gen, Exit: exitOfReport(r)}
	failed := !c.ended && (!c.up || !slices.Contains(c.config.ExitCodes, ev.Exit.Status()))
	var last *childlog.Pump
	if len(c.pumps) > 0 && failed {
		last = c.pumps[len(c.pumps)-1].Pump // has what was written to standard error
	}
	d.pause.draining++
	d.drain(c, func() {
		if last != nil {
			ev.LastWords = last.LastWords()
		}
		d.post(query(func(d *Daemon) {
			d.pause.draining--
			d.step(ev)
		}))
	})
}

// settle says that the start of a process has succeeded.
func (d *Daemon) settle(id core.ProcID) {
	c := d.children[id]
	if c == nil {
		return
	}
	c.up = true
	if n := len(c.pumps); n > 0 {
		c.pumps[n-1].Settle()
	}
}

// drain lets the pumps of a child log what is in their pipes and then calls
// done, from whichever goroutine comes last.
func (d *Daemon) drain(c *child, done func()) {
	pumps := c.pumps
	c.pumps = nil
	d.linger(c, pumps)
	if len(pumps) == 0 {
		go done()
		return
	}
	last := newCountdown(len(pumps), done)
	for _, p := range pumps {
		p.Drain(last.down)
	}
}

// linger keeps the pumps of a former life as long as somebody writes to them,
// and not too many of them.
func (d *Daemon) linger(c *child, pumps []pump) {
	kept := c.lingering[:0]
	for _, p := range append(c.lingering, pumps...) {
		select {
		case <-p.Done():
		default:
			kept = append(kept, p)
		}
	}
	for len(kept) > maxLingering*2 {
		oldest := kept[0]
		oldest.Close()
		d.aside(func() { <-oldest.Done() })
		kept = kept[1:]
	}
	c.lingering = kept
}

// closeChild ends what a child has open. Its process, if there is one, goes on.
func (d *Daemon) closeChild(id core.ProcID) {
	c := d.children[id]
	if c == nil {
		return
	}
	delete(d.children, id)
	c.closeNotify()
	d.endProbes(id)
	pumps := append(c.lingering, c.pumps...)
	for _, p := range pumps {
		p.Close()
	}
	if c.stdin != nil {
		c.stdin.close()
	}
	if c.kept != nil {
		c.kept.Remove()
	}
	logs := c.logs
	d.aside(func() {
		for _, p := range pumps {
			<-p.Done()
		}
		for _, l := range logs {
			l.Close()
		}
	})
	if c.group.Kind == config.FastCGIGroup {
		delete(d.sockets, c.group)
	}
}

// signaled confirms a signal.
func (d *Daemon) signaled(r spawn.Signaled) {
	c, gen := d.childOf(r.Token)
	if c == nil || len(c.kills) == 0 {
		return
	}
	ev := core.Signaled{Proc: c.id, Gen: gen, Req: c.kills[0], Sig: r.Sig}
	c.kills = c.kills[1:]
	switch r.Errno {
	case 0:
	case syscall.ESRCH:
		ev.Gone = true
	default:
		ev.Problem = fmt.Sprintf("[Errno %d] %s", int(r.Errno), unix.ErrnoName(r.Errno))
	}
	d.step(ev)
}

func exitOfReport(r spawn.Exited) core.Exit {
	if r.Unknown {
		return core.Exit{Unknown: true}
	}
	return exitOf(r.Status)
}

func exitOf(s syscall.WaitStatus) core.Exit {
	if s.Signaled() {
		return core.Exit{Signal: s.Signal(), Core: s.CoreDump()}
	}
	return core.Exit{Code: s.ExitStatus()}
}

func closeAll(fds ...int) {
	for _, fd := range fds {
		if fd >= 0 {
			syscall.Close(fd)
		}
	}
}
