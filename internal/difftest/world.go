package difftest

import (
	"fmt"
	"math/rand/v2"
	"slices"
	"strings"
)

// A world is a configuration that a plan makes up. In its text {dir} stands
// for the directory of the side and {puppet} for the program.
type world struct {
	supervisord []setting
	programs    []*program
	groups      []group
	tempers     map[string]temper // of all programs there ever were, by name
}

// A setting is one line of a section.
type setting struct{ key, value string }

// A program is one section.
type program struct {
	kind     string // program, fcgi-program or eventlistener
	name     string
	numprocs int
	first    int // numprocs_start
	settings []setting
	temper   temper
}

// A group is a section [group:x].
type group struct {
	name     string
	priority int
	programs []string
}

// temper is how the puppets of a program behave.
type temper int

const (
	steady temper = iota // does what it is told
	hasty                // exits at once, every time
	flaky                // exits at once, the first two times
	deaf                 // ignores its stop signal
	caring               // exits with a status when it gets its stop signal
	parent               // forks
	talker               // writes a few lines when it starts
	broken               // cannot be started
	hearer               // reads events
	sullen               // reads one event and does not answer
)

var (
	programNames  = []string{"ant", "bee", "cat", "dog", "elk", "fox", "gnu"}
	listenerNames = []string{"owl", "bat"}
	stopSignals   = []string{"TERM", "INT", "HUP", "QUIT", "USR1", "USR2", "KILL"}
)

// signals gives the numbers of those.
var signals = map[string]int{"HUP": 1, "INT": 2, "QUIT": 3, "KILL": 9, "USR1": 10, "USR2": 12, "TERM": 15, "WINCH": 28}

func pick[T any](r *rand.Rand, list ...T) T { return list[r.IntN(len(list))] }

func chance(r *rand.Rand, percent int) bool { return r.IntN(100) < percent }

// makeWorld makes up a configuration.
func makeWorld(r *rand.Rand) *world {
	w := &world{tempers: make(map[string]temper)}
	w.supervisord = []setting{
		{"logfile", "{dir}/supervisord.log"},
		{"pidfile", "{dir}/supervisord.pid"},
		{"childlogdir", "{dir}/child"},
		{"loglevel", pick(r, "info", "info", "debug", "debug", "trace", "blather", "warn")},
	}
	if chance(r, 20) {
		w.supervisord = append(w.supervisord, setting{"identifier", "zoo"})
	}
	if chance(r, 20) {
		w.supervisord = append(w.supervisord, setting{"environment", `WORLD="one",LEVEL=2`})
	}
	if chance(r, 20) {
		w.supervisord = append(w.supervisord, setting{"strip_ansi", "true"})
	}
	if chance(r, 20) {
		w.supervisord = append(w.supervisord, setting{"umask", "027"})
	}
	for _, name := range programNames[:1+r.IntN(4)] {
		w.programs = append(w.programs, w.makeProgram(r, name))
	}
	for i, name := range listenerNames[:pick(r, 0, 0, 1, 1, 2)] {
		w.programs = append(w.programs, makeListener(r, name, i))
	}
	if chance(r, 40) {
		w.makeGroup(r, "herd")
	}
	return w
}

// makeGroup puts some programs that are in no group into a new one.
func (w *world) makeGroup(r *rand.Rand, name string) {
	g := group{name: name, priority: pick(r, 0, 1, 5, 998)}
	for _, p := range w.programs {
		if p.kind != "eventlistener" && w.groupOf(p) == p.name && chance(r, 60) {
			g.programs = append(g.programs, p.name)
		}
	}
	if len(g.programs) > 0 {
		w.groups = append(w.groups, g)
	}
}

