package difftest

import (
	"fmt"
	"math/rand/v2"
	"slices"
	"strings"
)

// A plan is what both sides do. It follows from the seed alone.
type plan struct {
	seed  uint64
	world *world // at the start
	steps []step
	// tempers are the scripts of the puppets, by namespec and by name, for
	// programs change their groups.
	programs map[string]*program
}

// A step is one thing to do. Its kind tells which of the members it uses.
type step struct {
	kind   string
	method string // call, begin: without "supervisor."
	args   []any
	target string // the process
	order  order  // tell
	n      int    // signal
	text   string // config
}

// The kinds of steps:
//
//	call      call a method
//	begin     call a method in the background
//	join      wait for the calls in the background
//	tell      give a puppet an order
//	kill      send a signal to a puppet
//	signal    send a signal to the daemon
//	settle    wait until nothing moves
//	await     wait until a process is in the state text and its puppet ready
//	config    write another configuration
//	rename    rename the log files, as logrotate does
//	update    do what supervisorctl update does
//	reborn    wait until the daemon has started anew
//	curtain   do not look at events any more: how many listeners are sent before
//	          they are stopped is chance
//	ending    wait until the daemon is shutting down
//	end       wait until the daemon has ended

func (s step) String() string {
	switch s.kind {
	case "call", "begin":
		return fmt.Sprintf("%s %s%#v", s.kind, s.method, s.args)
	case "tell":
		return fmt.Sprintf("tell %s %+q", s.target, fmt.Sprint(s.order))
	case "kill":
		return fmt.Sprintf("kill -%d %s", s.n, s.target)
	case "signal":
		return fmt.Sprintf("signal %d", s.n)
	case "await":
		return fmt.Sprintf("await %s %s", s.target, s.text)
	case "config":
		return "config " + strings.ReplaceAll(s.text, "\n", " | ")
	}
	return s.kind
}

// planner makes up a plan.
type planner struct {
	*plan
	r   *rand.Rand
	now *world // the configuration file as it is now
}

// makePlan makes up the plan of a seed.
func makePlan(seed uint64) *plan {
	r := rand.New(rand.NewPCG(seed, 1))
	w := makeWorld(r)
	p := &planner{plan: &plan{seed: seed, world: w, programs: make(map[string]*program)}, r: r, now: w}
	p.learn(w)
	p.settle()
	p.info()
	scenes := []func(){
		p.control, p.control, p.control, p.child, p.child, p.write, p.write, p.stdin, p.info,
		p.logs, p.clear, p.reread, p.update, p.remote, p.reopen, p.stopping, p.stopping, p.starting, p.starting,
		p.backingOff, p.backingOff, p.group, p.multicall, p.fork, p.background, p.background, p.restart,
	}
	for range 10 {
		scenes[r.IntN(len(scenes))]()
		p.settle()
		if chance(r, 50) {
			p.call("getAllProcessInfo")
		}
	}
	p.info()
	p.end()
	return p.plan
}

// learn remembers the programs of a configuration for their tempers. What has
// the same name later has the temper of the last one.
func (p *planner) learn(w *world) {
	for _, prog := range w.programs {
		for _, name := range w.processes(prog) {
			if p.programs[name] == nil {
				p.programs[name] = prog
			}
		}
	}
}

