package config

import (
	"fmt"
	"math/rand/v2"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"
)

// The values that the random files give to options. The first list of a key
// holds good values, the second one bad ones.
var (
	integers = [2][]string{{"1", "0", "5", " 17 ", "1_0", "-3", "%(ENV_FIVE)s", "99999999999999999999"}, {"x", "1.5", "", "%(nope)s", "%d"}}
	sizes    = [2][]string{{"0", "1", "50MB", "1kb", "2Gb", "-1", "%(ENV_FIVE)sMB"}, {"1zb", "MB", "", "1.5MB", "1 M"}}
	booleans = [2][]string{{"true", "false", "Yes", "NO", "on", "OFF", "1", "0"}, {"maybe", "", "2", "'true'", "t"}}
	octals   = [2][]string{{"022", "0", "777", "0o77", "2755", "-1"}, {"9", "abc", "", "0x7"}}
	users    = [2][]string{{"root", "nobody", "0", " 65534 "}, {"nosuchuser", "54321", "", "-5"}}
	texts    = [2][]string{{"a", "some text", "", "100%%", "%(here)s/x", "%(ENV_X)s", "'quoted'", "日本"}, {"%(nope)s", "%", "%z", "100%"}}
	dirs     = [2][]string{{"/tmp", ".", "%(here)s", "~", "%(here)s/d"}, {"/no/such", "", "%(here)s/base.conf"}}
	paths    = [2][]string{{"/tmp/x", "x.log", "%(here)s/d/x", "~/x", "/dev/null"}, {"/no/such/x", "%(nope)s/x"}}
)

var supervisordKeys = map[string][2][]string{
	"minfds": integers, "minprocs": integers, "directory": dirs, "user": users, "umask": octals, "logfile": paths,
	"logfile_maxbytes": sizes, "logfile_backups": integers, "pidfile": paths, "identifier": texts, "nodaemon": booleans,
	"silent": booleans, "childlogdir": dirs, "nocleanup": booleans, "strip_ansi": booleans, "unknown": texts,
	"loglevel": {{"info", "DEBUG", "warn", "error", "critical", "trace", "blather"}, {"", "loud", "warning", "20"}},
	"environment": {{`A="1"`, "A=1,B='2',", "", `X="%(ENV_X)s-%(here)s-%(host_node_name)s"`, `FIVE=7,A="100%%"`},
		{"A", "A=", `A="x`, "%(ENV_A)s", "%(program_name)s"}},
}

var programKeys = map[string][2][]string{
	"process_name": {{"%(program_name)s", "%(program_name)s_%(process_num)02d", "%(group_name)s-%(process_num)d", " p%(numprocs)s%(process_num)d ",
		"%(host_node_name)s_%(process_num)x", "%(ENV_X)s%(process_num)s"}, {"a b", "a:b", "%(nope)s%(process_num)d", "%(process_num)", "fixed"}},
	"numprocs":       {{"1", "0", "-1"}, {"x", "", "2"}},
	"numprocs_start": {{"0", "1", "10", "-2"}, {"x"}},
	"priority":       integers, "autostart": booleans, "startsecs": integers, "startretries": integers, "stopwaitsecs": integers,
	"autorestart": {{"true", "false", "unexpected", "UNEXPECTED", "1"}, {"sometimes", ""}},
	"stopsignal":  {{"TERM", "hup", "SIGQUIT", "9", "0"}, {"", "FOO", "999", "%(nope)s"}},
	"killasgroup": {{"true"}, {"false", "x"}}, "redirect_stderr": booleans,
	"exitcodes": {{"0", "0,2", "3, 1,3", "", "255"}, {"256", "-1", "x", "1,", ","}},
	"user":      users, "umask": octals, "directory": texts,
	"environment": {{`A="1"`, "P%(process_num)d=\"%(process_num)d\"", `A="%(ENV_X)s",B="%(here)s"`, `C="%(group_name)s:%(program_name)s"`, `FIVE="6"`, ""},
		{"A", "=", `A="x`, "%(nope)s"}},
	"serverurl": {{"AUTO", " auto", "http://x:1", "unix:///x", ""}, {"%(nope)s"}},
	"stdout_logfile": {{"AUTO", "none", "OFF", "syslog", "%(here)s/d/%(program_name)s.log", "%(here)s/%%(process_num)s.log", "", "/dev/stdout"},
		{"/no/such/x", "%%", "%%z", "%(nope)s"}},
	"stderr_logfile": {{"AUTO", "none", "x.err", "Syslog", "/tmp/%(ENV_X)s"}, {"/no/such/x"}},

	"stdout_logfile_maxbytes": sizes, "stdout_logfile_backups": integers, "stdout_capture_maxbytes": sizes, "stdout_events_enabled": booleans,
	"stdout_syslog": booleans, "stderr_logfile_maxbytes": sizes, "stderr_logfile_backups": integers, "stderr_capture_maxbytes": sizes,
	"stderr_events_enabled": booleans, "stderr_syslog": booleans, "unknown": {{"%(nope)s %"}, nil},
}

