package realtest

import (
	"bytes"
	"context"
	"fmt"
	"io"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"golang.org/x/sys/unix"

	"supervisord/internal/rpcclient"
	"supervisord/internal/testenv"
)

// limit is how long a test waits for what it waits for.
const limit = 2 * time.Minute

// testprog is the package of the program that the tests run.
const testprog = "./internal/realtest/testprog"

// containerConf runs as the first process of a container, with all logs on the
// standard output. @DIR@ is where the programs are.
const containerConf = `[supervisord]
logfile=/dev/null
logfile_maxbytes=0
pidfile=@RUN@/supervisord.pid

[unix_http_server]
file=@RUN@/s.sock

[supervisorctl]
serverurl=unix://@RUN@/s.sock

[rpcinterface:supervisor]
supervisor.rpcinterface_factory=supervisor.rpcinterface:make_main_rpcinterface

[program:server]
command=@DIR@/testprog serve
stdout_logfile=/dev/stdout
stdout_logfile_maxbytes=0
stderr_logfile=/dev/fd/1
stderr_logfile_maxbytes=0

[program:orphan]
command=@DIR@/testprog orphan
startsecs=0
autorestart=false
redirect_stderr=true
stdout_logfile=/dev/fd/1
stdout_logfile_maxbytes=0
`

// writeConf writes containerConf for programs in bin and files in run.
func writeConf(t *testing.T, file, bin, run string) {
	t.Helper()
	text := strings.NewReplacer("@DIR@", bin, "@RUN@", run).Replace(containerConf)
	if err := os.WriteFile(file, []byte(text), 0o644); err != nil {
		t.Fatal(err)
	}
}

// openTemp returns a temporary directory that other users may enter, too.
func openTemp(t *testing.T) string {
	t.Helper()
	dir, err := os.MkdirTemp("", "supervisord-pid1")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { os.RemoveAll(dir) })
	if err := os.Chmod(dir, 0o777); err != nil {
		t.Fatal(err)
	}
	return dir
}

// output collects what is written to a standard output and lets tests wait for
// it.
type output struct {
	mu      sync.Mutex
	buf     bytes.Buffer
	changed chan struct{} // closed and replaced with each change
}

func (o *output) Write(p []byte) (int, error) {
	o.mu.Lock()
	defer o.mu.Unlock()
	if o.changed != nil {
		close(o.changed)
		o.changed = nil
	}
	return o.buf.Write(p)
}

// text returns what has been written, and what is closed at the next change.
func (o *output) text() (string, <-chan struct{}) {
	o.mu.Lock()
	defer o.mu.Unlock()
	if o.changed == nil {
		o.changed = make(chan struct{})
	}
	return o.buf.String(), o.changed
}

// wait waits until the output has all the texts.
func (o *output) wait(t *testing.T, texts ...string) {
	t.Helper()
	o.waitCount(t, 1, texts...)
}

// waitCount waits until the output has each of the texts so many times.
func (o *output) waitCount(t *testing.T, count int, texts ...string) {
	t.Helper()
	timeout := time.After(limit)
	for {
		got, changed := o.text()
		missing := ""
		for _, text := range texts {
			if strings.Count(got, text) < count {
				missing = text
			}
		}
		if missing == "" {
			return
		}
		select {
		case <-changed:
		case <-timeout:
			t.Fatalf("no %q in the output:\n%s", missing, got)
		}
	}
}

// A stdout is one kind of standard output that a daemon may be given.
type stdout struct {
	name string
	// open returns the end for the daemon, and sends to out what is written
	// there until stop is called, after the daemon has ended.
	open func(t *testing.T, out *output) (file *os.File, stop func())
}

var stdouts = []stdout{
	{"pipe", openPipe},
	{"socket", openSocket},
	{"tty", openTTY},
	{"file", openFile},
}