func (w *world) makeProgram(r *rand.Rand, name string) *program {
	if _, ok := w.tempers[name]; !ok {
		w.tempers[name] = pick(r, steady, steady, steady, hasty, flaky, deaf, caring, parent, talker, talker, broken)
	}
	p := &program{kind: "program", name: name, numprocs: 1, temper: w.tempers[name]}
	p.setCommand(r)
	if chance(r, 10) {
		p.kind = "fcgi-program"
		p.set("socket", "unix://{dir}/"+name+".socket")
		p.maybe(r, 30, "socket_mode", "0600")
	}
	if chance(r, 25) {
		p.numprocs = 2 + r.IntN(2)
		p.first = pick(r, 0, 0, 3)
		p.set("numprocs", fmt.Sprint(p.numprocs))
		p.set("process_name", "%(program_name)s_%(process_num)d")
		if p.first > 0 {
			p.set("numprocs_start", fmt.Sprint(p.first))
		}
	}
	p.set("autostart", pick(r, "true", "true", "false"))
	// What exits at once exits too quickly only where there is a startsecs.
	startsecs := pick(r, "0", "1", "1", "2")
	if p.temper == hasty || p.temper == flaky || p.temper == broken {
		startsecs = "3"
	}
	p.set("startsecs", startsecs)
	p.set("startretries", pick(r, "0", "1", "1", "2"))
	p.set("autorestart", pick(r, "true", "false", "unexpected"))
	p.maybe(r, 50, "exitcodes", pick(r, "0", "0,2", "1", "3"))
	p.maybe(r, 50, "stopsignal", pick(r, stopSignals...))
	wait := "10"
	if p.temper == deaf || p.stopSignalIsHarmless() {
		wait = "1"
	}
	p.set("stopwaitsecs", wait)
	if chance(r, 25) {
		p.set("stopasgroup", "true")
	} else {
		p.maybe(r, 25, "killasgroup", "true")
	}
	p.maybe(r, 30, "redirect_stderr", "true")
	p.makeLog(r, "stdout")
	p.makeLog(r, "stderr")
	p.maybe(r, 40, "stdout_events_enabled", "true")
	p.maybe(r, 30, "stderr_events_enabled", "true")
	p.maybe(r, 20, "stdout_capture_maxbytes", pick(r, "1KB", "64"))
	p.maybe(r, 30, "environment", pick(r, `COLOR="red",SIZE="%(process_num)d"`, `WORLD="two",QUOTE="a 'b' c"`, `SUPERVISOR_ENABLED="no"`))
	p.maybe(r, 20, "umask", pick(r, "022", "077", "002"))
	p.maybe(r, 50, "priority", fmt.Sprint(r.IntN(4)))
	p.maybe(r, 10, "serverurl", "unix://{dir}/other")
	if p.temper != broken {
		p.maybe(r, 20, "directory", "{dir}/work")
		p.maybe(r, 10, "user", "{user}")
	}
	return p
}

// stopSignal returns the number of the stop signal.
func (p *program) stopSignal() int {
	if name := p.get("stopsignal"); name != "" {
		return signals[name]
	}
	return signals["TERM"]
}

// stopSignalIsHarmless reports whether the puppet lives on after it.
func (p *program) stopSignalIsHarmless() bool {
	switch p.get("stopsignal") {
	case "USR1", "USR2":
		return p.temper != caring
	}
	return false
}

func (p *program) setCommand(r *rand.Rand) {
	command := "{puppet} " + p.name + pick(r, "", " one two", ` "a b"`, " %(process_num)d")
	if p.temper != broken {
		p.set("command", command)
		return
	}
	switch r.IntN(7) {
	case 0:
		p.set("command", "/no/such/file")
	case 1:
		p.set("command", "no-such-command arg")
	case 2:
		p.set("command", "{dir}")
	case 3:
		p.set("command", "{dir}/plain")
	case 4:
		p.set("command", "{dir}/garbage")
	case 5:
		p.set("command", "{dir}/orphan")
	case 6:
		p.set("command", command)
		p.set("directory", "{dir}/nowhere")
	}
}

// makeLog makes up where a channel is logged.
func (p *program) makeLog(r *rand.Rand, channel string) {
	switch r.IntN(5) {
	case 0:
		p.set(channel+"_logfile", "NONE")
	case 1:
		p.set(channel+"_logfile", "AUTO")
	case 2, 3:
		name := "{dir}/logs/" + p.name + "." + channel
		if p.numprocs > 1 {
			name = "{dir}/logs/%(program_name)s_%(process_num)d." + channel
		}
		p.set(channel+"_logfile", name)
	}
	maxbytes := pick(r, "0", "60", "200", "1KB")
	if p.temper == broken || p.kind == "eventlistener" {
		maxbytes = "0" // what they write comes in one piece or in two
	}
	p.maybe(r, 50, channel+"_logfile_maxbytes", maxbytes)
	p.maybe(r, 50, channel+"_logfile_backups", pick(r, "0", "1", "2", "10"))
}

func makeListener(r *rand.Rand, name string, nth int) *program {
	p := &program{kind: "eventlistener", name: name, numprocs: 1, temper: hearer}
	p.set("command", "{puppet} "+name)
	all := []string{"PROCESS_STATE", "PROCESS_LOG", "PROCESS_COMMUNICATION", "REMOTE_COMMUNICATION", "PROCESS_GROUP",
		"SUPERVISOR_STATE_CHANGE", "PROCESS_STATE_EXITED", "PROCESS_STATE_RUNNING", "PROCESS_LOG_STDOUT", "PROCESS_GROUP_ADDED"}
	r.Shuffle(len(all), func(i, j int) { all[i], all[j] = all[j], all[i] })
	p.set("events", strings.Join(all[:1+r.IntN(4)], ","))
	p.set("buffer_size", "500")
	if chance(r, 20) {
		p.temper = sullen
		p.set("buffer_size", pick(r, "1", "3"))
		p.set("events", "PROCESS_STATE")
	}
	if chance(r, 25) {
		p.numprocs = 2
		p.set("numprocs", "2")
		p.set("process_name", "%(program_name)s_%(process_num)d")
	}
	p.set("startsecs", pick(r, "0", "1"))
	p.maybe(r, 30, "autostart", "false")
	p.set("autorestart", pick(r, "true", "unexpected"))
	if nth > 0 {
		// The original gives an event that is rejected also to other pools of
		// the same priority, whatever they subscribe to.
		p.set("priority", fmt.Sprint(pick(r, 1, 5, 998)))
	}
	p.makeLog(r, "stdout")
	p.makeLog(r, "stderr")
	if p.numprocs > 1 || strings.Contains(p.get("events"), "PROCESS_LOG") {
		p.set("stdout_logfile", "NONE") // how many events it gets is chance
	}
	return p
}

