package adopt

import (
	"errors"
	"io"
	"syscall"
	"time"

	"supervisord/internal/api"
	"supervisord/internal/config"
)

// Survivor is a process of the previous life that is taken back: one that runs,
// one that ended while there was no supervisord, or one that did not run.
type Survivor struct {
	Record
	// PIDFD is a descriptor of the process that runs; -1 if it ended meanwhile.
	// Where PID is 0 there is none.
	PIDFD int
	// Ran is how long ago the process of PID was started.
	Ran time.Duration
	// Former is a descriptor of the process that ended meanwhile, which may know
	// how; -1 where there is none.
	Former int
	// Stdin, Stdout and Stderr are supervisord's ends of its pipes, -1 where it
	// has none, and Socket that of its FastCGI group.
	Stdin, Stdout, Stderr, Socket int
	// Payload is that of the event in flight, if it was kept.
	Payload []byte
	// Unsent says that the event in flight never came to the listener.
	Unsent bool
}

// Stranger is a process of the previous life that runs and is not taken back.
type Stranger struct {
	Identity
	PID   int
	PIDFD int
	// Stdout and Stderr are the ends of its pipes, which somebody has to empty;
	// -1 where it has none.
	Stdout, Stderr int
	Reason         string
}

// Findings are what an examination of the directory led to.
type Findings struct {
	Survivors []*Survivor
	Strangers []*Stranger
	// Damaged counts the records that could not be read.
	Damaged int
}

// Examine reads the records and looks for the processes. Descriptors in the
// findings belong to the caller. Records of what is not taken back are removed.
func (d *Directory) Examine(cfg *config.Config) *Findings {
	f := &Findings{}
	known := map[string]configured{}
	for _, g := range cfg.Groups {
		for _, p := range g.Processes {
			known[api.Namespec(g.Name, p.Name)] = configured{g, p, Fingerprint(cfg, g, p)}
		}
	}
	list, damaged := d.records()
	f.Damaged = damaged
	var find finder
	for _, r := range list {
		keep := d.examine(f, r, known[r.Name], &find)
		// What was kept of it is open by itself now.
		d.stored.close(storedName(r.PID, r.Born))
		if !keep {
			d.Process(r.Name).Remove()
		}
	}
	d.stored.Discard(d.store)
	d.shareSockets(f, known)
	return f
}

// configured is what the configuration has under a name.
type configured struct {
	group       *config.Group
	process     *config.Process
	fingerprint string
}

// examine looks at one record and reports whether it is still needed.
func (d *Directory) examine(f *Findings, r *Record, c configured, find *finder) (keep bool) {
	if r.Boot != d.boot {
		return false // The machine was started anew.
	}
	p := d.Process(r.Name)
	if r.PID == 0 && r.State.IsRunning() {
		// Killed between a fork and the note of it, or before the fork.
		if pid := find.find(p.path(".1")); pid != 0 {
			r.PID = pid
			r.Born, _, _ = bornOf(pid) // no time is that of no process
			p.Set(func(s *Status) { s.PID, s.Born = r.PID, r.Born })
		}
	}
	reason := ""
	switch {
	case c.process == nil:
		reason = "it is not in the configuration any more"
	case c.fingerprint != r.Fingerprint:
		reason = "its configuration has changed"
	}
	s := &Survivor{Record: *r, PIDFD: -1, Former: -1, Stdin: -1, Stdout: -1, Stderr: -1, Socket: -1}
	if r.PID != 0 {
		s.Ran = ageOf(r.Born)
		var err error
		switch s.PIDFD, err = hold(r.PID, r.Born); {
		case err == nil:
		case errors.Is(err, errGone) && reason == "":
			s.PIDFD = -1
			s.Former = d.stored.former(storedName(r.PID, r.Born))
		case errors.Is(err, errGone):
			return false
		default:
			reason = err.Error()
		}
	}
	if reason == "" {
		reason = s.connect(p, c)
	}
	switch {
	case reason == "":
		if _, stored := d.stored[storedName(r.PID, r.Born)]; s.PIDFD >= 0 && !stored {
			p.keep(r.PID, r.Born)
		}
		f.Survivors = append(f.Survivors, s)
		return true
	case s.PIDFD >= 0:
		f.refuse(s, p, reason)
	default:
		s.release()
	}
	return false
}

