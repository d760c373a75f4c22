package main

import (
	"bufio"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
	"testing"
)

// proxyVariable makes a copy of the test program pidproxy.
const proxyVariable = "PIDPROXY_TEST"

func TestMain(m *testing.M) {
	if os.Getenv(proxyVariable) != "" {
		os.Exit(run(os.Args))
	}
	os.Exit(m.Run())
}

// proxy returns a command that is pidproxy with these arguments.
func proxy(t *testing.T, args ...string) *exec.Cmd {
	t.Helper()
	exe, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	cmd := exec.Command(exe, args...)
	// The race detector would sleep at each exit.
	cmd.Env = append(os.Environ(), proxyVariable+"=1", "GORACE=atexit_sleep_ms=0")
	return cmd
}

func exitStatus(t *testing.T, err error) int {
	t.Helper()
	if err == nil {
		return 0
	}
	e, ok := err.(*exec.ExitError)
	if !ok {
		t.Fatal(err)
	}
	return e.ExitCode()
}

func TestUsage(t *testing.T) {
	for _, args := range [][]string{nil, {"only.pid"}} {
		cmd := proxy(t, args...)
		out, err := cmd.Output()
		if want := fmt.Sprintf(usage, cmd.Path); exitStatus(t, err) != exitUsage || string(out) != want {
			t.Errorf("%q: %v, output %q", args, err, out)
		}
	}
}

func TestCommandExits(t *testing.T) {
	out, err := proxy(t, "none", "/bin/sh", "-c", `echo "$0 $1"; exit 3`, "zero", "one").CombinedOutput()
	if exitStatus(t, err) != exitOK || string(out) != "zero one\n" {
		t.Errorf("%v, output %q", err, out)
	}
}

func TestCommandCannotBeStarted(t *testing.T) {
	// $PATH is not searched.
	out, err := proxy(t, "none", "sh", "-c", "exit 3").CombinedOutput()
	want := "pidproxy: can't start sh: no such file or directory\n"
	if exitStatus(t, err) != exitNotStarted || string(out) != want {
		t.Errorf("%v, output %q, want %q", err, out, want)
	}
}

// A proxied is a pidproxy whose command waits, and the lines that both write.
type proxied struct {
	t       *testing.T
	cmd     *exec.Cmd
	lines   *bufio.Scanner
	pidfile string
}

// startProxied starts a pidproxy. Its command tells its pid, and each signal that it
// gets, on standard output.
func startProxied(t *testing.T) (p *proxied, pid int) {
	t.Helper()
	p = &proxied{t: t, pidfile: filepath.Join(t.TempDir(), "pid")}
	p.cmd = proxy(t, p.pidfile, "/bin/sh", "-c", `for s in HUP USR1 USR2 TERM INT QUIT; do trap "echo $s" $s; done
		echo $$; while :; do sleep 1000 & wait; done`)
	p.cmd.SysProcAttr = &syscall.SysProcAttr{Setpgid: true}
	r, w, err := os.Pipe()
	if err != nil {
		t.Fatal(err)
	}
	p.cmd.Stdout, p.cmd.Stderr = w, w
	if err := p.cmd.Start(); err != nil {
		t.Fatal(err)
	}
	w.Close()
	t.Cleanup(func() {
		syscall.Kill(-p.cmd.Process.Pid, syscall.SIGKILL)
		p.cmd.Wait()
		r.Close()
	})
	p.lines = bufio.NewScanner(r)
	pid, err = strconv.Atoi(p.line())
	if err != nil {
		t.Fatal(err)
	}
	return p, pid
}

// line returns the next line of output.
func (p *proxied) line() string {
	p.t.Helper()
	if !p.lines.Scan() {
		p.t.Fatal("output ended")
	}
	return p.lines.Text()
}

func (p *proxied) writePidfile(content string) {
	p.t.Helper()
	if err := os.WriteFile(p.pidfile, []byte(content), 0o600); err != nil {
		p.t.Fatal(err)
	}
}

func (p *proxied) signal(sig syscall.Signal) {
	p.t.Helper()
	if err := p.cmd.Process.Signal(sig); err != nil {
		p.t.Fatal(err)
	}
}