// script is what a puppet does when it appears for the nth time.
func (p *plan) script(process string, nth int) []order {
	name, child := strings.CutSuffix(process, " child")
	prog := p.programs[name]
	if child || prog == nil {
		return nil
	}
	r := rand.New(rand.NewPCG(p.seed, uint64(len(process))<<32+uint64(nth)))
	stop := prog.stopSignal()
	exit := order{Op: "exit", N: pick(r, 0, 1, 2, 3)}
	hello := order{Op: "write", N: 1 + r.IntN(2), Text: fmt.Sprintf("%s appears for the %dth time\n", name, nth)}
	switch prog.temper {
	case hasty:
		return []order{hello, exit}
	case flaky:
		if nth < 2 {
			return []order{hello, exit}
		}
	case deaf:
		return []order{{Op: "catch", Signal: stop, N: -1}, {Op: "stdin"}}
	case caring:
		if stop != signals["KILL"] {
			return []order{hello, {Op: "catch", Signal: stop, N: pick(r, 0, 1, 2)}}
		}
	case parent:
		return []order{hello, {Op: "fork"}}
	case talker:
		return []order{hello, {Op: "stdin"}, {Op: "write", N: 1, Text: "\x1b[31mred\x1b[0m \u00fcber this and that and more\n"}, {Op: "write", N: 2, Text: "this is a line that has no end"}}
	case hearer:
		o := order{Op: "listen"}
		if nth == 0 && chance(r, 30) {
			o.Answers = pick(r, []string{"RESULT 4\nFAILREADY\n"}, []string{"RESULT 2\nOKREADY\n", "die"},
				[]string{"RESULT 2\nOKREADY\n", "nonsense\n"}, []string{"RESULT 2\nOK", "stall"})
		}
		return []order{o}
	case sullen:
		return []order{{Op: "listen", Answers: []string{"stall"}}}
	case steady, broken:
	}
	return []order{{Op: "stdin"}}
}

// fickle reports whether the listeners of a pool stop listening after some
// events. Which events they get then is chance.
func (p *plan) fickle(pool string) bool {
	for name, prog := range p.programs {
		if group, _, _ := strings.Cut(name, ":"); group != pool || prog.kind != "eventlistener" {
			continue
		}
		for _, o := range p.script(name, 0) {
			if slices.Contains(o.Answers, "stall") || slices.Contains(o.Answers, "nonsense\n") ||
				prog.numprocs > 1 && len(o.Answers) > 0 {
				return true
			}
		}
	}
	return false
}

// capricious reports whether chance decides how many events a listener gets:
// it is one of several in a pool, or it hears of output, which comes in pieces.
func (p *plan) capricious(process string) bool {
	prog := p.listener(process)
	return prog != nil && (prog.numprocs > 1 || strings.Contains(prog.get("events"), "PROCESS_LOG"))
}

// listens reports whether a process is a listener.
func (p *plan) listens(process string) bool { return p.listener(process) != nil }

// listener returns the program of a listener process or pool, nil if it is none.
func (p *plan) listener(name string) *program {
	for namespec, prog := range p.programs {
		group, process, _ := strings.Cut(namespec, ":")
		if prog.kind == "eventlistener" && (group == name || process == name) {
			return prog
		}
	}
	return nil
}

func (p *planner) add(s step) { p.steps = append(p.steps, s) }

func (p *planner) settle() { p.add(step{kind: "settle"}) }

func (p *planner) call(method string, args ...any) {
	p.add(step{kind: "call", method: method, args: args})
}

func (p *planner) tell(process string, o order) {
	p.add(step{kind: "tell", target: process, order: o})
}

// program picks a program of the configuration.
func (p *planner) program(want func(*program) bool) *program {
	var list []*program
	for _, prog := range p.now.programs {
		if want == nil || want(prog) {
			list = append(list, prog)
		}
	}
	if len(list) == 0 {
		return nil
	}
	return pick(p.r, list...)
}

// process picks a process.
func (p *planner) process() string {
	return pick(p.r, p.now.processes(p.program(nil))...)
}

// groupName picks a group.
func (p *planner) groupName() string {
	if chance(p.r, 10) {
		return pick(p.r, "nogroup", "", "a:b")
	}
	return p.now.groupOf(p.program(nil))
}

// namespec picks what a client might write for processes.
func (p *planner) namespec() string {
	group, name, _ := strings.Cut(p.process(), ":")
	switch p.r.IntN(14) {
	case 0:
		return name
	case 1:
		return group
	case 2:
		return group + ":*"
	case 3:
		return group + ":"
	case 4:
		return pick(p.r, "", ":", "nobody", "nobody:nobody", group+":nobody", "*", "*:*", "a:b:c", group+":"+name+":")
	}
	return group + ":" + name
}

