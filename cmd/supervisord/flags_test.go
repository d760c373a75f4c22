package main

import (
	"bufio"
	"encoding/json"
	"io"
	"math/rand/v2"
	"os/exec"
	"reflect"
	"strings"
	"testing"
	"time"

	"supervisord/internal/testenv"
)

func TestParseFlags(t *testing.T) {
	f, err := parseFlags("supervisord", strings.Fields("-nc FILE -l/dev/null --logfile_m=1KB -z 3 --minp 7 -e debug --sil -kt"))
	if err != nil {
		t.Fatal(err)
	}
	want := map[string]any{"configfile": "FILE", "nodaemon": true, "logfile": "/dev/null", "logfile_maxbytes": 1024.0, "logfile_backups": 3.0,
		"minprocs": 7.0, "loglevel": 10.0, "silent": true, "nocleanup": true, "strip_ansi": true, "profile": false}
	if got := dumpFlags(t, f); !reflect.DeepEqual(got, want) {
		t.Errorf("got  %v\nwant %v", got, want)
	}
}

func TestParseFlagsErrors(t *testing.T) {
	for _, c := range []struct{ args, want string }{
		{"--bogus", "option --bogus not recognized"},
		{"-x", "option -x not recognized"},
		{"--l=x", "option --l not a unique prefix"},
		{"-c", "option -c requires argument"},
		{"-nc", "option -c requires argument"},
		{"--conf", "option --configuration requires argument"},
		{"--nodaemon=1", "option --nodaemon must not have an argument"},
		{"-n foo bar", "positional arguments are not supported: ['foo', 'bar']"},
		{"-h foo", "positional arguments are not supported: ['foo']"},
		{"-nn", "conflicting command line option '-n'"},
		{"-n --nodaemon", "conflicting command line option '--nodaemon'"},
		{"-c x --conf=y", "conflicting command line option '--configuration'"},
		{"-m 9", "invalid value for -m '9': 9 can not be converted to an octal type"},
		{"--loglevel=it's", `invalid value for --loglevel "it's": bad logging level name "it's"`},
		{"-e x -nn", "invalid value for -e 'x': bad logging level name 'x'"},
		{"-nn -e x", "conflicting command line option '-n'"},
		{"-a x", "invalid value for -a 'x': invalid literal for int() with base 10: 'x'"},
		{"--build", "option --build not recognized"},
		{"--configtes", "option --configtes not recognized"},
	} {
		if f, err := parseFlags("supervisord", strings.Fields(c.args)); err == nil || err.Error() != c.want {
			t.Errorf("%s: %+v, error %v, want %s", c.args, f, err, c.want)
		}
	}
}

func TestParseFlagsText(t *testing.T) {
	for _, c := range []struct{ args, start string }{
		{"-v", "4.3.0\n"},
		{"--version -h", "4.3.0\n"},
		{"-h -v", "supervisord - "},
		{"-?", "supervisord - "},
		{"--help -e x", "supervisord - "},
		{"--build-info", "version: "},
	} {
		f, err := parseFlags("PROGRAM", strings.Fields(c.args))
		if err != nil || !strings.HasPrefix(f.text, c.start) {
			t.Errorf("%s: %q, %v, want %q", c.args, f.text, err, c.start)
		}
	}
	f, err := parseFlags("PROGRAM", []string{"-h"})
	if err != nil {
		t.Fatal(err)
	}
	if !strings.Contains(f.text, "Usage: PROGRAM [OPTION]...") {
		t.Errorf("the program's name is not in\n%s", f.text)
	}
	for _, flag := range flagTable {
		if !strings.Contains(f.text, "--"+flag.Long) {
			t.Errorf("--%s is not in the help text", flag.Long)
		}
	}
}

