package faulttest

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"supervisord/internal/rpcclient"
	"supervisord/internal/testenv"
)

// limit is how long a test waits for what it waits for.
const limit = time.Minute

// soak multiplies how often things are tried.
var soak = flag.Int("soak", 1, "try this many times as often")

func TestMain(m *testing.M) { testenv.Main(m) }

// A rig is a daemon in a directory of its own.
type rig struct {
	t    *testing.T
	dir  string
	conf string
	cmd  *exec.Cmd
	out  *output // standard output and error: the activity log
	done chan struct{}
	err  error // of the daemon's end; to be read after done
	*rpcclient.Client
}

// A start says how to start a daemon.
type start struct {
	// main is added to [supervisord], programs stand behind it.
	main, programs string
	// wrapper is the command that runs the daemon, empty for none.
	wrapper []string
	// uid, if not 0, is the user who runs it.
	uid uint32
	// dir is used in place of a new directory.
	dir string
	// env is added to the environment, files are inherited from descriptor 3 on.
	env   []string
	files []*os.File
}

// write writes the configuration. {dir} in it stands for the directory.
func (r *rig) write(s start) {
	r.t.Helper()
	text := "[supervisord]\nnodaemon=true\nlogfile={dir}/supervisord.log\npidfile={dir}/pid\n" +
		"childlogdir={dir}\nminfds=1\nminprocs=1\n" + s.main +
		"\n[unix_http_server]\nfile={dir}/s.sock\n[supervisorctl]\nserverurl=unix://{dir}/s.sock\n" +
		"[rpcinterface:supervisor]\nsupervisor.rpcinterface_factory=supervisor.rpcinterface:make_main_rpcinterface\n" + s.programs
	if err := os.WriteFile(r.conf, []byte(strings.ReplaceAll(text, "{dir}", r.dir)), 0o644); err != nil {
		r.t.Fatal(err)
	}
}

// run starts a daemon and waits until it answers.
func run(t *testing.T, s start) *rig {
	t.Helper()
	r := newRig(t, s)
	r.launch(s)
	return r
}

func newRig(t *testing.T, s start) *rig {
	t.Helper()
	testenv.Programs(t)
	if testenv.Reference() {
		t.Skip("the faults are those that this implementation is to survive")
	}
	r := &rig{t: t, dir: s.dir}
	if r.dir == "" {
		r.dir = openTemp(t)
	}
	r.conf = filepath.Join(r.dir, "supervisord.conf")
	r.write(s)
	client, err := rpcclient.New(rpcclient.Options{ServerURL: "unix://" + filepath.Join(r.dir, "s.sock")})
	if err != nil {
		t.Fatal(err)
	}
	r.Client = client
	t.Cleanup(client.Close)
	return r
}

// launch starts the daemon and waits until it is up.
func (r *rig) launch(s start) {
	r.t.Helper()
	r.begin(s)
	r.out.wait(r.t, `supervisord started with pid|could not write pidfile`)
	r.alive()
}

// begin starts the daemon.
func (r *rig) begin(s start) {
	r.t.Helper()
	path, err := exec.LookPath("supervisord")
	if err != nil {
		r.t.Fatal(err)
	}
	if s.uid != 0 {
		path = copied(r.t, path, r.dir)
	}
	args := append(append([]string{}, s.wrapper...), path, "-c", r.conf)
	r.out = new(output)
	r.cmd = exec.Command(args[0], args[1:]...)
	r.cmd.Dir = r.dir
	r.cmd.Stdout, r.cmd.Stderr = r.out, r.out
	r.cmd.Env, r.cmd.ExtraFiles = append(os.Environ(), s.env...), s.files
	// What holds the pipe open longer than the daemon is not waited for.
	r.cmd.WaitDelay = time.Second
	r.cmd.SysProcAttr = &syscall.SysProcAttr{Setsid: true}
	if s.uid != 0 {
		r.cmd.SysProcAttr.Credential = &syscall.Credential{Uid: s.uid, Gid: s.uid}
	}
	if err := r.cmd.Start(); err != nil {
		r.t.Fatal(err)
	}
	done, cmd := make(chan struct{}), r.cmd
	r.done = done
	go func() {
		r.err = cmd.Wait()
		close(done)
	}()
	r.t.Cleanup(func() {
		select {
		case <-done:
		default:
			if r.cmd == cmd {
				r.end()
			}
		}
		if r.t.Failed() {
			text, _ := r.out.text()
			r.t.Logf("activity log:\n%s", text[max(0, len(text)-3<<10):])
		}
	})
}

// end ends the daemon, which must do so in peace.
func (r *rig) end() {
	r.t.Helper()
	r.cmd.Process.Signal(syscall.SIGTERM)
	select {
	case <-r.done:
	case <-time.After(limit):
		r.cmd.Process.Signal(syscall.SIGQUIT)
		r.cmd.Process.Kill()
		<-r.done
		r.t.Errorf("supervisord did not end")
	}
	if r.err != nil && !errors.Is(r.err, exec.ErrWaitDelay) {
		r.t.Errorf("supervisord: %v", r.err)
	}
	if text, _ := r.out.text(); strings.Contains(text, "DATA RACE") || strings.Contains(text, "CRIT bug:") {
		r.t.Errorf("supervisord has a defect")
	}
}

