package core

import (
	"fmt"
	"os"
	"strings"
	"syscall"
	"testing"
	"time"

	"supervisord/internal/api"
	"supervisord/internal/config"
)

const statesFile = "../../docs/states.md"

// situation is a state that a process can be in, and how it gets there.
type situation struct {
	name  string
	reach func(*lab)
	want  api.ProcessState
}

var situations = []situation{
	{"STOPPED", func(l *lab) {}, api.Stopped},
	{"STARTING, no pid yet", func(l *lab) { l.start() }, api.Starting},
	{"STARTING", func(l *lab) { l.start(); l.started() }, api.Starting},
	{"RUNNING", func(l *lab) { l.start(); l.started(); l.deadline() }, api.Running},
	{"BACKOFF", func(l *lab) { l.start(); l.started(); l.exit(1) }, api.Backoff},
	{"STOPPING", func(l *lab) { l.start(); l.started(); l.deadline(); l.stop() }, api.Stopping},
	{"EXITED", func(l *lab) { l.start(); l.started(); l.deadline(); l.exit(0) }, api.Exited},
	{"EXITED, in a pause", func(l *lab) {
		cfg := l.core.procs[1].config
		cfg.Autorestart, cfg.RestartDelay = config.RestartAlways, time.Second
		l.start()
		l.started()
		l.deadline()
		l.exit(0)
	}, api.Exited},
	{"FATAL", func(l *lab) {
		l.start()
		l.started()
		l.exit(1)
		l.deadline()
		l.started()
		l.exit(1)
	}, api.Fatal},
	{"UNKNOWN", func(l *lab) { l.start(); l.started(); l.deadline(); l.stop(); l.refused() }, api.Unknown},
}

var stimuli = []struct {
	name  string
	apply func(*lab)
}{
	{"start request", (*lab).start},
	{"stop request", (*lab).stop},
	{"signal request", func(l *lab) { l.client(Command{Op: OpSignal, Sig: syscall.SIGHUP}) }},
	{"stdin request", func(l *lab) { l.client(Command{Op: OpWriteStdin, Data: []byte("x")}) }},
	{"remove request", func(l *lab) { l.client(Command{Op: OpRemoveGroup}) }},
	{"start confirmed", (*lab).started},
	{"start failed", func(l *lab) { l.step(SpawnFailed{Proc: 1, Gen: l.gen, Reason: "reason"}) }},
	{"exit, expected", func(l *lab) { l.exit(0) }},
	{"exit, unexpected", func(l *lab) { l.exit(7) }},
	{"deadline", (*lab).deadline},
	{"signal not permitted", (*lab).refused},
	{"signal too late", func(l *lab) { l.step(Signaled{Proc: 1, Gen: l.gen, Gone: true}) }},
	{"shutdown", func(l *lab) { l.step(SignalReceived{syscall.SIGTERM}) }},
}

// lab is a core with one process, number 1.
type lab struct {
	core *Core
	now  Now
	gen  Gen
	fx   []Effect // of the last step
	req  Req
}

func newLab() *lab {
	l := &lab{now: Now{Wall: time.Unix(1_800_000_000, 0)}}
	l.core = New(Options{})
	l.step(Boot{Config: &config.Config{Groups: []*config.Group{{Name: "p", Processes: []*config.Process{{
		Name: "p", StartSecs: time.Second, StartRetries: 1, ExitCodes: []int{0},
		StopSignal: syscall.SIGTERM, StopWaitSecs: 10 * time.Second,
	}}}}}})
	return l
}

func (l *lab) step(ev Event) {
	l.fx = l.core.Step(ev, l.now, nil)
	if p := l.core.procs[1]; p != nil {
		l.gen = p.gen
	}
}

func (l *lab) client(cmd Command) {
	l.req++
	cmd.Req, cmd.Name, cmd.Wait = l.req, "p", true
	l.step(cmd)
}

