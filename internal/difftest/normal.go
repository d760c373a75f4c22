package difftest

import (
	"fmt"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"strings"
)

// An observation is what was seen of a side, without what differs between any
// two runs: pids, times, paths. Every member maps a name to a sequence.
type observation struct {
	steps   []any
	log     map[string][]string // by process, "" is the rest
	events  map[string][]string // by pool and process
	puppets map[string][]string // by process
	files   map[string][]string // by name
}

// observe makes the observation of a side that has ended.
func (s *side) observe() *observation {
	o := &observation{
		log: make(map[string][]string), events: make(map[string][]string),
		puppets: make(map[string][]string), files: make(map[string][]string),
	}
	for _, r := range s.results {
		o.steps = append(o.steps, s.normalValue("", r))
	}
	files := s.files()
	s.observeLog(o, files["out"])
	s.observePuppets(o)
	for name, text := range files {
		switch name {
		case "out", "conf", "supervisord.log", "supervisord.log.old":
			// The order of what several programs write to the activity log is
			// compared program by program.
			text = ""
		}
		name = randomName.ReplaceAllString(name, "-<random>.log")
		text = answers.ReplaceAllString(text, "$1")
		o.files[name] = append(o.files[name], s.normalText(text))
		slices.Sort(o.files[name])
	}
	return o
}

var (
	answers    = regexp.MustCompile(`(RESULT 2\nOKREADY\n)+`)
	randomName = regexp.MustCompile(`-[A-Za-z0-9_]+\.log`)
	dates      = regexp.MustCompile(`\b[A-Z][a-z][a-z] \d\d \d\d:\d\d [AP]M`)
	uptimes    = regexp.MustCompile(`uptime \d+:\d\d:\d\d`)
	pids       = regexp.MustCompile(`\b(pid:? ?)[1-9]\d*|\(\d+\)( with SIGKILL)`)
	autoLogs   = regexp.MustCompile(`(-std(?:out|err)---[a-z]+-)[A-Za-z0-9_]+\.log`)
)

// normalText frees a text of what differs between runs.
func (s *side) normalText(text string) string {
	text = strings.ReplaceAll(text, s.dir, "{dir}")
	text = dates.ReplaceAllString(text, "<date>")
	text = uptimes.ReplaceAllString(text, "uptime <time>")
	text = pids.ReplaceAllString(text, "$1<pid>$2")
	return autoLogs.ReplaceAllString(text, "$1<random>.log")
}

// normalValue does the same for the value of a call.
func (s *side) normalValue(key string, v any) any {
	switch v := v.(type) {
	case int:
		switch key {
		case "pid", "start", "stop", "now":
			if v != 0 {
				return "<" + key + ">"
			}
		}
	case string:
		return s.normalText(v)
	case fault:
		return fmt.Sprintf("fault %d %s", v.Code, s.normalText(v.String))
	case []any:
		list := make([]any, len(v))
		for i := range v {
			list[i] = s.normalValue("", v[i])
		}
		return list
	case map[string]any:
		m := make(map[string]any, len(v))
		for k, e := range v {
			m[k] = s.normalValue(k, e)
		}
		return m
	}
	return v
}

var stamp = regexp.MustCompile(`^\d{4}-\d\d-\d\d \d\d:\d\d:\d\d,\d{3} `)

// unsteady are the entries of the log that depend on chance, or that speak of
// what only the original has.
var unsteady = regexp.MustCompile(strings.Join([]string{
	// How many signals arrive as one is chance.
	`^DEBG received SIGCHLD`,
	// These name objects of Python.
	`^DEBG fd \d+ closed, stopped monitoring`,
	`^BLAT (unexpected )?(read|write) event`,
	// How often these come depends on how long things take.
	`^INFO waiting for .* to (die|stop)$`,
	`^BLAT \S+ state: `,
	`^DEBG rebuffering event`,
	// The original closes the socket of a FastCGI program that is to be started
	// while it is being stopped, and whether two that die together both give it
	// up before one comes back is chance.
	`^INFO (Creating|Closing) socket `,
	// These come from the polling of the test.
	`^TRAC .*"POST /RPC2`,
	// This names the HTTP server of the original.
	`^TRAC \S+:Medusa `,
	// The original says that a call returned when it has only begun to wait.
	`^TRAC XML-RPC method supervisor\.st(art|op)\w+\(\) returned`,
	`^TRAC XML-RPC method (called: )?supervisor\.(getAllProcessInfo|getProcessInfo|getState)\(\)`,
}, "|"))

var serials = regexp.MustCompile(`\bevent \d+`)