// kill ends the daemon at once.
func (r *rig) kill() {
	r.t.Helper()
	if err := r.cmd.Process.Kill(); err != nil {
		r.t.Fatal(err)
	}
	<-r.done
}

// ctx returns a context that ends with the test, or at the limit.
func (r *rig) ctx() context.Context {
	ctx, cancel := context.WithTimeout(context.Background(), limit)
	r.t.Cleanup(cancel)
	return ctx
}

// alive fails the test unless the daemon answers.
func (r *rig) alive() {
	r.t.Helper()
	if state, err := r.State(r.ctx()); err != nil || state.Name != "RUNNING" {
		r.t.Fatalf("state %q, %v", state.Name, err)
	}
}

// state fails the test unless the process is in the state.
func (r *rig) state(name, want string) {
	r.t.Helper()
	if info, err := r.ProcessInfo(r.ctx(), name); err != nil || info.StateName != want {
		r.t.Errorf("%s is %s, want %s; %v", name, info.StateName, want, err)
	}
}

func (r *rig) pid(name string) int {
	r.t.Helper()
	info, err := r.ProcessInfo(r.ctx(), name)
	if err != nil || info.PID == 0 {
		r.t.Fatalf("%s has no pid: %v", name, err)
	}
	return info.PID
}

func (r *rig) signal(sig syscall.Signal) {
	r.t.Helper()
	if err := r.cmd.Process.Signal(sig); err != nil {
		r.t.Fatal(err)
	}
}

func (r *rig) path(name string) string { return filepath.Join(r.dir, name) }

func (r *rig) read(name string) string {
	r.t.Helper()
	data, err := os.ReadFile(r.path(name))
	if err != nil && !os.IsNotExist(err) {
		r.t.Fatal(err)
	}
	return string(data)
}

// openTemp returns a temporary directory that other users may use, too.
func openTemp(t *testing.T) string {
	t.Helper()
	dir, err := os.MkdirTemp("", "supervisord-fault")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := os.RemoveAll(dir); err != nil {
			t.Error(err)
		}
	})
	if err := os.Chmod(dir, 0o777); err != nil {
		t.Fatal(err)
	}
	return dir
}

// copied copies a program to where every user can run it.
func copied(t *testing.T, path, dir string) string {
	t.Helper()
	from, err := os.Open(path)
	if err != nil {
		t.Fatal(err)
	}
	defer from.Close()
	// A child that another test forks meanwhile has the copy open for writing, too,
	// for a moment, in which nobody could execute it.
	syscall.ForkLock.RLock()
	defer syscall.ForkLock.RUnlock()
	to, err := os.OpenFile(filepath.Join(dir, filepath.Base(path)), os.O_CREATE|os.O_WRONLY|os.O_TRUNC, 0o755)
	if err != nil {
		t.Fatal(err)
	}
	_, err = io.Copy(to, from)
	if err := errors.Join(err, to.Close()); err != nil {
		t.Fatal(err)
	}
	return to.Name()
}

// maxOutput limits what is kept of an output: when it is exceeded the first half
// goes.
const maxOutput = 64 << 20

// output collects what is written and lets tests wait for it.
type output struct {
	mu      sync.Mutex
	buf     []byte
	changed chan struct{} // closed and replaced with each change
}

func (o *output) Write(p []byte) (int, error) {
	o.mu.Lock()
	defer o.mu.Unlock()
	if o.changed != nil {
		close(o.changed)
		o.changed = nil
	}
	o.buf = append(o.buf, p...)
	if len(o.buf) > maxOutput {
		o.buf = append([]byte(nil), o.buf[maxOutput/2:]...)
	}
	return len(p), nil
}

// text returns what has been written, and what is closed at the next change.
func (o *output) text() (string, <-chan struct{}) {
	o.mu.Lock()
	defer o.mu.Unlock()
	if o.changed == nil {
		o.changed = make(chan struct{})
	}
	return string(o.buf), o.changed
}

// wait waits until there is a match, and returns the first with its groups.
func (o *output) wait(t *testing.T, pattern string) []string {
	t.Helper()
	return o.waitN(t, pattern, 1)[0]
}

// waitN waits until there are n matches, and returns them.
func (o *output) waitN(t *testing.T, pattern string, n int) [][]string {
	t.Helper()
	re := regexp.MustCompile("(?m)" + pattern)
	timeout := time.After(limit)
	for {
		text, changed := o.text()
		matches := re.FindAllStringSubmatch(text, n)
		if len(matches) == n {
			return matches
		}
		select {
		case <-changed:
		case <-timeout:
			t.Fatalf("%d matches of %s, want %d", len(matches), pattern, n)
		}
	}
}

// count returns the number of matches so far.
func (o *output) count(pattern string) int {
	text, _ := o.text()
	return len(regexp.MustCompile("(?m)"+pattern).FindAllString(text, -1))
}

// mountTmpfs mounts a file system of a size in bytes on a new directory.
func mountTmpfs(t *testing.T, dir string, size int) {
	t.Helper()
	testenv.NeedRoot(t)
	if err := os.Mkdir(dir, 0o777); err != nil {
		t.Fatal(err)
	}
	if err := syscall.Mount("tmpfs", dir, "tmpfs", 0, fmt.Sprintf("size=%d,mode=777", size)); err != nil {
		t.Skipf("no file system can be mounted here: %v", err)
	}
	t.Cleanup(func() { syscall.Unmount(dir, syscall.MNT_DETACH) })
}
