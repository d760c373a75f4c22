package faulttest

import (
	"bytes"
	"fmt"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"

	"supervisord/internal/testenv"
)

// runOwn starts a daemon from a copy of its program that a test can replace, and
// returns the path of the copy.
func runOwn(t *testing.T, s start) (*rig, string) {
	t.Helper()
	testenv.Programs(t)
	dir := openTemp(t)
	path, err := exec.LookPath("supervisord")
	if err != nil {
		t.Fatal(err)
	}
	own := copied(t, path, dir)
	s.dir = dir
	s.wrapper = []string{"sh", "-c", `shift; exec "$0" "$@"`, own} // in place of that on PATH
	return run(t, s), own
}

// replace puts a program in the place of another, as a package manager does: the
// file that runs is not written.
func replace(t *testing.T, path, text string) {
	t.Helper()
	next := path + ".new"
	syscall.ForkLock.RLock() // as in copied
	defer syscall.ForkLock.RUnlock()
	if err := os.WriteFile(next, []byte(text), 0o755); err != nil {
		t.Fatal(err)
	}
	if err := os.Rename(next, path); err != nil {
		t.Fatal(err)
	}
}

// TestUpgradeRefused has programs on disk that cannot take over, and a
// configuration that is broken. Each time the answer says why, and the daemon
// goes on.
func TestUpgradeRefused(t *testing.T) {
	t.Parallel()
	r, own := runOwn(t, start{programs: "[program:app]\ncommand=cat\n"})
	r.out.wait(t, `success: app entered`)
	pid := r.pid("app")
	good, err := os.ReadFile(own)
	if err != nil {
		t.Fatal(err)
	}
	broken := "#!/bin/sh\n"
	for i, c := range []struct{ program, want string }{
		{broken + "exit 0\n", "it does not know how to take over"},
		{broken + "echo no such version; exit 2\n", "no such version"},
		{broken + "kill -SEGV $$\n", "SIGSEGV"},
		{broken + "echo \"$SUPERVISORD_CHECK\"x\n", "it does not know how to take over"},
		{"not a program", "ENOEXEC"},
		{"", "ENOENT"},
	} {
		if c.program == "" {
			os.Remove(own)
		} else {
			replace(t, own, c.program)
		}
		if err := r.Upgrade(r.ctx()); err == nil || !strings.Contains(err.Error(), c.want) {
			t.Errorf("%q: %v, want %s", c.program, err, c.want)
		}
		r.out.waitN(t, `supervisord was not upgraded, and goes on: `, i+1)
		if got := r.pid("app"); got != pid {
			t.Fatalf("app has pid %d in place of %d", got, pid)
		}
	}
	replace(t, own, string(good))
	config := r.read("supervisord.conf")
	if err := os.WriteFile(r.conf, []byte(config+"[program:bad]\n"), 0o644); err != nil {
		t.Fatal(err)
	}
	if err := r.Upgrade(r.ctx()); err == nil || !strings.Contains(err.Error(), "program section program:bad does not specify a command") {
		t.Errorf("broken configuration: %v", err)
	}
	if err := os.WriteFile(r.conf, []byte(config), 0o644); err != nil {
		t.Fatal(err)
	}
	if err := r.Upgrade(r.ctx()); err != nil {
		t.Errorf("nothing is wrong any more: %v", err)
	}
	r.out.wait(t, upgraded)
	// The path leads to another version the next time.
	replace(t, own, string(good))
	if err := r.Upgrade(r.ctx()); err != nil {
		t.Error(err)
	}
	if got := r.pid("app"); got != pid {
		t.Errorf("app has pid %d in place of %d", got, pid)
	}
	r.out.waitN(t, upgraded, 2)
	r.end()
}

// TestUpgradeCannotExecute has a program on disk that agrees, and is gone when
// it is to be executed: everything is taken up again where it was.
func TestUpgradeCannotExecute(t *testing.T) {
	t.Parallel()
	r, own := runOwn(t, start{programs: fmt.Sprintf(`
[program:w]
command=%s write w
stdout_logfile={dir}/w.log
[program:pause]
command=sleep 1000
startsecs=1000
`, counterPath(t))})
	r.out.wait(t, `success: w entered`)
	replace(t, own, "#!/bin/sh\nrm \"$0\"\necho \"$SUPERVISORD_CHECK 1\"\n")
	pid := r.pid("w")
	for i := range 3 {
		if i > 0 {
			replace(t, own, "#!/bin/sh\nrm \"$0\"\necho \"$SUPERVISORD_CHECK 1\"\n")
		}
		if err := r.Upgrade(r.ctx()); err == nil || !strings.Contains(err.Error(), "no such file or directory") {
			t.Errorf("Upgrade: %v", err)
		}
		r.alive()
	}
	if got := r.pid("w"); got != pid {
		t.Errorf("w has pid %d in place of %d", got, pid)
	}
	if err := r.StopProcess(r.ctx(), "w", true); err != nil {
		t.Fatal(err)
	}
	if lines := r.logLines("w.log"); numbered(t, "w.log", "w", lines) == 0 {
		t.Error("nothing was written")
	}
	r.state("pause", "STARTING")
	r.end()
}