var listenerKeys = map[string][2][]string{
	"events":      {{"TICK_5", "tick_60,PROCESS_STATE", "EVENT, EVENT"}, {"", "NOPE", "TICK_5,", "%(nope)s"}},
	"buffer_size": {{"1", "10"}, {"0", "-1", "x"}}, "redirect_stderr": {{"false"}, {"true", "x"}},
	"result_handler": {{"supervisor.dispatchers:default_handler"}, {"no.such:thing"}},
}

var fastCGIKeys = map[string][2][]string{
	"socket": {{"tcp://localhost:9000", "tcp://LOCALHOST:1", "unix:///tmp/x.sock", "unix://%(here)s/%(program_name)s/../x"},
		{"", "tcp://h", "tcp://h:x", "tcp://h:0", "tcp://h:70000", "tcp://a b:1", "unix://rel/x", "/abs", "%(process_num)s", "tcp://[::1]:9000"}},
	"socket_backlog": {{"1", "65535"}, {"0", "65536", "x"}},
	"socket_owner":   {{"root", "nobody:nogroup", "0:0"}, {"nosuch", "root:nosuch", ""}},
	"socket_mode":    {{"0700", "666"}, {"8", ""}},
}

var unixKeys = map[string][2][]string{
	"file": {{"%(here)s/s.sock", "/tmp/../tmp/s", "~/s", " x ", "//s"}, {"%(nope)s"}}, "chmod": octals,
	"chown":    {{"root", "nobody:nogroup", "0:0"}, {"x", "root:x", ""}},
	"username": {{"u", "%(ENV_X)s", ""}, {"%(here)s"}}, "password": {{"p", "{SHA}82ab876d1387bfafe46cc1c8a2ef074eae50cb1d"}, {"%z"}},
}

var inetKeys = map[string][2][]string{
	"port": {{"9001", "127.0.0.1:9001", "*:9001", "LocalHost:%(ENV_FIVE)s", ":80", "[::1]:9001", "::1:9001"},
		{"", "x", "h:", "h:x", "0", "h:0", "70000", "h:70000", "%(here)s"}},
	"username": unixKeys["username"], "password": unixKeys["password"],
}

var groupKeys = map[string][2][]string{
	"priority": integers, "unknown": texts,
}

// A confWriter writes a random configuration file.
type confWriter struct {
	strings.Builder
	rnd *rand.Rand
	// badness is how many of 1000 values are bad ones.
	badness int
}

// section writes a section with about one in every sparse of the optional keys.
func (w *confWriter) section(name string, sparse int, needed []string, tables ...map[string][2][]string) {
	fmt.Fprintf(w, "[%s]\n", name)
	for _, table := range tables {
		for _, key := range sortedKeys(table) {
			isNeeded := false
			for _, n := range needed {
				isNeeded = isNeeded || n == key
			}
			if isNeeded && w.rnd.IntN(1000) >= w.badness || w.rnd.IntN(sparse) == 0 {
				fmt.Fprintf(w, "%s=%s\n", key, w.value(table[key]))
			}
		}
	}
}

