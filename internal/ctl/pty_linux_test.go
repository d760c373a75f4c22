package ctl

import (
	"fmt"
	"os"
	"os/exec"
	"regexp"
	"sync"
	"syscall"
	"testing"
	"time"

	"golang.org/x/sys/unix"

	"supervisord/internal/testenv"
)

// terminal is a supervisorctl on a pseudo-terminal, as a person has it before
// them.
type terminal struct {
	t      *testing.T
	master *os.File
	cmd    *exec.Cmd

	mu     sync.Mutex
	more   *sync.Cond
	text   string // everything on the screen, without control sequences
	raw    string
	at     int // where the next expect starts
	closed bool
}

// giveUp is after how long what a test waits for is never going to happen.
const giveUp = time.Minute

// controlSequences are what a terminal obeys instead of showing it.
var controlSequences = regexp.MustCompile("\x1b\\[[0-9;?]*[a-zA-Z]|\x07")

// openPTY opens a pseudo-terminal of the given size.
func openPTY(t *testing.T, columns uint16) (master, slave *os.File) {
	t.Helper()
	master, err := os.OpenFile("/dev/ptmx", os.O_RDWR|unix.O_NOCTTY, 0)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { master.Close() })
	if err := unix.IoctlSetPointerInt(int(master.Fd()), unix.TIOCSPTLCK, 0); err != nil {
		t.Fatal(err)
	}
	n, err := unix.IoctlGetInt(int(master.Fd()), unix.TIOCGPTN)
	if err != nil {
		t.Fatal(err)
	}
	slave, err = os.OpenFile(fmt.Sprintf("/dev/pts/%d", n), os.O_RDWR|unix.O_NOCTTY, 0)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { slave.Close() })
	if err := unix.IoctlSetWinsize(int(slave.Fd()), unix.TIOCSWINSZ, &unix.Winsize{Row: 40, Col: columns}); err != nil {
		t.Fatal(err)
	}
	return master, slave
}

// onTerminal starts a supervisorctl with the given value of TERM.
func (s testSettings) onTerminal(t *testing.T, term string, args ...string) *terminal {
	t.Helper()
	master, slave := openPTY(t, 100)
	cmd := s.command(t, args...)
	cmd.Env = append(cmd.Env, "TERM="+term)
	cmd.Stdin, cmd.Stdout, cmd.Stderr = slave, slave, slave
	cmd.SysProcAttr = &syscall.SysProcAttr{Setsid: true, Setctty: true}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	slave.Close()
	return watch(t, master, cmd)
}

// underScript starts a supervisorctl by a shell that controls jobs: when that
// is stopped, the script says so, waits for a line and lets it go on.
func (s testSettings) underScript(t *testing.T) *terminal {
	t.Helper()
	testenv.NeedProgram(t, "bash", "bash")
	master, slave := openPTY(t, 100)
	inner := s.command(t)
	cmd := exec.CommandContext(t.Context(), "bash", "--norc", "-c", "set -m; \"$0\"; echo script goes on; read; fg >/dev/null", inner.Path)
	cmd.Env = inner.Env
	cmd.Stdin, cmd.Stdout, cmd.Stderr = slave, slave, slave
	cmd.SysProcAttr = &syscall.SysProcAttr{Setsid: true, Setctty: true}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	slave.Close()
	return watch(t, master, cmd)
}

// watch returns the terminal of a program that has been started.
func watch(t *testing.T, master *os.File, cmd *exec.Cmd) *terminal {
	x := &terminal{t: t, master: master, cmd: cmd}
	x.more = sync.NewCond(&x.mu)
	go x.read()
	return x
}

func (x *terminal) read() {
	buf := make([]byte, 4096)
	for {
		n, err := x.master.Read(buf)
		x.mu.Lock()
		x.raw += string(buf[:n])
		x.text = controlSequences.ReplaceAllString(x.raw, "")
		x.closed = err != nil
		x.more.Broadcast()
		x.mu.Unlock()
		if err != nil {
			return
		}
	}
}

// expect waits until the screen shows the pattern after what was expected
// last. It fails the test if the program ends first.
func (x *terminal) expect(pattern string) {
	x.t.Helper()
	re := regexp.MustCompile(pattern)
	late := time.AfterFunc(giveUp, func() {
		x.mu.Lock()
		defer x.mu.Unlock()
		x.closed = true
		x.more.Broadcast()
	})
	defer late.Stop()
	x.mu.Lock()
	defer x.mu.Unlock()
	for {
		if loc := re.FindStringIndex(x.text[min(x.at, len(x.text)):]); loc != nil {
			x.at += loc[1]
			return
		}
		if x.closed {
			x.t.Fatalf("%q is not shown; after %q comes %q", pattern, x.text[:x.at], x.text[x.at:])
		}
		x.more.Wait()
	}
}

// send types text.
func (x *terminal) send(text string) {
	x.t.Helper()
	if _, err := x.master.WriteString(text); err != nil {
		x.t.Fatal(err)
	}
}

// screen returns everything that was shown, with control sequences.
func (x *terminal) screen() string {
	x.mu.Lock()
	defer x.mu.Unlock()
	return x.raw
}

// wait waits for the program to end and for everything that it has shown.
func (x *terminal) wait() {
	_ = x.cmd.Wait()
	x.mu.Lock()
	defer x.mu.Unlock()
	for !x.closed {
		x.more.Wait()
	}
}

// exit waits for the program to end and checks its exit status.
func (x *terminal) exit(want int) {
	x.t.Helper()
	late := time.AfterFunc(giveUp, func() { _ = x.cmd.Process.Kill() })
	defer late.Stop()
	x.wait()
	if got := x.cmd.ProcessState.ExitCode(); got != want {
		x.t.Errorf("exit status %d, want %d; on the screen: %q", got, want, x.screen())
	}
}

// flags returns the local modes of the terminal.
func (x *terminal) flags() uint32 {
	x.t.Helper()
	t, err := unix.IoctlGetTermios(int(x.master.Fd()), unix.TCGETS)
	if err != nil {
		x.t.Fatal(err)
	}
	return t.Lflag
}

// terminals are the two kinds of terminals that are told apart.
var terminals = []string{"xterm", "dumb"}

// prompt is the pattern of a prompt at which nothing was typed.
const prompt = `\r?supervisor> $`

// onEach runs a test on each kind of terminal.
func onEach(t *testing.T, test func(t *testing.T, term string)) {
	for _, term := range terminals {
		t.Run(term, func(t *testing.T) { test(t, term) })
	}
}
