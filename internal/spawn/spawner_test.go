package spawn

import (
	"fmt"
	"io"
	"os"
	"slices"
	"strconv"
	"strings"
	"syscall"
	"testing"
)

// roleVariable names what a copy of the test program is to do instead of the
// tests.
const roleVariable = "SPAWN_TEST_ROLE"

func TestMain(m *testing.M) {
	Shim()
	if role := os.Getenv(roleVariable); role != "" {
		os.Unsetenv(roleVariable)
		roles[role]()
		os.Exit(0)
	}
	closeInherited()
	os.Exit(m.Run())
}

// closeInherited keeps the descriptors that the test program was started with
// from its children.
func closeInherited() {
	for fd := 3; fd < 1024; fd++ {
		syscall.CloseOnExec(fd)
	}
}

// A world is a Spawner and what it reported.
type world struct {
	t       testing.TB
	s       *Spawner
	reports chan Report
	last    Token
}

// newWorld returns a Spawner that is closed at the end of the test.
func newWorld(t testing.TB) *world {
	w := &world{t: t, reports: make(chan Report, 8192)}
	w.s = New(func(r Report) { w.reports <- r })
	t.Cleanup(func() { w.s.Close() })
	return w
}

// next returns the next report, which has to be of type R.
func next[R Report](w *world) R {
	w.t.Helper()
	r := <-w.reports
	got, ok := r.(R)
	if !ok {
		w.t.Fatalf("got report %T%+v, want a %T", r, r, got)
	}
	return got
}

// start starts a process and returns when it is reported. The parent's ends of
// the pipes are closed at the end of the test.
func (w *world) start(spec *Spec) (Started, *process) {
	w.t.Helper()
	w.last++
	w.s.Start(w.last, spec)
	st := next[Started](w)
	if st.Token != w.last {
		w.t.Fatalf("started token %d, want %d", st.Token, w.last)
	}
	p := &process{t: w.t}
	for i, fd := range []int{st.Stdin, st.Stdout, st.Stderr} {
		if fd >= 0 {
			p.files[i] = os.NewFile(uintptr(fd), "pipe "+strconv.Itoa(i))
			w.t.Cleanup(func() { p.files[i].Close() })
		}
	}
	return st, p
}

// process holds the parent's ends of the pipes of a process.
type process struct {
	t     testing.TB
	files [3]*os.File
}

// output closes the standard input and returns what the process writes to
// standard output and error until it closes them.
func (p *process) output() (stdout, stderr string) {
	p.t.Helper()
	if p.files[0] != nil {
		p.files[0].Close()
	}
	read := func(f *os.File) string {
		if f == nil {
			return ""
		}
		b, err := io.ReadAll(f)
		if err != nil {
			p.t.Error(err)
		}
		return string(b)
	}
	return read(p.files[1]), read(p.files[2])
}

// shell returns the Spec of a shell script.
func shell(script string, args ...string) *Spec {
	return &Spec{
		Path:  "/bin/sh",
		Argv:  append([]string{"sh", "-c", script, "sh"}, args...),
		Env:   []string{"PATH=/usr/bin:/bin"},
		Umask: -1,
	}
}

// waitExit returns the next report, which has to be the exit of pid.
func (w *world) waitExit(pid int) syscall.WaitStatus {
	w.t.Helper()
	e := next[Exited](w)
	if e.PID != pid {
		w.t.Fatalf("pid %d exited, want %d", e.PID, pid)
	}
	return e.Status
}

func TestStartAndExit(t *testing.T) {
	w := newWorld(t)
	st, p := w.start(shell(`cat; echo problem >&2; exit 3`))
	if _, err := p.files[0].WriteString("hello\n"); err != nil {
		t.Fatal(err)
	}
	stdout, stderr := p.output()
	if stdout != "hello\n" || stderr != "problem\n" {
		t.Errorf("output %q and %q", stdout, stderr)
	}
	if status := w.waitExit(st.PID); !status.Exited() || status.ExitStatus() != 3 {
		t.Errorf("status %#x, want exit status 3", status)
	}
}

func TestDeathBySignal(t *testing.T) {
	w := newWorld(t)
	st, _ := w.start(shell(`kill -KILL $$`))
	if status := w.waitExit(st.PID); !status.Signaled() || status.Signal() != syscall.SIGKILL {
		t.Errorf("status %#x, want death by SIGKILL", status)
	}
}