func (w *confWriter) value(lists [2][]string) string {
	return w.either(lists[0], lists[1]...)
}

// either returns one of the good texts, or now and then one of the bad ones.
func (w *confWriter) either(good []string, bad ...string) string {
	if len(bad) > 0 && w.rnd.IntN(1000) < w.badness {
		return pick(w.rnd, bad...)
	}
	return pick(w.rnd, good...)
}

func sortedKeys(table map[string][2][]string) []string {
	keys := make([]string, 0, len(table))
	for key := range table {
		keys = append(keys, key)
	}
	slices.Sort(keys)
	return keys
}

// programs writes sections of every kind of process.
func (w *confWriter) programs(prefix string) {
	command := map[string][2][]string{"command": {{"/bin/cat", "/bin/echo %(process_num)d %(ENV_X)s %(ENV_FIVE)s 'x", "c %(here)s %(program_name)s %(numprocs)s %(group_name)s", "", "%(ENV_A)s"},
		{"%(nope)s", "date +%s %s", "100%"}}}
	var members []string
	for _, name := range []string{"a", "b"} {
		if w.rnd.IntN(2) == 0 {
			members = append(members, prefix+name)
			w.section("program:"+prefix+name, 8, []string{"command"}, command, programKeys)
			if w.rnd.IntN(3) == 0 {
				fmt.Fprintf(w, "numprocs=%d\nprocess_name=%s\n", w.rnd.IntN(4), pick(w.rnd, programKeys["process_name"][0][1:]...))
			}
			if w.rnd.IntN(3) == 0 {
				fmt.Fprintf(w, "stopasgroup=%s\n", pick(w.rnd, booleans[0]...))
			}
		}
	}
	if w.rnd.IntN(3) == 0 {
		w.section("eventlistener:"+prefix+w.either([]string{"l", "l", " l"}, "a b", "c:d"), 10, []string{"command", "events"}, command, listenerKeys, programKeys)
	}
	if w.rnd.IntN(3) == 0 {
		w.section("fcgi-program:"+prefix+w.either([]string{"f", "f", "a"}, "f/g"), 10, []string{"command", "socket"}, command, fastCGIKeys, programKeys)
	}
	if w.rnd.IntN(3) == 0 {
		members = append(members, members...)
		w.rnd.Shuffle(len(members), func(i, j int) { members[i], members[j] = members[j], members[i] })
		members = members[:min(len(members), w.rnd.IntN(4))]
		w.section("group:"+prefix+w.either([]string{"g", "a"}, "h i"), 5, nil, groupKeys)
		fmt.Fprintf(w, "programs=%s\n", w.either([]string{strings.Join(members, ","), strings.Join(members, " , ")}, "nope", "a,,b"))
	}
}

// write writes a whole file.
func (w *confWriter) write() {
	if w.rnd.IntN(50) > 0 {
		w.section("supervisord", 12, nil, supervisordKeys)
	}
	if w.rnd.IntN(2) == 0 {
		w.section("unix_http_server"+pick(w.rnd, "", "", ":x"), 6, []string{"file"}, unixKeys)
	}
	if w.rnd.IntN(3) == 0 {
		w.section("inet_http_server"+pick(w.rnd, "", ":y"), 10, []string{"port"}, inetKeys)
	}
	if w.rnd.IntN(3) == 0 {
		fmt.Fprintf(w, "[rpcinterface:%s]\n%s\n", pick(w.rnd, "supervisor", "other"), w.either([]string{
			"supervisor.rpcinterface_factory = supervisor.rpcinterface:make_main_rpcinterface",
		}, "supervisor.rpcinterface_factory=supervisor.rpcinterface:make_main_rpcinterface\nx=%(ENV_X)s",
			"x=1", "supervisor.rpcinterface_factory = no.such:thing"))
	}
	if w.rnd.IntN(40) == 0 {
		fmt.Fprintf(w, "[DEFAULT]\nstartsecs=%d\n", w.rnd.IntN(5))
	}
	w.programs("")
	if w.rnd.IntN(4) == 0 {
		fmt.Fprintf(w, "[include]\nfiles=%s\n", w.either([]string{"d/*.conf", "d/1.conf d/2.conf d/1.conf", "d/2.conf\n  d/none*.conf",
			"%(here)s/d/[1-9].conf", "%(ENV_X)s/*.conf %(host_node_name)s", "d/", "d", "", "/*/../no"}, "%(nope)s", "%"))
	}
}

