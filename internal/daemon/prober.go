package daemon

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"strconv"
	"strings"
	"syscall"
	"time"

	"supervisord/internal/api"
	"supervisord/internal/config"
	"supervisord/internal/core"
	"supervisord/internal/launch"
	"supervisord/internal/probe"
	"supervisord/internal/spawn"
)

// probeToken marks the tokens of commands that probe a process: no number of a
// process is so large.
const probeToken spawn.Token = 1 << 63

// maxProbeOutput is how much of the output of such a command is kept, to say
// why it failed.
const maxProbeOutput = 512

// lastWordsLimit is how long the end of such a command waits for what it said.
const lastWordsLimit = time.Second

// probeRun is a command that probes a process.
type probeRun struct {
	id       core.ProcID
	gen      core.Gen
	health   bool
	pid      int
	timer    *time.Timer
	timedOut bool
	output   <-chan string // has the last line once nobody writes any more
}

// probe probes a process once, in a goroutine or by a command. Exactly one
// answer comes for each.
func (d *Daemon) probe(e *core.Effect) {
	c := d.children[e.Proc]
	if c == nil {
		return
	}
	p, limit := &c.config.Ready.Probe, core.ReadyTimeout
	if e.Health {
		p, limit = &c.config.Health.Probe, c.config.Health.Timeout
	}
	ev := core.Probed{Proc: e.Proc, Gen: e.Gen, Health: e.Health}
	if p.Kind == config.ProbeExec {
		d.probeByCommand(c, p, limit, ev)
		return
	}
	go func() {
		ctx, cancel := context.WithTimeout(context.Background(), limit)
		defer cancel()
		if err := probe.Check(ctx, p); err != nil {
			ev.Reason = err.Error()
		}
		d.post(ev)
	}()
}

// probeByCommand runs a command as the user of the process, with its
// environment and in its directory.
func (d *Daemon) probeByCommand(c *child, p *config.Probe, limit time.Duration, ev core.Probed) {
	d.nextProbe++
	token := probeToken | d.nextProbe
	d.probes[token] = &probeRun{id: ev.Proc, gen: ev.Gen, health: ev.Health}
	d.probes[token].timer = time.AfterFunc(limit, func() {
		d.post(query(func(d *Daemon) { d.endProbe(token) }))
	})
	j := job{id: c.id, gen: ev.Gen, group: c.group, config: c.config, child: c}
	go func() {
		spec, err := d.starter.probeSpec(j, p)
		d.post(query(func(d *Daemon) {
			switch {
			case err != nil:
				d.answerProbe(token, err.Error())
			case d.probes[token] != nil:
				d.spawner.Start(token, spec)
			}
		}))
	}()
}

// probeSpec is what it takes to run the command of a probe beside a process.
func (s *starter) probeSpec(j job, p *config.Probe) (*spawn.Spec, error) {
	filled, err := launch.Fill(j.config)
	if err != nil {
		return nil, err
	}
	file, err := launch.Resolve(p.Argv, launch.CommandPath(filled.Environment))
	if err != nil {
		return nil, err
	}
	spec, err := s.spec(j, file, &filled)
	if err != nil {
		return nil, err
	}
	spec.Argv = p.Argv
	spec.Pipes = spawn.Pipes{MergeStderr: true}
	return spec, nil
}

// endProbe kills a command that takes too long, or whose process has ended.
func (d *Daemon) endProbe(token spawn.Token) {
	if r := d.probes[token]; r != nil {
		r.timedOut = true
		if r.pid == 0 {
			d.answerProbe(token, "timed out")
			return
		}
		d.spawner.Kill(token, r.pid, true, syscall.SIGKILL)
	}
}

// endProbes kills the commands that probe a process.
func (d *Daemon) endProbes(id core.ProcID) {
	for token, r := range d.probes {
		if r.id == id {
			d.endProbe(token)
		}
	}
}

// answerProbe tells the core of the end of a command.
func (d *Daemon) answerProbe(token spawn.Token, reason string) {
	r := d.probes[token]
	if r == nil {
		return
	}
	r.timer.Stop()
	delete(d.probes, token)
	d.step(core.Probed{Proc: r.id, Gen: r.gen, Health: r.health, Reason: reason})
}

// probeReport takes news of the spawner about a command. It reports whether
// the news is about one.
func (d *Daemon) probeReport(r spawn.Report) bool {
	switch r := r.(type) {
	case spawn.Started:
		if r.Token&probeToken == 0 {
			return false
		}
		closeAll(r.Stdin, r.Stderr)
		run := d.probes[r.Token]
		if run == nil {
			closeAll(r.Stdout)
			d.spawner.Kill(r.Token, r.PID, true, syscall.SIGKILL)
			return true
		}
		run.pid = r.PID
		run.output = lastLine(r.Stdout)
		return true
	case spawn.Failed:
		if r.Token&probeToken == 0 {
			return false
		}
		d.answerProbe(r.Token, fmt.Sprintf("the command cannot be started: %v", r.Errno))
		return true
	case spawn.Exited:
		if r.Token&probeToken == 0 {
			return false
		}
		if run := d.probes[r.Token]; run != nil {
			d.probeEnded(r.Token, run, exitOf(r.Status))
		}
		return true
	case spawn.Signaled:
		return r.Token&probeToken != 0
	}
	return false
}

