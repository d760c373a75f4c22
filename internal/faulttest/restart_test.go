package faulttest

import (
	"errors"
	"fmt"
	"math/rand/v2"
	"os"
	"regexp"
	"strings"
	"syscall"
	"testing"
	"time"

	"supervisord/internal/api"
)

// lives has programs that write, exit, fail and are started again.
const lives = `
[program:steady]
command=sleep 1000
startsecs=0
stopwaitsecs=1
[program:talker]
command=sh -c 'while :; do echo "a line of some length"; done'
stdout_logfile={dir}/talker.log
stdout_logfile_maxbytes=100KB
stdout_logfile_backups=3
startsecs=0
[program:exiting]
command=/bin/true
startsecs=0
autorestart=true
[eventlistener:deaf]
command=sleep 1000
events=EVENT
startsecs=0
`

// TestKilled kills the daemon with SIGKILL at any moment and starts it anew. The
// next life takes over the socket and the pidfile, reports the processes that
// the last one left and runs all programs.
func TestKilled(t *testing.T) {
	t.Parallel()
	seed := rand.Uint64()
	t.Logf("seed %d", seed)
	random := rand.New(rand.NewPCG(seed, 0))
	s := start{dir: openTemp(t), programs: lives}
	r := newRig(t, s)
	var left map[string]bool // pids of an earlier life
	for life := range 12 * *soak {
		r.begin(s)
		for pid := range left {
			r.out.wait(t, `WARN a process of '(steady|talker|deaf)' from an earlier supervisord is still running with pid `+pid+`;`)
			kill(t, pid)
		}
		if random.IntN(3) > 0 {
			r.out.wait(t, "success: steady entered RUNNING state")
			r.alive()
		}
		// The moment is anywhere in the first steps of a life, or while it runs.
		time.Sleep(time.Duration(random.Int64N(int64(60 * time.Millisecond))))
		r.kill()
		left = survivors(t, r)
		text, _ := r.out.text()
		if strings.Contains(text, "Error: ") {
			t.Fatalf("life %d did not begin", life)
		}
	}
	r.begin(s)
	r.out.wait(t, "success: steady entered RUNNING state")
	for pid := range left {
		kill(t, pid)
	}
	if pid := fmt.Sprintf("%d\n", r.cmd.Process.Pid); r.read("pid") != pid {
		t.Errorf("the pidfile has %q, want %q", r.read("pid"), pid)
	}
	r.end()
	for _, name := range []string{"pid", "s.sock"} {
		if _, err := os.Lstat(r.path(name)); !errors.Is(err, os.ErrNotExist) {
			t.Errorf("%s was left behind: %v", name, err)
		}
	}
	if files, _ := os.ReadDir(r.dir); len(files) > 20 {
		t.Errorf("%d files were left behind", len(files))
	}
}

// survivors returns the processes that have the mark of the rig's daemon and
// run. Those that exit by themselves, or write to the closed pipe, are waited
// for.
func survivors(t *testing.T, r *rig) map[string]bool {
	t.Helper()
	mark := "SUPERVISOR_SERVER_URL=unix://" + r.path("s.sock") + "\x00"
	for deadline := time.Now().Add(limit); ; {
		left := make(map[string]bool)
		fleeting := false
		entries, err := os.ReadDir("/proc")
		if err != nil {
			t.Fatal(err)
		}
		for _, e := range entries {
			environ, err := os.ReadFile("/proc/" + e.Name() + "/environ")
			if err != nil || !strings.Contains(string(environ), mark) {
				continue
			}
			command, err := os.ReadFile("/proc/" + e.Name() + "/cmdline")
			switch {
			case err != nil || len(command) == 0:
			case strings.HasPrefix(string(command), "sleep"):
				left[e.Name()] = true
			default:
				fleeting = true
			}
		}
		if !fleeting || time.Now().After(deadline) {
			return left
		}
		time.Sleep(5 * time.Millisecond)
	}
}

func kill(t *testing.T, pid string) {
	t.Helper()
	var n int
	if _, err := fmt.Sscan(pid, &n); err != nil || n <= 1 {
		t.Fatalf("pid %q", pid)
	}
	if err := syscall.Kill(n, syscall.SIGKILL); err != nil && !errors.Is(err, syscall.ESRCH) {
		t.Error(err)
	}
}

