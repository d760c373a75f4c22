package launch

import (
	"os/exec"
	"slices"
	"testing"

	"supervisord/internal/config"
)

// TestLeftovers starts processes with environments of all kinds. Their parent,
// the test, is first taken for a supervisord that runs, then not.
func TestLeftovers(t *testing.T) {
	url := "unix://" + t.TempDir() + "/s.sock"
	cfg := &config.Config{ServerURL: url, Groups: []*config.Group{
		{Name: "a", Processes: []*config.Process{{Name: "a"}}},
		{Name: "g", Processes: []*config.Process{{Name: "p0"}, {Name: "p1", ServerURL: "http://x"}}},
	}}
	run := func(vars ChildVars, command ...string) int {
		t.Helper()
		cmd := exec.Command(command[0], command[1:]...)
		cmd.Env = ChildEnv([]string{"PATH=/usr/bin:/bin"}, vars)
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
		t.Cleanup(func() { in.Close(); cmd.Wait() })
		// It answers when it, and what it started, runs.
		if _, err := in.Write([]byte("x")); err != nil {
			t.Fatal(err)
		}
		if _, err := out.Read(make([]byte, 1)); err != nil {
			t.Fatal(err)
		}
		return cmd.Process.Pid
	}
	one := run(ChildVars{ServerURL: url, ProcessName: "a", GroupName: "a"}, "cat")
	two := run(ChildVars{ServerURL: "http://x", ProcessName: "p1", GroupName: "g"}, "sh", "-c", "cat; exit")
	run(ChildVars{ServerURL: url, ProcessName: "p1", GroupName: "g"}, "cat")
	run(ChildVars{ServerURL: url + "2", ProcessName: "a", GroupName: "a"}, "cat")
	run(ChildVars{ProcessName: "a", GroupName: "a"}, "cat")
	run(ChildVars{ServerURL: url, ProcessName: "p0", GroupName: "other"}, "cat")

	if got := Leftovers(cfg); len(got) != 0 {
		t.Errorf("the children of a running supervisord are taken for leftovers: %v", got)
	}
	got := leftovers(cfg, "supervisord")
	want := []Leftover{{one, "a"}, {two, "g:p1"}}
	byPID := func(a, b Leftover) int { return a.PID - b.PID }
	slices.SortFunc(got, byPID)
	slices.SortFunc(want, byPID)
	if !slices.Equal(got, want) {
		t.Errorf("got %v, want %v", got, want)
	}
}