// dumpFlags returns what a command line set, in the words of the reference.
func dumpFlags(t *testing.T, f flags) map[string]any {
	t.Helper()
	if f.text != "" {
		text := "help"
		if f.text == version+"\n" {
			text = "version"
		}
		return map[string]any{"text": text}
	}
	o := &f.overrides
	d := map[string]any{"configfile": f.file, "profile": f.profile}
	for name, isSet := range map[string]bool{"nodaemon": o.NoDaemon, "silent": o.Silent, "nocleanup": o.NoCleanup, "strip_ansi": o.StripANSI} {
		if isSet {
			d[name] = true
		}
	}
	for name, value := range map[string]any{
		"user": o.User, "umask": o.Umask, "directory": o.Directory, "logfile": o.Logfile, "logfile_maxbytes": o.LogfileMaxBytes,
		"logfile_backups": o.LogfileBackups, "loglevel": o.LogLevel, "pidfile": o.Pidfile, "identifier": o.Identifier,
		"childlogdir": o.ChildLogDir, "minfds": o.MinFDs, "minprocs": o.MinProcs,
	} {
		if !reflect.ValueOf(value).IsNil() {
			d[name] = value
		}
	}
	text, err := json.Marshal(d)
	if err != nil {
		t.Fatal(err)
	}
	var plain map[string]any
	if err := json.Unmarshal(text, &plain); err != nil {
		t.Fatal(err)
	}
	return plain
}

// randomArgs returns a command line made of what options are made of.
func randomArgs(rnd *rand.Rand) []string {
	pick := func(list ...string) string { return list[rnd.IntN(len(list))] }
	args := []string{}
	for range rnd.IntN(5) {
		f := flagTable[rnd.IntN(len(flagTable))]
		if f.Exact {
			continue
		}
		value := pick("3", "x", "/tmp", "022", "info", "", "1KB", "=y", "-n", "/no/such/x", "root")
		switch rnd.IntN(6) {
		case 0, 1:
			if f.Short != "" {
				args = append(args, "-"+pick("", "", "", "n", "k", "tn")+f.Short[:1])
			}
		case 2:
			if f.Short != "" {
				args = append(args, "-"+f.Short[:1]+value)
			}
		case 3:
			args = append(args, "--"+f.Long)
		case 4:
			args = append(args, "--"+f.Long+"="+value)
		case 5:
			args = append(args, "--"+f.Long[:rnd.IntN(len(f.Long)+1)]+pick("", "="+value))
		}
		if f.value != "" && rnd.IntN(10) > 0 {
			args = append(args, value)
		}
		if rnd.IntN(30) == 0 {
			args = append(args, pick("--", "-", "word", "-é", "-?", "-:"))
		}
	}
	return args
}

func TestParseFlagsLikeSupervisor(t *testing.T) {
	testenv.NeedProgram(t, "/usr/bin/python3", "python3")
	testenv.NeedProgram(t, "/usr/bin/supervisord", "supervisor")
	seed := uint64(time.Now().UnixNano())
	t.Logf("seed %d", seed)
	rnd := rand.New(rand.NewPCG(seed, 1))
	var lines [][]string
	for range 3000 {
		lines = append(lines, randomArgs(rnd))
	}
	good := 0
	for i, want := range askReference(t, lines) {
		if want.Error == "" {
			good++
		}
		f, err := parseFlags("supervisord", lines[i])
		if err != nil {
			if want.Error != err.Error() {
				t.Errorf("%q: error %v, want %+v", lines[i], err, want)
			}
			continue
		}
		if got := dumpFlags(t, f); want.Error != "" || !reflect.DeepEqual(got, want.OK) {
			t.Errorf("%q: got %v, want %+v", lines[i], got, want)
		}
	}
	t.Logf("%d of %d command lines were good", good, len(lines))
}

type referenceAnswer struct {
	OK    map[string]any `json:"ok"`
	Error string         `json:"error"`
}

// askReference returns what Supervisor makes of command lines.
func askReference(t *testing.T, lines [][]string) []referenceAnswer {
	t.Helper()
	request, err := json.Marshal(map[string]any{"op": "arguments", "items": lines})
	if err != nil {
		t.Fatal(err)
	}
	cmd := exec.Command("/usr/bin/python3", "-W", "ignore", "../../internal/config/testdata/reference.py")
	cmd.Stdin = strings.NewReader(string(request) + "\n")
	cmd.Stderr = t.Output()
	out, err := cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	reply, err := io.ReadAll(bufio.NewReader(out))
	if err != nil {
		t.Fatal(err)
	}
	if err := cmd.Wait(); err != nil {
		t.Fatal(err)
	}
	var answers []referenceAnswer
	if err := json.Unmarshal(reply, &answers); err != nil {
		t.Fatalf("%v in %.500s", err, reply)
	}
	if len(answers) != len(lines) {
		t.Fatalf("%d answers to %d questions", len(answers), len(lines))
	}
	return answers
}
