package launch

import (
	"fmt"
	"os"
	"os/exec"
	"os/signal"
	"path/filepath"
	"runtime"
	"slices"
	"strconv"
	"strings"
	"sync"
	"syscall"
	"testing"

	"golang.org/x/sys/unix"

	"supervisord/internal/api"
	"supervisord/internal/spawn"
)

func limited(soft, hard int, resource string) func(*exec.Cmd) {
	return func(cmd *exec.Cmd) {
		flag := map[string]string{"files": "-n", "processes": "-u"}[resource]
		// The shell sets the limits that the copy is started with.
		script := fmt.Sprintf("ulimit -S %s %d && ulimit -H %s %d && exec \"$0\"", flag, soft, flag, hard)
		cmd.Args = []string{"bash", "-c", script, cmd.Path}
		cmd.Path = "/bin/bash"
	}
}

// printLimits raises the limits to those of the variable MIN and prints what
// this process and a child have then.
func printLimits() {
	infos, err := RaiseLimits(atoi(os.Getenv("MIN")), 20)
	fmt.Printf("%q", infos)
	if err != nil {
		fmt.Println(err)
		return
	}
	var own syscall.Rlimit
	syscall.Getrlimit(syscall.RLIMIT_NOFILE, &own)
	fmt.Println("", own.Cur, own.Max)
	out, err := exec.Command("/bin/sh", "-c", "ulimit -S -n; ulimit -H -n").CombinedOutput()
	fmt.Println(strings.Fields(string(out)), err)
}

func atoi(s string) int {
	n, err := strconv.Atoi(s)
	if err != nil {
		panic(err)
	}
	return n
}

// TestRaiseLimits pins down a detail of Go's runtime too: see restoreFileLimit.
func TestRaiseLimits(t *testing.T) {
	tests := []struct {
		soft, hard, min int
		want            string
	}{
		{256, 4096, 200, "[] 256 4096\n[256 4096] <nil>\n"},
		{256, 4096, 1024, "[\"Increased RLIMIT_NOFILE limit to 1024\"] 1024 4096\n[1024 4096] <nil>\n"},
		{4096, 4096, 1024, "[] 4096 4096\n[4096 4096] <nil>\n"},
		{4095, 4096, 1024, "[] 4095 4096\n[4095 4096] <nil>\n"},
		{256, 512, 512, "[\"Increased RLIMIT_NOFILE limit to 512\"] 512 512\n[512 512] <nil>\n"},
	}
	for _, tt := range tests {
		got := runRole(t, "limits", func(cmd *exec.Cmd) {
			cmd.Env = append(cmd.Env, "MIN="+strconv.Itoa(tt.min))
			limited(tt.soft, tt.hard, "files")(cmd)
		})
		if got != tt.want {
			t.Errorf("limits %d and %d, at least %d:\n%swant\n%s", tt.soft, tt.hard, tt.min, got, tt.want)
		}
	}
}

func TestRaisedLimit(t *testing.T) {
	const infinity = unix.RLIM_INFINITY
	tests := []struct {
		soft, hard uint64
		min        int
		wantSoft   uint64
		wantHard   uint64
	}{
		{100, 200, 50, 100, 200},
		{100, 200, 150, 150, 200},
		{100, 200, 250, 250, 250}, // the attempt decides
		{100, infinity, 250, 250, infinity},
		{infinity, infinity, 250, infinity, infinity},
		{100, 200, -5, 100, 200},
	}
	for _, tt := range tests {
		var current, want syscall.Rlimit
		setLimit(&current.Cur, tt.soft)
		setLimit(&current.Max, tt.hard)
		setLimit(&want.Cur, tt.wantSoft)
		setLimit(&want.Max, tt.wantHard)
		if got, hard := raisedLimit(current, tt.min); got != want || hard != int64(want.Max) {
			t.Errorf("%v, at least %d: got %v and %d, want %v", current, tt.min, got, hard, want)
		}
	}
}

func TestRaiseLimitsRefused(t *testing.T) {
	user := asUser(t, 54321)
	got := runRole(t, "limits", func(cmd *exec.Cmd) {
		user(cmd)
		cmd.Env = append(cmd.Env, "MIN=1000")
		limited(256, 512, "files")(cmd)
	})
	want := `[]The minimum number of file descriptors required to run this process is 1000 as per the "minfds"` +
		` command-line argument or config file setting. The current environment will only allow you to open 1000 file` +
		` descriptors.  Either raise the number of usable file descriptors in your environment (see README.rst) or` +
		" lower the minfds setting in the config file to allow the process to start.\n"
	if got != want {
		t.Errorf("got\n%swant\n%s", got, want)
	}
}

// printDescriptors prints which of the descriptors that it inherited its
// children inherit.
func printDescriptors() {
	if err := CloseOnExec(); err != nil {
		fmt.Println(err)
	}
	var status unix.Stat_t
	fmt.Println(unix.Fstat(3, &status)) // it can still be used here
	out, err := exec.Command("/bin/ls", "/dev/fd/").CombinedOutput()
	fmt.Println(strings.Fields(string(out)), err)
}

