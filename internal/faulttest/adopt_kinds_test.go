//go:build linux

package faulttest

import (
	"bufio"
	"errors"
	"fmt"
	"net"
	"os"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"

	"supervisord/internal/testenv"
)

// killAndBegin kills the daemon and starts it again, with another configuration
// if it is not the same.
func (r *rig) killAndBegin(s start) {
	r.t.Helper()
	r.kill()
	r.write(s)
	r.begin(s)
	r.out.wait(r.t, `supervisord started with pid`)
}

// runs reports whether a process runs.
func runs(pid int) bool { return !errors.Is(syscall.Kill(pid, 0), syscall.ESRCH) && !isZombie(pid) }

func isZombie(pid int) bool {
	data, err := os.ReadFile("/proc/" + strconv.Itoa(pid) + "/stat")
	if err != nil {
		return true
	}
	_, rest, _ := strings.Cut(string(data), ") ")
	return strings.HasPrefix(rest, "Z")
}

// awaitEnd waits until a process, which is nobody's child that is known here, has
// ended.
func (r *rig) awaitEnd(pid int) {
	r.t.Helper()
	for end := time.Now().Add(limit); runs(pid); time.Sleep(5 * time.Millisecond) {
		if time.Now().After(end) {
			r.t.Fatalf("process %d still runs", pid)
		}
	}
}

// TestAdoptOtherwise changes the configuration of programs while there is no
// daemon: those that run are stopped, or left, and reported.
func TestAdoptOtherwise(t *testing.T) {
	t.Parallel()
	const programs = `
[program:same]
command=sleep 1000
[program:other]
command=sh -c 'trap "echo stopping >>{dir}/said; exit" TERM; while :; do sleep 0.05; echo still >>{dir}/said; done'
startsecs=0
[program:gone]
command=sleep 1002
[program:stubborn]
command=sh -c 'trap "" TERM; echo set; while :; do sleep 0.1; done'
stopwaitsecs=1
stdout_logfile={dir}/stubborn.log
startsecs=0
`
	for _, policy := range []string{"stop", "leave"} {
		t.Run(policy, func(t *testing.T) {
			t.Parallel()
			s := start{programs: programs, main: "adopt=true\nadopt_otherwise=" + policy + "\n"}
			r := run(t, s)
			s.dir = r.dir
			r.out.waitN(t, `success: \S+ entered`, 4)
			for r.read("said") == "" || r.read("stubborn.log") == "" {
				time.Sleep(5 * time.Millisecond) // The traps are set.
			}
			before := r.pids()
			s.programs = strings.Replace(programs, "[program:gone]\ncommand=sleep 1002\n", "", 1)
			s.programs = strings.Replace(s.programs, "0.05", "0.06", 1)
			s.programs = strings.Replace(s.programs, "echo set", "echo reset", 1)
			r.killAndBegin(s)
			t.Cleanup(func() {
				for _, pid := range before {
					_ = syscall.Kill(-pid, syscall.SIGKILL)
				}
			})
			for name, reason := range map[string]string{
				"other": "its configuration has changed", "stubborn": "its configuration has changed", "gone": "it is not in the configuration any more",
			} {
				what := map[string]string{"stop": "it is stopped", "leave": "it is left alone"}[policy]
				r.out.wait(t, fmt.Sprintf(`a process of '%s:?\S*' from an earlier supervisord is running with pid %d and is not adopted: %s; %s`,
					name, before[name+":"+name], reason, what))
			}
			r.out.waitN(t, `success: (other|stubborn) entered`, 2)
			if got := r.pid("same"); got != before["same:same"] {
				t.Errorf("same has pid %d in place of %d", got, before["same:same"])
			}
			if _, err := r.ProcessInfo(r.ctx(), "gone"); err == nil {
				t.Error("gone is there")
			}
			for _, name := range []string{"other", "stubborn"} {
				if got := r.pid(name); got == before[name+":"+name] {
					t.Errorf("%s was not started anew", name)
				}
			}
			for _, name := range []string{"other", "gone", "stubborn"} {
				pid := before[name+":"+name]
				if policy == "leave" && !runs(pid) {
					t.Errorf("%s was stopped", name)
				}
				if policy == "stop" {
					r.awaitEnd(pid)
				}
			}
			if said := strings.Contains(r.read("said"), "stopping"); said != (policy == "stop") {
				t.Errorf("the process was told to stop: %t", said)
			}
			r.end()
		})
	}
}

