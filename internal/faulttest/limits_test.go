package faulttest

import (
	"errors"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"testing"

	"supervisord/internal/api"
	"supervisord/internal/testenv"
)

// crowd is a group of 60 processes that do nothing.
const crowd = `
[program:crowd]
command=sleep 1000
process_name=%(program_name)s-%(process_num)02d
numprocs=60
startsecs=0
startretries=0
stdout_logfile=NONE
stderr_logfile=NONE
`

// survey counts the processes in each state.
func (r *rig) survey() map[string]int {
	r.t.Helper()
	infos, err := r.AllProcessInfo(r.ctx())
	if err != nil {
		r.t.Fatal(err)
	}
	states := make(map[string]int)
	for _, info := range infos {
		states[info.StateName]++
	}
	return states
}

// exhausted checks a daemon that could start only some of the crowd: it answers,
// the others run, and when some of these have stopped others can be started.
func (r *rig) exhausted() {
	r.t.Helper()
	states := r.survey()
	if states["RUNNING"] < 10 || states["FATAL"] < 10 || states["RUNNING"]+states["FATAL"] != 60 {
		r.t.Fatalf("states %v", states)
	}
	infos, err := r.AllProcessInfo(r.ctx())
	if err != nil {
		r.t.Fatal(err)
	}
	var fatal []string
	stopped := 0
	for _, info := range infos {
		name := api.Namespec(info.Group, info.Name)
		if info.StateName == "FATAL" {
			fatal = append(fatal, name)
		} else if stopped < 5 {
			if err := r.StopProcess(r.ctx(), name, true); err != nil {
				r.t.Error(err)
			}
			stopped++
		}
	}
	for _, name := range fatal[:3] {
		if err := r.StartProcess(r.ctx(), name, true); err != nil {
			r.t.Errorf("start %s: %v", name, err)
		}
	}
	for range 50 {
		r.alive()
	}
}

// TestTooManyFiles lets the daemon have fewer files than its programs need.
func TestTooManyFiles(t *testing.T) {
	testenv.NeedProgram(t, "prlimit", "util-linux")
	t.Parallel()
	r := run(t, start{programs: crowd, wrapper: []string{"prlimit", "--nofile=100:100"}})
	r.out.waitN(t, "gave up: crowd-.. entered FATAL state", 10)
	r.out.wait(t, "too many open files to spawn 'crowd-..'")
	r.settled(60)
	r.exhausted()
	r.end()
}

// TestTooManyProcesses lets the daemon's user have fewer processes than there
// are programs. Threads count as processes, also those of the daemon.
func TestTooManyProcesses(t *testing.T) {
	testenv.NeedRoot(t)
	testenv.NeedProgram(t, "prlimit", "util-linux")
	t.Parallel()
	const uid = 61234 // nobody else's
	r := run(t, start{programs: crowd, wrapper: []string{"prlimit", "--nproc=65:65"}, uid: uid})
	r.out.waitN(t, "gave up: crowd-.. entered FATAL state", 10)
	r.out.wait(t, "Too many processes in process table to spawn 'crowd-..'")
	r.settled(60)
	r.exhausted()
	r.end()
}

// settled waits until the start of all processes of a number has ended.
func (r *rig) settled(n int) {
	r.t.Helper()
	r.out.waitN(r.t, "gave up: .* entered FATAL state|success: .* entered RUNNING state", n)
}

// TestMemory lets a program use more memory than the control group has that it
// shares with the daemon.
func TestMemory(t *testing.T) {
	testenv.NeedRoot(t)
	const size = 512 << 20
	parent, file := "/sys/fs/cgroup/memory", "memory.limit_in_bytes"
	if _, err := os.Stat(parent); err != nil {
		parent, file = "/sys/fs/cgroup", "memory.max"
	}
	group, err := os.MkdirTemp(parent, "supervisord-fault")
	if err != nil {
		t.Skipf("no control group can be made here: %v", err)
	}
	t.Cleanup(func() {
		if err := os.Remove(group); err != nil && !errors.Is(err, os.ErrNotExist) {
			t.Error(err)
		}
	})
	if err := os.WriteFile(filepath.Join(group, file), []byte(strconv.Itoa(size)), 0o600); err != nil {
		t.Skipf("memory cannot be limited here: %v", err)
	}
	// tail keeps what may be the last line.
	r := run(t, start{
		programs: "[program:hog]\ncommand=tail /dev/zero\nstartsecs=0\nautorestart=false\n[program:cat]\ncommand=cat\n",
		wrapper:  []string{"sh", "-c", `echo $$ >"$0/cgroup.procs" && exec "$@"`, group},
	})
	r.out.wait(t, `exited: hog \(terminated by SIGKILL; not expected\)`)
	r.out.wait(t, "success: cat entered RUNNING state")
	r.alive()
	r.state("cat", "RUNNING")
	r.end()
}

// TestBigOutput lets programs write without an end to lines, and checks that
// this does not stay in the daemon's memory.
func TestBigOutput(t *testing.T) {
	t.Parallel()
	r := run(t, start{programs: `
[program:big]
command=sh -c 'head -c 100000000 /dev/zero | tr "\\0" x'
startsecs=0
autorestart=false
stdout_capture_maxbytes=1MB
stdout_events_enabled=true
stdout_logfile_maxbytes=10MB
stdout_logfile_backups=2
stdout_logfile={dir}/big.log
`})
	r.out.wait(t, "exited: big")
	status, err := os.ReadFile("/proc/" + strconv.Itoa(r.cmd.Process.Pid) + "/status")
	if err != nil {
		t.Fatal(err)
	}
	var peak int
	for line := range strings.Lines(string(status)) {
		if value, ok := strings.CutPrefix(line, "VmHWM:"); ok {
			peak, _ = strconv.Atoi(strings.Fields(value)[0])
		}
	}
	if peak == 0 || peak > 300<<10 {
		t.Errorf("the daemon took %d KiB", peak)
	}
	r.end()
	total := 0
	for _, name := range []string{"big.log", "big.log.1", "big.log.2"} {
		total += len(r.read(name))
	}
	if total < 10<<20 || total > 31<<20 {
		t.Errorf("%d bytes are left of the log", total)
	}
}