// mutate changes a few lines at random.
func (w *confWriter) mutate(text string) string {
	lines := strings.Split(text, "\n")
	for range w.rnd.IntN(3) {
		i := w.rnd.IntN(len(lines))
		switch w.rnd.IntN(4) {
		case 0:
			// A header that continues the reference to a factory would be
			// taken for a part of it, by one release and not by the other.
			if !strings.HasPrefix(lines[i], "[") {
				lines[i] = " " + lines[i]
			}
		case 1:
			lines[i] += pick(w.rnd, " ; comment", " # comment", ";x", "%", " ")
		case 2:
			lines[i] = ""
		case 3:
			lines[i] = pick(w.rnd, "junk", "[x]", "=y", "; comment")
		}
	}
	return strings.Join(lines, "\n")
}

func TestLoadLikeSupervisor(t *testing.T) {
	r := newReference(t)
	r.needSupervisor()
	rnd := newRand(t)
	dir := t.TempDir()
	if err := os.Mkdir(filepath.Join(dir, "d"), 0o755); err != nil {
		t.Fatal(err)
	}
	environ := map[string]string{"X": "d", "FIVE": "5", "HOME": filepath.Join(dir, "d"), "PERCENT": "5%", "TMPDIR": "/tmp"}
	var pairs []string
	for name, value := range environ {
		pairs = append(pairs, name+"="+value)
	}
	slices.Sort(pairs)
	count, good, failed := *countFlag/8, 0, 0
	for n := range count {
		badness := []int{0, 0, 5, 30}[n%4]
		for name, prefix := range map[string]string{"base.conf": "", "d/1.conf": "i", "d/2.conf": "i"} {
			w := &confWriter{rnd: rnd, badness: badness}
			if prefix == "" {
				w.write()
			} else {
				w.programs(prefix)
			}
			text := w.String()
			if n%8 == 7 {
				text = w.mutate(text)
			}
			if err := os.WriteFile(filepath.Join(dir, name), []byte(text), 0o644); err != nil {
				t.Fatal(err)
			}
		}
		file := filepath.Join(dir, "base.conf")
		item := map[string]any{"file": file, "environ": environ}
		want := r.ask("load", []any{item})[0]
		if want.Error == nil {
			good++
		}
		cfg, err := Load(Options{File: file, Environ: pairs})
		if diff := compareLoad(cfg, err, want); diff != "" {
			main, _ := os.ReadFile(file)
			t.Errorf("%s\n%s", diff, main)
			if failed++; failed == 5 {
				t.Fatal("too many differences")
			}
		}
	}
	t.Logf("%d of %d files were good", good, count)
}

func compareLoad(cfg *Config, err error, want answer) string {
	if err != nil {
		err = fmt.Errorf("%s", normalizeError(err.Error()))
	}
	if want.Error != nil {
		text := normalizeError(*want.Error)
		want.Error = &text
	}
	var dump any
	if cfg != nil {
		dump = dumpConfig(cfg)
	}
	return compareAnswer("load", dump, err, want)
}