// TestUpgradeStates upgrades while processes are in every state that does not
// last, and while clients wait: all go on as they would have.
func TestUpgradeStates(t *testing.T) {
	t.Parallel()
	r := run(t, start{programs: `
[program:starting]
command=sleep 1000
startsecs=3
autostart=false
[program:backoff]
command=sh -c 'exit 3'
startretries=3
[program:stubborn]
command=sh -c 'trap "" TERM; echo set; while :; do sleep 1000; done'
stdout_logfile={dir}/stubborn.log
stopwaitsecs=3
killasgroup=true
[program:deaf]
command=sh -c 'read x </tmp/nothing-of-that-name 2>/dev/null; sleep 2; cat >{dir}/deaf.out'
[program:later]
command=sleep 1000
autostart=false
[program:exits]
command=sh -c 'sleep 3; exit 7'
startsecs=0
autorestart=false
`})
	r.out.wait(t, `exited: backoff`)
	r.out.wait(t, `success: deaf entered`)
	r.out.wait(t, `success: stubborn entered`)
	// More than a pipe holds.
	stdin := strings.Repeat("0123456789abcde\n", 20_000)
	if err := r.SendProcessStdin(r.ctx(), "deaf", []byte(stdin)); err != nil {
		t.Fatal(err)
	}
	started, stopped := make(chan error, 1), make(chan error, 1)
	go func() { started <- r.StartProcess(r.ctx(), "starting", true) }()
	go func() { stopped <- r.StopProcess(r.ctx(), "stubborn", true) }()
	r.out.wait(t, `spawned: 'starting'`)
	r.out.wait(t, `waiting for stubborn to stop`)
	for i := range 5 {
		if err := r.Upgrade(r.ctx()); err != nil {
			t.Fatal(err)
		}
		r.out.waitN(t, upgraded, i+1)
	}
	for name, done := range map[string]chan error{"start": started, "stop": stopped} {
		select {
		case err := <-done:
			if err != nil {
				t.Errorf("%s: %v", name, err)
			}
		case <-time.After(limit):
			t.Fatalf("the answer to %s never came", name)
		}
	}
	r.state("starting", "RUNNING")
	r.state("stubborn", "STOPPED")
	// One that was never started before.
	if err := r.StartProcess(r.ctx(), "later", true); err != nil {
		t.Error(err)
	}
	r.out.wait(t, `killing 'stubborn' \(\d+\) with SIGKILL`)
	r.out.wait(t, `gave up: backoff entered FATAL state`)
	if n := r.out.count(`exited: backoff \(exit status 3; not expected\)`); n != 4 {
		t.Errorf("backoff was tried %d times, want 4", n)
	}
	r.out.wait(t, `exited: exits \(exit status 7; not expected\)`)
	if err := r.StopProcess(r.ctx(), "deaf", true); err != nil {
		t.Fatal(err)
	}
	if got := r.read("deaf.out"); got != stdin {
		t.Errorf("deaf read %d bytes of %d", len(got), len(stdin))
	}
	r.end()
}

// TestUpgradeSignals sends signals while the daemon is upgraded: none kills it,
// and the one that ends it is heeded whenever it comes.
func TestUpgradeSignals(t *testing.T) {
	t.Parallel()
	for i := range 4 * *soak {
		r := run(t, start{programs: "[program:app]\ncommand=sleep 1000\n"})
		r.out.wait(t, `success: app entered`)
		for range 5 {
			r.signal(syscall.SIGUSR1)
			r.signal(syscall.SIGUSR2)
		}
		r.out.wait(t, upgraded)
		time.Sleep(time.Duration(i%40) * time.Millisecond) // Each life another moment.
		r.end()
		if n := r.out.count(`received SIGTERM indicating exit request`); n != 1 {
			t.Errorf("SIGTERM was received %d times", n)
		}
	}
}