// refuse makes a stranger of a process that runs.
func (f *Findings) refuse(s *Survivor, p *Process, reason string) {
	s.release()
	stranger := &Stranger{Identity: s.Identity, PID: s.PID, PIDFD: s.PIDFD, Stdout: -1, Stderr: -1, Reason: reason}
	if fd, err := p.openOwn(1); err == nil {
		stranger.Stdout = fd
	}
	if fd, err := p.openOwn(2); err == nil {
		stranger.Stderr = fd
	}
	f.Strangers = append(f.Strangers, stranger)
}

// connect opens what leads to a process. It returns why that is not possible.
func (s *Survivor) connect(p *Process, c configured) (problem string) {
	if s.PID == 0 {
		return ""
	}
	var err error
	if s.Stdout, err = p.openOwn(1); err != nil {
		return "its pipes are gone: " + err.Error()
	}
	if !c.process.RedirectStderr {
		if s.Stderr, err = p.openOwn(2); err != nil {
			return "its pipes are gone: " + err.Error()
		}
	}
	if c.group.Kind != config.FastCGIGroup {
		// One that has closed its standard input cannot be written to.
		if s.Stdin, err = p.openOwn(0); err != nil && !errors.Is(err, syscall.ENXIO) {
			return "its pipes are gone: " + err.Error()
		}
	} else if s.PIDFD >= 0 {
		if s.Socket, err = socketOf(s.PIDFD); err != nil {
			s.Socket = -1 // Another process of the group may have it.
		}
	}
	if c.group.Kind == config.ListenerPool {
		return s.listen(p)
	}
	return ""
}

// listen reads what was in flight to an event listener.
func (s *Survivor) listen(p *Process) (problem string) {
	if !s.Answer.InFlight {
		return ""
	}
	s.Unsent = s.Stdin >= 0 && stamped(s.Stdin)
	if s.Answer.Size < 0 {
		return ""
	}
	f, err := p.d.open(p.key+payloadEnd, syscall.O_RDONLY)
	if err != nil {
		return "its event is gone: " + err.Error()
	}
	defer f.Close()
	s.Payload = make([]byte, s.Answer.Size)
	if _, err := f.ReadAt(s.Payload, 0); err != nil && !(errors.Is(err, io.EOF) && s.Answer.Size == 0) {
		return "its event is gone: " + err.Error()
	}
	return ""
}

// release closes what leads to a process, except the process itself.
func (s *Survivor) release() {
	for _, fd := range []int{s.Former, s.Stdin, s.Stdout, s.Stderr, s.Socket} {
		if fd >= 0 {
			syscall.Close(fd)
		}
	}
}

// shareSockets gives each process of a FastCGI group the socket that one of
// them has. Where none has it they cannot be taken back: a socket that is made
// anew would not be theirs.
func (d *Directory) shareSockets(f *Findings, known map[string]configured) {
	sockets := map[*config.Group]int{}
	for _, s := range f.Survivors {
		g := known[s.Name].group
		if s.Socket < 0 {
			continue
		}
		if _, found := sockets[g]; found {
			syscall.Close(s.Socket)
			s.Socket = -1
			continue
		}
		sockets[g] = s.Socket
	}
	kept := f.Survivors[:0]
	for _, s := range f.Survivors {
		g := known[s.Name].group
		if _, found := sockets[g]; g.Kind == config.FastCGIGroup && s.PIDFD >= 0 && !found {
			p := d.Process(s.Name)
			f.refuse(s, p, "its socket cannot be taken over")
			p.Remove()
			continue
		}
		kept = append(kept, s)
	}
	f.Survivors = kept
}
