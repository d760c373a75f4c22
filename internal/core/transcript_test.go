package core

import (
	"bytes"
	"flag"
	"fmt"
	"os"
	"path/filepath"
	"sort"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"

	"supervisord/internal/api"
	"supervisord/internal/config"
	"supervisord/internal/event"
)

var update = flag.Bool("update", false, "rewrite the transcripts")

// TestTranscripts runs the files under testdata. A file is a sequence of
// blocks separated by blank lines; a block is commands, a line "----" and what
// came of them. Lines that begin with # are kept. See play for the commands.
func TestTranscripts(t *testing.T) {
	files, err := filepath.Glob("testdata/*.txt")
	if err != nil || len(files) == 0 {
		t.Fatal("no transcripts found", err)
	}
	for _, file := range files {
		t.Run(strings.TrimSuffix(filepath.Base(file), ".txt"), func(t *testing.T) {
			want, err := os.ReadFile(file)
			if err != nil {
				t.Fatal(err)
			}
			got := newStage(t).playFile(string(want))
			if got == string(want) {
				return
			}
			if *update {
				if err := os.WriteFile(file, []byte(got), 0o644); err != nil {
					t.Fatal(err)
				}
				return
			}
			t.Errorf("%s differs; got:\n%s", file, got)
		})
	}
}

// TestTranscriptsResumed plays the transcripts with a core that is taken down
// and restored before each event. Nobody can tell.
func TestTranscriptsResumed(t *testing.T) {
	files, err := filepath.Glob("testdata/*.txt")
	if err != nil || len(files) == 0 {
		t.Fatal("no transcripts found", err)
	}
	for _, file := range files {
		t.Run(strings.TrimSuffix(filepath.Base(file), ".txt"), func(t *testing.T) {
			want, err := os.ReadFile(file)
			if err != nil {
				t.Fatal(err)
			}
			s := newStage(t)
			s.resumes = true
			if got := s.playFile(string(want)); got != string(want) {
				t.Errorf("%s differs; got:\n%s", file, got)
			}
		})
	}
}

// stage is a core with hands and a clock.
type stage struct {
	t       *testing.T
	core    *Core
	now     Now
	config  *config.Config
	out     bytes.Buffer
	names   map[ProcID]string
	gens    map[ProcID]Gen
	nextReq Req
	nextPID int
	// manual says that results of signals and writes are given by commands.
	manual  bool
	killReq Req // the request of the last signal
	adopted map[string]Adoptee
	// resumes says that the core is restored from a snapshot before each event.
	resumes bool
}

func newStage(t *testing.T) *stage {
	return &stage{
		t:     t,
		core:  New(Options{Identifier: "supervisor"}),
		now:   Now{Wall: time.Date(2026, 7, 1, 12, 0, 1, 0, time.UTC)},
		names: map[ProcID]string{}, gens: map[ProcID]Gen{}, nextPID: 100,
	}
}

func (s *stage) playFile(text string) string {
	var file strings.Builder
	for i, block := range strings.Split(strings.TrimRight(text, "\n"), "\n\n") {
		if i > 0 {
			file.WriteString("\n\n")
		}
		commands, _, found := strings.Cut(block, "----")
		file.WriteString(strings.TrimRight(commands, "\n"))
		if !found && strings.HasPrefix(block, "#") && !strings.Contains(block, "\n[") && onlyComments(block) {
			continue
		}
		file.WriteString("\n----")
		s.out.Reset()
		s.playBlock(commands)
		if s.out.Len() > 0 {
			file.WriteString("\n" + strings.TrimRight(s.out.String(), "\n"))
		}
	}
	return file.String() + "\n"
}

func onlyComments(block string) bool {
	for _, l := range strings.Split(block, "\n") {
		if !strings.HasPrefix(l, "#") {
			return false
		}
	}
	return true
}

func (s *stage) playBlock(commands string) {
	lines := strings.Split(strings.TrimSpace(commands), "\n")
	for i, line := range lines {
		switch {
		case strings.HasPrefix(line, "#"):
		case strings.HasPrefix(line, "event "):
			name, members, _ := strings.Cut(strings.TrimPrefix(line, "event "), " ")
			if err := s.event(name, members); err != nil {
				s.t.Fatal(err)
			}
		case line == "config" || line == "reload":
			s.load(strings.Join(lines[i+1:], "\n"))
			if line == "reload" {
				s.command(Command{Op: OpReload, Config: s.config})
			}
			return
		default:
			s.play(strings.Fields(line))
		}
	}
}