// copyTo copies r to out in the background. The stop that it returns waits for
// the end of r.
func copyTo(out *output, r io.ReadCloser) (stop func()) {
	done := make(chan struct{})
	go func() {
		defer close(done)
		io.Copy(out, r)
	}()
	return func() {
		<-done
		r.Close()
	}
}

func openPipe(t *testing.T, out *output) (*os.File, func()) {
	r, w, err := os.Pipe()
	if err != nil {
		t.Fatal(err)
	}
	return w, copyTo(out, r)
}

func openSocket(t *testing.T, out *output) (*os.File, func()) {
	fds, err := unix.Socketpair(unix.AF_UNIX, unix.SOCK_STREAM|unix.SOCK_CLOEXEC, 0)
	if err != nil {
		t.Fatal(err)
	}
	ours := os.NewFile(uintptr(fds[0]), "socket")
	conn, err := net.FileConn(ours)
	ours.Close()
	if err != nil {
		t.Fatal(err)
	}
	return os.NewFile(uintptr(fds[1]), "socket"), copyTo(out, conn)
}

// openTTY makes a pseudo terminal; reading from it fails with EIO when the last
// process has closed the other side.
func openTTY(t *testing.T, out *output) (*os.File, func()) {
	pty, err := os.OpenFile("/dev/ptmx", os.O_RDWR|unix.O_NOCTTY, 0)
	if err != nil {
		t.Fatal(err)
	}
	n, err := unix.IoctlGetInt(int(pty.Fd()), unix.TIOCGPTN)
	if err != nil {
		t.Fatal(err)
	}
	if err := unix.IoctlSetPointerInt(int(pty.Fd()), unix.TIOCSPTLCK, 0); err != nil {
		t.Fatal(err)
	}
	tty, err := os.OpenFile(fmt.Sprintf("/dev/pts/%d", n), os.O_RDWR|unix.O_NOCTTY, 0)
	if err != nil {
		t.Fatal(err)
	}
	return tty, copyTo(out, pty)
}

// openFile follows a file that grows, as tail -f does.
func openFile(t *testing.T, out *output) (*os.File, func()) {
	w, err := os.Create(filepath.Join(openTemp(t), "stdout"))
	if err != nil {
		t.Fatal(err)
	}
	r, err := os.Open(w.Name())
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(context.Background())
	done := make(chan struct{})
	go func() {
		defer close(done)
		for ctx.Err() == nil {
			io.Copy(out, r)
			time.Sleep(10 * time.Millisecond)
		}
		io.Copy(out, r)
	}()
	return w, func() {
		cancel()
		<-done
		r.Close()
	}
}

// TestStdout gives the daemon each kind of standard output, as root and as
// another user, who may not open all of them by their names in /dev.
func TestStdout(t *testing.T) {
	if testenv.Reference() {
		t.Skip("the Python implementation cannot do most of this")
	}
	testenv.Programs(t)
	bin := openTemp(t)
	if err := testenv.BuildStatic(bin, testprog); err != nil {
		t.Fatal(err)
	}
	// All copying is done before the first daemon is started: a program that is
	// still open for writing in a process that was just forked cannot be run.
	path := programFor(t, bin, "supervisord")
	for _, user := range []string{"root", "nobody"} {
		for _, kind := range stdouts {
			t.Run(user+"/"+kind.name, func(t *testing.T) {
				t.Parallel()
				if user == "root" {
					testenv.NeedRoot(t)
				}
				runDaemon(t, path, bin, kind, user == "nobody")
			})
		}
	}
}

func runDaemon(t *testing.T, path, bin string, kind stdout, asNobody bool) {
	run := openTemp(t)
	conf := filepath.Join(run, "supervisord.conf")
	writeConf(t, conf, bin, run)

	out := new(output)
	file, stop := kind.open(t, out)
	cmd := exec.Command(path, "-n", "-c", conf)
	cmd.Dir = run
	cmd.Stdout = file
	cmd.Stderr = file
	cmd.SysProcAttr = &syscall.SysProcAttr{Setsid: true}
	if asNobody && os.Getuid() == 0 {
		cmd.SysProcAttr.Credential = &syscall.Credential{Uid: 65534, Gid: 65534}
	}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	file.Close()
	end := endOnce(t, cmd)

	out.wait(t, "ready", "error", "orphan ", "success: server entered RUNNING state", "exited: orphan (exit status 0; expected)")
	end()
	stop()
	out.wait(t, "bye", "stopped: server (exit status 0)")
}

