package realtest

import (
	"context"
	"errors"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"supervisord/internal/testenv"
)

// serves is a program that runs until it is stopped.
const serves = "echo ready; trap 'echo bye; exit 0' TERM; while :; do sleep 1000 & wait $!; done"

// TestPID1ExitOn runs the example of docs/containers.md as the first process of
// a PID namespace, which ends with the status of the program that failed.
func TestPID1ExitOn(t *testing.T) {
	if testenv.Reference() {
		t.Skip("it knows no exit_on")
	}
	needPIDNamespace(t)
	testenv.Programs(t)
	for _, c := range []struct {
		name           string
		server, helper string // what they do, as shell commands
		status         int
		log            []string
	}{
		{"exit", "exec sleep 1.5", serves, 0, []string{
			"exited: server (exit status 0; expected)",
			"server is in state EXITED and has exit_on=exit: stopping everything, to exit with status 0",
			"stopped: helper (exit status 0)"}},
		{"status", "sleep 1.5; exit 7", serves, 7, []string{
			"exited: server (exit status 7; not expected)", "stopped: helper (exit status 0)"}},
		{"signal", "sleep 1.5; kill -SEGV $$", serves, 128 + 11, []string{
			"exited: server (terminated by SIGSEGV", "stopped: helper (exit status 0)"}},
		{"fatal", serves, "exit 3", 3, []string{
			"gave up: helper entered FATAL state",
			"helper is in state FATAL and has exit_on=fatal: stopping everything, to exit with status 3",
			"stopped: server (exit status 0)", "bye"}},
		{"missing", serves, "", 127, []string{"spawnerr: can't find command 'helper'", "bye"}},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			bin := openTemp(t)
			writeProgram(t, filepath.Join(bin, "server"), c.server)
			writeProgram(t, filepath.Join(bin, "helper"), c.helper)
			out := new(output)
			if status := runPID1(t, bin, out); status != c.status {
				t.Errorf("exit status %d, want %d", status, c.status)
			}
			text, _ := out.text()
			for _, want := range c.log {
				if !strings.Contains(text, want) {
					t.Errorf("no %q in the output:\n%s", want, text)
				}
			}
		})
	}
}

// writeProgram writes a shell script, or nothing if it does nothing.
func writeProgram(t *testing.T, path, commands string) {
	t.Helper()
	if commands == "" {
		return
	}
	if err := os.WriteFile(path, []byte("#!/bin/sh\n"+commands+"\n"), 0o755); err != nil {
		t.Fatal(err)
	}
}

// runPID1 runs the example in a PID namespace, with the programs in bin, to its
// end and returns the exit status.
func runPID1(t *testing.T, bin string, out *output) int {
	t.Helper()
	example, err := os.ReadFile(filepath.Join(contextFor(t, "exit"), "supervisord.conf"))
	if err != nil {
		t.Fatal(err)
	}
	conf := filepath.Join(bin, "supervisord.conf")
	if err := os.WriteFile(conf, []byte(strings.ReplaceAll(string(example), "/run/", bin+"/")), 0o644); err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithTimeout(t.Context(), limit)
	defer cancel()
	cmd := exec.CommandContext(ctx, "unshare", "--pid", "--fork", "--mount-proc", "--kill-child", "supervisord", "-n", "-c", conf)
	cmd.Env = append(os.Environ(), "PATH="+bin+":"+os.Getenv("PATH"))
	cmd.Stdout = out
	cmd.Stderr = out
	err = cmd.Run()
	if exit := (*exec.ExitError)(nil); err != nil && !errors.As(err, &exit) {
		t.Fatal(err)
	}
	return cmd.ProcessState.ExitCode()
}
