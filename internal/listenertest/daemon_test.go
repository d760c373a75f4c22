package listenertest

import (
	"bufio"
	"context"
	"errors"
	"flag"
	"fmt"
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

// original is the daemon of the Python implementation.
const original = "/usr/bin/supervisord"

var (
	anyPID  = regexp.MustCompile(`pid:[1-9]\d*`)
	logLine = regexp.MustCompile(`^\S+ \S+ (CRIT|ERRO|WARN|INFO|DEBG) (.*)$`)
)

func TestMain(m *testing.M) {
	if socket := os.Getenv(socketVar); socket != "" {
		os.Exit(perform(socket))
	}
	// The tests spend their time waiting for the Python implementation.
	if err := flag.Set("test.parallel", "8"); err != nil {
		panic(err)
	}
	testenv.Main(m)
}

// baseConf goes before the sections of a test. @DIR is the directory of the
// daemon.
const baseConf = `[supervisord]
logfile=NONE
pidfile=@DIR/pid
childlogdir=@DIR
loglevel=@LEVEL

[unix_http_server]
file=@DIR/s.sock

[rpcinterface:supervisor]
supervisor.rpcinterface_factory=supervisor.rpcinterface:make_main_rpcinterface

`

// daemon is one that runs for a test.
type daemon struct {
	*rpcclient.Client
	*stage
	t      testing.TB
	dir    string
	cmd    *exec.Cmd
	ended  chan struct{} // closed when it has ended and its log is complete
	status error         // of its end, to be read afterwards

	mu      sync.Mutex
	log     []string
	changed chan struct{} // closed and replaced with each line of the log

	seen map[string]int // by text: where waitLog goes on
}

// start starts the daemon of a program with a log of the given level and the
// given sections after baseConf. In them @PUPPET is the command of a puppet.
func start(t testing.TB, program, level, sections string) *daemon {
	t.Helper()
	// The names of sockets are limited in length; those of tests are not.
	dir, err := os.MkdirTemp("", "listenertest")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { os.RemoveAll(dir) })
	self, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	conf := strings.NewReplacer("@DIR", dir, "@LEVEL", level, "@PUPPET", self).Replace(baseConf + sections)
	if err := os.WriteFile(filepath.Join(dir, "conf"), []byte(conf), 0o644); err != nil {
		t.Fatal(err)
	}
	client, err := rpcclient.New(rpcclient.Options{ServerURL: "unix://" + dir + "/s.sock"})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(client.Close)
	d := &daemon{
		Client: client, t: t, dir: dir, stage: newStage(t, dir+"/stage"),
		ended: make(chan struct{}), changed: make(chan struct{}), seen: make(map[string]int),
	}
	d.run(program)
	return d
}

// run starts the process and waits until it serves.
func (d *daemon) run(program string) {
	d.t.Helper()
	d.cmd = exec.Command(program, "-n", "-c", filepath.Join(d.dir, "conf"))
	d.cmd.Dir = d.dir
	d.cmd.Env = append(os.Environ(), "LANG=C.UTF-8", socketVar+"="+d.dir+"/stage")
	d.cmd.SysProcAttr = &syscall.SysProcAttr{Setsid: true}
	out, err := d.cmd.StdoutPipe()
	if err != nil {
		d.t.Fatal(err)
	}
	d.cmd.Stderr = d.cmd.Stdout
	if err := d.cmd.Start(); err != nil {
		d.t.Fatal(err)
	}
	go func() {
		defer close(d.ended)
		r := bufio.NewReader(out)
		for line, err := r.ReadString('\n'); err == nil; line, err = r.ReadString('\n') {
			d.addLine(strings.TrimSuffix(line, "\n"))
		}
		d.status = d.cmd.Wait()
	}()
	d.t.Cleanup(func() {
		d.end()
		if d.t.Failed() {
			d.t.Logf("log of %s:\n%s", program, strings.Join(d.log, "\n"))
		}
	})
	d.waitLog("supervisord started with pid")
}