func TestCloseOnExec(t *testing.T) {
	r, w, err := os.Pipe()
	if err != nil {
		t.Fatal(err)
	}
	defer r.Close()
	defer w.Close()
	got := runRole(t, "descriptors", func(cmd *exec.Cmd) { cmd.ExtraFiles = []*os.File{r, w} })
	if want := "<nil>\n[0 1 2 3] <nil>\n"; got != want { // 3 is ls's own
		t.Errorf("got %q, want %q", got, want)
	}
}

func TestClearSignalMask(t *testing.T) {
	if _, err := os.Stat("/proc/self/status"); err != nil {
		t.Skip("needs /proc")
	}
	exe, err := exec.LookPath("python3")
	if err != nil {
		skip(t, "needs python3")
	}
	got := runRole(t, "mask", func(cmd *exec.Cmd) {
		cmd.Args = []string{"python3", "-c", "import os, signal, sys\n" +
			"signal.pthread_sigmask(signal.SIG_BLOCK, [signal.SIGTERM, signal.SIGUSR1])\n" +
			"os.execv(sys.argv[1], ['own name', 'argument'])", cmd.Path}
		cmd.Path = exe
	})
	if want := "[own name argument]\nSigBlk:\t0000000000000000\n"; got != want {
		t.Errorf("got %q, want %q", got, want)
	}
}

func init() {
	roles["mask"] = func() {
		os.Setenv(roleVariable, "mask") // for the time after exec
		ClearSignalMask()
		fmt.Println(os.Args)
		out, _ := exec.Command("/bin/grep", "SigBlk", "/proc/self/status").CombinedOutput()
		fmt.Print(string(out))
	}
}

// detach is the foreground process of a daemon, and the daemon.
func detach() {
	d := Detached()
	if d == nil {
		os.Setenv(roleVariable, "detach")
		status, err := Detach()
		fmt.Println("foreground ends", err)
		os.Exit(status)
	}
	switch os.Getenv("OUTCOME") {
	case "exit":
		fmt.Println("refused")
		os.Exit(2)
	case "signal":
		syscall.Kill(os.Getpid(), syscall.SIGKILL)
	}
	sid, _ := unix.Getsid(0)
	fmt.Println("own session", sid == os.Getpid(), "variable", os.Getenv(readyVariable) != "")
	report := func(level api.LogLevel, text string) { fmt.Println(level, text) }
	out, _ := syscall.Dup(1)
	syscall.CloseOnExec(out)
	if err := d.Enter(os.Getenv("DIRECTORY"), 0o027, report); err != nil {
		fmt.Println(err)
	}
	fmt.Println("not to be seen")
	text := ""
	for fd := range 3 {
		target, _ := os.Readlink("/proc/self/fd/" + strconv.Itoa(fd))
		text += target + " "
	}
	dir, _ := os.Getwd()
	umask := syscall.Umask(0)
	syscall.Write(out, fmt.Appendf(nil, "%s%s %03o\n", text, dir, umask))
	syscall.Close(out)
	d.Ready()
}

func TestDetach(t *testing.T) {
	dir, err := filepath.EvalSymlinks(t.TempDir())
	if err != nil {
		t.Fatal(err)
	}
	cwd, _ := os.Getwd()
	tests := []struct {
		directory, lines, cwd string
	}{
		{"", "", cwd},
		{dir, "INFO set current directory: '" + dir + "'\n", dir},
		{dir + "/none", "CRIT can't chdir into '" + dir + "/none': [Errno 2] No such file or directory: '" + dir + "/none'\n", cwd},
	}
	for _, tt := range tests {
		got := runRole(t, "detach", func(cmd *exec.Cmd) { cmd.Env = append(cmd.Env, "DIRECTORY="+tt.directory) })
		want := "own session true variable false\nINFO daemonizing the supervisord process\n" + tt.lines +
			"/dev/null /dev/null /dev/null " + tt.cwd + " 027\nforeground ends <nil>\n"
		if got != want {
			t.Errorf("got\n%swant\n%s", got, want)
		}
	}
}

func TestDetachFails(t *testing.T) {
	for outcome, want := range map[string]int{"exit": 2, "signal": 128 + 9} {
		out, err := startRole(t, "detach", func(cmd *exec.Cmd) { cmd.Env = append(cmd.Env, "OUTCOME="+outcome) })
		exit, ok := err.(*exec.ExitError)
		if !ok || exit.ExitCode() != want || !strings.HasSuffix(out, "foreground ends <nil>\n") {
			t.Errorf("%s: %v, want exit status %d; output %q", outcome, err, want, out)
		}
	}
}

