package webtest

import (
	"bufio"
	"fmt"
	"io"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"testing"

	"supervisord/internal/testenv"
)

// The pages of a real daemon, with real programs.
func TestRealDaemon(t *testing.T) {
	dir, url := realDaemon(t, `[program:ticker]
command=/bin/sh -c "echo started; exec cat"
startsecs=0
stdout_logfile=%(here)s/ticker.log
[program:broken]
command=/bin/sh -c "echo this is why >&2; exit 3"
startretries=0
[program:busy]
command=/bin/sh -c "while :; do :; done"
startsecs=0
`)
	tb := newTab(t)
	tb.url = url
	tb.visit("/")

	tb.sees("#live", "Live")
	tb.sees(".card", "broken")
	tb.sees(".card pre", "this is why")
	tb.until(fmt.Sprintf(`parseFloat(document.querySelector('%s td.number span').textContent) > 5`, row("busy")))
	tb.click(row("busy") + ` [data-action="stop"]`)
	tb.sees("#notices", "busy stopped.")
	tb.sees(row("busy"), "stopped")
	tb.click(row("broken") + ` [data-action="start"]`)
	tb.sees("#notices [role=alert]", "Starting broken failed: spawn error: Exited too quickly (process log may have details), exit status 3.")
	tb.click(row("ticker") + ` [data-action="log"]`)
	tb.sees("#log", "started")
	tb.visit("/")
	tb.sees(row("ticker"), "running")
	tb.click(row("ticker") + ` [data-action="restart"]`)
	tb.sees("#notices", "ticker restarted.")
	tb.visit("/log.html?processname=ticker")
	tb.until(`document.querySelectorAll("#log .line").length === 2`)

	file := filepath.Join(dir, "supervisord.conf")
	config, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(file, append(config, "[program:new]\ncommand=/bin/cat\n"...), 0o644); err != nil {
		t.Fatal(err)
	}
	tb.visit("/")
	tb.sees("#live", "Live")
	tb.click("#reread")
	tb.sees("dialog", "new: /bin/cat")
	tb.click("dialog .primary")
	tb.sees("#notices", "The new configuration is applied.")
	tb.sees(row("new"), "ing")
	tb.click(`nav a[href="log.html"]`)
	tb.sees("#log", "new entered RUNNING state")
}

// realDaemon starts a daemon with these sections in its configuration. It returns
// the directory of its files and the address of its pages.
func realDaemon(t *testing.T, sections string) (dir, url string) {
	t.Helper()
	dir = t.TempDir()
	if err := testenv.BuildStatic(dir, "./cmd/supervisord"); err != nil {
		t.Fatal(err)
	}
	port := freePort(t)
	config := fmt.Sprintf(`[inet_http_server]
port=127.0.0.1:%d
[rpcinterface:supervisor]
supervisor.rpcinterface_factory=supervisor.rpcinterface:make_main_rpcinterface
[supervisord]
logfile=%[2]s/supervisord.log
pidfile=%[2]s/supervisord.pid
childlogdir=%[2]s
nodaemon=true
%[3]s`, port, dir, sections)
	file := filepath.Join(dir, "supervisord.conf")
	if err := os.WriteFile(file, []byte(config), 0o644); err != nil {
		t.Fatal(err)
	}
	startDaemon(t, filepath.Join(dir, "supervisord"), file)
	return dir, fmt.Sprintf("http://127.0.0.1:%d", port)
}

// freePort returns a port that nothing listened on a moment ago.
func freePort(t *testing.T) int {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	return l.Addr().(*net.TCPAddr).Port
}

// startDaemon starts a daemon in the foreground and returns when it serves.
func startDaemon(t *testing.T, program, file string) {
	t.Helper()
	daemon := exec.Command(program, "-n", "-c", file)
	out, err := daemon.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := daemon.Start(); err != nil {
		t.Fatal(err)
	}
	lines := bufio.NewScanner(out)
	said := ""
	for lines.Scan() && !strings.Contains(lines.Text(), "supervisord started with pid") {
		said += lines.Text() + "\n"
	}
	if lines.Err() != nil || !strings.Contains(lines.Text(), "started") {
		_ = daemon.Wait()
		t.Fatalf("the daemon did not start: %s", said)
	}
	drained := make(chan struct{})
	go func() {
		defer close(drained)
		_, _ = io.Copy(io.Discard, out)
	}()
	t.Cleanup(func() {
		_ = daemon.Process.Signal(syscall.SIGTERM)
		<-drained
		_ = daemon.Wait()
	})
}