// probeEnded words what has become of a command. What it said last may still be
// on its way.
func (d *Daemon) probeEnded(token spawn.Token, r *probeRun, exit core.Exit) {
	switch {
	case r.timedOut:
		d.answerProbe(token, "timed out")
	case exit == core.Exit{}:
		d.answerProbe(token, "")
	default:
		d.aside(func() {
			reason := exit.String()
			select {
			case line := <-r.output:
				if line != "" {
					reason += ": " + line
				}
			case <-time.After(lastWordsLimit): // Somebody else still writes.
			}
			d.post(query(func(d *Daemon) { d.answerProbe(token, reason) }))
		})
	}
}

// lastLine reads from a pipe until nobody writes to it any more, and keeps the
// last line of what there was.
func lastLine(fd int) <-chan string {
	line := make(chan string, 1)
	f := os.NewFile(uintptr(fd), "probe")
	go func() {
		defer f.Close()
		var last []byte
		buf := make([]byte, maxProbeOutput)
		for {
			n, err := f.Read(buf)
			last = append(last, buf[:n]...)
			if over := len(last) - maxProbeOutput; over > 0 {
				last = append(last[:0], last[over:]...)
			}
			if err != nil {
				if !errors.Is(err, io.EOF) {
					last = nil
				}
				break
			}
		}
		last = bytes.TrimSpace(last)
		line <- printable(string(last[bytes.LastIndexByte(last, '\n')+1:]))
	}()
	return line
}

// printable makes a text fit for a line of the log.
func printable(s string) string {
	return strings.Map(func(r rune) rune {
		if r < ' ' || r == 0x7f {
			return ' '
		}
		return r
	}, strings.ToValidUTF8(s, "?"))
}

// listen makes the socket for the messages of a process that sends some.
func (d *Daemon) listen(c *child, gen core.Gen) error {
	c.closeNotify()
	if c.config.Ready.Kind != config.ProbeNotify && c.config.Health.Kind != config.ProbeNotify {
		return nil
	}
	s, err := probe.Listen(strconv.Itoa(int(c.id)) + "." + strconv.Itoa(int(gen)))
	if err != nil {
		return err
	}
	c.notify = s
	return nil
}

// NotifyState is the socket for the messages of a process.
type NotifyState struct {
	FD      int
	Address string
}

func (c *child) notifyState() *NotifyState {
	if c.notify == nil {
		return nil
	}
	return &NotifyState{FD: c.notify.FD(), Address: c.notify.Address}
}

// resumeProbes goes on to listen to a process that runs, or is about to, after
// another program has taken over.
func (d *Daemon) resumeProbes(c *child, s *NotifyState) {
	if s != nil {
		var err error
		if c.notify, err = probe.Resume(s.FD, s.Address); err != nil {
			d.log.Log(api.LevelError, err.Error())
		}
	}
	if c.pid == 0 && !c.waiting {
		return
	}
	if c.notify == nil {
		// What was before this program did not hand it over.
		if err := d.listen(c, c.gen); err != nil {
			d.log.Log(api.LevelError, err.Error())
		}
	}
	if c.pid != 0 {
		c.watch = d.matchers(c)
		d.heed(c)
	}
}

// heed takes the messages of a process that was started.
func (d *Daemon) heed(c *child) {
	s, id, gen, pid, uid := c.notify, c.id, c.gen, c.pid, c.config.UID
	if s == nil {
		return
	}
	if uid < 0 {
		uid = os.Getuid()
	}
	accept := func(sender *probe.Sender) bool {
		if sender.Belongs(pid, uid) {
			return true
		}
		d.log.Log(api.LevelWarn, fmt.Sprintf("a message to the socket of %s came from pid %d, which does not belong to it",
			c.config.Name, sender.PID))
		return false
	}
	s.Serve(accept, func(m probe.Message) {
		d.post(core.Notified{Proc: id, Gen: gen, Ready: m.Ready, Alive: m.Alive, HasStatus: m.HasStatus, Status: m.Status})
	})
}

// endFormerProbes ends the commands that the program before this one has started.
// The probes begin anew.
func (d *Daemon) endFormerProbes(running []spawn.Running) {
	for _, r := range running {
		if r.Token&probeToken != 0 {
			d.nextProbe = max(d.nextProbe, r.Token&^probeToken)
			d.spawner.Kill(r.Token, r.PID, true, syscall.SIGKILL)
		}
	}
}

func (c *child) closeNotify() {
	if c.notify != nil {
		c.notify.Close()
		c.notify = nil
	}
}

// matchers returns what looks for lines in the output of a process.
func (d *Daemon) matchers(c *child) func(ch api.Channel, p []byte) {
	var list []*probe.Matcher
	for _, m := range []struct {
		probe *config.Probe
		event core.Notified
	}{
		{&c.config.Ready.Probe, core.Notified{Ready: true}},
		{&c.config.Health.Probe, core.Notified{Alive: true}},
	} {
		if m.probe.Kind != config.ProbeLog {
			continue
		}
		ev := m.event
		ev.Proc, ev.Gen = c.id, c.gen
		var last time.Time
		found := func() {
			// One sign in a while says as much as many.
			if now := time.Now(); now.Sub(last) >= signInterval {
				last = now
				d.post(ev)
			}
		}
		if matcher, err := probe.NewMatcher(m.probe.Address, found); err == nil {
			list = append(list, matcher)
		}
	}
	if list == nil {
		return nil
	}
	return func(ch api.Channel, p []byte) {
		for _, m := range list {
			m.Write(int(ch), p)
		}
	}
}

// signInterval is how often a line that is looked for is reported at most.
const signInterval = 100 * time.Millisecond
