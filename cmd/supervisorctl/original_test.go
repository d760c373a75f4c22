package main

import (
	"bufio"
	"encoding/json"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"syscall"
	"testing"

	"supervisord/internal/rpcclient"
	"supervisord/internal/testenv"
)

// Where Debian's package has Supervisor's own programs, and the interpreter
// that can import its modules.
const (
	originalDaemon = "/usr/bin/supervisord"
	originalClient = "/usr/bin/supervisorctl"
	python         = "/usr/bin/python3"
)

func TestMain(m *testing.M) {
	os.Setenv("GORACE", "atexit_sleep_ms=0")
	testenv.Main(m)
}

// configText is the configuration of the daemons; %[1]s is its directory.
const configText = `[unix_http_server]
file=%[1]s/s.sock
[supervisord]
logfile=%[1]s/supervisord.log
pidfile=%[1]s/supervisord.pid
childlogdir=%[1]s
[rpcinterface:supervisor]
supervisor.rpcinterface_factory = supervisor.rpcinterface:make_main_rpcinterface
[supervisorctl]
serverurl=unix://%[1]s/s.sock
[program:cat]
command=/bin/cat
startsecs=0
[program:n]
command=/bin/cat
numprocs=3
process_name=%%(program_name)s-%%(process_num)d
autostart=false
startsecs=0
`

// daemon is a supervisord with a directory of its own.
type daemon struct{ dir, config string }

// startDaemon starts a supervisord and waits until its programs run.
func startDaemon(t *testing.T, program string) *daemon {
	t.Helper()
	// The paths of sockets are short; those of test directories need not be.
	dir, err := os.MkdirTemp("", "ctl")
	if err != nil {
		t.Fatal(err)
	}
	d := &daemon{dir: dir, config: filepath.Join(dir, "supervisord.conf")}
	if err := os.WriteFile(d.config, fmt.Appendf(nil, configText, dir), 0o600); err != nil {
		t.Fatal(err)
	}
	cmd := exec.Command(program, "-n", "-c", d.config)
	cmd.SysProcAttr = &syscall.SysProcAttr{Setpgid: true}
	out, err := cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		_ = cmd.Process.Signal(syscall.SIGTERM)
		io.Copy(io.Discard, out)
		_ = cmd.Wait()
		os.RemoveAll(dir)
	})
	for lines := bufio.NewScanner(out); lines.Scan(); {
		if strings.Contains(lines.Text(), "success: cat entered RUNNING state") {
			go io.Copy(io.Discard, out)
			return d
		}
	}
	t.Fatalf("%s ends before its programs run", program)
	return nil
}

// outcome is what a command has printed, and its exit status.
type outcome struct {
	text string
	exit int
}

// runner carries out a command.
type runner func(line string) outcome

// ours runs a command by this supervisorctl.
func (d *daemon) ours(t *testing.T) runner {
	return func(line string) outcome {
		return execute(t, "supervisorctl", append([]string{"-c", d.config}, strings.Fields(line)...)...)
	}
}

// execute runs a program without input.
func execute(t *testing.T, program string, args ...string) outcome {
	t.Helper()
	cmd := exec.CommandContext(t.Context(), program, args...)
	text, err := cmd.CombinedOutput()
	if cmd.ProcessState == nil {
		t.Fatal(err)
	}
	return outcome{string(text), cmd.ProcessState.ExitCode()}
}

// originals runs commands by Supervisor's client.
func (d *daemon) originals(t *testing.T) runner {
	t.Helper()
	cmd := exec.CommandContext(t.Context(), python, "testdata/original.py", d.config)
	cmd.Stderr = os.Stderr
	in, err := cmd.StdinPipe()
	if err != nil {
		t.Fatal(err)
	}
	out, err := cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		in.Close()
		_ = cmd.Wait()
	})
	answers := json.NewDecoder(out)
	return func(line string) outcome {
		if _, err := io.WriteString(in, line+"\n"); err != nil {
			t.Fatalf("%s: %v", line, err)
		}
		var pair [2]any
		if err := answers.Decode(&pair); err != nil {
			t.Fatalf("%s: %v", line, err)
		}
		return outcome{pair[0].(string), int(pair[1].(float64))}
	}
}