// observeLog sorts the entries of the activity log by the processes they are
// about. It reads what is written to the standard output, which is complete.
func (s *side) observeLog(o *observation, text string) {
	type entry struct{ stamp, text string }
	var entries []entry
	for line := range strings.Lines(text) {
		line = strings.TrimSuffix(line, "\n")
		if at := stamp.FindString(line); at != "" || len(entries) == 0 {
			entries = append(entries, entry{at, line[len(at):]})
		} else {
			entries[len(entries)-1].text += "\n" + line
		}
	}
	named := s.processNames()
	for _, entry := range entries {
		e := serials.ReplaceAllString(s.normalText(entry.text), "event <serial>")
		name := named.FindString(e)
		if unsteady.MatchString(e) || s.isChance(e, name, entry.stamp >= s.curtain) {
			continue
		}
		key := name
		if m := output.FindStringSubmatch(e); m != nil {
			// Standard output and error are read one after the other or not, as
			// chance will have it.
			key, e = name+m[1], m[2]
		} else if call.MatchString(e) {
			key = "calls"
		} else if protocol.MatchString(e) {
			key = name + " protocol"
		} else if overflow.MatchString(e) {
			key = name + " overflow"
		}
		if kills.MatchString(e) && slices.Contains(o.log[key], e) {
			continue
		}
		o.log[key] = append(o.log[key], e)
	}
	slices.Sort(o.log["calls"])
	for name, list := range o.log {
		if strings.Contains(name, "output:") {
			o.log[name] = []string{strings.Join(list, "")}
		}
	}
}

// isChance reports whether chance decides about an entry about a process; late
// says that it was written at the end of the daemon.
func (s *side) isChance(e, name string, late bool) bool {
	switch {
	case call.MatchString(e):
		return late
	case strings.Contains(e, "bad result line"), strings.Contains(e, "event was rejected"),
		strings.Contains(e, "has entered the UNKNOWN state") && s.plan.capricious(name):
		return s.plan.fickle(name) || s.plan.capricious(name)
	case protocol.MatchString(e), output.MatchString(e):
		return s.plan.capricious(name) || late && s.plan.listens(name)
	case overflow.MatchString(e):
		return late
	}
	return false
}

var (
	// overflow matches what is said of an event that is lost.
	overflow = regexp.MustCompile(`^ERRO pool \S+ event buffer overflowed`)
	// output matches a piece of output. Whether it comes in two pieces or in
	// one is chance.
	output = regexp.MustCompile(`(?s)^DEBG '[^']+'( std(?:out|err) output:)\n(.*)$`)
	// kills matches what is said of SIGKILL. The original often sends it again,
	// to a process that is gone and was not reaped.
	kills = regexp.MustCompile(`^(WARN|DEBG) killing .* SIGKILL$`)
	// call matches what is said of calls. They end when they end.
	call = regexp.MustCompile(`^TRAC XML-RPC method `)
	// protocol matches what is said of the protocol of event listeners.
	protocol = regexp.MustCompile(`^DEBG (event <serial> sent|\S+: )`)
)

// processNames matches the name of any process.
func (s *side) processNames() *regexp.Regexp {
	var names []string
	for name := range s.plan.programs {
		_, name, _ = strings.Cut(name, ":")
		names = append(names, name)
	}
	slices.Sort(names)
	slices.Reverse(names)
	return regexp.MustCompile(`\b(` + strings.Join(slices.Compact(names), "|") + `)\b`)
}

// observePuppets adds what the puppets saw.
func (s *side) observePuppets(o *observation) {
	type delivery struct {
		serial int
		event
		times int
	}
	pools := make(map[string]map[int]*delivery)
	for name, list := range s.stage.puppets {
		for _, p := range list {
			h := p.hello
			// The order of these means nothing, and of two signals one may come.
			slices.Sort(h.Env)
			slices.Sort(p.signals)
			p.signals = slices.Compact(p.signals)
			o.puppets[name] = append(o.puppets[name], s.normalText(fmt.Sprintf(
				"args %q dir %s umask %s uid %d leader %t env %q files %q signals %q stdin %q",
				h.Args, h.Dir, h.Umask, h.UID, h.Leader, h.Env, h.Files, p.signals, p.stdin)))
			for _, e := range p.events {
				f := fields(e.header)
				if s.plan.fickle(f["pool"]) {
					continue
				}
				pool := pools[f["pool"]]
				if pool == nil {
					pool = make(map[int]*delivery)
					pools[f["pool"]] = pool
				}
				serial, _ := strconv.Atoi(f["serial"])
				if pool[serial] == nil {
					pool[serial] = &delivery{serial: serial, event: e}
				}
				pool[serial].times++
			}
		}
	}
	for name, pool := range pools {
		var list []*delivery
		for _, d := range pool {
			list = append(list, d)
		}
		slices.SortFunc(list, func(a, b *delivery) int { return a.serial - b.serial })
		for _, d := range list {
			f := fields(d.header)
			process := fields(strings.SplitN(d.payload, "\n", 2)[0])["processname"]
			e := fmt.Sprintf("%s %s x%d %s", f["server"], f["eventname"], d.times, s.normalText(d.payload))
			o.events[name+" "+process] = appendLogEvent(o.events[name+" "+process], e)
		}
	}
}

