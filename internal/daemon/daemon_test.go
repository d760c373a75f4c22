package daemon

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"syscall"
	"testing"
	"time"

	"supervisord/internal/api"
	"supervisord/internal/applog"
	"supervisord/internal/config"
	"supervisord/internal/logfile"
	"supervisord/internal/spawn"
)

func TestMain(m *testing.M) {
	spawn.Shim()
	os.Exit(m.Run())
}

// rig is a daemon that runs in the test.
type rig struct {
	*Daemon
	t    *testing.T
	dir  string
	conf string
	ran  chan bool // the result of Run
}

// start runs a daemon with the programs of the text, in which {dir} is a
// directory of the test's own.
func start(t *testing.T, programs string) *rig {
	t.Helper()
	return startPrepared(t, programs, nil)
}

// startPrepared runs a daemon that has something to do before it starts the
// programs.
func startPrepared(t *testing.T, programs string, prepare func(*Daemon)) *rig {
	t.Helper()
	r := &rig{t: t, dir: t.TempDir(), ran: make(chan bool, 1)}
	r.conf = filepath.Join(r.dir, "supervisord.conf")
	r.write(programs)
	cfg, err := r.load()
	if err != nil {
		t.Fatal(err)
	}
	log, err := applog.Open(applog.Options{Level: cfg.Supervisord.LogLevel, Path: cfg.Supervisord.Logfile})
	if err != nil {
		t.Fatal(err)
	}
	if err := CheckSockets(cfg.Groups, nil, log); err != nil {
		t.Fatal(err)
	}
	options := Options{Config: cfg, Log: log, Load: r.load}
	if prepare != nil {
		options.Prepare = func() { prepare(r.Daemon) }
		options.Upgrade = func(context.Context) error { return errNoUpgrade }
	}
	r.Daemon = New(options)
	go func() { r.ran <- r.Run() }()
	t.Cleanup(func() {
		r.Shutdown(context.Background())
		<-r.done
		log.Close()
		if t.Failed() {
			t.Log(r.log())
		}
	})
	return r
}

func (r *rig) write(programs string) {
	text := "[supervisord]\nlogfile={dir}/supervisord.log\nloglevel=debug\npidfile={dir}/pid\nchildlogdir={dir}\n" + programs
	if err := os.WriteFile(r.conf, []byte(strings.ReplaceAll(text, "{dir}", r.dir)), 0o600); err != nil {
		r.t.Fatal(err)
	}
}

func (r *rig) load() (*config.Config, error) {
	return config.Load(config.Options{File: r.conf})
}

func (r *rig) read(name string) string {
	data, _ := os.ReadFile(filepath.Join(r.dir, name))
	return string(data)
}

func (r *rig) log() string { return r.read("supervisord.log") }

// state returns the state of a process.
func (r *rig) info(name string) api.ProcessInfo {
	r.t.Helper()
	info, err := r.ProcessInfo(context.Background(), name)
	if err != nil {
		r.t.Fatal(err)
	}
	return info
}

// until waits for the process to be in a state.
func (r *rig) until(name string, want api.ProcessState) api.ProcessInfo {
	r.t.Helper()
	for {
		changed := r.Changed()
		info := r.info(name)
		if info.State == want {
			return info
		}
		select {
		case <-changed:
		case <-time.After(time.Minute):
			r.t.Fatalf("%s is %s, want %s", name, info.State, want)
		}
	}
}

// follow waits until a log of a process matches.
func (r *rig) follow(name string, ch api.Channel, pattern string) string {
	r.t.Helper()
	source, err := r.ProcessLog(context.Background(), name, ch)
	if err != nil {
		r.t.Fatal(err)
	}
	return r.followSource(source, pattern)
}

func (r *rig) followSource(source api.LogSource, pattern string) string {
	r.t.Helper()
	f, err := logfile.Follow(source.Path(), source.Changed, 1<<30)
	if err != nil {
		r.t.Fatal(err)
	}
	defer f.Close()
	ctx, cancel := context.WithTimeout(context.Background(), time.Minute)
	defer cancel()
	re := regexp.MustCompile(pattern)
	var all []byte
	buf := make([]byte, 4096)
	for !re.Match(all) {
		n, err := f.Read(ctx, buf)
		if err != nil {
			r.t.Fatalf("%v: %q does not match %q", err, all, pattern)
		}
		all = append(all, buf[:n]...)
	}
	return string(all)
}

func wantFault(t *testing.T, err error, want string) {
	t.Helper()
	var f *api.Fault
	if !errors.As(err, &f) || f.Text != want {
		t.Errorf("got %v, want fault %s", err, want)
	}
}

