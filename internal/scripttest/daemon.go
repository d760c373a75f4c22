package scripttest

import (
	"bytes"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"syscall"
	"time"

	"github.com/rogpeppe/go-internal/testscript"
)

// tail is how many bytes of the files of a daemon a failed script shows.
const tail = 8 << 10

var assignment = regexp.MustCompile(`^[A-Za-z_][A-Za-z0-9_]*=`)

// A daemon is a supervisord in the background. It has a session of its own, by
// which its children are found whatever they do to their environment.
type daemon struct {
	cmd  *exec.Cmd
	done chan struct{} // closed when it has ended
	err  error         // of Wait; to be read after done
}

// startDaemon starts supervisord in the background. Leading arguments of the
// form NAME=VALUE are added to its environment.
func startDaemon(ts *testscript.TestScript, args []string) {
	s := of(ts)
	if s.daemon != nil {
		ts.Fatalf("a supervisord runs in the background already")
	}
	path, err := exec.LookPath("supervisord")
	ts.Check(err)
	out, err := os.OpenFile(filepath.Join(s.work, "daemon.out"), os.O_CREATE|os.O_WRONLY|os.O_APPEND, 0o666)
	ts.Check(err)
	defer out.Close()

	environ := slices.Clone(s.environ)
	for len(args) > 0 && assignment.MatchString(args[0]) {
		environ = append(environ, args[0])
		args = args[1:]
	}
	cmd := exec.Command(path, args...)
	cmd.Dir = ts.MkAbs(".")
	cmd.Env = environ
	cmd.Stdout = out
	cmd.Stderr = out
	cmd.SysProcAttr = &syscall.SysProcAttr{Setsid: true}
	ts.Check(cmd.Start())
	d := &daemon{cmd: cmd, done: make(chan struct{})}
	go func() {
		d.err = cmd.Wait()
		close(d.done)
	}()
	s.daemon = d
}

// exited reports whether the daemon has ended.
func (d *daemon) exited() bool {
	select {
	case <-d.done:
		return true
	default:
		return false
	}
}

// wait waits until the daemon has ended and reports whether it did in time.
func (d *daemon) wait() bool {
	select {
	case <-d.done:
		return true
	case <-time.After(limit):
		return false
	}
}

// cmdWaitExit implements wait-exit.
func cmdWaitExit(ts *testscript.TestScript, neg bool, args []string) {
	want := 0
	if len(args) > 1 || neg {
		ts.Fatalf("usage: wait-exit [STATUS]")
	}
	if len(args) == 1 {
		var err error
		want, err = strconv.Atoi(args[0])
		ts.Check(err)
	}
	s := of(ts)
	if s.daemon == nil {
		ts.Fatalf("no supervisord runs in the background")
	}
	if !s.daemon.wait() {
		ts.Fatalf("supervisord did not end")
	}
	if got := s.daemon.cmd.ProcessState.ExitCode(); got != want {
		ts.Fatalf("supervisord: %s, want exit status %d", s.daemon.cmd.ProcessState, want)
	}
	sid := s.daemon.cmd.Process.Pid
	s.daemon = nil
	s.expectNone(sid)
}

// end ends what a script left running and makes sure that nothing is left.
func (s *script) end() {
	s.client.Close()
	sid := 0
	if d := s.daemon; d != nil {
		sid = d.cmd.Process.Pid
		if !d.exited() {
			d.cmd.Process.Signal(syscall.SIGTERM)
		}
		if !d.wait() {
			s.t.Errorf("supervisord did not end after SIGTERM")
			d.cmd.Process.Kill()
			d.wait()
		} else if d.err != nil {
			s.t.Errorf("supervisord: %v", d.err)
		}
		s.daemon = nil
	}
	for _, p := range s.processes(sid) {
		if strings.Contains(p.command, "supervisord") {
			syscall.Kill(p.pid, syscall.SIGTERM)
			until(func() bool { return !alive(p.pid) })
		}
	}
	s.expectNone(sid)
	if s.t.Failed() {
		s.show("daemon.out")
		s.show("supervisord.log")
	}
}

// expectNone fails the test, and kills them, when processes of the script or of
// the session sid go on running.
func (s *script) expectNone(sid int) {
	// One that was killed with its parent may take a moment to go.
	var left []process
	deadline := time.Now().Add(5 * time.Second)
	for {
		left = s.processes(sid)
		if len(left) == 0 || time.Now().After(deadline) {
			break
		}
		time.Sleep(20 * time.Millisecond)
	}
	for _, p := range left {
		s.t.Errorf("left behind: process %d: %s", p.pid, p.command)
		syscall.Kill(p.pid, syscall.SIGKILL)
	}
}

// show adds the end of a file to the log of the test.
func (s *script) show(name string) {
	data, err := os.ReadFile(filepath.Join(s.work, name))
	if err != nil {
		return
	}
	s.t.Logf("%s:\n%s", name, data[max(0, len(data)-tail):])
}

// A process is one that runs, as /proc shows it.
type process struct {
	pid     int
	command string
}

// processes returns the processes in the session sid and those that have the
// ID of the script in their environment, without zombies.
func (s *script) processes(sid int) []process {
	dirs, err := filepath.Glob("/proc/[0-9]*")
	if err != nil {
		return nil
	}
	mark := []byte("ID=" + s.id + "\x00")
	var found []process
	for _, dir := range dirs {
		pid, err := strconv.Atoi(filepath.Base(dir))
		if err != nil || pid == os.Getpid() {
			continue
		}
		state, session, ok := stat(pid)
		if !ok || state == "Z" || state == "X" {
			continue
		}
		env, _ := os.ReadFile(filepath.Join(dir, "environ"))
		if session == sid && sid != 0 || bytes.Contains(env, mark) {
			line, _ := os.ReadFile(filepath.Join(dir, "cmdline"))
			command := strings.TrimSpace(string(bytes.ReplaceAll(line, []byte{0}, []byte{' '})))
			found = append(found, process{pid: pid, command: command})
		}
	}
	return found
}

// stat returns the state and the session of a process.
func stat(pid int) (state string, session int, ok bool) {
	data, err := os.ReadFile(fmt.Sprintf("/proc/%d/stat", pid))
	if err != nil {
		return "", 0, false
	}
	// The name, in parentheses, may have any characters; see proc(5).
	fields := strings.Fields(string(data[bytes.LastIndexByte(data, ')')+1:]))
	if len(fields) < 4 {
		return "", 0, false
	}
	session, err = strconv.Atoi(fields[3])
	return fields[0], session, err == nil
}

// alive reports whether a process exists and is not a zombie.
func alive(pid int) bool {
	if err := syscall.Kill(pid, 0); errors.Is(err, syscall.ESRCH) {
		return false
	}
	state, _, ok := stat(pid)
	return !ok || !slices.Contains([]string{"Z", "X"}, state)
}