// fields reads the pairs of a header.
func fields(header string) map[string]string {
	m := make(map[string]string)
	for _, f := range strings.Fields(header) {
		k, v, _ := strings.Cut(f, ":")
		m[k] = v
	}
	return m
}

var logEvent = regexp.MustCompile(`(?s)^(\S+ PROCESS_LOG_\S+ x\d+ [^\n]*\n)(.*)$`)

// appendLogEvent appends an event. Output that comes in two pieces is the same
// as in one.
func appendLogEvent(list []string, e string) []string {
	if m := logEvent.FindStringSubmatch(e); m != nil && len(list) > 0 {
		if last := logEvent.FindStringSubmatch(list[len(list)-1]); last != nil && last[1] == m[1] {
			list[len(list)-1] += m[2]
			return list
		}
	}
	return append(list, e)
}

// compare returns the differences between the observation of the original and
// that of the other side.
func compare(p *plan, want, got *observation) []string {
	var d []string
	ending := false
	for i, st := range p.steps {
		ending = ending || st.kind == "ending"
		if ending && (want.steps[i] == "no answer" || got.steps[i] == "no answer") {
			continue
		}
		if st.kind == "end" && strings.HasPrefix(fmt.Sprint(want.steps[i]), "status -1") {
			continue // a signal at the very end of the original is its death
		}
		if strings.HasPrefix(st.method, "start") && !waits("."+st.method, st.args) &&
			strings.Contains(fmt.Sprint(want.steps[i]), "SPAWN_ERROR") {
			// The original looks whether the process has failed already.
			continue
		}
		if strings.HasPrefix(st.method, "read") || strings.HasPrefix(st.method, "tail") {
			// The original does not answer with a log when the piece of it
			// begins or ends within a character.
			_, name, _ := strings.Cut(fmt.Sprint(st.args[0]), ":")
			if want.steps[i] == "no answer" || p.capricious(name) {
				continue
			}
		}
		d = append(d, compareValues(fmt.Sprintf("step %d, %s", i, st), want.steps[i], got.steps[i])...)
	}
	for _, part := range []struct {
		name      string
		want, got map[string][]string
	}{
		{"log of", want.log, got.log}, {"events for", want.events, got.events},
		{"puppet", want.puppets, got.puppets}, {"file", want.files, got.files},
	} {
		d = append(d, compareSequences(part.name, part.want, part.got)...)
	}
	return d
}

func compareSequences(part string, want, got map[string][]string) []string {
	var names, d []string
	for name := range want {
		names = append(names, name)
	}
	for name := range got {
		if _, ok := want[name]; !ok {
			names = append(names, name)
		}
	}
	slices.Sort(names)
	for _, name := range names {
		w, g := want[name], got[name]
		if slices.Equal(w, g) {
			continue
		}
		i := 0
		for i < len(w) && i < len(g) && w[i] == g[i] {
			i++
		}
		text := fmt.Sprintf("%s %s: at %d of %d and %d:", part, filepath.ToSlash(name), i, len(w), len(g))
		for _, e := range w[i:min(i+3, len(w))] {
			text += fmt.Sprintf("\n\toriginal %q", e)
		}
		for _, e := range g[i:min(i+3, len(g))] {
			text += fmt.Sprintf("\n\tours     %q", e)
		}
		d = append(d, text)
	}
	return d
}

// compareValues returns where two values differ. A struct of ours may have more
// members.
func compareValues(where string, want, got any) []string {
	switch w := want.(type) {
	case map[string]any:
		g, ok := got.(map[string]any)
		if !ok {
			break
		}
		var d []string
		for k, v := range w {
			d = append(d, compareValues(where+"."+k, v, g[k])...)
		}
		slices.Sort(d)
		return d
	case []any:
		g, ok := got.([]any)
		if !ok || len(g) != len(w) {
			break
		}
		var d []string
		for i := range w {
			at := fmt.Sprint(where, "[", i, "]")
			if m, ok := w[i].(map[string]any); ok && m["name"] != nil {
				at = fmt.Sprintf("%s[%v:%v]", where, m["group"], m["name"])
			}
			d = append(d, compareValues(at, w[i], g[i])...)
		}
		return d
	default:
		if want == got {
			return nil
		}
	}
	return []string{fmt.Sprintf("%s:\n\toriginal %#v\n\tours     %#v", where, want, got)}
}