func (p *program) get(key string) string {
	for _, s := range p.settings {
		if s.key == key {
			return s.value
		}
	}
	return ""
}

func (p *program) set(key, value string) {
	for i := range p.settings {
		if p.settings[i].key == key {
			p.settings[i].value = value
			return
		}
	}
	p.settings = append(p.settings, setting{key, value})
}

func (p *program) maybe(r *rand.Rand, percent int, key, value string) {
	if chance(r, percent) {
		p.set(key, value)
	}
}

// groupOf returns the name of the group of a program.
func (w *world) groupOf(p *program) string {
	for _, g := range w.groups {
		if slices.Contains(g.programs, p.name) {
			return g.name
		}
	}
	return p.name
}

// processes lists the namespecs of a program.
func (w *world) processes(p *program) []string {
	group := w.groupOf(p)
	if p.numprocs == 1 {
		return []string{group + ":" + p.name}
	}
	var list []string
	for i := range p.numprocs {
		list = append(list, fmt.Sprintf("%s:%s_%d", group, p.name, p.first+i))
	}
	return list
}

// clone returns a copy that can be changed.
func (w *world) clone() *world {
	c := &world{supervisord: w.supervisord, groups: slices.Clone(w.groups), tempers: w.tempers}
	for _, p := range w.programs {
		q := *p
		q.settings = slices.Clone(p.settings)
		c.programs = append(c.programs, &q)
	}
	return c
}

// change changes something.
func (w *world) change(r *rand.Rand) {
	i := r.IntN(len(w.programs))
	p := w.programs[i]
	switch r.IntN(8) {
	case 0: // add a program
		for _, name := range programNames {
			if !slices.ContainsFunc(w.programs, func(p *program) bool { return p.name == name }) {
				w.programs = slices.Insert(w.programs, r.IntN(len(w.programs)+1), w.makeProgram(r, name))
				return
			}
		}
	case 1: // remove one
		if len(w.programs) > 1 {
			w.programs = slices.Delete(w.programs, i, i+1)
			for i := range w.groups {
				w.groups[i].programs = slices.DeleteFunc(slices.Clone(w.groups[i].programs), func(name string) bool { return name == p.name })
			}
			w.groups = slices.DeleteFunc(w.groups, func(g group) bool { return len(g.programs) == 0 })
		}
	case 2: // make one anew
		if p.kind != "eventlistener" {
			w.programs[i] = w.makeProgram(r, p.name)
		}
	case 3:
		p.set("startretries", pick(r, "0", "3"))
	case 4:
		p.set("priority", fmt.Sprint(r.IntN(1000)))
	case 5:
		if len(w.groups) > 0 {
			w.groups = nil
		} else {
			w.makeGroup(r, "pack")
		}
	case 6:
		p.set("environment", fmt.Sprintf(`CHANGE="%d"`, r.IntN(5)))
	case 7:
		r.Shuffle(len(w.programs), func(i, j int) { w.programs[i], w.programs[j] = w.programs[j], w.programs[i] })
	}
}

// String is the text of the file.
func (w *world) String() string {
	var b strings.Builder
	section := func(name string, settings []setting) {
		fmt.Fprintf(&b, "[%s]\n", name)
		for _, s := range settings {
			fmt.Fprintf(&b, "%s=%s\n", s.key, s.value)
		}
	}
	section("unix_http_server", []setting{{"file", "{dir}/sock"}})
	section("rpcinterface:supervisor", []setting{
		{"supervisor.rpcinterface_factory", "supervisor.rpcinterface:make_main_rpcinterface"}})
	section("supervisord", w.supervisord)
	for _, p := range w.programs {
		section(p.kind+":"+p.name, p.settings)
	}
	for _, g := range w.groups {
		section("group:"+g.name, []setting{{"programs", strings.Join(g.programs, ",")}, {"priority", fmt.Sprint(g.priority)}})
	}
	return b.String()
}
