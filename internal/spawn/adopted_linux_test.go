package spawn

import (
	"os/exec"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"

	"golang.org/x/sys/unix"
)

// orphan starts a process that is no child of this one, in a process group of
// its own.
func orphan(script string) (Adopted, error) {
	out, err := exec.Command("sh", "-c", `setsid sh -c 'echo $$; exec >/dev/null; '"$1" </dev/null 2>/dev/null &`, "sh", script).Output()
	if err != nil {
		return Adopted{}, err
	}
	pid, err := strconv.Atoi(strings.TrimSpace(string(out)))
	if err != nil {
		return Adopted{}, err
	}
	fd, err := unix.PidfdOpen(pid, 0)
	return Adopted{PID: pid, FD: fd}, err
}

// adopted returns a Spawner that has adopted an orphan.
func adopted(t *testing.T, script string) (*world, Adopted) {
	t.Helper()
	a, err := orphan(script)
	if err != nil {
		t.Fatal(err)
	}
	w := newWorld(t)
	a.Token = 7
	w.s.Adopt(a)
	return w, a
}

func (w *world) adoptedExit(a Adopted) Exited {
	w.t.Helper()
	e := next[Exited](w)
	if e.PID != a.PID || e.Token != a.Token {
		w.t.Fatalf("got %+v, want the end of %d", e, a.PID)
	}
	return e
}

// TestAdoptedExitStatus accepts that a status is unknown, as on older kernels,
// but not that it is wrong.
func TestAdoptedExitStatus(t *testing.T) {
	known := 0
	for range 5 {
		w, a := adopted(t, "sleep 0.1; exit 7")
		e := w.adoptedExit(a)
		w.s.Close()
		if !e.Unknown && e.Status.ExitStatus() != 7 {
			t.Errorf("status %#x, want exit status 7", e.Status)
		}
		if !e.Unknown {
			known++
		}
	}
	t.Logf("%d of 5 statuses were known", known)
}

func TestKillAdopted(t *testing.T) {
	for _, group := range []bool{false, true} {
		w, a := adopted(t, "exec sleep 1000")
		w.s.Kill(99, a.PID, group, syscall.SIGTERM)
		if r := next[Signaled](w); r.Errno != syscall.ESRCH {
			t.Errorf("another token: %v, want ESRCH", r.Errno)
		}
		w.s.Kill(a.Token, a.PID, group, syscall.SIGTERM)
		if r := next[Signaled](w); r.Errno != 0 {
			t.Errorf("group %v: %v", group, r.Errno)
		}
		if e := w.adoptedExit(a); !e.Unknown && e.Status.Signal() != syscall.SIGTERM {
			t.Errorf("status %#x, want death by SIGTERM", e.Status)
		}
		w.s.Kill(a.Token, a.PID, group, syscall.SIGTERM)
		if r := next[Signaled](w); r.Errno != syscall.ESRCH {
			t.Errorf("after its end: %v, want ESRCH", r.Errno)
		}
		w.s.Close()
	}
}

// TestAdoptedAgain hands adopted processes from one Spawner to the next. One has
// ended in between.
func TestAdoptedAgain(t *testing.T) {
	ended, err := orphan("exec sleep 1001")
	if err != nil {
		t.Fatal(err)
	}
	w, living := adopted(t, "exec sleep 1000")
	ended.Token = 8
	w.s.Adopt(ended)
	w.s.Kill(living.Token, living.PID, false, 0)
	next[Signaled](w) // both were adopted before
	running, list := w.s.Close()
	if len(running) != 0 || len(list) != 2 {
		t.Fatalf("left: %v, %v", running, list)
	}
	if err := unix.PidfdSendSignal(ended.FD, unix.SIGKILL, nil, 0); err != nil {
		t.Fatal(err)
	}
	waitFor(ended.FD, time.Minute)
	again := newWorld(t)
	again.s.Adopt(list...)
	if e := again.adoptedExit(ended); !e.Unknown && e.Status.Signal() != syscall.SIGKILL {
		t.Errorf("status %#x, want death by SIGKILL", e.Status)
	}
	again.s.Kill(living.Token, living.PID, false, syscall.SIGTERM)
	next[Signaled](again)
	if e := again.adoptedExit(living); !e.Unknown && e.Status.Signal() != syscall.SIGTERM {
		t.Errorf("status %#x, want death by SIGTERM", e.Status)
	}
}

func TestAdoptedHasEnded(t *testing.T) {
	w := newWorld(t)
	a := Adopted{Token: 7, PID: 4321, FD: -1}
	w.s.Adopt(a)
	if e := w.adoptedExit(a); !e.Unknown {
		t.Errorf("status %#x, want unknown", e.Status)
	}
}

func TestStopAdopted(t *testing.T) {
	for _, script := range []string{"exec sleep 1000", "trap '' TERM; while :; do sleep 1; done"} {
		a, err := orphan(script)
		if err != nil {
			t.Fatal(err)
		}
		pid := a.PID
		a.Stop(true, int(syscall.SIGTERM), 300*time.Millisecond)
		if err := syscall.Kill(pid, 0); err == nil && state(pid) != "Z" {
			t.Errorf("%q goes on running", script)
		}
	}
}

// state returns the state of a process as /proc tells it.
func state(pid int) string {
	out, err := exec.Command("ps", "-o", "stat=", "-p", strconv.Itoa(pid)).Output()
	if err != nil || len(out) == 0 {
		return ""
	}
	return string(out[:1])
}