// control calls one of the methods that start, stop and signal.
func (p *planner) control() {
	wait := chance(p.r, 60)
	switch p.r.IntN(12) {
	case 0, 1, 2:
		p.call("startProcess", p.namespec(), wait)
	case 3, 4, 5:
		p.call("stopProcess", p.namespec(), wait)
	case 6:
		p.call("startProcessGroup", p.groupName(), wait)
	case 7:
		p.call("stopProcessGroup", p.groupName(), wait)
	case 8:
		p.call("startAllProcesses", wait)
	case 9:
		p.call("stopAllProcesses", wait)
	case 10:
		p.call("signalProcess", p.namespec(), p.signalName())
	case 11:
		if chance(p.r, 50) {
			p.call("signalProcessGroup", p.groupName(), p.signalName())
		} else {
			p.call("signalAllProcesses", p.signalName())
		}
	}
}

func (p *planner) signalName() string {
	return pick(p.r, "USR1", "SIGUSR2", "usr1", "10", "WINCH", "TERM", "KILL", "HUP", "0", "99", "-1", "NOPE", "", "SIGSIGUSR1")
}

// restart stops and starts, as supervisorctl restart does.
func (p *planner) restart() {
	name := p.namespec()
	p.call("stopProcess", name, true)
	p.call("startProcess", name, true)
}

// child has a puppet end by itself, or be killed.
func (p *planner) child() {
	process := p.process()
	if chance(p.r, 50) {
		p.tell(process, order{Op: "exit", N: pick(p.r, 0, 0, 1, 2, 3, 127, 255)})
	} else {
		p.add(step{kind: "kill", target: process, n: pick(p.r, 9, 9, 15, 2)})
	}
}

// write has puppets write.
func (p *planner) write() {
	process := p.process()
	for range 1 + p.r.IntN(6) {
		// Where it looks for tags, the original keeps shorter pieces back.
		text := strings.Repeat(pick(p.r, "abcdefghi\n", "line of text\n", "x", "\u00fcmlaut\n", "\x1b[1mbold\x1b[0m\n"), 1+p.r.IntN(8)) +
			"the end of what there is to say\n"
		switch p.r.IntN(12) {
		case 0:
			text = strings.Repeat("0123456789abcdef\n", 200)
		case 1:
			text = "before this there was nothing to see\n<!--XSUPERVISOR:BEGIN-->" + text + "<!--XSUPERVISOR:END-->and after it this is all there is\n"
		case 2:
			text = "bad \xff\xfe bytes in a line of text\n"
		}
		p.tell(process, order{Op: "write", N: 1 + p.r.IntN(2), Text: text})
	}
	if chance(p.r, 10) {
		p.tell(process, order{Op: "close", N: pick(p.r, 0, 1, 2)})
	}
	if chance(p.r, 20) {
		p.tell(process, order{Op: "exit", N: 0})
	}
}

func (p *planner) stdin() {
	name := p.namespec()
	if group, _, _ := strings.Cut(name, ":"); p.listens(group) {
		return // it would take it for an event
	}
	for range 1 + p.r.IntN(3) {
		p.call("sendProcessStdin", name, pick(p.r, "line\n", "", "\u00fcber\n", "a & b < c\n"))
	}
	if chance(p.r, 10) {
		p.call("sendProcessStdin", name, 5)
	}
}

// info asks what there is to ask.
func (p *planner) info() {
	p.call("getAllProcessInfo")
	p.call("getAllConfigInfo")
	p.call("getProcessInfo", p.namespec())
	p.call(pick(p.r, "getState", "getIdentification", "getAPIVersion", "getVersion", "noSuchMethod"))
}

// logs reads logs.
func (p *planner) logs() {
	for range 3 {
		method := pick(p.r, "readProcessStdoutLog", "readProcessStderrLog", "readProcessLog", "tailProcessStdoutLog",
			"tailProcessStderrLog", "tailProcessLog")
		p.call(method, p.namespec(), pick(p.r, 0, 0, 3, 10, 100, 5000, -1, -10, -5000), pick(p.r, 0, 0, 1, 10, 100, 5000, -1))
	}
}