// load makes a configuration of the text, which has no [supervisord] section.
func (s *stage) load(text string) {
	file := filepath.Join(s.t.TempDir(), "supervisord.conf")
	text = "[supervisord]\nlogfile=/dev/null\n" + text
	if err := os.WriteFile(file, []byte(text), 0o600); err != nil {
		s.t.Fatal(err)
	}
	cfg, err := config.Load(config.Options{File: file})
	if err != nil {
		s.t.Fatal(err)
	}
	s.config = cfg
}

// play runs one command.
func (s *stage) play(w []string) {
	arg := func(i int) string {
		if i < len(w) {
			return w[i]
		}
		return ""
	}
	rest := func(i int) string { return unquote(strings.Join(w[min(i, len(w)):], " ")) }
	switch w[0] {
	case "boot":
		s.step(Boot{Config: s.config, Adopted: s.adopted})
	case "adopt": // NAME STATE PID AGE: before boot
		s.adopt(w[1], arg(2), arg(3), arg(4))
	case "in-flight": // NAME STATE SERIAL sent|unsent|lost: of a listener that was adopted
		s.inFlight(w[1], arg(2), arg(3), arg(4))
	case "started":
		for _, name := range w[1:] {
			s.nextPID++
			id := s.id(name)
			s.step(Started{Proc: id, Gen: s.gens[id], PID: s.nextPID})
		}
	case "failed":
		id := s.id(arg(1))
		s.step(SpawnFailed{Proc: id, Gen: s.gens[id], Reason: rest(2)})
	case "exit":
		id := s.id(arg(1))
		s.step(Exited{Proc: id, Gen: s.gens[id], Exit: exitOf(arg(2)), LastWords: rest(3)})
	case "signaled":
		id := s.id(arg(1))
		ev := Signaled{Proc: id, Gen: s.gens[id], Req: s.killReq, Gone: arg(2) == "gone"}
		if !ev.Gone {
			ev.Problem = arg(2)
		}
		s.step(ev)
	case "probed", "checked": // NAME [REASON]: the answer of a probe
		id := s.id(arg(1))
		s.step(Probed{Proc: id, Gen: s.gens[id], Health: w[0] == "checked", Reason: rest(2)})
	case "notified": // NAME ready|alive|status [TEXT]
		id := s.id(arg(1))
		s.step(Notified{
			Proc: id, Gen: s.gens[id], Ready: arg(2) == "ready", Alive: arg(2) != "status",
			HasStatus: arg(2) == "status", Status: rest(3),
		})
	case "broken":
		id := s.id(arg(1))
		s.step(StdinWritten{Proc: id, Gen: s.gens[id], Broken: true})
	case "says":
		id := s.id(arg(1))
		s.step(ListenerOutput{Proc: id, Gen: s.gens[id], Data: []byte(rest(2))})
	case "output", "stderr", "captured":
		id := s.id(arg(1))
		switch w[0] {
		case "output":
			s.step(Output{Proc: id, PID: 7, Data: []byte(rest(2))})
		case "stderr":
			s.step(Output{Proc: id, PID: 7, Channel: api.Stderr, Data: []byte(rest(2))})
		default:
			s.step(Captured{Proc: id, PID: 7, Data: []byte(rest(2))})
		}
	case "advance":
		s.advance(arg(1))
	case "wall":
		d, err := time.ParseDuration(arg(1))
		if err != nil {
			s.t.Fatal(err)
		}
		s.now.Wall = s.now.Wall.Add(d)
		s.step(Tick{})
	case "manual":
		s.manual = true
	case "at":
		if err := s.at(arg(1), arg(2)); err != nil {
			s.t.Fatal(err)
		}
	case "deadline":
		due, ok := s.core.Deadline()
		fmt.Fprintln(&s.out, "deadline", due-s.now.Mono, ok)
	case "signal-daemon":
		sig, _ := api.ParseSignal(arg(1))
		s.step(SignalReceived{sig})
	case "status":
		s.status()
	default:
		s.client(w)
	}
}

// adopt has the coming boot take a process back.
func (s *stage) adopt(name, state, pid, age string) {
	a := Adoptee{Start: s.now.Wall}
	for _, st := range []api.ProcessState{api.Stopped, api.Starting, api.Running, api.Backoff, api.Stopping, api.Exited, api.Fatal} {
		if st.String() == state {
			a.State = st
		}
	}
	a.PID, _ = strconv.Atoi(pid)
	if d, err := time.ParseDuration(age); err == nil {
		a.Start, a.Ran = s.now.Wall.Add(-d), d
	}
	if a.PID == 0 {
		a.Stop, a.LastExit, a.HasExit = s.now.Wall, Exit{Code: 3}, true
	}
	if s.adopted == nil {
		s.adopted = map[string]Adoptee{}
	}
	s.adopted[api.Namespec(name, name)] = a
}

