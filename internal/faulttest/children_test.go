package faulttest

import (
	"fmt"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"

	"supervisord/internal/testenv"
)

// TestDeafChild stops children that do not obey: one ignores every signal that
// can be ignored, one is stopped.
func TestDeafChild(t *testing.T) {
	t.Parallel()
	r := run(t, start{programs: `
[program:deaf]
command=sh -c 'for s in HUP INT QUIT USR1 USR2 ALRM TERM PIPE TSTP TTIN TTOU; do trap "" $s; done; echo ready; while :; do sleep 1000; done'
stdout_logfile=/dev/stdout
stdout_logfile_maxbytes=0
stopwaitsecs=1
killasgroup=true
[program:frozen]
command=sh -c 'trap "exit 0" TERM; echo set; while :; do sleep 1000; done'
stdout_logfile=/dev/stdout
stdout_logfile_maxbytes=0
stopwaitsecs=1
killasgroup=true
`})
	r.out.wait(t, "^ready$")
	r.out.wait(t, "^set$")
	if err := syscall.Kill(r.pid("frozen"), syscall.SIGSTOP); err != nil {
		t.Fatal(err)
	}
	// All at once, and one that is impatient.
	ended := make(chan error, 1)
	go func() {
		_, err := r.StopAllProcesses(r.ctx(), true)
		ended <- err
	}()
	r.out.waitN(t, "waiting for .* to stop", 1)
	r.alive()
	if err := <-ended; err != nil {
		t.Fatal(err)
	}
	r.state("deaf", "STOPPED")
	r.state("frozen", "STOPPED")
	for _, name := range []string{"deaf", "frozen"} {
		r.out.wait(t, fmt.Sprintf(`WARN killing '%s' \(\d+\) with SIGKILL`, name))
		r.out.wait(t, fmt.Sprintf(`stopped: %s \(terminated by SIGKILL\)`, name))
	}
	r.end()
}

// TestDoubleFork runs a program that puts itself into the background: for the
// daemon it has exited, and its output is still logged.
func TestDoubleFork(t *testing.T) {
	t.Parallel()
	r := run(t, start{programs: `
[program:daemon]
command=sh -c 'mkfifo fifo; (setsid sh -c "read x <fifo; echo late; echo \$\$ >gone" &) & exit 0'
directory={dir}
startsecs=0
autorestart=false
stdout_logfile={dir}/daemon.log
`})
	r.out.wait(t, `exited: daemon \(exit status 0; expected\)`)
	r.alive()
	if err := exec.Command("sh", "-c", `echo >"$0"`, r.path("fifo")).Run(); err != nil {
		t.Fatal(err)
	}
	// The log is followed until the orphan's line is there.
	out, err := exec.Command("timeout", "60", "sh", "-c", `tail -F -n +1 "$0" 2>/dev/null | grep -m1 late`, r.path("daemon.log")).CombinedOutput()
	if err != nil || string(out) != "late\n" {
		t.Errorf("%q, %v", out, err)
	}
	r.end()
}

// TestManyDeaths lets 200 children die at once, some after more than one
// signal.
func TestManyDeaths(t *testing.T) {
	t.Parallel()
	const n = 200
	r := run(t, start{programs: fmt.Sprintf(`
[program:flock]
command=sh -c 'exec sleep 1000'
process_name=%%(process_num)d
numprocs=%d
startsecs=0
autorestart=true
stdout_logfile={dir}/flock.log
redirect_stderr=true
`, n)})
	for round := range 2 * *soak {
		r.out.waitN(t, "success: .* entered RUNNING state", n*(round+1))
		infos, err := r.AllProcessInfo(r.ctx())
		if err != nil {
			t.Fatal(err)
		}
		for _, info := range infos {
			if info.PID <= 1 {
				t.Fatalf("%s has pid %d", info.Name, info.PID)
			}
			if err := syscall.Kill(info.PID, syscall.SIGKILL); err != nil {
				t.Error(err)
			}
		}
		r.out.waitN(t, `exited: .* \(terminated by SIGKILL; not expected\)`, n*(round+1))
		r.alive()
	}
	r.out.waitN(t, "success: .* entered RUNNING state", n*(2**soak+1))
	if states := r.survey(); states["RUNNING"] != n {
		t.Errorf("states %v", states)
	}
	r.end()
}

// TestFastExit runs programs that exit as fast as they are started.
func TestFastExit(t *testing.T) {
	t.Parallel()
	r := run(t, start{main: "logfile=NONE\n", programs: `
[program:fast]
command=/bin/true
process_name=%(process_num)d
numprocs=4
startsecs=0
autorestart=true
stdout_logfile=NONE
stderr_logfile=NONE
[program:cat]
command=cat
`})
	started, before := time.Now(), cpuTime(t, r.cmd.Process.Pid)
	n := 600 * *soak
	r.out.waitN(t, "spawned: '", n)
	took := time.Since(started)
	// There are five processes, each of which is started 50 times a second at
	// most, after a burst of 50.
	if took < time.Duration(n/5-52)*20*time.Millisecond {
		t.Errorf("%d starts in %v", n, took)
	}
	used := cpuTime(t, r.cmd.Process.Pid) - before
	worst := time.Duration(0)
	for range 200 {
		asked := time.Now()
		r.alive()
		worst = max(worst, time.Since(asked))
	}
	t.Logf("%d starts in %v; the slowest of 200 answers took %v; %.0f%% of a processor", n, took, worst,
		100*used.Seconds()/took.Seconds())
	if _, err := r.StopProcessGroup(r.ctx(), "fast", true); err != nil {
		t.Fatal(err)
	}
	r.end()
}

// cpuTime returns what a process has used of the processor.
func cpuTime(t *testing.T, pid int) time.Duration {
	t.Helper()
	fields := strings.Fields(statOf(t, pid))
	const tick = time.Second / 100
	user, _ := strconv.Atoi(fields[13])
	system, _ := strconv.Atoi(fields[14])
	return time.Duration(user+system) * tick
}

// TestOrphans gives the daemon as PID 1 a thousand orphans that end at once.
func TestOrphans(t *testing.T) {
	testenv.NeedRoot(t)
	testenv.NeedProgram(t, "unshare", "util-linux")
	if out, err := exec.Command("unshare", "--pid", "--fork", "--mount-proc", "true").CombinedOutput(); err != nil {
		t.Skipf("no PID namespace can be made here: %v: %s", err, out)
	}
	t.Parallel()
	const n = 1000
	r := newRig(t, start{programs: fmt.Sprintf(`
[program:parent]
command=sh -c 'mkfifo f; i=0; while [ $i -lt %d ]; do read x <f & i=$((i+1)); done; exit 0'
directory={dir}
startsecs=0
autorestart=false
[program:cat]
command=cat
`, n)})
	r.begin(start{wrapper: []string{"unshare", "--pid", "--fork", "--mount-proc", "--kill-child"}})
	r.out.wait(t, "supervisord started with pid 1$")
	r.out.wait(t, `exited: parent \(exit status 0; expected\)`)
	r.alive()
	// Opening the fifo for writing lets all of them read its end.
	if err := exec.Command("sh", "-c", `: >"$0"`, filepath.Join(r.dir, "f")).Run(); err != nil {
		t.Fatal(err)
	}
	r.out.waitN(t, `reaped unknown pid \d+ \(`, n)
	r.alive()
	r.out.wait(t, "success: cat entered RUNNING state")
	if err := r.Shutdown(r.ctx()); err != nil {
		t.Fatal(err)
	}
	<-r.done
}