// becomeUser drops privileges and prints what was said, and the ids of all
// threads.
func becomeUser() {
	ReserveThreads(4)
	uid := atoi(os.Getenv("TO"))
	for range 2 { // a reload does it again
		fmt.Println(DropPrivileges(uid))
	}
	files, _ := filepath.Glob("/proc/self/task/*/status")
	var seen []string
	for _, name := range files {
		b, _ := os.ReadFile(name)
		ids := ""
		for line := range strings.Lines(string(b)) {
			if strings.HasPrefix(line, "Uid") || strings.HasPrefix(line, "Gid") || strings.HasPrefix(line, "Groups") {
				ids += strings.Join(strings.Fields(line), " ") + " "
			}
		}
		if !slices.Contains(seen, ids) {
			seen = append(seen, ids)
		}
	}
	fmt.Println(seen)
}

func TestDropPrivileges(t *testing.T) {
	needRoot(t)
	// daemon is a user of every system, without supplementary groups.
	got := runRole(t, "user", func(cmd *exec.Cmd) { cmd.Env = append(cmd.Env, "TO=1") })
	want := " Set uid to user 1 succeeded <nil>\n Set uid to user 1 succeeded <nil>\n" +
		"[Uid: 1 1 1 1 Gid: 1 1 1 1 Groups: 1 ]\n"
	if got != want {
		t.Errorf("got\n%swant\n%s", got, want)
	}
	got = runRole(t, "user", func(cmd *exec.Cmd) { cmd.Env = append(cmd.Env, "TO=54321") })
	if want = "  Can't find uid 54321\n"; !strings.HasPrefix(got, want) {
		t.Errorf("got\n%swant\n%s", got, want)
	}
	user := asUser(t, 54321)
	got = runRole(t, "user", func(cmd *exec.Cmd) { user(cmd); cmd.Env = append(cmd.Env, "TO=1") })
	if want = "  Can't drop privilege as nonroot user\n"; !strings.HasPrefix(got, want) {
		t.Errorf("got\n%swant\n%s", got, want)
	}
	got = runRole(t, "user", func(cmd *exec.Cmd) { cmd.Env = append(cmd.Env, "TO=-1") })
	if want = RunningAsRoot + "  <nil>\n"; !strings.HasPrefix(got, want) {
		t.Errorf("got\n%swant\n%s", got, want)
	}
}

func TestChildCredential(t *testing.T) {
	c, name, reason := ChildCredential(os.Getuid())
	if c != nil || name != strconv.Itoa(os.Getuid()) || reason != "" {
		t.Errorf("for ourselves: %v, %q, %q", c, name, reason)
	}
	if c, name, reason = ChildCredential(54321); c != nil || name != "54321" || reason != "Can't find uid 54321" {
		t.Errorf("for nobody known: %v, %q, %q", c, name, reason)
	}
	c, _, reason = ChildCredential(1)
	switch {
	case os.Getuid() != 0:
		if c != nil || reason != "Can't drop privilege as nonroot user" {
			t.Errorf("for another user: %v, %q", c, reason)
		}
	case c == nil || c.Uid != 1 || reason != "" || len(c.Groups) == 0 || c.Groups[0] != c.Gid:
		t.Errorf("for another user: %v, %q", c, reason)
	}
}

func init() { roles["processes"] = outOfProcesses }

// outOfProcesses uses up the processes that its user may have, and then needs
// threads.
func outOfProcesses() {
	ReserveThreads(Threads)
	var limit syscall.Rlimit
	syscall.Getrlimit(unix.RLIMIT_NPROC, &limit)
	tasks, _ := os.ReadDir("/proc/self/task")
	setLimit(&limit.Cur, uint64(len(tasks))+3)
	syscall.Setrlimit(unix.RLIMIT_NPROC, &limit)
	signal.Notify(make(chan os.Signal, 1), syscall.SIGTERM)

	reports := make(chan spawn.Report, 64)
	s := spawn.New(func(r spawn.Report) { reports <- r })
	spec := &spawn.Spec{Path: "/bin/cat", Argv: []string{"cat"}, Umask: -1}
	var running []spawn.Started
	for token := range spawn.Token(10) {
		s.Start(token, spec)
		switch r := (<-reports).(type) {
		case spawn.Started:
			running = append(running, r)
		case spawn.Failed:
			if token == 9 {
				fmt.Println(r.Step, r.Errno)
			}
		}
	}
	// Goroutines that each need a thread of their own, at the same time.
	const n = Threads / 2
	var all, gone sync.WaitGroup
	all.Add(n)
	for range n {
		gone.Go(func() {
			runtime.LockOSThread()
			defer runtime.UnlockOSThread()
			all.Done()
			all.Wait()
		})
	}
	gone.Wait()
	for _, r := range running {
		syscall.Close(r.Stdin)
		<-reports
	}
	s.Start(99, spec)
	_, started := (<-reports).(spawn.Started)
	fmt.Println(len(running) > 0, started)
}

// TestOutOfProcesses checks that a daemon outlives a time without processes: it
// says which start failed, needs no thread that it does not have, and can start
// processes later.
func TestOutOfProcesses(t *testing.T) {
	user := asUser(t, 54322)
	want := "fork resource temporarily unavailable\ntrue true\n"
	if got := runRole(t, "processes", user); got != want {
		t.Errorf("got %q, want %q", got, want)
	}
}
