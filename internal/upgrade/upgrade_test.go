//go:build linux

package upgrade

import (
	"errors"
	"fmt"
	"os"
	"os/exec"
	"os/signal"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"unsafe"
)

// The test binary is also the programs that take the place of each other: with
// stageEnv in the environment it is the one of that name.
const stageEnv = "UPGRADE_TEST_STAGE"

func TestMain(m *testing.M) {
	if stage := os.Getenv(stageEnv); stage != "" {
		if err := play(stage); err != nil {
			fmt.Println("error:", err)
			os.Exit(1)
		}
		os.Exit(0)
	}
	os.Exit(m.Run())
}

// sample is a state.
type sample struct {
	Version int
	Stage   string
	FD      int
	Text    string
}

// play is what the programs do. Each says on standard output what it finds.
func play(stage string) error {
	h := Inherited()
	if _, ok := os.LookupEnv(stateVariable); ok {
		return errors.New("the environment still tells of the state")
	}
	if h == nil {
		return begin(stage)
	}
	var s sample
	if err := Read(h.State, &s); err != nil {
		return err
	}
	fmt.Printf("%s after %s, signals %v, pid %d\n", stage, s.Stage, h.Signals, os.Getpid())
	if stage == "refuses" && s.Stage == "refuses" {
		// It is the program before it, too: the second time it goes on.
		if h.before < 0 {
			fmt.Println("it was given back")
			return nil
		}
		fmt.Println("it gives back")
		return h.GiveBack()
	}
	if text, err := os.ReadFile("/proc/self/fd/" + strconv.Itoa(s.FD)); err != nil || string(text) != "kept" {
		return fmt.Errorf("the descriptor that was kept: %q, %w", text, err)
	}
	h.Close()
	if err := syscall.Close(s.FD); err != nil {
		return err
	}
	for _, fd := range []int{int(s.FD), h.before} {
		if fd >= 0 && syscall.Close(fd) != syscall.EBADF {
			return fmt.Errorf("descriptor %d is open", fd)
		}
	}
	// Signals are delivered to who asks for them.
	got := make(chan os.Signal, 1)
	signal.Notify(got, syscall.SIGTERM)
	if err := syscall.Kill(os.Getpid(), syscall.SIGTERM); err != nil {
		return err
	}
	fmt.Println("got", <-got)
	return nil
}

// begin is the first program.
func begin(stage string) error {
	kept, err := os.CreateTemp("", "kept")
	if err != nil {
		return err
	}
	defer os.Remove(kept.Name())
	if _, err := kept.WriteString("kept"); err != nil {
		return err
	}
	lost, err := os.Open("/dev/null")
	if err != nil {
		return err
	}
	s := sample{Version: 7, Stage: stage, FD: int(kept.Fd()), Text: "\x00 ü"}
	state, err := Write(s)
	if err != nil {
		return err
	}
	last := func() []syscall.Signal {
		if !isBlocked() {
			return nil
		}
		return []syscall.Signal{syscall.SIGUSR2, syscall.SIGINT}
	}
	program := "/proc/self/exe"
	if stage == "fails" {
		program = "/nonexistent"
	}
	got := make(chan os.Signal, 1)
	signal.Notify(got, syscall.SIGTERM)
	err = Exec(program, os.Args, state, []int{int(kept.Fd())}, last)
	fmt.Println("not executed:", err)
	fmt.Println("blocked:", isBlocked())
	// Everything is as before: nothing is inherited, signals come.
	for _, f := range []*os.File{kept, lost, state} {
		flags, err := fcntl(f.Fd(), syscall.F_GETFD)
		if err != nil || flags&syscall.FD_CLOEXEC == 0 {
			return fmt.Errorf("%s would be inherited (%x, %w)", f.Name(), flags, err)
		}
	}
	if err := syscall.Kill(os.Getpid(), syscall.SIGTERM); err != nil {
		return err
	}
	fmt.Println("got", <-got)
	return nil
}

// isBlocked reports whether the signals are, in this thread. It asks in such a way
// that the runtime starts no other thread meanwhile.
func isBlocked() bool {
	var now, want uint64
	const size = 8
	if _, _, errno := syscall.RawSyscall6(syscall.SYS_RT_SIGPROCMASK, 0, 0, uintptr(unsafe.Pointer(&now)), size, 0, 0); errno != 0 {
		return false
	}
	for _, s := range Signals {
		want |= 1 << (s - 1)
	}
	return now&want == want
}

func fcntl(fd uintptr, cmd int) (int, error) {
	n, _, errno := syscall.Syscall(syscall.SYS_FCNTL, fd, uintptr(cmd), 0)
	if errno != 0 {
		return 0, errno
	}
	return int(n), nil
}