// The texts that are meant to differ.
var (
	// The reason why a plugin cannot be loaded is ours; the installed release
	// says something else of a factory that is no reference at all.
	unresolved = regexp.MustCompile(`(?s)^.*(cannot be resolved within \[|EntryPoint must be in ).*`)
	// Of several, Supervisor names any: it has them in a set.
	unknownEvent = regexp.MustCompile(`(?s)Unknown event type .* in \[`)
	// Supervisor names the section of the program before.
	unknownMember = regexp.MustCompile(`^\[.*\] (names unknown program|name .* is ambiguous)`)
)

func normalizeError(text string) string {
	text = unresolved.ReplaceAllString(text, "unresolved factory")
	text = unknownEvent.ReplaceAllString(text, "Unknown event type in [")
	return unknownMember.ReplaceAllString(text, "[] $1")
}

// dumpConfig returns a configuration in the form in which the reference
// describes its own.
func dumpConfig(c *Config) any {
	s := &c.Supervisord
	groups := []any{}
	for _, g := range c.Groups {
		groups = append(groups, dumpGroup(g))
	}
	servers := []any{}
	for i := range c.Servers {
		servers = append(servers, dumpServer(&c.Servers[i]))
	}
	return map[string]any{
		"supervisord": map[string]any{
			"logfile": s.Logfile, "logfile_maxbytes": s.LogfileMaxBytes, "logfile_backups": s.LogfileBackups, "loglevel": s.LogLevel,
			"pidfile": s.Pidfile, "identifier": s.Identifier, "childlogdir": s.ChildLogDir, "minfds": s.MinFDs, "minprocs": s.MinProcs,
			"directory": s.Directory, "user": s.User, "uid": s.UID, "umask": s.Umask, "nodaemon": s.NoDaemon, "silent": s.Silent,
			"nocleanup": s.NoCleanup, "strip_ansi": s.StripANSI, "environment": s.Environment,
		},
		"serverurl": c.ServerURL, "servers": servers, "interfaces": list(c.RPCInterfaces), "groups": groups,
		"warnings": list(c.Warnings), "infos": list(c.Infos),
	}
}

func list(texts []string) []string { return append([]string{}, texts...) }

func dumpServer(s *Server) any {
	d := map[string]any{"section": s.Section, "username": s.Username, "password": s.Password}
	if s.Family == Unix {
		d["file"], d["mode"], d["owner"] = s.File, rawMode(s.Mode), []int{s.OwnerUID, s.OwnerGID}
	} else {
		d["host"], d["port"] = s.Host, s.Port
	}
	return d
}

func rawMode(m os.FileMode) int {
	raw := int(m.Perm())
	for bit, flag := range map[int]os.FileMode{0o4000: os.ModeSetuid, 0o2000: os.ModeSetgid, 0o1000: os.ModeSticky} {
		if m&flag != 0 {
			raw |= bit
		}
	}
	return raw
}

func dumpGroup(g *Group) any {
	processes := []any{}
	for _, p := range g.Processes {
		processes = append(processes, dumpProcess(p))
	}
	kinds := []string{ProgramGroup: "program", ListenerPool: "eventlistener", FastCGIGroup: "fcgi-program"}
	d := map[string]any{"name": g.Name, "priority": g.Priority, "kind": kinds[g.Kind], "processes": processes}
	if g.Kind == ListenerPool {
		d["buffer_size"], d["events"] = g.BufferSize, list(g.Events)
	}
	if s := g.Socket; s != nil {
		socket := map[string]any{"url": s.URL, "backlog": s.Backlog}
		if s.Unix {
			socket["path"], socket["mode"], socket["owner"] = s.Path, rawMode(s.Mode), []int{s.OwnerUID, s.OwnerGID}
		} else {
			socket["host"], socket["port"] = s.Host, s.Port
		}
		d["socket"] = socket
	}
	return d
}