func (p *planner) clear() {
	switch p.r.IntN(4) {
	case 0:
		p.call("clearAllProcessLogs")
	case 1:
		p.call("clearLog")
	default:
		p.call(pick(p.r, "clearProcessLogs", "clearProcessLog"), p.namespec())
	}
}

// configure writes another configuration.
func (p *planner) configure() {
	p.now = p.now.clone()
	for range 1 + p.r.IntN(3) {
		p.now.change(p.r)
	}
	p.learn(p.now)
	text := p.now.String()
	if chance(p.r, 10) {
		bad := pick(p.r, "[program:bad]\n", "[program:bad]\ncommand=x\nstartsecs=y\n", "[program:bad]\ncommand=x\nstopsignal=FOO\n",
			"[group:bad]\nprograms=nobody\n", "[eventlistener:bad]\ncommand=x\n", "[eventlistener:bad]\ncommand=x\nevents=NOPE\n",
			"[program:bad]\ncommand=x\nstopasgroup=true\nkillasgroup=false\n", "[program:bad]\ncommand=x\nnumprocs=2\n",
			"[program:bad]\ncommand=x\nstdout_logfile=/no/such/dir/x\n", "[program:bad]\ncommand=%(nope)s\n")
		p.add(step{kind: "config", text: text + bad})
		p.call("reloadConfig")
	}
	p.add(step{kind: "config", text: text})
}

// reread reads a changed configuration and adds and removes groups.
func (p *planner) reread() {
	before := p.now
	p.configure()
	p.call("reloadConfig")
	for range 1 + p.r.IntN(3) {
		group := p.groupName()
		if chance(p.r, 40) {
			group = before.groupOf(pick(p.r, before.programs...))
		}
		switch p.r.IntN(3) {
		case 0:
			p.call("addProcessGroup", group)
			p.settle()
		case 1:
			p.call("removeProcessGroup", group)
		case 2:
			p.call("stopProcessGroup", group, true)
			p.call("removeProcessGroup", group)
			if chance(p.r, 60) {
				p.call("addProcessGroup", group)
				p.settle()
			}
		}
	}
	p.settle()
	p.call("getAllConfigInfo")
}

func (p *planner) update() {
	p.configure()
	p.add(step{kind: "update"})
}

func (p *planner) remote() {
	p.call("sendRemoteCommEvent", pick(p.r, "greeting", "", "\u00fcber"), pick(p.r, "hello", "", "two\nlines"))
}

// reopen has the logs reopened after they were renamed.
func (p *planner) reopen() {
	p.add(step{kind: "rename"})
	p.add(step{kind: "signal", n: 12})
	p.settle()
	p.write()
}

// steadyProcess picks a process that lives until it is told otherwise.
func (p *planner) steadyProcess() (string, *program) {
	prog := p.program(func(prog *program) bool {
		return prog.temper == steady || prog.temper == talker || prog.temper == parent
	})
	if prog == nil {
		return "", nil
	}
	return pick(p.r, p.now.processes(prog)...), prog
}

// meddle does things to a process that is between two states.
func (p *planner) meddle(process string) {
	group, _, _ := strings.Cut(process, ":")
	for range 1 + p.r.IntN(3) {
		wait := chance(p.r, 30)
		what := p.r.IntN(8)
		if p.programs[process] != nil && p.programs[process].temper == broken && (what == 1 || what == 5 || what == 6) {
			continue // a signal may come before the exec that fails
		}
		switch what {
		case 0:
			p.call("startProcess", process, wait)
		case 1:
			p.call("signalProcess", process, pick(p.r, "USR1", "USR2", "NOPE"))
		case 2:
			p.call("getProcessInfo", process)
		case 3:
			p.call("removeProcessGroup", group)
		case 4:
			p.call("sendProcessStdin", process, "in between\n")
		case 5:
			p.call("signalProcessGroup", group, "USR1")
		case 6:
			p.call("signalAllProcesses", "WINCH")
		case 7:
			p.call("tailProcessStdoutLog", process, 0, 100)
		}
	}
}

