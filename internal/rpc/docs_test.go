package rpc

import (
	"os"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"

	"supervisord/internal/api"
)

// prototype returns how the manual shows a method that is called by name.
func prototype(name string, m *Method) string {
	_, name, _ = strings.Cut(name, ".")
	var params []string
	for _, p := range m.Params {
		text := p.Type + " " + p.Name
		if p.Default != "" {
			text += " = " + p.Default
		}
		params = append(params, text)
	}
	return m.Returns.Type + " " + name + "(" + strings.Join(params, ", ") + ")"
}

// faultNames returns the names of the faults of a method as the manual lists
// them.
func faultNames(m *Method) string {
	if len(m.Faults) == 0 {
		return "none"
	}
	var names []string
	for _, code := range m.Faults {
		names = append(names, code.String())
	}
	return strings.Join(names, ", ")
}

// TestManual compares the manual with the table: every method has a section of
// its own with the right prototype and faults and an example, and there is no
// section for a method that does not exist.
func TestManual(t *testing.T) {
	data, err := os.ReadFile("../../docs/api.md")
	if err != nil {
		t.Fatal(err)
	}
	manual := string(data)
	table := NewTable(newFake(), "", []string{"supervisor"})
	var documented []string
	for _, section := range strings.Split(manual, "\n### ")[1:] {
		section, _, _ = strings.Cut(section, "\n## ")
		name, text, _ := strings.Cut(section, "\n")
		m := table.Method(name)
		if m == nil {
			t.Errorf("the manual describes %s, which does not exist", name)
			continue
		}
		documented = append(documented, name)
		if want := "`" + prototype(name, m) + "`"; !strings.Contains(text, want) {
			t.Errorf("%s: no %s", name, want)
		}
		if want := "Faults: " + faultNames(m) + "."; !strings.Contains(strings.Join(strings.Fields(text), " "), want) {
			t.Errorf("%s: no %q", name, want)
		}
		if !strings.Contains(text, "\n    >>> ") {
			t.Errorf("%s: no example", name)
		}
		for _, alias := range m.Aliases {
			if !strings.Contains(text, "`"+alias+"`") {
				t.Errorf("%s: the alias %s is not mentioned", name, alias)
			}
			documented = append(documented, alias)
		}
	}
	slices.Sort(documented)
	if !slices.Equal(documented, table.Names()) {
		t.Errorf("described\n%q\nthere are\n%q", documented, table.Names())
	}
	row := regexp.MustCompile(`(?m)^\| (\d+) +\| ([A-Z_]+) +\|`)
	var faults []string
	for _, f := range row.FindAllStringSubmatch(manual, -1) {
		faults = append(faults, f[1]+" "+f[2])
	}
	want := []string{"1 UNKNOWN_METHOD", "2 INCORRECT_PARAMETERS", "3 BAD_ARGUMENTS", "4 SIGNATURE_UNSUPPORTED", "6 SHUTDOWN_STATE",
		"10 BAD_NAME", "11 BAD_SIGNAL", "20 NO_FILE", "21 NOT_EXECUTABLE", "30 FAILED", "40 ABNORMAL_TERMINATION", "50 SPAWN_ERROR",
		"60 ALREADY_STARTED", "70 NOT_RUNNING", "80 SUCCESS", "90 ALREADY_ADDED", "91 STILL_RUNNING", "92 CANT_REREAD"}
	if !slices.Equal(faults, want) {
		t.Errorf("faults\n%q\nwant\n%q", faults, want)
	}
	for _, state := range api.ProcessStates {
		if !strings.Contains(manual, "| "+state.String()+" ") {
			t.Errorf("the state %v is not described", state)
		}
	}
	info := api.ProcessInfo{Restarts: 1, ExitReason: "x", StderrTail: "x", ExitOn: "x", NextStart: time.Unix(1, 0),
		Waiting: "x", HasReady: true, Health: "ok"}
	cfg := api.ConfigInfo{ExitOn: "x", RestartDelay: 1, BackoffMax: 1, BackoffFactor: 1, BackoffJitter: 1}
	for _, r := range []Result{processResult{&info}, configsResult{cfg}} {
		for _, member := range regexp.MustCompile(`(\w+)=`).FindAllStringSubmatch(show(r), -1) {
			if !strings.Contains(manual, "`"+member[1]+"`") {
				t.Errorf("the member %s is not described", member[1])
			}
		}
	}
}