func (l *lab) start()        { l.client(Command{Op: OpStart}) }
func (l *lab) stop()         { l.client(Command{Op: OpStop}) }
func (l *lab) started()      { l.step(Started{Proc: 1, Gen: l.gen, PID: 42}) }
func (l *lab) exit(code int) { l.step(Exited{Proc: 1, Gen: l.gen, Exit: Exit{Code: code}}) }
func (l *lab) refused()      { l.step(Signaled{Proc: 1, Gen: l.gen, Problem: "EPERM"}) }

func (l *lab) deadline() {
	if due := &l.core.procs[1].due; due.index >= 0 {
		l.now.Mono = due.due
	}
	l.step(Tick{})
}

// outcome says in a few words what a step did. Answers to earlier requests are
// shown as well.
func (l *lab) outcome(before api.ProcessState) string {
	var words []string
	p := l.core.procs[1]
	switch {
	case p == nil:
		words = append(words, "removed")
	case p.state != before:
		words = append(words, "**"+p.state.String()+"**")
	}
	for _, e := range l.fx {
		switch e.Kind {
		case Spawn:
			words = append(words, "spawn")
		case Kill:
			words = append(words, "send "+api.SignalName(e.Sig))
		case WriteStdin:
			words = append(words, "write")
		case Answer:
			if f := e.Reply.Fault; f != nil {
				words = append(words, f.Code.String())
			} else {
				words = append(words, "true")
			}
		case Finish:
			words = append(words, "end")
		case Log:
			if strings.HasPrefix(e.Text, "bug:") {
				words = append(words, "bug")
			}
		}
	}
	if len(words) == 0 {
		return "·"
	}
	return strings.Join(words, ", ")
}

// TestStateTable puts a process into every state and lets everything happen to
// it. What comes of it is the table in docs/states.md.
func TestStateTable(t *testing.T) {
	var b strings.Builder
	b.WriteString(statesHead)
	fmt.Fprint(&b, "| |")
	for _, s := range situations {
		fmt.Fprintf(&b, " %s |", s.name)
	}
	fmt.Fprint(&b, "\n|---|"+strings.Repeat("---|", len(situations))+"\n")
	for _, st := range stimuli {
		fmt.Fprintf(&b, "| %s |", st.name)
		for _, s := range situations {
			l := newLab()
			s.reach(l)
			if got := l.core.procs[1].state; got != s.want {
				t.Fatalf("%s is not reached: %s", s.name, got)
			}
			st.apply(l)
			fmt.Fprintf(&b, " %s |", l.outcome(s.want))
		}
		b.WriteByte('\n')
	}
	b.WriteString(statesFoot)
	want, _ := os.ReadFile(statesFile)
	if b.String() == string(want) {
		return
	}
	if *update {
		if err := os.WriteFile(statesFile, []byte(b.String()), 0o644); err != nil {
			t.Fatal(err)
		}
		return
	}
	t.Errorf("%s differs from what the code does (-update rewrites it):\n%s", statesFile, b.String())
}

const statesHead = `# What every state does with every event

This table is made by a test that puts a process into each state and lets each thing happen to it. A program with startsecs=1,
startretries=1, autorestart=false and exitcodes=0 is used. A cell shows the new state in bold, where it changes, then what is
done and what clients are answered; a dot is nothing.

`

const statesFoot = `
Notes

- Answers are those to the request itself and to requests that waited: a client that waits for a start hears SPAWN_ERROR when it
  fails; one that waits for a stop hears true when the process is stopped.
- A stop or a signal that comes while a start is not yet confirmed is kept until there is a pid.
- With autorestart, EXITED goes on to STARTING in the same step, or after restart_delay; until then it is in a pause. When
  startretries are used up, BACKOFF goes on to FATAL.
- A deadline is startsecs in STARTING, the back-off in BACKOFF, restart_delay in EXITED and stopwaitsecs in
  STOPPING. Other states have none.
- "bug" is an event that cannot come in that state. It is logged at the level critical and changes nothing.
`