// stopping does things to a process in STOPPING.
func (p *planner) stopping() {
	process, prog := p.steadyProcess()
	if prog == nil || prog.get("stopwaitsecs") != "10" || prog.get("stopsignal") == "KILL" {
		return
	}
	p.call("startProcess", process, true)
	p.settle()
	p.tell(process, order{Op: "catch", Signal: prog.stopSignal(), N: -1})
	p.call("stopProcess", process, false)
	p.add(step{kind: "await", target: process, text: "STOPPING"})
	p.meddle(process)
	if chance(p.r, 40) {
		p.call("stopProcess", process, false)
	}
	if chance(p.r, 20) {
		group, _, _ := strings.Cut(process, ":")
		p.call("stopProcessGroup", group, false)
	}
	if chance(p.r, 70) {
		p.tell(process, order{Op: "exit", N: pick(p.r, 0, 1, 2)})
	} else {
		p.add(step{kind: "kill", target: process, n: 9})
	}
}

// starting does things to a process in STARTING.
func (p *planner) starting() {
	process, prog := p.steadyProcess()
	if prog == nil || prog.get("startsecs") != "2" {
		return
	}
	p.call("stopProcess", process, true)
	p.settle()
	p.call("startProcess", process, false)
	p.add(step{kind: "await", target: process, text: "STARTING"})
	p.meddle(process)
	switch p.r.IntN(4) {
	case 0:
		p.tell(process, order{Op: "exit", N: pick(p.r, 0, 1)})
	case 1:
		p.call("stopProcess", process, chance(p.r, 50))
	case 2:
		p.add(step{kind: "kill", target: process, n: 9})
	}
}

// backingOff does things to a process in BACKOFF.
func (p *planner) backingOff() {
	prog := p.program(func(prog *program) bool {
		return (prog.temper == hasty || prog.temper == broken) && prog.get("startretries") != "0"
	})
	if prog == nil {
		return
	}
	process := pick(p.r, p.now.processes(prog)...)
	p.call("stopProcess", process, true)
	p.settle()
	// The original may answer only when the next try is under way.
	p.call("startProcess", process, false)
	p.add(step{kind: "await", target: process, text: "BACKOFF"})
	p.meddle(process)
	if chance(p.r, 60) {
		p.call("stopProcess", process, chance(p.r, 50))
		p.settle()
		p.call("getProcessInfo", process)
		p.call("startProcess", process, false)
	}
}

// group does something to a whole group.
func (p *planner) group() {
	group := p.groupName()
	p.call(pick(p.r, "startProcessGroup", "stopProcessGroup"), group, chance(p.r, 50))
	if chance(p.r, 50) {
		p.settle()
		p.call("signalProcessGroup", group, p.signalName())
	}
}

func (p *planner) multicall() {
	var calls []any
	// What is stopped here is not started again: chance would decide whether it
	// has ended by then.
	control := pick(p.r, "supervisor.startProcess", "supervisor.stopProcess")
	for range 1 + p.r.IntN(4) {
		name := p.namespec()
		switch p.r.IntN(4) {
		case 0:
			calls = append(calls, map[string]any{"methodName": "supervisor.getState", "params": []any{}})
		case 1:
			calls = append(calls, map[string]any{"methodName": control, "params": []any{name, false}})
		case 2:
			calls = append(calls, map[string]any{"methodName": "supervisor.getIdentification", "params": []any{}})
		case 3:
			calls = append(calls, map[string]any{"methodName": pick(p.r, "supervisor.nope", "system.multicall", ""), "params": []any{}})
		}
	}
	p.add(step{kind: "call", method: "system.multicall", args: []any{calls}})
}

// fork has a puppet fork, and end before its child.
func (p *planner) fork() {
	process := p.process()
	p.tell(process, order{Op: "fork"})
	p.settle()
	switch p.r.IntN(3) {
	case 0:
		p.tell(process, order{Op: "exit"})
	case 1:
		p.call("stopProcess", process, true)
	}
	p.settle()
	if chance(p.r, 50) {
		p.tell(process+" child", order{Op: "exit", N: 1})
	}
}