func dumpProcess(p *Process) any {
	restart := []string{RestartNever: "never", RestartUnexpected: "unexpected", RestartAlways: "always"}
	return map[string]any{
		"name": p.Name, "command": p.Command, "autostart": p.Autostart, "stopasgroup": p.StopAsGroup, "killasgroup": p.KillAsGroup,
		"exitcodes": append([]int{}, p.ExitCodes...), "redirect_stderr": p.RedirectStderr, "environment": p.Environment,
		"priority": p.Priority, "startretries": p.StartRetries, "startsecs": p.StartSecs / time.Second, "stopwaitsecs": p.StopWaitSecs / time.Second,
		"autorestart": restart[p.Autorestart], "directory": p.Directory, "serverurl": p.ServerURL, "uid": p.UID, "umask": p.Umask,
		"stopsignal": int(p.StopSignal), "stdout": dumpLog(&p.Stdout), "stderr": dumpLog(&p.Stderr),
	}
}

func dumpLog(l *Log) any {
	file := []string{LogAuto: "auto", LogNone: "none", LogPath: "=" + l.File.Path}[l.File.Kind]
	return map[string]any{"file": file, "maxbytes": l.MaxBytes, "backups": l.Backups, "capture": l.CaptureMaxBytes,
		"events": l.EventsEnabled, "syslog": l.Syslog}
}

func TestLoadClientLikeSupervisor(t *testing.T) {
	r := newReference(t)
	r.needSupervisor()
	rnd := newRand(t)
	dir := t.TempDir()
	environ := map[string]string{"X": "d", "HOME": dir}
	keys := map[string][2][]string{
		"serverurl":    {{"http://localhost:9001", "unix:///tmp/../x", "unix://%(here)s/s", "unix://~/s", "any"}, {"%(nope)s"}},
		"username":     {{"u", "%(ENV_X)s", ""}, {"%(here)s"}},
		"password":     {{"p"}, {"%"}},
		"prompt":       {{"sup", "", "%(ENV_X)s"}, {"%(here)s"}},
		"history_file": {{"~/.h", "h", "%(here)s/h", ""}, {"%(nope)s"}},
	}
	for range *countFlag / 20 {
		w := &confWriter{rnd: rnd, badness: 50}
		w.section(pick(rnd, "supervisorctl", "supervisorctl", "supervisorctl", "other"), 2, nil, keys)
		file := filepath.Join(dir, "c.conf")
		if err := os.WriteFile(file, []byte(w.String()), 0o644); err != nil {
			t.Fatal(err)
		}
		var args []string
		o := ClientOptions{File: file, Environ: []string{"X=d", "HOME=" + dir}}
		for _, name := range []string{"serverurl", "username", "password"} {
			if rnd.IntN(4) == 0 {
				args = append(args, "--"+name, "http://over")
				if err := o.Overrides.Set(name, "http://over"); err != nil {
					t.Fatal(err)
				}
			}
		}
		want := r.ask("client", []any{map[string]any{"file": file, "environ": environ, "args": args}})[0]
		c, err := LoadClient(o)
		var dump any
		if err == nil {
			var history any
			if c.HistoryFile != "" {
				history = c.HistoryFile
			}
			dump = map[string]any{"serverurl": c.ServerURL, "username": c.Username, "password": c.Password, "prompt": c.Prompt,
				"history_file": history}
		}
		if diff := compareAnswer(w.String(), dump, err, want); diff != "" {
			t.Fatal(diff)
		}
	}
}

func TestCheckURLLikeSupervisor(t *testing.T) {
	r := newReference(t)
	r.needSupervisor()
	for _, text := range []string{"", "x", "http://", "http://x", "HTTP://x:1/", "unix:///x", "unix:", "unix:x", ":x", "1a:x", "a1+-.:x", "é:x",
		"http:#x", "http:?x", "http:/?x", "http://[::1]:80", "http://[::1", "http://::1]", " http://x", "ht\ntp://x", "foo", "a:b", "a:;"} {
		want := r.ask("url", []any{text})[0]
		got, err := checkURL(text)
		if diff := compareAnswer(text, got, err, want); diff != "" {
			t.Error(diff)
		}
	}
}
