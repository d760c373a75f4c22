package spawn

import (
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
)

const notSpawned = "supervisor: child process was not spawned\n"

func TestFailuresAreWordedByTheProcess(t *testing.T) {
	dir := t.TempDir()
	write := func(name, content string, mode os.FileMode) string {
		path := filepath.Join(dir, name)
		if err := os.WriteFile(path, []byte(content), mode); err != nil {
			t.Fatal(err)
		}
		return path
	}
	plain := write("plain", "#!/bin/sh\n", 0o644)
	noFormat := write("noformat", "echo hello\n", 0o755)
	noInterpreter := write("nointerpreter", "#!/no/such/interpreter\n", 0o755)
	tests := []struct {
		name string
		spec Spec
		want string
	}{
		{"missing file", Spec{Path: dir + "/none", Argv: []string{"none", "x"}}, "supervisor: couldn't exec none: ENOENT\n"},
		{"not executable", Spec{Path: plain, Argv: []string{plain}}, "supervisor: couldn't exec " + plain + ": EACCES\n"},
		{"directory", Spec{Path: dir, Argv: []string{dir}}, "supervisor: couldn't exec " + dir + ": EACCES\n"},
		{"no format", Spec{Path: noFormat, Argv: []string{"nf"}}, "supervisor: couldn't exec nf: ENOEXEC\n"},
		{"no interpreter", Spec{Path: noInterpreter, Argv: []string{"ni"}}, "supervisor: couldn't exec ni: ENOENT\n"},
		{"missing directory", Spec{Path: "/bin/sh", Argv: []string{"sh"}, Dir: dir + "/none"},
			"supervisor: couldn't chdir to " + dir + "/none: ENOENT\n"},
		{"directory is a file", Spec{Path: "/bin/sh", Argv: []string{"sh"}, Dir: plain},
			"supervisor: couldn't chdir to " + plain + ": ENOTDIR\n"},
		{"directory first", Spec{Path: dir + "/none", Argv: []string{"none"}, Dir: dir + "/none"},
			"supervisor: couldn't chdir to " + dir + "/none: ENOENT\n"},
		{"impossible user", Spec{Path: "/bin/sh", Argv: []string{"sh"}, UserName: "1234", UserError: "Can't find uid 1234"},
			"supervisor: couldn't setuid to 1234: Can't find uid 1234\n"},
		{"long argument", Spec{Path: "/bin/true", Argv: []string{"true", strings.Repeat("x", 1<<20)}},
			"supervisor: couldn't exec true: E2BIG\n"},
		{"long environment", Spec{Path: "/bin/true", Argv: []string{"true"}, Env: []string{"X=" + strings.Repeat("x", 1<<20)}},
			"supervisor: couldn't exec true: E2BIG\n"},
		{"NUL in an argument", Spec{Path: "/bin/true", Argv: []string{"true", "a\x00b"}},
			"supervisor: couldn't exec true: EINVAL\n"},
	}
	for _, tt := range tests {
		for _, umask := range []int{-1, 0o022} {
			t.Run(tt.name, func(t *testing.T) {
				w := newWorld(t)
				spec := tt.spec
				spec.Umask = umask
				st, p := w.start(&spec)
				stdout, stderr := p.output()
				if stdout != "" || stderr != tt.want+notSpawned {
					t.Errorf("output %q and %q, want %q", stdout, stderr, tt.want+notSpawned)
				}
				if status := w.waitExit(st.PID); !status.Exited() || status.ExitStatus() != 127 {
					t.Errorf("status %#x, want exit status 127", status)
				}
			})
		}
	}
}

func TestKillOfAProcessThatIsGone(t *testing.T) {
	w := newWorld(t)
	st, _ := w.start(shell(`exit`))
	w.waitExit(st.PID)
	for _, group := range []bool{false, true} {
		w.s.Kill(1, st.PID, group, syscall.SIGTERM)
		if r := next[Signaled](w); r.Errno != syscall.ESRCH || r.PID != st.PID || r.Sig != syscall.SIGTERM || r.Token != 1 {
			t.Errorf("got %+v, want ESRCH", r)
		}
	}
}

func TestKillOfAStranger(t *testing.T) {
	w := newWorld(t)
	w.s.Kill(1, os.Getpid(), false, syscall.SIGKILL)
	if r := next[Signaled](w); r.Errno != syscall.ESRCH {
		t.Errorf("got %+v, want ESRCH", r)
	}
	st, p := w.start(shell(`cat`))
	w.s.Kill(99, st.PID, false, syscall.SIGKILL)
	if r := next[Signaled](w); r.Errno != syscall.ESRCH {
		t.Errorf("got %+v for another process's token, want ESRCH", r)
	}
	p.output()
	w.waitExit(st.PID)
}

func TestKillOfAGroup(t *testing.T) {
	w := newWorld(t)
	// Two processes, which the parent's pipe outlives until both are gone.
	st, p := w.start(shell(`sleep 1000 & echo up; wait`))
	var b [3]byte
	if _, err := p.files[1].Read(b[:]); err != nil {
		t.Fatal(err)
	}
	w.s.Kill(1, st.PID, true, syscall.SIGTERM)
	if r := next[Signaled](w); r.Errno != 0 {
		t.Errorf("signal: %v", r.Errno)
	}
	p.output() // ends when the sleep has ended too
	if status := w.waitExit(st.PID); !status.Signaled() || status.Signal() != syscall.SIGTERM {
		t.Errorf("status %#x, want death by SIGTERM", status)
	}
}

// TestStopSignalIsNotLost sends a signal at the first moment at which the pid is
// known. It has to reach the program, whose default is to die of it.
func TestStopSignalIsNotLost(t *testing.T) {
	for _, umask := range []int{-1, 0o022} {
		for _, sig := range []syscall.Signal{syscall.SIGTERM, syscall.SIGQUIT, syscall.SIGUSR1, syscall.SIGWINCH} {
			reports := make(chan Report, 64)
			var s *Spawner
			s = New(func(r Report) {
				if st, ok := r.(Started); ok {
					s.Kill(st.Token, st.PID, false, sig)
				}
				reports <- r
			})
			w := &world{t: t, s: s, reports: reports}
			st, p := w.start(&Spec{Path: "/bin/cat", Argv: []string{"cat"}, Umask: umask})
			if r := next[Signaled](w); r.Errno != 0 {
				t.Errorf("umask %d, %v: %v", umask, sig, r.Errno)
			}
			if sig == syscall.SIGWINCH { // ignored by default: the program has to live
				p.output()
				if status := w.waitExit(st.PID); !status.Exited() || status.ExitStatus() != 0 {
					t.Errorf("umask %d, %v: status %#x, want exit status 0", umask, sig, status)
				}
			} else if status := w.waitExit(st.PID); !status.Signaled() || status.Signal() != sig {
				t.Errorf("umask %d, %v: status %#x", umask, sig, status)
			}
			s.Close()
		}
	}
}