func TestStartAndStop(t *testing.T) {
	r := start(t, `
[program:cat]
command=/bin/cat
startsecs=0
[program:gone]
command=/no/such/file
autostart=false
[program:dir]
command={dir}
autostart=false
[program:quick]
command=/bin/sh -c 'exit 3'
autostart=false
startretries=0
`)
	ctx := context.Background()
	pid := r.until("cat", api.Running).PID
	if err := syscall.Kill(pid, 0); err != nil {
		t.Error("the program does not run:", err)
	}
	wantFault(t, r.StartProcess(ctx, "cat", true), "ALREADY_STARTED: cat")
	wantFault(t, r.StartProcess(ctx, "gone", true), "NO_FILE: can't find command '/no/such/file'")
	wantFault(t, r.StartProcess(ctx, "dir", true), "NOT_EXECUTABLE: command at '"+r.dir+"' is a directory")
	wantFault(t, r.StartProcess(ctx, "quick", true), "SPAWN_ERROR: quick")
	wantFault(t, r.StartProcess(ctx, "nobody", true), "BAD_NAME: nobody")
	r.until("quick", api.Fatal)
	if err := r.SendProcessStdin(ctx, "cat", []byte("hello\n")); err != nil {
		t.Error(err)
	}
	r.follow("cat", api.Stdout, "hello\n")
	if err := r.StopProcess(ctx, "cat", true); err != nil {
		t.Error(err)
	}
	if err := syscall.Kill(pid, 0); err != syscall.ESRCH {
		t.Errorf("the program still runs: %v", err)
	}
	info := r.info("cat")
	if info.State != api.Stopped || info.ExitStatus != -1 || info.PID != 0 {
		t.Errorf("after the stop: %+v", info)
	}
	wantFault(t, r.StopProcess(ctx, "cat", true), "NOT_RUNNING: cat")
	wantFault(t, r.SendProcessStdin(ctx, "cat", []byte("x")), "NOT_RUNNING: cat")
	wantFault(t, r.SignalProcess(ctx, "cat", "HUP"), "NOT_RUNNING: cat")
}

// TestLastWordsComeFirst has a listener hear what a program wrote before it
// hears of its end, while a grandchild holds the pipe.
func TestLastWordsComeFirst(t *testing.T) {
	r := start(t, `
[eventlistener:ears]
command=/bin/sh -c 'echo READY; while read -r head; do echo "$head" >&2; n=${head##*len:}; dd bs=1 count=$n >&2 2>/dev/null; echo >&2; printf "RESULT 2\nOKREADY\n"; done'
events=PROCESS_LOG_STDOUT,PROCESS_STATE_EXITED
startsecs=0
buffer_size=100
[program:talk]
command=/bin/sh -c 'sleep 1000 & echo $! > {dir}/orphan; echo one; echo two; exit 0'
startsecs=0
autorestart=false
autostart=false
stdout_events_enabled=true
`)
	r.until("ears", api.Running)
	if err := r.StartProcess(context.Background(), "talk", true); err != nil {
		t.Fatal(err)
	}
	heard := r.follow("ears", api.Stderr, "eventname:PROCESS_STATE_EXITED")
	if !regexp.MustCompile(`(?s)one\n.*two\n.*PROCESS_STATE_EXITED`).MatchString(heard) {
		t.Errorf("heard %q", heard)
	}
	var orphan int
	fmt.Sscan(r.read("orphan"), &orphan)
	if err := syscall.Kill(orphan, syscall.SIGKILL); err != nil {
		t.Errorf("the grandchild did not live: %v", err)
	}
}

// TestManyDie has two hundred programs die in the same instant.
func TestManyDie(t *testing.T) {
	const n = 200
	r := start(t, fmt.Sprintf(`
[program:many]
command=/bin/sh -c 'echo up; read line; echo "down %%(process_num)d"; exit 7'
process_name=m%%(process_num)03d
numprocs=%d
startsecs=0
autorestart=false
`, n))
	ctx := context.Background()
	for i := range n {
		r.until(fmt.Sprintf("many:m%03d", i), api.Running)
	}
	for i := range n {
		if err := r.SendProcessStdin(ctx, fmt.Sprintf("many:m%03d", i), []byte("go\n")); err != nil {
			t.Error(err)
		}
	}
	for i := range n {
		name := fmt.Sprintf("many:m%03d", i)
		if info := r.until(name, api.Exited); info.ExitStatus != 7 {
			t.Errorf("%s: exit status %d", name, info.ExitStatus)
		}
		source, _ := r.ProcessLog(ctx, name, api.Stdout)
		if data, _ := os.ReadFile(source.Path()); string(data) != fmt.Sprintf("up\ndown %d\n", i) {
			t.Errorf("%s wrote %q", name, data)
		}
	}
}