func TestParentsEnds(t *testing.T) {
	w := newWorld(t)
	st, p := w.start(shell(`cat`))
	for _, fd := range []int{st.Stdin, st.Stdout, st.Stderr} {
		if flags := fcntl(t, fd, syscall.F_GETFD); flags&syscall.FD_CLOEXEC == 0 {
			t.Errorf("descriptor %d is inherited by children", fd)
		}
		if flags := fcntl(t, fd, syscall.F_GETFL); flags&syscall.O_NONBLOCK == 0 {
			t.Errorf("descriptor %d blocks", fd)
		}
	}
	p.output()
	w.waitExit(st.PID)
}

func fcntl(t *testing.T, fd, cmd int) int {
	t.Helper()
	flags, _, errno := syscall.Syscall(syscall.SYS_FCNTL, uintptr(fd), uintptr(cmd), 0)
	if errno != 0 {
		t.Fatal(errno)
	}
	return int(flags)
}

func TestMergedStderr(t *testing.T) {
	w := newWorld(t)
	spec := shell(`echo 1; echo 2 >&2; echo 3`)
	spec.Pipes.MergeStderr = true
	st, p := w.start(spec)
	if st.Stderr != -1 {
		t.Errorf("descriptor of standard error is %d, want -1", st.Stderr)
	}
	if stdout, _ := p.output(); stdout != "1\n2\n3\n" {
		t.Errorf("output %q", stdout)
	}
	w.waitExit(st.PID)
}

func TestLentStdin(t *testing.T) {
	r, wr, err := os.Pipe()
	if err != nil {
		t.Fatal(err)
	}
	defer r.Close()
	wr.WriteString("lent\n")
	wr.Close()

	w := newWorld(t)
	spec := shell(`cat`)
	spec.Pipes.StdinFD = int(r.Fd())
	st, p := w.start(spec)
	if st.Stdin != -1 {
		t.Errorf("descriptor of standard input is %d, want -1", st.Stdin)
	}
	if stdout, _ := p.output(); stdout != "lent\n" {
		t.Errorf("output %q", stdout)
	}
	w.waitExit(st.PID)
	if _, err := r.Stat(); err != nil {
		t.Errorf("the lent descriptor was closed: %v", err)
	}
}

func TestWorld(t *testing.T) {
	dir := t.TempDir()
	for _, umask := range []int{-1, 0o027} {
		t.Run(fmt.Sprintf("umask %d", umask), func(t *testing.T) {
			w := newWorld(t)
			spec := shell(`pwd; umask; echo "$0 $1"; ps -o pgid= -p $$ | tr -d ' '`, "one")
			spec.Argv[3] = "zero"
			spec.Dir = dir
			spec.Umask = umask
			st, p := w.start(spec)
			stdout, stderr := p.output()
			old := syscall.Umask(0)
			syscall.Umask(old)
			if umask >= 0 {
				old = umask
			}
			want := fmt.Sprintf("%s\n%04o\nzero one\n%d\n", dir, old, st.PID)
			if stdout != want || stderr != "" {
				t.Errorf("output %q and %q, want %q", stdout, stderr, want)
			}
			w.waitExit(st.PID)
		})
	}
}

// TestLauncherLeavesNoTrace runs a program directly and through the launcher,
// which happens to those with a umask: they must not be able to tell.
func TestLauncherLeavesNoTrace(t *testing.T) {
	if _, err := os.Stat("/proc/self/status"); err != nil {
		t.Skip("needs /proc")
	}
	script := `cat /proc/$$/cmdline | tr '\0' ' '; echo; cat /proc/$$/environ | tr '\0' ' '; echo; ls /proc/$$/fd
		ulimit -a; cat /proc/$$/oom_score_adj /proc/$$/comm
		# Not of $$: some shells block signals for a moment when they fork.
		exec grep -E '^(Sig(Blk|Ign)|NoNewPrivs|Threads)' /proc/self/status`
	var got []string
	w := newWorld(t)
	for _, umask := range []int{-1, 0o022} {
		spec := shell(script)
		spec.Env = []string{"B=2", "A=1", "EMPTY=", "GODEBUG=x=y", "PATH=/usr/bin:/bin"}
		spec.Umask = umask
		st, p := w.start(spec)
		stdout, stderr := p.output()
		w.waitExit(st.PID)
		got = append(got, withoutInternal(stdout+stderr))
	}
	if got[0] != got[1] {
		t.Errorf("directly:\n%s\nthrough the launcher:\n%s", got[0], got[1])
	}
	for _, want := range []string{
		"sh -c ", "\nB=2 A=1 EMPTY= GODEBUG=x=y PATH=/usr/bin:/bin \n", "\n0\n1\n2\n",
		"SigBlk:\t0000000000000000\nSigIgn:\t0000000000000000\n",
	} {
		if !strings.Contains(got[0], want) {
			t.Errorf("%q is missing in\n%s", want, got[0])
		}
	}
}