// TestUpgradeFullDisk upgrades while logs cannot be written: what is kept in
// memory is written when there is room.
func TestUpgradeFullDisk(t *testing.T) {
	dir := openTemp(t)
	disk := filepath.Join(dir, "disk")
	mountTmpfs(t, disk, 64<<10)
	filler := filepath.Join(disk, "filler")
	if err := os.WriteFile(filler, nil, 0o644); err != nil {
		t.Fatal(err)
	}
	r := run(t, start{dir: dir, programs: fmt.Sprintf(`
[program:w]
command=%s write w
stdout_logfile={dir}/disk/w.log
`, counterPath(t))})
	r.out.wait(t, `success: w entered`)
	if err := os.WriteFile(filler, make([]byte, 64<<10), 0o644); err == nil {
		t.Fatal("the disk is not full")
	}
	r.out.wait(t, `log file cannot be written`)
	for range 3 {
		if err := r.Upgrade(r.ctx()); err != nil {
			t.Fatal(err)
		}
	}
	os.Remove(filler)
	r.out.wait(t, `is written again; nothing was lost`)
	if n := r.out.count(`log file cannot be written`); n != 1 {
		t.Errorf("the failure was told %d times", n)
	}
	if err := r.StopProcess(r.ctx(), "w", true); err != nil {
		t.Fatal(err)
	}
	if numbered(t, "w.log", "w", r.logLines("disk/w.log")) == 0 {
		t.Error("nothing was written")
	}
	r.end()
}

// TestUpgradeSockets upgrades a daemon with a FastCGI group and one client in
// the middle of a request: the sockets are the same.
func TestUpgradeSockets(t *testing.T) {
	t.Parallel()
	r := run(t, start{programs: `
[fcgi-program:f]
command=sleep 1000
socket=unix://{dir}/f.sock
numprocs=2
process_name=f%(process_num)d
`})
	r.out.waitN(t, `success: f\d entered`, 2)
	inode := func(name string) uint64 {
		info, err := os.Stat(r.path(name))
		if err != nil {
			t.Fatal(err)
		}
		return info.Sys().(*syscall.Stat_t).Ino
	}
	fcgi, own := inode("f.sock"), inode("s.sock")
	// A connection that waits in the backlog of the FastCGI socket stays there.
	waiting, err := net.Dial("unix", r.path("f.sock"))
	if err != nil {
		t.Fatal(err)
	}
	defer waiting.Close()
	for range 3 {
		if err := r.Upgrade(r.ctx()); err != nil {
			t.Fatal(err)
		}
	}
	if inode("f.sock") != fcgi || inode("s.sock") != own {
		t.Error("a socket was made anew")
	}
	if _, err := waiting.Write([]byte("x")); err != nil {
		t.Error(err)
	}
	if _, err := r.StopAllProcesses(r.ctx(), true); err != nil {
		t.Fatal(err)
	}
	r.out.wait(t, `Closing socket unix://`)
	if n := r.out.count(`Creating socket unix://`); n != 2 {
		t.Errorf("the socket was made %d times, want 2: one try and one for use", n)
	}
	if _, err := r.StartProcessGroup(r.ctx(), "f", true); err != nil {
		t.Fatal(err)
	}
	r.end()
}

// TestUpgradeCannotExecuteAdopted has the same with processes of a daemon that was
// killed, and notices the end of one of them afterwards.
func TestUpgradeCannotExecuteAdopted(t *testing.T) {
	t.Parallel()
	s := start{main: "adopt=true\n", programs: fmt.Sprintf(`
[program:w]
command=%[1]s write w
startsecs=0
stdout_logfile={dir}/w.log
[program:depart]
command=%[1]s depart 7
startsecs=0
autorestart=false
stdout_logfile={dir}/depart.log
`, counterPath(t))}
	r, own := runOwn(t, s)
	r.out.waitN(t, `success: \S+ entered`, 2)
	w, depart := r.pid("w"), r.pid("depart")
	r.kill()
	s.wrapper = []string{"sh", "-c", `shift; exec "$0" "$@"`, own}
	r.launch(s)
	r.out.waitN(t, `adopted: '`, 2)
	for range 3 {
		replace(t, own, "#!/bin/sh\nrm \"$0\"\necho \"$SUPERVISORD_CHECK 1\"\n")
		if err := r.Upgrade(r.ctx()); err == nil || !strings.Contains(err.Error(), "no such file or directory") {
			t.Errorf("Upgrade: %v", err)
		}
	}
	if got := r.pid("w"); got != w {
		t.Errorf("w has pid %d in place of %d", got, w)
	}
	if err := syscall.Kill(depart, syscall.SIGTERM); err != nil {
		t.Fatal(err)
	}
	// Who reaps it, if somebody does, is not known here.
	r.out.wait(t, `exited: depart \(exit status (7|unknown); not expected\)`)
	r.end()
	for _, name := range []string{"w", "depart"} {
		lines := r.logLines(name + ".log")
		counter := map[string]string{"w": "w", "depart": "depart_7"}[name]
		if numbered(t, name+".log", counter, lines) == 0 || !bytes.HasPrefix(lines[len(lines)-1], []byte(counter+" last ")) {
			t.Errorf("%s.log has %d lines", name, len(lines))
		}
	}
}