// TestCancel lets a client go away that waits for a stop.
func TestCancel(t *testing.T) {
	r := start(t, `
[program:deaf]
command=/bin/sh -c 'trap "" TERM; echo ready; while :; do sleep 0.05; done'
startsecs=0
stopwaitsecs=1
`)
	r.until("deaf", api.Running)
	r.follow("deaf", api.Stdout, "ready")
	ctx, cancel := context.WithCancel(context.Background())
	result := make(chan error)
	go func() { result <- r.StopProcess(ctx, "deaf", true) }()
	r.until("deaf", api.Stopping)
	cancel()
	if err := <-result; !errors.Is(err, context.Canceled) {
		t.Errorf("got %v", err)
	}
	r.until("deaf", api.Stopped)
	if !strings.Contains(r.log(), "killing 'deaf'") {
		t.Error("the program was not killed")
	}
}

func TestReload(t *testing.T) {
	r := start(t, "[program:a]\ncommand=/bin/cat\nstartsecs=0\n[program:b]\ncommand=/bin/cat\nstartsecs=0\n")
	ctx := context.Background()
	pid := r.until("a", api.Running).PID
	r.until("b", api.Running)

	r.write("[program:a]\ncommand=/bin/cat\nstartsecs=x\n")
	if _, _, _, err := r.ReloadConfig(ctx); err == nil || !strings.HasPrefix(err.Error(), "CANT_REREAD: ") {
		t.Errorf("a broken file gives %v", err)
	}
	if err := r.Restart(ctx); err == nil || !strings.HasPrefix(err.Error(), "CANT_REREAD: ") {
		t.Errorf("a restart with a broken file gives %v", err)
	}
	r.write("[program:a]\ncommand=/bin/cat\nstartsecs=0\n[program:b]\ncommand=/bin/cat -u\nstartsecs=0\n[program:c]\ncommand=/bin/cat\nstartsecs=0\n")
	added, changed, removed, err := r.ReloadConfig(ctx)
	if got := fmt.Sprint(added, changed, removed, err); got != "[c] [b] [] <nil>" {
		t.Errorf("reload: %s", got)
	}
	if err := r.AddGroup(ctx, "c"); err != nil {
		t.Error(err)
	}
	wantFault(t, r.AddGroup(ctx, "c"), "ALREADY_ADDED: c")
	wantFault(t, r.RemoveGroup(ctx, "b"), "STILL_RUNNING: b")
	if err := r.StopProcess(ctx, "b", true); err != nil {
		t.Error(err)
	}
	if err := r.RemoveGroup(ctx, "b"); err != nil {
		t.Error(err)
	}
	wantFault(t, r.StopProcess(ctx, "b", true), "BAD_NAME: b")
	r.until("c", api.Running)
	if now := r.info("a").PID; now != pid {
		t.Error("a program that did not change was restarted")
	}
}

// TestRestart starts supervisord anew; event serials go on.
func TestRestart(t *testing.T) {
	r := start(t, `
[eventlistener:ears]
command=/bin/cat
events=EVENT
[program:a]
command=/bin/cat
startsecs=0
`)
	r.until("a", api.Running)
	if err := r.Restart(context.Background()); err != nil {
		t.Fatal(err)
	}
	if restart := <-r.ran; !restart {
		t.Error("Run does not ask for a restart")
	}
	if r.Serial() == 0 {
		t.Error("no event was counted")
	}
	wantFault(t, r.StopProcess(context.Background(), "a", true), "SHUTDOWN_STATE")
}

// TestStdinFull writes to a program that does not read.
func TestStdinFull(t *testing.T) {
	r := start(t, "[program:deaf]\ncommand=/bin/sleep 1000\nstartsecs=0\n[program:closed]\ncommand=/bin/sh -c 'exec <&-; echo closed; exec sleep 1000'\nstartsecs=0\n")
	ctx := context.Background()
	r.until("deaf", api.Running)
	block := make([]byte, 256<<10)
	var err error
	for i := 0; i < 20 && err == nil; i++ {
		err = r.SendProcessStdin(ctx, "deaf", block)
	}
	wantFault(t, err, "FAILED: deaf does not read its standard input")
	r.until("closed", api.Running)
	r.follow("closed", api.Stdout, "closed")
	wantFault(t, r.SendProcessStdin(ctx, "closed", []byte("x")), "NO_FILE: closed")
}