func TestSignalsArePassedOn(t *testing.T) {
	p, pid := startProxied(t)
	p.writePidfile(fmt.Sprintf("  %d\n", pid))
	for name, sig := range map[string]syscall.Signal{"HUP": syscall.SIGHUP, "USR1": syscall.SIGUSR1, "USR2": syscall.SIGUSR2} {
		p.signal(sig)
		if got := p.line(); got != name {
			t.Errorf("the command got %q, want %s", got, name)
		}
	}
}

// TestStopSignalsEndTheProxy checks that the proxy ends when the process does
// that it sent a signal, which is not its own command here.
func TestStopSignalsEndTheProxy(t *testing.T) {
	for name, sig := range map[string]syscall.Signal{"TERM": syscall.SIGTERM, "INT": syscall.SIGINT, "QUIT": syscall.SIGQUIT} {
		p, _ := startProxied(t)
		other := exec.Command("/bin/sh", "-c", `trap 'echo stopping; read line; exit' TERM INT QUIT; echo ready; sleep 1000 & wait`)
		other.SysProcAttr = &syscall.SysProcAttr{Setpgid: true}
		stdin, err := other.StdinPipe()
		if err != nil {
			t.Fatal(err)
		}
		stdout, err := other.StdoutPipe()
		if err != nil {
			t.Fatal(err)
		}
		if err := other.Start(); err != nil {
			t.Fatal(err)
		}
		t.Cleanup(func() {
			syscall.Kill(-other.Process.Pid, syscall.SIGKILL)
			other.Wait()
		})
		lines := bufio.NewScanner(stdout)
		lines.Scan()

		p.writePidfile(strconv.Itoa(other.Process.Pid))
		p.signal(sig)
		if lines.Scan(); lines.Text() != "stopping" {
			t.Errorf("%s: the process said %q, want stopping", name, lines.Text())
		}
		// Both are at work still: signals go on being passed.
		p.signal(syscall.SIGCONT)
		if err := syscall.Kill(p.cmd.Process.Pid, 0); err != nil {
			t.Errorf("%s: the proxy has ended before the process: %v", name, err)
		}
		stdin.Close()
		if err := p.cmd.Wait(); exitStatus(t, err) != exitOK {
			t.Errorf("%s: %v", name, err)
		}
	}
}

func TestBadPidfile(t *testing.T) {
	p, pid := startProxied(t)
	want := "Can't read child pidfile " + p.pidfile + "!"
	for _, content := range []string{"", "junk", "0", "-1", "1.5", "99999999999", "\xff", strings.Repeat("1", 5000)} {
		p.writePidfile(content)
		p.signal(syscall.SIGTERM)
		if got := p.line(); got != want {
			t.Errorf("%q: output %q, want %q", content, got, want)
		}
	}
	os.Remove(p.pidfile)
	p.signal(syscall.SIGHUP)
	if got := p.line(); got != want {
		t.Errorf("output %q, want %q", got, want)
	}
	p.writePidfile(strconv.Itoa(pid)) // still at work
	p.signal(syscall.SIGUSR1)
	if got := p.line(); got != "USR1" {
		t.Errorf("the command got %q, want USR1", got)
	}
}

func TestStalePidfile(t *testing.T) {
	p, _ := startProxied(t)
	gone := exec.Command("/bin/true")
	if err := gone.Run(); err != nil {
		t.Fatal(err)
	}
	p.writePidfile(strconv.Itoa(gone.Process.Pid))
	p.signal(syscall.SIGHUP)
	want := fmt.Sprintf("pidproxy: can't signal pid %d: no such process", gone.Process.Pid)
	if got := p.line(); got != want {
		t.Errorf("output %q, want %q", got, want)
	}
	if err := p.cmd.Wait(); exitStatus(t, err) != exitKill {
		t.Errorf("%v, want exit status %d", err, exitKill)
	}
}

func FuzzReadPidfile(f *testing.F) {
	for _, content := range []string{"1\n", " 42 ", "", "junk", "-7", "0", "1_000", "٣", "\xff\xfe", "99999999999999999999"} {
		f.Add([]byte(content))
	}
	path := filepath.Join(f.TempDir(), "pid")
	f.Fuzz(func(t *testing.T, content []byte) {
		if err := os.WriteFile(path, content, 0o600); err != nil {
			t.Fatal(err)
		}
		if pid, ok := readPidfile(path); ok && (pid <= 0 || pid > 1<<31-1) || !ok && pid != 0 {
			t.Errorf("%q: pid %d, %v", content, pid, ok)
		}
	})
}