// TestBadConfiguration makes the configuration invalid under a daemon that
// runs: it says so and goes on with what it has.
func TestBadConfiguration(t *testing.T) {
	t.Parallel()
	good := start{main: "check_before_restart=true\n", programs: "[program:cat]\ncommand=cat\nstartsecs=0\n"}
	r := run(t, good)
	r.out.wait(t, "success: cat entered RUNNING state")
	pid := r.pid("cat")
	for name, text := range map[string]string{
		"empty":   "",
		"cut":     "[supervisord]\n[program",
		"garbage": "\x00\xff\xfe\n",
		"value":   "[supervisord]\nlogfile_maxbytes=much\n",
		"command": "[supervisord]\n[program:cat]\n",
		"format":  "[supervisord]\n[program:cat]\ncommand=%(nothing)s\n",
		"binary":  strings.Repeat("\x7fELF\x01\x02", 10000),
		"gone":    "gone",
	} {
		if err := os.WriteFile(r.conf, []byte(text), 0o644); err != nil {
			t.Fatal(err)
		}
		if name == "gone" {
			if err := os.Remove(r.conf); err != nil {
				t.Fatal(err)
			}
		}
		var fault *api.Fault
		if _, err := r.ReloadConfig(r.ctx()); !errors.As(err, &fault) || fault.Code != api.CantReread {
			t.Errorf("%s: reread: %v", name, err)
		}
		if err := r.Restart(r.ctx()); !errors.As(err, &fault) || fault.Code != api.CantReread {
			t.Errorf("%s: restart: %v", name, err)
		}
		r.alive()
	}
	r.signal(syscall.SIGHUP)
	r.out.wait(t, "the configuration cannot be loaded; everything goes on as before")
	if got := r.pid("cat"); got != pid {
		t.Errorf("the program was started again: pid %d, was %d", got, pid)
	}
	r.write(good)
	if changes, err := r.ReloadConfig(r.ctx()); err != nil || len(changes.Added)+len(changes.Changed)+len(changes.Removed) != 0 {
		t.Errorf("reread: %v, %v", changes, err)
	}
	r.end()
}

// TestEarlySignals ends the daemon at moments of its start: it ends in peace
// and leaves neither socket nor pidfile once it has either.
func TestEarlySignals(t *testing.T) {
	t.Parallel()
	s := start{dir: openTemp(t), programs: lives}
	r := newRig(t, s)
	for range 10 * *soak {
		r.begin(s)
		r.out.wait(t, `RPC interface 'supervisor' initialized`)
		r.end()
		for _, name := range []string{"pid", "s.sock"} {
			if _, err := os.Lstat(r.path(name)); !errors.Is(err, os.ErrNotExist) {
				t.Errorf("%s was left behind: %v", name, err)
			}
		}
	}
}

// TestSecrets looks for passwords and environments where others may read them.
func TestSecrets(t *testing.T) {
	t.Parallel()
	r := newRig(t, start{})
	conf := strings.Replace(r.read("supervisord.conf"), "s.sock\n", "s.sock\nusername=user\npassword=secret-one\n", 1)
	conf = strings.Replace(conf, "[supervisord]\n", "[supervisord]\nloglevel=blather\nenvironment=A=\"secret-two\"\n", 1)
	conf += "[program:bad]\ncommand=/none/such\nenvironment=B=\"secret-three\"\nstartretries=0\n" +
		"[program:cat]\ncommand=cat %(FILE_six)s\nenvironment=C=\"secret-four\",D=\"%(FILE_five)s\"\n" +
		"environment_file=seven\nstartsecs=0\n"
	for name, text := range map[string]string{"five": "secret-five\n", "six": "-secret-six\n", "seven": "E=secret-seven\nsecret=\nsecret-eight\n"} {
		if err := os.WriteFile(r.path(name), []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	if err := os.WriteFile(r.conf, []byte(conf), 0o600); err != nil {
		t.Fatal(err)
	}
	r.begin(start{})
	r.out.wait(t, "success: cat")
	r.out.wait(t, "gave up: bad")
	for _, login := range []string{"user:secret-wrong", "user:secret-one"} {
		answer := dialog(t, "unix", r.path("s.sock"), "GET / HTTP/1.1\r\nHost: x\r\nConnection: close\r\nAuthorization: Basic "+base64Of(login)+"\r\n\r\n")
		if strings.Contains(answer, "secret") {
			t.Errorf("the answer has a secret: %s", answer)
		}
	}
	cmdline, err := os.ReadFile(fmt.Sprintf("/proc/%d/cmdline", r.cmd.Process.Pid))
	if err != nil {
		t.Fatal(err)
	}
	r.end()
	for name, text := range map[string]string{"the activity log": r.read("supervisord.log"), "the command line": string(cmdline)} {
		if found := regexp.MustCompile(`.*(secret|c2Vjcm).*`).FindString(text); found != "" {
			t.Errorf("%s has a secret: %s", name, found)
		}
	}
}
