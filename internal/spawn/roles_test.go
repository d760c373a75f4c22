package spawn

import (
	"fmt"
	"os"
	"os/exec"
	"os/signal"
	"path/filepath"
	"regexp"
	"strconv"
	"strings"
	"syscall"
	"testing"
)

// roles are what a copy of the test program does, because it changes the
// process as a whole. Each prints what the test compares.
var roles = map[string]func(){
	"descriptors": outOfDescriptors,
	"ignoring":    ignoring,
}

// runRole runs a copy of the test program in a role and returns its output.
func runRole(t *testing.T, role string, change func(*exec.Cmd)) string {
	t.Helper()
	exe, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	cmd := exec.Command(exe)
	// The race detector would sleep at each exit.
	cmd.Env = append(os.Environ(), roleVariable+"="+role, "GORACE=atexit_sleep_ms=0")
	if change != nil {
		change(cmd)
	}
	out, err := cmd.CombinedOutput()
	if err != nil {
		t.Fatalf("%s: %v\n%s", role, err, out)
	}
	return string(out)
}

// collect returns a Spawner whose reports are sent to the channel.
func collect() (*Spawner, chan Report) {
	reports := make(chan Report, 8192)
	return New(func(r Report) { reports <- r }), reports
}

func openDescriptors() int {
	names, _ := filepath.Glob("/dev/fd/*")
	return len(names)
}

// maxDescriptors is the limit to which the limit can be raised again.
const maxDescriptors = 1024

func limitDescriptors(n int) error {
	limit := syscall.Rlimit{Cur: maxDescriptors, Max: maxDescriptors}
	setLimit(&limit.Cur, n)
	return syscall.Setrlimit(syscall.RLIMIT_NOFILE, &limit)
}

// setLimit sets a limit, whose type is not the same on all systems.
func setLimit[T int64 | uint64](limit *T, n int) { *limit = T(n) }

// outOfDescriptors starts processes until descriptors are used up, at every
// number of free ones, and looks for some that were lost.
func outOfDescriptors() {
	s, reports := collect()
	spec := &Spec{Path: "/bin/cat", Argv: []string{"cat"}, Umask: -1}
	start := func() Report { s.Start(1, spec); return <-reports }
	stop := func(st Started) {
		for _, fd := range []int{st.Stdin, st.Stdout, st.Stderr} {
			syscall.Close(fd)
		}
		<-reports
	}
	stop(start().(Started)) // opens what is opened once
	before := openDescriptors()
	seen := make(map[string]bool)
	for free := range 12 {
		if err := limitDescriptors(before + free); err != nil {
			fmt.Println(err)
			return
		}
		switch r := start().(type) {
		case Failed:
			seen[fmt.Sprintf("failed %s %v", r.Step, r.Errno)] = true
		case Started:
			seen["started"] = true
			stop(r)
		}
	}
	limitDescriptors(maxDescriptors)
	for _, what := range []string{"started", "failed pipe too many open files"} {
		fmt.Println(what, seen[what])
		delete(seen, what)
	}
	fmt.Println(seen, openDescriptors()-before)
}

func TestOutOfDescriptors(t *testing.T) {
	want := "started true\nfailed pipe too many open files true\nmap[] 0\n"
	if got := runRole(t, "descriptors", nil); got != want {
		t.Errorf("got %q, want %q", got, want)
	}
}

// ignoring has a process print which signals it ignores, while this one handles
// some.
func ignoring() {
	signal.Notify(make(chan os.Signal, 1), syscall.SIGUSR2, syscall.SIGTERM)
	s, reports := collect()
	for _, umask := range []int{-1, 0o022} {
		spec := shell(`trap '' WINCH; grep SigIgn /proc/$$/status`)
		spec.Umask = umask
		s.Start(1, spec)
		st := (<-reports).(Started)
		var b [256]byte
		out := os.NewFile(uintptr(st.Stdout), "stdout")
		n, _ := out.Read(b[:])
		fmt.Print(string(b[:n]))
		<-reports
	}
}

// withoutInternal clears the signals 32 and 33 in lines of masks. They belong to
// the C library; what it starts, such as the recipes of make, ignores them.
func withoutInternal(status string) string {
	return regexp.MustCompile(`(?m)^(Sig\w+:\t)(\w+)$`).ReplaceAllStringFunc(status, func(line string) string {
		name, mask, _ := strings.Cut(line, "\t")
		n, err := strconv.ParseUint(mask, 16, 64)
		if err != nil {
			return line
		}
		return fmt.Sprintf("%s\t%016x", name, n&^(1<<31|1<<32))
	})
}

// TestSignalDispositions has a parent that ignores SIGHUP start the copy: its
// children ignore that too, and nothing else; SIGPIPE in particular is not
// ignored.
func TestSignalDispositions(t *testing.T) {
	if _, err := os.Stat("/proc/self/status"); err != nil {
		t.Skip("needs /proc")
	}
	got := runRole(t, "ignoring", func(cmd *exec.Cmd) {
		cmd.Args = []string{"sh", "-c", `trap '' HUP; exec "$0"`, cmd.Path}
		cmd.Path = "/bin/sh"
	})
	mask := uint64(1)<<(syscall.SIGHUP-1) | 1<<(syscall.SIGWINCH-1)
	want := strings.Repeat(fmt.Sprintf("SigIgn:\t%016x\n", mask), 2)
	if got := withoutInternal(got); got != want {
		t.Errorf("got\n%swant\n%s", got, want)
	}
}