// normal replaces what differs between two runs of one program, and the place
// in its source that Supervisor's client adds to unexpected exceptions.
var normal = []struct {
	pattern *regexp.Regexp
	by      string
}{
	{regexp.MustCompile(`: file: \S+ line: \d+`), ""},
	{regexp.MustCompile(`uptime [\d:]+`), "uptime T"},
	{regexp.MustCompile(`pid \d+`), "pid N"},
	{regexp.MustCompile(`(?m)^[1-9]\d*$`), "PID"},
	// Only this supervisorctl has a second table in its help.
	{regexp.MustCompile(`(?s)\nadditional commands \(type help <topic>\):\n=+\n.*?\n\n`), ""},
	{regexp.MustCompile(`[A-Z][a-z]{2} \d\d \d\d:\d\d [AP]M`), "DATE"},
	// The second table of help is an addition.
	{regexp.MustCompile(`(?s)\nadditional commands .*`), ""},
}

func (o outcome) normalised(d *daemon) outcome {
	text := strings.ReplaceAll(o.text, d.dir, "DIR")
	for _, n := range normal {
		text = n.pattern.ReplaceAllString(text, n.by)
	}
	return outcome{text, o.exit}
}

// unordered are commands whose lines come in the order in which processes
// happen to end.
func unordered(line string) bool {
	words := strings.Fields(line)
	return words[0] == "stop" || words[0] == "restart" || words[0] == "shutdown"
}

func (o outcome) sorted() outcome {
	lines := strings.SplitAfter(o.text, "\n")
	slices.Sort(lines)
	return outcome{strings.Join(lines, ""), o.exit}
}

// commands returns the commands in testdata.
func commands(t *testing.T) []string {
	t.Helper()
	text, err := os.ReadFile("testdata/commands.txt")
	if err != nil {
		t.Fatal(err)
	}
	var list []string
	for line := range strings.Lines(string(text)) {
		if line = strings.TrimSpace(line); line != "" && line[0] != '#' {
			list = append(list, line)
		}
	}
	return list
}

// compare runs the commands at two daemons and compares the outcomes.
func compare(t *testing.T, wantDaemon, gotDaemon *daemon, want, got runner, except ...string) {
	t.Helper()
	for _, line := range commands(t) {
		w, g := want(line).normalised(wantDaemon), got(line).normalised(gotDaemon)
		if unordered(line) {
			w, g = w.sorted(), g.sorted()
		}
		if w != g && !slices.Contains(except, line) {
			t.Errorf("%s: exit %d\n%s\nwant exit %d\n%s", line, g.exit, g.text, w.exit, w.text)
		}
	}
}

// ownWords are the commands that print help in words of our own. What stands
// before the words is the same: see TestHelpForms.
var ownWords = []string{"help fg"}

// TestAgainstOriginalDaemon compares this client with Supervisor's, each with a
// daemon of Supervisor's.
func TestAgainstOriginalDaemon(t *testing.T) {
	testenv.NeedProgram(t, originalDaemon, "supervisor")
	theirs, ours := startDaemon(t, originalDaemon), startDaemon(t, originalDaemon)
	compare(t, theirs, ours, theirs.originals(t), ours.ours(t), ownWords...)
}

// TestOriginalClient compares this daemon with Supervisor's, each with a client
// of Supervisor's.
func TestOriginalClient(t *testing.T) {
	testenv.NeedProgram(t, originalDaemon, "supervisor")
	theirs, ours := startDaemon(t, originalDaemon), startDaemon(t, "supervisord")
	compare(t, theirs, ours, theirs.originals(t), ours.originals(t), "version")
}

// TestHelpForms checks that help lists the same forms of each action, whatever
// it says about them.
func TestHelpForms(t *testing.T) {
	testenv.NeedProgram(t, originalDaemon, "supervisor")
	d := &daemon{dir: t.TempDir()}
	d.config = filepath.Join(d.dir, "supervisord.conf")
	if err := os.WriteFile(d.config, fmt.Appendf(nil, configText, d.dir), 0o600); err != nil {
		t.Fatal(err)
	}
	forms := func(o outcome) string {
		var list []string
		for line := range strings.Lines(o.text) {
			form, _, found := strings.Cut(line, "\t")
			if found && form != "" {
				list = append(list, strings.TrimSpace(form))
			}
		}
		return strings.Join(list, "\n")
	}
	original, ours := d.originals(t), d.ours(t)
	for _, action := range strings.Fields("add avail clear exit fg help maintail open pid quit reload remove reread restart " +
		"shutdown signal start status stop tail update version") {
		want, got := forms(original("help "+action)), forms(ours("help "+action))
		if got != want || got == "" {
			t.Errorf("help %s has the forms\n%s\nwant\n%s", action, got, want)
		}
	}
}