func TestClearLogs(t *testing.T) {
	r := start(t, "[program:a]\ncommand=/bin/cat\nstartsecs=0\n[program:b]\ncommand=/bin/sh -c 'echo b'\nstartsecs=0\nautorestart=false\n")
	ctx := context.Background()
	r.until("a", api.Running)
	r.until("b", api.Exited)
	if err := r.SendProcessStdin(ctx, "a", []byte("one\n")); err != nil {
		t.Fatal(err)
	}
	r.follow("a", api.Stdout, "one\n")
	statuses, err := r.ClearAllProcessLogs(ctx)
	if err != nil || len(statuses) != 2 || statuses[0].Status != api.Success {
		t.Fatalf("clear: %v %v", statuses, err)
	}
	for _, name := range []string{"a", "b"} {
		if data, err := os.ReadFile(r.info(name).StdoutLogfile); err != nil || len(data) != 0 {
			t.Errorf("%s: %q %v", name, data, err)
		}
	}
	if err := r.SendProcessStdin(ctx, "a", []byte("two\n")); err != nil {
		t.Fatal(err)
	}
	r.follow("a", api.Stdout, "^two\n$")
	if err := r.ClearMainLog(ctx); err != nil {
		t.Error(err)
	}
	if err := r.StopProcess(ctx, "a", true); err != nil {
		t.Error(err)
	}
	if text := r.log(); strings.Contains(text, "spawned") || !strings.Contains(text, "stopped: a") {
		t.Errorf("the log after it was cleared: %q", text)
	}
}

// TestFastCGISocket shares one socket among the processes of a group, opened
// with the first and closed with the last.
func TestFastCGISocket(t *testing.T) {
	r := start(t, `
[fcgi-program:f]
command=/bin/sh -c 'readlink /proc/self/fd/0; exec sleep 1000'
socket=unix://{dir}/f.sock
process_name=f%(process_num)d
numprocs=2
startsecs=0
`)
	ctx := context.Background()
	r.until("f:f0", api.Running)
	r.until("f:f1", api.Running)
	a, b := r.follow("f:f0", api.Stdout, "socket"), r.follow("f:f1", api.Stdout, "socket")
	if a != b {
		t.Errorf("the processes have different sockets: %s %s", a, b)
	}
	if _, err := r.StopGroup(ctx, "f", true); err != nil {
		t.Fatal(err)
	}
	text := r.log()
	if n := strings.Count(text, "Creating socket"); n != 2 {
		t.Errorf("%d sockets created, want one to try and one to use", n)
	}
	if !strings.HasSuffix(strings.TrimSpace(text), "Closing socket unix://"+r.dir+"/f.sock") {
		t.Error("the socket was not closed last")
	}
}

func TestConfigInfo(t *testing.T) {
	r := start(t, "[program:b]\ncommand=/bin/cat\nautostart=false\nstdout_logfile=NONE\n[program:a]\ncommand=/bin/cat\nautostart=false\n")
	list, err := r.AllConfigInfo(context.Background())
	if err != nil || len(list) != 2 || list[0].Name != "a" {
		t.Fatalf("%+v %v", list, err)
	}
	if got := list[1].Stdout.Logfile; got != "none" {
		t.Errorf("stdout_logfile of b: %s", got)
	}
	if got := list[0].Stdout.Logfile; !strings.HasPrefix(got, r.dir+"/a-stdout---supervisor-") {
		t.Errorf("stdout_logfile of a: %s", got)
	}
}

var errNoUpgrade = errors.New("no other program")

// TestPrepare has clients answered, and nothing started and no other program take
// over, before everything is prepared.
func TestPrepare(t *testing.T) {
	prepared := make(chan struct{})
	r := startPrepared(t, "[program:cat]\ncommand=cat\nstartsecs=0\n", func(*Daemon) { <-prepared })
	if info := r.until("cat", api.Starting); info.PID != 0 {
		t.Errorf("it was started with pid %d", info.PID)
	}
	canceled, cancel := context.WithCancel(t.Context())
	cancel()
	if err := r.Upgrade(canceled); !errors.Is(err, context.Canceled) {
		t.Errorf("upgrade: %v", err)
	}
	close(prepared)
	r.until("cat", api.Running)
	if err := r.Upgrade(t.Context()); err == nil || !strings.Contains(err.Error(), errNoUpgrade.Error()) {
		t.Errorf("upgrade: %v", err)
	}
}

// TestPrepareAtTheEnd ends a daemon that is not prepared yet: what was begun is
// done.
func TestPrepareAtTheEnd(t *testing.T) {
	done := false
	r := startPrepared(t, "", func(d *Daemon) {
		for {
			changed := d.Changed()
			if d.Mood() == api.MoodShutdown {
				break
			}
			<-changed
		}
		done = true
	})
	r.Shutdown(context.Background())
	<-r.ran
	if !done {
		t.Error("it ended while something was prepared")
	}
}
