package doctest

import (
	"os/exec"
	"regexp"
	"slices"
	"strings"
	"testing"

	"supervisord/internal/api"
	"supervisord/internal/rpc"
	"supervisord/internal/testenv"
)

func TestMain(m *testing.M) { testenv.Main(m) }

// output runs a program and returns what it prints.
func output(t *testing.T, name string, args ...string) string {
	t.Helper()
	out, err := exec.Command(name, args...).Output()
	if err != nil {
		t.Fatalf("%s %s: %v", name, strings.Join(args, " "), err)
	}
	return string(out)
}

// optionPattern is an option in a help text.
var optionPattern = regexp.MustCompile(`(?m)^ *(?:(-[a-z])[,/] ?)?(--[a-z][a-z_-]+)`)

// TestOptions looks for the options of the programs, and for options that do
// not exist.
func TestOptions(t *testing.T) {
	for _, c := range []struct{ program, page string }{
		{"supervisord", "docs/running.md"},
		{"supervisorctl", "docs/supervisorctl.md"},
	} {
		p := pageNamed(t, c.page)
		var options []string
		for _, m := range optionPattern.FindAllStringSubmatch(output(t, c.program, "-h"), -1) {
			options = append(options, m[2])
			if m[1] != "" {
				options = append(options, m[1])
			}
		}
		if len(options) < 10 {
			t.Fatalf("%s: only the options %q were found", c.program, options)
		}
		for _, option := range options {
			if !regexp.MustCompile("`" + option + `\b`).MatchString(p.text) {
				t.Errorf("%s does not describe the option %s of %s", c.page, option, c.program)
			}
		}
		// In the table of options every name must be one.
		for i, line := range p.prose {
			if !strings.HasPrefix(line, "| `-") {
				continue
			}
			cell, _, _ := strings.Cut(line[2:], " | ")
			for _, m := range regexp.MustCompile("`(--?[a-z][a-z_-]*)").FindAllStringSubmatch(cell, -1) {
				if !slices.Contains(options, m[1]) && !slices.Contains(otherNames, m[1]) {
					t.Errorf("%s:%d: %s has no option %s", c.page, i+1, c.program, m[1])
				}
			}
		}
	}
}

// otherNames are names of options that help texts leave out: the spelling that
// getopt's users know.
var otherNames = []string{"--history_file"}

// TestActions looks for the actions of supervisorctl.
func TestActions(t *testing.T) {
	p := pageNamed(t, "docs/supervisorctl.md")
	help := output(t, "supervisorctl", "-s", "unix:///nonexistent", "help")
	// Both tables have a title with a line of equals signs below.
	actions := strings.Fields(regexp.MustCompile(`(?m)^.*:\n=+$`).ReplaceAllString(help, ""))
	if len(actions) < 10 || !slices.Contains(actions, "rotate") {
		t.Fatalf("only the actions %q were found", actions)
	}
	for _, action := range actions {
		if !regexp.MustCompile("`" + action + `\b`).MatchString(p.text) {
			t.Errorf("%s does not describe the action %s", p.path, action)
		}
	}
}

// TestMethods looks for the methods of the XML-RPC interface, and for methods
// that do not exist.
func TestMethods(t *testing.T) {
	names := rpc.NewTable(nil, "", []string{"supervisor"}).Names()
	manual := pageNamed(t, "docs/api.md")
	for _, name := range names {
		if !regexp.MustCompile(regexp.QuoteMeta(name) + `\b`).MatchString(manual.text) {
			t.Errorf("docs/api.md does not describe %s", name)
		}
	}
	mixedCase := regexp.MustCompile(`\b(?:supervisor|system)\.[a-z]+[A-Z]\w*`)
	for _, p := range pages(t) {
		for _, name := range mixedCase.FindAllString(p.text, -1) {
			if !slices.Contains(names, name) {
				t.Errorf("%s: there is no method %s", p.path, name)
			}
		}
	}
}

// TestEventTypes looks for the types of events, and for types that do not
// exist.
func TestEventTypes(t *testing.T) {
	manual := pageNamed(t, "docs/events.md")
	for _, name := range api.EventTypes {
		if !regexp.MustCompile(`\b` + name + `\b`).MatchString(manual.text) {
			t.Errorf("docs/events.md does not describe %s", name)
		}
	}
	pattern := regexp.MustCompile(`\b(?:PROCESS_(?:STATE|LOG|COMMUNICATION|GROUP)|SUPERVISOR_STATE|TICK)_[A-Z0-9_]+`)
	for _, p := range pages(t) {
		for _, name := range pattern.FindAllString(p.text, -1) {
			if !api.IsEventType(name) {
				t.Errorf("%s: there is no event type %s", p.path, name)
			}
		}
	}
}

// TestFaults looks for the names of the faults.
func TestFaults(t *testing.T) {
	manual := pageNamed(t, "docs/api.md")
	found := 0
	for code := api.FaultCode(0); code < 1000; code++ {
		name := code.String()
		if !regexp.MustCompile(`^[A-Z_]+$`).MatchString(name) {
			continue
		}
		found++
		if !strings.Contains(manual.text, name) {
			t.Errorf("docs/api.md does not describe the fault %s", name)
		}
	}
	if found < 10 {
		t.Errorf("only %d faults were found", found)
	}
}
