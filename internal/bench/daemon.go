package main

import (
	"bytes"
	"context"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"time"
)

// An implementation is what is measured.
type implementation struct {
	daemon, ctl string
}

// A world is a directory in which one daemon runs.
type world struct {
	dir, socket, conf, log string
}

// newWorld makes the directory and the configuration of a daemon that can have
// the given number of programs, which sections describe. settings are lines for
// the section of the daemon.
func newWorld(dir string, programs int, sections string, settings ...string) (*world, error) {
	if err := os.MkdirAll(filepath.Join(dir, "logs"), 0o755); err != nil {
		return nil, err
	}
	w := &world{dir: dir, socket: filepath.Join(dir, "s"), conf: filepath.Join(dir, "conf"), log: filepath.Join(dir, "log")}
	conf := fmt.Sprintf(`[supervisord]
logfile=%[1]s/log
logfile_maxbytes=0
pidfile=%[1]s/pid
childlogdir=%[1]s/logs
minfds=%[2]d
%[3]s
[unix_http_server]
file=%[1]s/s
[rpcinterface:supervisor]
supervisor.rpcinterface_factory=supervisor.rpcinterface:make_main_rpcinterface
[supervisorctl]
serverurl=unix://%[1]s/s
`, dir, 1024+3*programs, strings.Join(settings, "\n"))
	return w, os.WriteFile(w.conf, []byte(conf+sections), 0o644)
}

// sleepers are n programs that do nothing, each with a section and a log file.
func sleepers(dir string, n int, autostart bool) string {
	var b strings.Builder
	for i := range n {
		fmt.Fprintf(&b, "[program:p%d]\ncommand=/bin/sleep 100000\nstartsecs=0\nautostart=%v\n"+
			"redirect_stderr=true\nstdout_logfile=%s/logs/p%d.log\n", i, autostart, dir, i)
	}
	return b.String()
}

// A process is a daemon, or another server, that runs.
type process struct {
	*world
	cmd   *exec.Cmd
	ended chan struct{} // closed at the end of the process; then err is valid
	err   error
	began time.Time
	ready time.Time // when all programs ran; see started
}

// run starts a daemon in the foreground.
func (w *world) run(i implementation) (*process, error) {
	cmd := exec.Command(i.daemon, "-n", "-c", w.conf)
	cmd.Dir = w.dir
	return w.exec(cmd)
}

func (w *world) exec(cmd *exec.Cmd) (*process, error) {
	cmd.SysProcAttr = &syscall.SysProcAttr{Setpgid: true}
	p := &process{world: w, cmd: cmd, began: time.Now(), ended: make(chan struct{})}
	var said bytes.Buffer
	cmd.Stderr = &said
	if err := cmd.Start(); err != nil {
		return nil, err
	}
	go func() {
		p.err = cmd.Wait()
		if p.err != nil && said.Len() > 0 {
			p.err = fmt.Errorf("%w: %s", p.err, bytes.TrimSpace(said.Bytes()))
		}
		close(p.ended)
	}()
	return p, nil
}

// pause is how long the loops wait that have nothing to be woken by: the
// resolution of what they measure.
const pause = 250 * time.Microsecond

// until calls done until it is true, or the process has ended.
func (p *process) until(what string, done func() (bool, error)) error {
	for end := time.Now().Add(callLimit); ; time.Sleep(pause) {
		ok, err := done()
		if ok || err != nil {
			return err
		}
		select {
		case <-p.ended:
			return fmt.Errorf("wait for %s: the daemon ended: %w", what, p.err)
		default:
		}
		if time.Now().After(end) {
			return fmt.Errorf("wait for %s: it took more than %v", what, callLimit)
		}
	}
}

// answers waits for the first answer.
func (p *process) answers() error {
	var last error
	err := p.until("an answer", func() (bool, error) {
		_, last = once(p.socket, getState)
		return last == nil, nil
	})
	if err != nil {
		return fmt.Errorf("%w: %w", err, last)
	}
	return nil
}

// started waits until the log says of n programs that they run. It does not ask
// the daemon, which has other things to do.
func (p *process) started(n int) error {
	var log *os.File
	err := p.until("the log", func() (bool, error) {
		f, err := os.Open(p.log)
		log = f
		return err == nil, nil
	})
	if err != nil {
		return err
	}
	defer log.Close()
	const word = "entered RUNNING state"
	var rest []byte
	seen := 0
	defer func() { p.ready = time.Now() }()
	return p.until(fmt.Sprintf("%d programs", n), func() (bool, error) {
		more, err := io.ReadAll(log)
		if err != nil {
			return false, err
		}
		rest = append(rest, more...)
		end := bytes.LastIndexByte(rest, '\n') + 1
		seen += bytes.Count(rest[:end], []byte(word))
		rest = append([]byte(nil), rest[end:]...)
		return seen >= n, nil
	})
}

// kill ends the process and its children without ceremony. It is the only one
// that runs, so that all children of this process are then those that it left.
func (p *process) kill() {
	// A process that is gone already is no error.
	_ = p.cmd.Process.Kill()
	<-p.ended
	pids, err := children(os.Getpid())
	if err != nil {
		fmt.Fprintln(os.Stderr, "bench:", err)
	}
	bury(pids)
}

// terminate sends SIGTERM and waits for the end.
func (p *process) terminate() error {
	if err := p.cmd.Process.Signal(syscall.SIGTERM); err != nil {
		return err
	}
	return p.wait()
}

// wait waits for the end of a process that was asked to end.
func (p *process) wait() error {
	select {
	case <-p.ended:
		return p.err
	case <-time.After(callLimit):
		p.kill()
		return fmt.Errorf("wait for the end: it took more than %v", callLimit)
	}
}

// status runs supervisorctl status and counts the processes that it shows.
func (w *world) status(i implementation, n int) (time.Duration, error) {
	begin := time.Now()
	out, err := w.ctl(i, "status")
	if err != nil {
		return 0, err
	}
	elapsed := time.Since(begin)
	if got := bytes.Count(out, []byte(" RUNNING ")); got != n {
		return 0, fmt.Errorf("check status: it shows %d processes that run, not %d", got, n)
	}
	return elapsed, nil
}

// ctl runs supervisorctl.
func (w *world) ctl(i implementation, args ...string) ([]byte, error) {
	ctx, cancel := context.WithTimeout(context.Background(), callLimit)
	defer cancel()
	out, err := exec.CommandContext(ctx, i.ctl, append([]string{"-c", w.conf}, args...)...).Output()
	if err != nil {
		return nil, fmt.Errorf("run supervisorctl %s: %w: %s", strings.Join(args, " "), err, out)
	}
	return out, nil
}