func TestManyQuickExits(t *testing.T) {
	const n = 1000
	w := newWorld(t)
	spec := &Spec{Path: "/bin/true", Argv: []string{"true"}, Umask: -1}
	for i := range n {
		w.s.Start(Token(i), spec)
	}
	running := make(map[int]Token)
	exited := 0
	for exited < n {
		switch r := (<-w.reports).(type) {
		case Started:
			running[r.PID] = r.Token
			for _, fd := range []int{r.Stdin, r.Stdout, r.Stderr} {
				syscall.Close(fd)
			}
		case Exited:
			if token, ok := running[r.PID]; !ok || token != r.Token {
				t.Fatalf("exit of pid %d, token %d, which was not reported to run", r.PID, r.Token)
			}
			if !r.Status.Exited() || r.Status.ExitStatus() != 0 {
				t.Errorf("pid %d: status %#x", r.PID, r.Status)
			}
			delete(running, r.PID)
			exited++
		default:
			t.Fatalf("report %T%+v", r, r)
		}
	}
	if len(running) != 0 {
		t.Errorf("%d processes never exited", len(running))
	}
}

func TestManyDeathsAtOnce(t *testing.T) {
	const n = 200
	w := newWorld(t)
	// All of them read the same pipe and die when its last writer is gone.
	r, wr, err := os.Pipe()
	if err != nil {
		t.Fatal(err)
	}
	defer r.Close()
	spec := shell(`read x; exit $1`, "7")
	spec.Pipes.StdinFD = int(r.Fd())
	pids := make(map[int]bool)
	for range n {
		st, _ := w.start(spec)
		pids[st.PID] = true
	}
	wr.Close()
	for range n {
		e := next[Exited](w)
		if !pids[e.PID] || e.Status.ExitStatus() != 7 {
			t.Errorf("pid %d: status %#x", e.PID, e.Status)
		}
		delete(pids, e.PID)
	}
}

func TestReportsKeepTheOrderOfRequests(t *testing.T) {
	w := newWorld(t)
	spec := shell(`exec cat`)
	const n = 20
	for i := range n {
		w.s.Start(Token(i), spec)
	}
	var pids []int
	for i := range n {
		st := next[Started](w)
		if st.Token != Token(i) {
			t.Fatalf("start %d reported in place of %d", st.Token, i)
		}
		for _, fd := range []int{st.Stdout, st.Stderr} {
			syscall.Close(fd)
		}
		defer syscall.Close(st.Stdin)
		pids = append(pids, st.PID)
	}
	for i, pid := range pids {
		w.s.Kill(Token(i), pid, false, syscall.SIGTERM)
	}
	var answered []Token
	for exited := 0; exited < n; {
		switch r := (<-w.reports).(type) {
		case Signaled:
			if r.Errno != 0 {
				t.Errorf("signal %d: %v", r.Token, r.Errno)
			}
			answered = append(answered, r.Token)
		case Exited:
			exited++
		}
	}
	if len(answered) != n || !slices.IsSorted(answered) {
		t.Errorf("signals answered in the order %v", answered)
	}
}

func TestClose(t *testing.T) {
	s := New(func(r Report) { t.Errorf("report %T%+v after Close", r, r) })
	s.Close()
	s.Start(1, shell(`exit`))
	s.Kill(1, os.Getpid(), false, syscall.SIGKILL)
	s.Close()
}

// BenchmarkForkExec is what the kernel and Go's runtime take for the same,
// without pipes and without anybody who is told.
func BenchmarkForkExec(b *testing.B) {
	for b.Loop() {
		pid, err := syscall.ForkExec("/bin/true", []string{"true"}, &syscall.ProcAttr{
			Files: []uintptr{0, 1, 2}, Sys: &syscall.SysProcAttr{Setpgid: true},
		})
		if err != nil {
			b.Fatal(err)
		}
		if _, err := syscall.Wait4(pid, nil, 0, nil); err != nil {
			b.Fatal(err)
		}
	}
}

func BenchmarkStart(b *testing.B) {
	for _, mode := range []struct {
		name  string
		umask int
	}{{"direct", -1}, {"launcher", 0o22}} {
		b.Run(mode.name, func(b *testing.B) {
			w := newWorld(b)
			spec := &Spec{Path: "/bin/true", Argv: []string{"true"}, Umask: mode.umask}
			for b.Loop() {
				w.s.Start(1, spec)
				st := next[Started](w)
				for _, fd := range []int{st.Stdin, st.Stdout, st.Stderr} {
					syscall.Close(fd)
				}
				next[Exited](w)
			}
		})
	}
}