func TestExec(t *testing.T) {
	tests := []struct{ stage, want string }{
		{"goes", "goes after goes, signals [user defined signal 2 interrupt], pid PID\ngot terminated\n"},
		{"refuses", "refuses after refuses, signals [user defined signal 2 interrupt], pid PID\nit gives back\n" +
			"refuses after refuses, signals [user defined signal 2 interrupt], pid PID\nit was given back\n"},
		{"fails", "not executed: execute /nonexistent: no such file or directory\nblocked: false\ngot terminated\n"},
	}
	for _, tt := range tests {
		t.Run(tt.stage, func(t *testing.T) {
			cmd := exec.Command("/proc/self/exe")
			cmd.Env = append(os.Environ(), stageEnv+"="+tt.stage)
			out, err := cmd.CombinedOutput()
			if err != nil {
				t.Fatalf("%v\n%s", err, out)
			}
			if got := strings.ReplaceAll(string(out), "pid "+strconv.Itoa(cmd.Process.Pid), "pid PID"); got != tt.want {
				t.Errorf("got\n%swant\n%s", got, tt.want)
			}
		})
	}
}

func TestInherited(t *testing.T) {
	tests := []struct {
		name, value string
		want        *Handover // without its file; nil for none
	}{
		{"empty", "", nil},
		{"one number", "1005", nil},
		{"no numbers", "1005 x", nil},
		{"a signal that is none", "1005 1006 SIGHUP", nil},
		{"no signals", "1005 1006", &Handover{before: 1006}},
		{"no program before", "1005 -1", &Handover{before: -1}},
		{"signals", "1005 1006 1 15", &Handover{before: 1006, Signals: []syscall.Signal{syscall.SIGHUP, syscall.SIGTERM}}},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Setenv(stateVariable, tt.value)
			h := Inherited()
			if _, ok := os.LookupEnv(stateVariable); ok {
				t.Error("the variable is still there")
			}
			if (h == nil) != (tt.want == nil) {
				t.Fatalf("%+v", h)
			}
			if h != nil && (h.before != tt.want.before || fmt.Sprint(h.Signals) != fmt.Sprint(tt.want.Signals)) {
				t.Errorf("%+v, want %+v", h, tt.want)
			}
		})
	}
	if err := os.Unsetenv(stateVariable); err != nil {
		t.Fatal(err)
	}
	if h := Inherited(); h != nil {
		t.Errorf("nothing was handed over, and there is %+v", h)
	}
	if err := (&Handover{before: -1}).GiveBack(); err == nil {
		t.Error("it was given back to nobody")
	}
}

func TestState(t *testing.T) {
	s := sample{Version: 3, Text: "\x00 ü <&> \u2028"}
	f, err := Write(s)
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	for range 2 { // Reading does not move anything.
		var got sample
		if err := Read(f, &got); err != nil || got != s {
			t.Errorf("%+v, %v", got, err)
		}
		if v, err := ReadVersion(f); err != nil || v != 3 {
			t.Errorf("version %d, %v", v, err)
		}
	}
	var less struct{ Version int }
	if err := Read(f, &less); err == nil || !strings.Contains(err.Error(), "unknown field") {
		t.Errorf("a part that is not known: %v", err)
	}
	if _, err := Write(sample{Text: "\xff"}); err == nil || !strings.Contains(err.Error(), "not UTF-8") {
		t.Errorf("what is no text: %v", err)
	}
	if _, err := Write(make(chan int)); err == nil {
		t.Error("a channel was written")
	}
	empty, err := os.Open(os.DevNull)
	if err != nil {
		t.Fatal(err)
	}
	defer empty.Close()
	if err := Read(empty, &s); err == nil {
		t.Error("nothing was read")
	}
	if _, err := ReadVersion(empty); err == nil {
		t.Error("nothing has a version")
	}
}

func TestCheck(t *testing.T) {
	if _, ok := Checking(); ok {
		t.Error("nobody asks")
	}
	var value string
	for _, v := range CheckEnv("prefix") {
		if name, rest, _ := strings.Cut(v, "="); name == checkVariable {
			value = rest
		}
	}
	t.Setenv(checkVariable, value)
	prefix, ok := Checking()
	if !ok || prefix != "prefix" {
		t.Errorf("%q, %t", prefix, ok)
	}
	if _, ok := Checking(); ok {
		t.Error("it is asked twice")
	}
	tests := []struct {
		answer, version string
		ok              bool
	}{
		{Answer("prefix", "v1.2"), "v1.2", true},
		{"prefix v1.2 more", "v1.2 more", true},
		{"prefix", "", false},
		{"prefixv1.2", "", false},
		{"other v1.2", "", false},
		{"", "", false},
	}
	for _, tt := range tests {
		if version, ok := Agrees(tt.answer, "prefix"); ok != tt.ok || ok && version != tt.version {
			t.Errorf("%q: %q, %t", tt.answer, version, ok)
		}
	}
}