// fcgi answers each connection with its pid.
const fcgi = `
import os, socket
s = socket.socket(fileno=0)
while True:
    c, _ = s.accept()
    c.sendall(b'%d\n' % os.getpid())
    c.close()
`

// TestAdoptFastCGI kills the daemon of a FastCGI group: the socket is the same
// afterwards, and is closed when the last process has stopped. The daemon is
// root's or somebody else's.
func TestAdoptFastCGI(t *testing.T) {
	t.Parallel()
	for _, uid := range []uint32{0, 65534} {
		t.Run(fmt.Sprintf("user %d", uid), func(t *testing.T) {
			t.Parallel()
			if uid != 0 {
				testenv.NeedRoot(t)
			}
			s := start{dir: openTemp(t), uid: uid, main: "adopt=true\n", programs: `
[fcgi-program:f]
command=python3 {dir}/fcgi.py
socket=unix://{dir}/f.sock
numprocs=2
process_name=f%(process_num)d
startsecs=0
`}
			r := newRig(t, s)
			if err := os.WriteFile(r.path("fcgi.py"), []byte(fcgi), 0o644); err != nil {
				t.Fatal(err)
			}
			r.launch(s)
			r.out.waitN(t, `success: f\d entered`, 2)
			before := r.pids()
			// A client that comes while there is no daemon.
			ask := func() int {
				c, err := net.Dial("unix", r.path("f.sock"))
				if err != nil {
					t.Fatal(err)
				}
				defer c.Close()
				if err := c.SetDeadline(time.Now().Add(limit)); err != nil {
					t.Fatal(err)
				}
				line, err := bufio.NewReader(c).ReadString('\n')
				n, _ := strconv.Atoi(strings.TrimSpace(line))
				if err != nil || n != before["f:f0"] && n != before["f:f1"] {
					t.Fatalf("answer %q, %v", line, err)
				}
				return n
			}
			for range 3 {
				ask()
				r.kill()
				ask()
				r.begin(s)
				r.out.waitN(t, `adopted: 'f\d'`, 2)
				if now := r.pids(); fmt.Sprint(now) != fmt.Sprint(before) {
					t.Fatalf("pids changed from %v to %v", before, now)
				}
				ask()
			}
			// One of them dies: the new one gets the same socket.
			if err := syscall.Kill(before["f:f0"], syscall.SIGKILL); err != nil {
				t.Fatal(err)
			}
			r.out.wait(t, `spawned: 'f0' with pid`)
			r.out.wait(t, `success: f0 entered`)
			if n := r.out.count(`Creating socket`); n > 0 {
				t.Errorf("the socket was made anew")
			}
			before["f:f0"] = r.pid("f:f0")
			for ask() != before["f:f0"] {
				continue // The other one was faster.
			}
			if _, err := r.StopAllProcesses(r.ctx(), true); err != nil {
				t.Fatal(err)
			}
			r.out.wait(t, `Closing socket unix://`)
			r.end()
		})
	}
}

// TestAdoptUser adopts as another user than root.
func TestAdoptUser(t *testing.T) {
	t.Parallel()
	testenv.NeedRoot(t)
	s := start{dir: openTemp(t), uid: 65534, main: "adopt=true\n", programs: `
[program:w]
command=sh -c 'i=0; while :; do i=$((i+1)); echo line $i; sleep 0.001; done'
stdout_logfile={dir}/w.log
stdout_format=json
startsecs=0
stopsignal=KILL
[program:done]
command=sh -c 'exit 3'
startsecs=0
autorestart=false
`}
	r := newRig(t, s)
	r.launch(s)
	r.out.wait(t, `exited: done \(exit status 3`)
	r.out.wait(t, `success: w entered`)
	pid := r.pid("w")
	for range 5 {
		r.killAndBegin(s)
		r.out.wait(t, `adopted: 'w' with pid`)
		if got := r.pid("w"); got != pid {
			t.Fatalf("w has pid %d in place of %d", got, pid)
		}
		r.state("done", "EXITED")
	}
	if info, err := os.Stat(r.path("pid.adopt")); err != nil || info.Sys().(*syscall.Stat_t).Uid != 65534 || info.Mode().Perm() != 0o700 {
		t.Errorf("the directory has mode %v, %v", info.Mode(), err)
	}
	r.end()
	lines := strings.Split(r.read("w.log"), "\n")
	for i, line := range lines[:len(lines)-1] {
		if !strings.Contains(line, fmt.Sprintf(`"message":"line %d"`, i+1)) && i < len(lines)-2 {
			t.Fatalf("%q in place of line %d", line, i+1)
		}
	}
}