// TestOptions compares the reading of the command line.
func TestOptions(t *testing.T) {
	testenv.NeedProgram(t, originalDaemon, "supervisor")
	dir := t.TempDir()
	write := func(name, text string) string {
		path := filepath.Join(dir, name)
		if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
		return path
	}
	good := write("good.conf", "[supervisorctl]\nserverurl=unix:///%(here)s/none.sock\nprompt=%(ENV_PROMPT)s\n")
	t.Setenv("PROMPT", "my box")
	bad := write("bad.conf", "[supervisorctl]\nserverurl=%(nope)s\n")
	empty := write("empty.conf", "")
	program := regexp.MustCompile(`use \S+ -h`)
	for _, line := range []string{
		"-z", "--bogus", "-s", "-c", "--c", "--s nonsense pid", "-s http://", "--interactive=1", "-s http://a -s http://b pid",
		"-u a -u b pid", "-i -i pid", "-ii", "-iz", "--user", "--his", "-c " + bad + " pid", "-c " + empty + " pid",
		"-c " + dir + "/none.conf pid", "-c " + dir + " pid", "-c " + good + " pid", "--conf=" + good + " pid",
		"-c" + good + " pid", "-ic " + good + " shutdown -x", "-c " + good + " -- pid", "-c " + good + " -- -pid",
		"-c " + good + " -s http://127.0.0.1:1 pid", "-c " + good + " - pid", "-c " + good + " pid -c x",
		"-c " + good + " -u a -p b pid", "-c " + good,
	} {
		args := strings.Fields(line)
		want, got := execute(t, originalClient, args...), execute(t, "supervisorctl", args...)
		for _, o := range []*outcome{&want, &got} {
			*o = o.normalised(&daemon{dir: dir})
			o.text = program.ReplaceAllString(o.text, "use PROGRAM -h")
		}
		if got != want {
			t.Errorf("%s: exit %d, %q\nwant exit %d, %q", line, got.exit, got.text, want.exit, want.text)
		}
	}
}

// TestOptionsOfOurOwn checks what Supervisor's client does not do.
func TestOptionsOfOurOwn(t *testing.T) {
	dir := t.TempDir()
	config := filepath.Join(dir, "c")
	if err := os.WriteFile(config, []byte("[supervisorctl]\nserverurl=unix://"+dir+"/s\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	for _, line := range []string{"-r %s pid", "--history_file %s pid", "--history_f=%s pid", "--history-file=%s pid"} {
		args := append([]string{"-c", config}, strings.Fields(fmt.Sprintf(line, dir+"/h"))...)
		if got := execute(t, "supervisorctl", args...); got.exit != 7 {
			t.Errorf("%s: %+v", line, got)
		}
	}
	if got := execute(t, "supervisorctl", "-r", "a", "--history-file", "b", "pid"); !strings.HasPrefix(got.text,
		"Error: conflicting command line option '--history-file'\n") || got.exit != 2 {
		t.Errorf("a history given twice: %+v", got)
	}
	for _, option := range []string{"-h", "-?", "--help", "--he"} {
		got := execute(t, "supervisorctl", option, "status")
		if !strings.Contains(got.text, "Usage: supervisorctl [options] [action [arguments]]\n") || got.exit != 0 {
			t.Errorf("%s: %+v", option, got)
		}
	}
}

// TestShellCompletion asks in the way the completion of a shell does.
func TestShellCompletion(t *testing.T) {
	d := startDaemon(t, "supervisord")
	network, _, err := rpcclient.Address("unix://" + d.dir + "/s.sock")
	if network != "unix" || err != nil {
		t.Fatal(network, err)
	}
	for line, want := range map[string]string{
		"re":           "reload remove reread restart",
		"restart ca":   "cat",
		"restart n:n":  "n:n-0 n:n-1 n:n-2",
		"help st":      "start status stop",
		"update ":      "cat n",
		"signal K":     "KILL",
		"signal HUP c": "cat",
		"tail -":       "-f",
		"reload ":      "",
	} {
		words := strings.Split(line, " ")
		args := append([]string{"__completeNoDesc", "-c", d.config}, words...)
		cmd := exec.Command("supervisorctl", args...)
		out, err := cmd.Output()
		if err != nil {
			t.Fatal(err)
		}
		list := strings.Fields(string(out))
		if n := len(list); n == 0 || list[n-1] != ":4" {
			t.Errorf("%s: no directive at the end of %q", line, out)
			continue
		}
		if got := strings.Join(list[:len(list)-1], " "); got != want {
			t.Errorf("%s: %s, want %s", line, got, want)
		}
	}
}
