package ctl

import (
	"context"
	"encoding/json"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
)

// childEnv makes the test binary a supervisorctl with the settings that it
// holds as JSON; the arguments are the words of an action.
const childEnv = "CTL_TEST_SETTINGS"

func TestMain(m *testing.M) {
	settings, ok := os.LookupEnv(childEnv)
	if !ok {
		os.Exit(m.Run())
	}
	var s testSettings
	if err := json.Unmarshal([]byte(settings), &s); err != nil {
		panic(err)
	}
	os.Exit(s.main(context.Background(), os.Args[1:], os.Stdin, os.Stdout, os.Stderr))
}

// main is what supervisorctl does with the words of an action.
func (s testSettings) main(ctx context.Context, args []string, stdin, stdout, stderr *os.File) int {
	c := New(Settings{ServerURL: s.ServerURL, Username: s.Username, Password: s.Password, Prompt: "supervisor",
		HistoryFile: s.HistoryFile, Interactive: s.Interactive, ConfigFile: s.ConfigFile,
		Pidfile: func() string { return s.Pidfile }}, stdin, stdout, stderr)
	if len(args) == 0 {
		if err := c.Shell(ctx); err != nil {
			panic(err)
		}
		return 0
	}
	if _, err := c.Do(ctx, strings.Join(args, " ")); err != nil {
		return 130
	}
	return int(c.ExitStatus())
}

// testSettings are the Settings of a supervisorctl in a process of its own.
type testSettings struct {
	ServerURL          string
	Username, Password *string
	HistoryFile        string
	Interactive        bool
	ConfigFile         string
	Pidfile            string
}

// command returns a command that runs a supervisorctl.
func (s testSettings) command(t *testing.T, args ...string) *exec.Cmd {
	t.Helper()
	exe, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	settings, err := json.Marshal(s)
	if err != nil {
		t.Fatal(err)
	}
	cmd := exec.CommandContext(t.Context(), exe, args...)
	cmd.Env = append(os.Environ(), childEnv+"="+string(settings), "NO_COLOR=", "TERM=xterm",
		"GORACE=atexit_sleep_ms=0") // nothing is left to be found at exit
	return cmd
}

// runResult is what became of a supervisorctl without a terminal.
type runResult struct {
	Out, Err string
	Exit     int
}

// run runs a supervisorctl with the given input, in this process.
func (s testSettings) run(t *testing.T, input string, args ...string) runResult {
	t.Helper()
	dir := t.TempDir()
	open := func(name string) *os.File {
		f, err := os.OpenFile(filepath.Join(dir, name), os.O_RDWR|os.O_CREATE, 0o600)
		if err != nil {
			t.Fatal(err)
		}
		t.Cleanup(func() { f.Close() })
		return f
	}
	if err := os.WriteFile(filepath.Join(dir, "in"), []byte(input), 0o600); err != nil {
		t.Fatal(err)
	}
	out, errs := open("out"), open("err")
	exit := s.main(t.Context(), args, open("in"), out, errs)
	content := func(f *os.File) string {
		text, err := os.ReadFile(f.Name())
		if err != nil {
			t.Fatal(err)
		}
		return string(text)
	}
	return runResult{content(out), content(errs), exit}
}