// inFlight has an adopted listener be in the middle of an event.
func (s *stage) inFlight(name, state, serial, how string) {
	name = api.Namespec(name, name)
	l := &AdoptedListener{State: api.ListenerReady, Unsent: how == "unsent", PoolSerial: 8}
	switch state {
	case "BUSY":
		l.State = api.ListenerBusy
	case "ACKNOWLEDGED":
		l.State = api.ListenerAcknowledged
	}
	if n, err := strconv.ParseUint(serial, 10, 64); err == nil {
		l.InFlight = &AdoptedEvent{Type: event.RemoteCommunication, Serial: n, PoolSerial: 7, Payload: "type:x\nbody", Lost: how == "lost"}
	}
	a := s.adopted[name]
	a.Listener = l
	s.adopted[name] = a
}

var clientOps = map[string]Op{
	"start": OpStart, "start-group": OpStartGroup, "start-all": OpStartAll,
	"stop": OpStop, "stop-group": OpStopGroup, "stop-all": OpStopAll,
	"signal": OpSignal, "signal-group": OpSignalGroup, "signal-all": OpSignalAll,
	"stdin": OpWriteStdin, "remote": OpRemoteEvent, "shutdown": OpShutdown, "restart": OpRestart,
	"add": OpAddGroup, "remove": OpRemoveGroup, "cancel": OpCancel,
}

// client runs a command of a client: "start NAME [nowait]", "signal NAME SIG",
// "signal-all SIG", "stdin NAME TEXT", "remote KIND TEXT", "cancel REQ" ...
func (s *stage) client(w []string) {
	op, ok := clientOps[w[0]]
	if !ok {
		s.t.Fatalf("unknown command %q", w)
	}
	cmd := Command{Op: op, Wait: true}
	if w[len(w)-1] == "nowait" {
		cmd.Wait = false
		w = w[:len(w)-1]
	}
	if len(w) > 1 {
		cmd.Name = w[1]
	}
	switch op {
	case OpSignal, OpSignalGroup, OpSignalAll:
		sig, err := api.ParseSignal(w[len(w)-1])
		if err != nil {
			cmd.SigFault = api.NewFault(api.BadSignal, w[len(w)-1])
		}
		cmd.Sig = sig
	case OpWriteStdin:
		cmd.Data = []byte(unquote(strings.Join(w[2:], " ")))
	case OpRemoteEvent:
		cmd.Kind, cmd.Data = w[1], []byte(strings.Join(w[2:], " "))
	case OpCancel:
		n, _ := strconv.Atoi(w[1])
		s.step(Command{Op: OpCancel, Req: Req(n)})
		return
	}
	s.command(cmd)
}

func (s *stage) command(cmd Command) {
	s.nextReq++
	cmd.Req = s.nextReq
	s.step(cmd)
}

// advance lets time pass, stopping at every deadline on the way.
func (s *stage) advance(arg string) {
	d, err := time.ParseDuration(arg)
	if err != nil {
		s.t.Fatal(err)
	}
	end := s.now.Mono + d
	for {
		due, ok := s.core.Deadline()
		if !ok || due > end {
			break
		}
		s.pass(due - s.now.Mono)
		s.step(Tick{})
	}
	s.pass(end - s.now.Mono)
}

func (s *stage) pass(d time.Duration) {
	s.now.Mono += d
	s.now.Wall = s.now.Wall.Add(d)
}

func (s *stage) step(ev Event) {
	queue := []Event{ev}
	for len(queue) > 0 {
		if s.resumes {
			s.core = resumed(s.t, s.core, Options{Identifier: "supervisor"})
		}
		fx := s.core.Step(queue[0], s.now, nil)
		queue = queue[1:]
		for _, e := range fx {
			s.print(e)
			if s.manual {
				continue
			}
			switch e.Kind {
			case Kill:
				queue = append(queue, Signaled{Proc: e.Proc, Gen: e.Gen, Req: e.Req, Sig: e.Sig})
			case WriteStdin:
				queue = append(queue, StdinWritten{Proc: e.Proc, Gen: e.Gen, Req: e.Req})
			}
		}
	}
}