// background waits for a start or a stop while something else happens.
func (p *planner) background() {
	process, prog := p.steadyProcess()
	if prog == nil {
		return
	}
	if prog.get("startsecs") == "2" {
		p.call("stopProcess", process, true)
		p.settle()
		p.add(step{kind: "begin", method: "startProcess", args: []any{process, true}})
		p.add(step{kind: "await", target: process, text: "STARTING"})
		switch p.r.IntN(3) {
		case 0:
			p.call("stopProcess", process, true)
		case 1:
			p.call("stopProcess", process, false)
		}
		p.add(step{kind: "join"})
		return
	}
	p.call("startProcess", process, true)
	p.settle()
	stop := prog.stopSignal()
	if stop == signals["KILL"] || prog.get("stopwaitsecs") != "10" {
		return
	}
	p.tell(process, order{Op: "catch", Signal: stop, N: -1})
	p.add(step{kind: "begin", method: "stopProcess", args: []any{process, true}})
	p.add(step{kind: "await", target: process, text: "STOPPING"})
	if chance(p.r, 50) {
		p.call("startProcess", process, false)
	}
	p.tell(process, order{Op: "exit", N: pick(p.r, 0, 1)})
	p.add(step{kind: "join"})
}

// end ends the daemon, perhaps after it was started anew.
func (p *planner) end() {
	p.settle()
	p.add(step{kind: "curtain"})
	if chance(p.r, 30) {
		if chance(p.r, 50) {
			p.add(step{kind: "signal", n: 1})
		} else {
			p.call("restart")
		}
		p.add(step{kind: "reborn"})
		p.settle()
		p.call("getAllProcessInfo")
	}
	switch p.r.IntN(4) {
	case 0:
		p.endWhileStarting()
	case 1:
		p.endSlowly()
	default:
		p.shutdown()
	}
	p.add(step{kind: "end"})
}

func (p *planner) shutdown() {
	if chance(p.r, 50) {
		p.call("shutdown")
	} else {
		p.add(step{kind: "signal", n: pick(p.r, 15, 2, 3)})
	}
}

// endWhileStarting ends the daemon while a process is STARTING or in BACKOFF.
func (p *planner) endWhileStarting() {
	prog := p.program(func(prog *program) bool { return prog.get("startsecs") > "1" && prog.get("startretries") != "0" })
	if prog != nil {
		process := pick(p.r, p.now.processes(prog)...)
		p.call("stopProcess", process, true)
		p.settle()
		p.call("startProcess", process, false)
		state := "STARTING"
		if prog.temper == hasty || prog.temper == broken {
			state = "BACKOFF"
		}
		p.add(step{kind: "await", target: process, text: state})
	}
	// The original acts on a signal with its next tick, which may be too late.
	p.call("shutdown")
}

// endSlowly ends the daemon with a process that does not stop before it is told
// to, and asks for things meanwhile.
func (p *planner) endSlowly() {
	process, prog := p.steadyProcess()
	if prog == nil || prog.get("stopwaitsecs") != "10" || prog.get("stopsignal") == "KILL" {
		p.shutdown()
		return
	}
	p.call("startProcess", process, true)
	p.settle()
	p.tell(process, order{Op: "catch", Signal: prog.stopSignal(), N: -1})
	if chance(p.r, 50) {
		p.call("stopProcess", process, false)
	}
	p.shutdown()
	// A signal takes a moment to be acted on.
	p.add(step{kind: "ending"})
	for range 1 + p.r.IntN(3) {
		p.call(pick(p.r, "getState", "getAllProcessInfo", "getPID", "restart", "clearLog"))
		p.call("startProcess", p.namespec(), false)
		p.call("sendRemoteCommEvent", "late", "event")
	}
	if chance(p.r, 30) {
		p.add(step{kind: "signal", n: 1})
	}
	p.tell(process, order{Op: "exit", N: pick(p.r, 0, 1)})
}