// programFor copies a program to dir, where every user can run it.
func programFor(t *testing.T, dir, name string) string {
	t.Helper()
	path, err := exec.LookPath(name)
	if err != nil {
		t.Fatal(err)
	}
	if testenv.Reference() {
		return path
	}
	// A link cannot be: the original is in a directory of the owner alone.
	data, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	copied := filepath.Join(dir, name)
	if err := os.WriteFile(copied, data, 0o755); err != nil {
		t.Fatal(err)
	}
	return copied
}

// endOnce returns a function that ends the daemon with SIGTERM and checks its
// status. It is called at the end of the test if it was not before.
func endOnce(t *testing.T, cmd *exec.Cmd) func() {
	end := sync.OnceFunc(func() {
		timer := time.AfterFunc(limit, func() { cmd.Process.Kill() })
		defer timer.Stop()
		cmd.Process.Signal(syscall.SIGTERM)
		if err := cmd.Wait(); err != nil {
			t.Errorf("supervisord: %v", err)
		}
	})
	t.Cleanup(end)
	return end
}

// needPIDNamespace skips the test where no PID namespace can be made.
func needPIDNamespace(t *testing.T) {
	t.Helper()
	testenv.NeedRoot(t)
	testenv.NeedProgram(t, "unshare", "util-linux")
	if out, err := exec.Command("unshare", "--pid", "--fork", "--mount-proc", "true").CombinedOutput(); err != nil {
		t.Skipf("no PID namespace can be made here: %v: %s", err, out)
	}
}

// TestPID1 runs the daemon as the first process of a PID namespace, where it
// inherits the orphans.
func TestPID1(t *testing.T) {
	needPIDNamespace(t)
	testenv.Programs(t)
	bin, run := openTemp(t), openTemp(t)
	if err := testenv.BuildStatic(bin, testprog); err != nil {
		t.Fatal(err)
	}
	conf := filepath.Join(run, "supervisord.conf")
	writeConf(t, conf, bin, run)

	out := new(output)
	cmd := exec.Command("unshare", "--pid", "--fork", "--mount-proc", "--kill-child", "supervisord", "-n", "-c", conf)
	cmd.Stdout = out
	cmd.Stderr = out
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	ended := make(chan error, 1)
	go func() { ended <- cmd.Wait() }()
	t.Cleanup(func() { cmd.Process.Kill() })

	out.wait(t, "supervisord started with pid 1\n", "ready", "error", "success: server entered RUNNING state")
	// The number that testprog gave is the one that is reaped.
	out.wait(t, "\norphan ", "reaped unknown pid ")
	text, _ := out.text()
	pid := regexp.MustCompile(`(?m)^orphan (\d+)`).FindStringSubmatch(text)
	if pid == nil {
		t.Fatalf("no orphan in the output:\n%s", text)
	}
	out.wait(t, "reaped unknown pid "+pid[1]+" (exit status 0)")

	client, err := rpcclient.New(rpcclient.Options{ServerURL: "unix://" + filepath.Join(run, "s.sock")})
	if err != nil {
		t.Fatal(err)
	}
	defer client.Close()
	ctx, cancel := context.WithTimeout(t.Context(), limit)
	defer cancel()
	if err := client.Shutdown(ctx); err != nil {
		t.Fatal(err)
	}
	select {
	case err := <-ended:
		if err != nil {
			t.Errorf("supervisord as PID 1: %v", err)
		}
	case <-ctx.Done():
		t.Fatal("supervisord as PID 1 did not end")
	}
	out.wait(t, "bye", "stopped: server (exit status 0)")
}