func (s *stage) print(e Effect) {
	w := &s.out
	name := s.names[e.Proc]
	switch e.Kind {
	case OpenGroup:
		for i, id := range e.Procs {
			s.names[id] = api.Namespec(e.Group.Name, e.Group.Processes[i].Name)
		}
		fmt.Fprintln(w, "open", e.Group.Name)
	case CloseGroup:
		fmt.Fprint(w, "close")
		for _, id := range e.Procs {
			fmt.Fprint(w, " ", s.names[id])
		}
		fmt.Fprintln(w)
	case Spawn:
		s.gens[e.Proc] = e.Gen
		fmt.Fprintln(w, "spawn", name)
	case Kill:
		s.killReq = e.Req
		fmt.Fprint(w, "kill ", name, " ", api.SignalName(e.Sig))
		if e.AsGroup {
			fmt.Fprint(w, " group")
		}
		fmt.Fprintln(w)
	case WriteStdin:
		fmt.Fprintf(w, "write %s %q\n", name, e.Data)
	case Adopt:
		s.gens[e.Proc] = e.Gen
		fmt.Fprintln(w, "adopt", name, e.PID)
	case Up, Release:
	case Probe:
		if e.Health {
			fmt.Fprintln(w, "check", name)
		} else {
			fmt.Fprintln(w, "probe", name)
		}
	case Log:
		if e.Level > api.LevelDebug {
			fmt.Fprintln(w, "log", e.Level, e.Text)
		}
	case Answer:
		s.printReply(e)
	case ReopenLogs:
		fmt.Fprintln(w, "reopen logs")
	case Changed:
	case Finish:
		fmt.Fprint(w, "finish restart: ", e.Restart)
		if e.Status != 0 {
			fmt.Fprint(w, " status: ", e.Status)
		}
		fmt.Fprintln(w)
	}
}

func (s *stage) printReply(e Effect) {
	fmt.Fprintf(&s.out, "reply %d", e.Req)
	switch r := e.Reply; {
	case r.Fault != nil:
		fmt.Fprintf(&s.out, " fault %d %s", r.Fault.Code, r.Fault.Text)
	case r.Statuses != nil:
		for _, st := range r.Statuses {
			fmt.Fprintf(&s.out, " %s:%s=%s", st.Group, st.Name, st.Description)
		}
	case r.Added != nil || r.Changed != nil || r.Removed != nil:
		fmt.Fprint(&s.out, " added:", r.Added, " changed:", r.Changed, " removed:", r.Removed)
	default:
		fmt.Fprint(&s.out, " true")
	}
	fmt.Fprintln(&s.out)
}

func (s *stage) status() {
	for v := range s.core.SortedProcesses() {
		i := v.Info
		fmt.Fprintf(&s.out, "%s %s pid:%d", api.Namespec(i.Group, i.Name), i.State, i.PID)
		if i.SpawnErr != "" {
			fmt.Fprintf(&s.out, " spawnerr:%q", i.SpawnErr)
		}
		if i.ExitStatus != 0 {
			fmt.Fprintf(&s.out, " exitstatus:%d", i.ExitStatus)
		}
		if i.StderrTail != "" {
			fmt.Fprintf(&s.out, " tail:%q", i.StderrTail)
		}
		if !i.NextStart.IsZero() {
			fmt.Fprintf(&s.out, " next start in %v", i.NextStart.Sub(s.now.Wall))
		}
		if i.HasReady {
			fmt.Fprintf(&s.out, " ready:%v", i.Ready)
		}
		if i.Health != "" {
			fmt.Fprintf(&s.out, " health:%q", i.Health)
		}
		if i.StatusText != "" {
			fmt.Fprintf(&s.out, " says:%q", i.StatusText)
		}
		if i.Waiting != "" {
			fmt.Fprintf(&s.out, " waiting for %s", i.Waiting)
		}
		fmt.Fprintln(&s.out)
	}
}

func (s *stage) id(name string) ProcID {
	var found []ProcID
	for id, n := range s.names {
		if n == name && s.core.procs[id] != nil {
			found = append(found, id)
		}
	}
	if len(found) == 0 {
		for id, n := range s.names {
			if n == name {
				found = append(found, id)
			}
		}
	}
	if len(found) == 0 {
		s.t.Fatalf("no process %s", name)
	}
	sort.Slice(found, func(i, j int) bool { return found[i] < found[j] })
	return found[len(found)-1]
}

func exitOf(arg string) Exit {
	if arg == "unknown" {
		return Exit{Unknown: true}
	}
	if code, err := strconv.Atoi(arg); err == nil {
		return Exit{Code: code}
	}
	sig, err := api.ParseSignal(arg)
	if err != nil {
		panic(err)
	}
	return Exit{Signal: syscall.Signal(sig)}
}

func unquote(s string) string {
	if u, err := strconv.Unquote(`"` + s + `"`); err == nil {
		return u
	}
	return s
}