func (d *daemon) addLine(line string) {
	d.mu.Lock()
	defer d.mu.Unlock()
	d.log = append(d.log, line)
	close(d.changed)
	d.changed = make(chan struct{})
}

// waitLog waits for the next line of the log that has the text: the first one,
// or the one after that which it found for the same text before.
func (d *daemon) waitLog(text string) {
	d.t.Helper()
	timeout := time.After(limit)
	for {
		d.mu.Lock()
		lines, changed := d.log, d.changed
		d.mu.Unlock()
		for d.seen[text] < len(lines) {
			line := lines[d.seen[text]]
			d.seen[text]++
			if strings.Contains(line, text) {
				return
			}
		}
		select {
		case <-changed:
		case <-d.ended:
			d.t.Fatalf("the daemon ended; no %q in its log", text)
		case <-timeout:
			d.t.Fatalf("no %q in the log", text)
		}
	}
}

// end ends the daemon and waits for it.
func (d *daemon) end() {
	d.t.Helper()
	select {
	case <-d.ended:
		return
	default:
	}
	d.cmd.Process.Signal(syscall.SIGTERM)
	select {
	case <-d.ended:
		if d.status != nil {
			d.t.Errorf("the daemon ended: %v", d.status)
		}
	case <-time.After(limit):
		syscall.Kill(-d.cmd.Process.Pid, syscall.SIGKILL)
		d.t.Error("the daemon did not end")
	}
}

// usual begins the warnings of every start and every end.
var usual = regexp.MustCompile(`^(Server 'unix_http_server' running without any HTTP|received SIGTERM|stopped: )`)

// complaints returns the messages of the log that are warnings or worse, but
// for the usual ones.
func (d *daemon) complaints() []string {
	d.mu.Lock()
	defer d.mu.Unlock()
	var list []string
	for _, line := range d.log {
		m := logLine.FindStringSubmatch(line)
		if m != nil && (m[1] == "WARN" || m[1] == "ERRO") && !usual.MatchString(m[2]) {
			list = append(list, m[2])
		}
	}
	return list
}

// puppet returns the next puppet that is started under the name.
func (d *daemon) puppet(name string) *puppet {
	d.t.Helper()
	p := d.stage.puppet(d.t, name)
	p.d = d
	return p
}

// listener returns the next puppet of the name when it counts as running and
// the daemon has heard it say READY.
func (d *daemon) listener(name string) *puppet {
	d.t.Helper()
	p := d.puppet(name)
	d.waitRunning(name)
	p.ready()
	return p
}

// send makes REMOTE_COMMUNICATION events.
func (d *daemon) send(data ...string) {
	d.t.Helper()
	for _, text := range data {
		d.must(d.SendRemoteCommEvent(d.t.Context(), "t", text))
	}
}

func (d *daemon) must(err error) {
	d.t.Helper()
	if err != nil {
		d.t.Fatal(err)
	}
}

// waitRunning waits until the daemon counts a process as running. Listeners
// get nothing before.
func (d *daemon) waitRunning(names ...string) {
	d.t.Helper()
	for _, name := range names {
		d.waitLog(fmt.Sprintf("success: %s entered RUNNING state", name))
	}
}

// read returns what is in a file of the daemon's directory.
func (d *daemon) read(name string) string {
	d.t.Helper()
	data, err := os.ReadFile(filepath.Join(d.dir, name))
	if err != nil && !errors.Is(err, os.ErrNotExist) {
		d.t.Fatal(err)
	}
	return string(data)
}

// startProgram and stopProgram wait for the outcome.
func (d *daemon) startProgram(name string) {
	d.t.Helper()
	d.must(d.StartProcess(context.WithoutCancel(d.t.Context()), name, true))
}

func (d *daemon) stopProgram(name string) {
	d.t.Helper()
	d.must(d.StopProcess(context.WithoutCancel(d.t.Context()), name, true))
}
