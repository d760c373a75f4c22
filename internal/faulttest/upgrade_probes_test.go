package faulttest

import (
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"sync/atomic"
	"syscall"
	"testing"
	"time"

	"supervisord/internal/testenv"
)

// notifier says that it is ready when it is told to, and then that it is alive.
const notifier = `
import os, socket, time
s = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
address = os.environ['NOTIFY_SOCKET']
if address[0] == '@': address = '\0' + address[1:]
s.connect(address)
s.send(b'STATUS=getting there')
while not os.path.exists('{dir}/go'): time.sleep(0.01)
s.send(b'READY=1\nSTATUS=there')
time.sleep(1000)
`

// TestUpgradeProbes upgrades while a program that says by itself when it is ready
// is starting, and while probes are going on: the answers of these are lost, which
// counts as no failure, and those that follow are heard.
func TestUpgradeProbes(t *testing.T) {
	t.Parallel()
	var asked atomic.Int64
	hold := make(chan struct{})
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if asked.Add(1) == 1 {
			<-hold
		}
	}))
	defer server.Close()
	r := newRig(t, start{programs: strings.ReplaceAll(`
[program:said]
command=python3 {dir}/notifier.py
startsecs=0
ready=notify
ready_timeout=300
[program:after]
command=sleep 1000
depends_on=said
[program:command]
command=sleep 1000
startsecs=0
health=exec:sh -c 'echo asked >>{dir}/asked; while ! test -e {dir}/quick; do sleep 0.05; done'
health_interval=1
health_timeout=300
health_retries=1
[program:page]
command=sleep 1000
startsecs=0
health=http:{url}
health_interval=1
health_timeout=300
health_retries=1
`, "{url}", server.URL+"/")})
	if err := os.WriteFile(r.path("notifier.py"), []byte(strings.ReplaceAll(notifier, "{dir}", r.dir)), 0o644); err != nil {
		t.Fatal(err)
	}
	r.launch(start{})
	r.until("both probes", func() bool { return asked.Load() == 1 && r.read("asked") == "asked\n" })
	r.until("the first message", func() bool {
		info, err := r.ProcessInfo(r.ctx(), "said")
		return err == nil && strings.Contains(info.Description, "getting there")
	})
	before := r.pids()
	for i := range 3 {
		if err := r.Upgrade(r.ctx()); err != nil {
			t.Fatal(err)
		}
		r.out.waitN(t, upgraded, i+1)
	}
	if n := r.out.count(`spawned: 'after'`); n != 0 {
		t.Error("after was started before said was ready")
	}
	for _, name := range []string{"go", "quick"} {
		if err := os.WriteFile(r.path(name), nil, 0o644); err != nil {
			t.Fatal(err)
		}
	}
	close(hold)
	r.out.wait(t, `ready: said \(notify\)`)
	r.out.wait(t, `spawned: 'after'`)
	n, m := asked.Load(), strings.Count(r.read("asked"), "\n")
	r.until("more probes", func() bool { return asked.Load() > n+1 && strings.Count(r.read("asked"), "\n") > m+1 })
	r.keeps(before)
	if n := r.out.count(`is not healthy|not ready after`); n != 0 {
		t.Errorf("%d complaints", n)
	}
	for _, name := range []string{"command", "page"} {
		r.until(name+" to be well", func() bool {
			info, err := r.ProcessInfo(r.ctx(), name)
			return err == nil && info.Health == "ok"
		})
	}
	r.end()
}

// until waits until something is so.
func (r *rig) until(what string, done func() bool) {
	r.t.Helper()
	for end := time.Now().Add(limit); !done(); time.Sleep(10 * time.Millisecond) {
		if time.Now().After(end) {
			r.t.Fatalf("waited for %s in vain", what)
		}
	}
}

// keeps checks that the processes that ran at that time still do.
func (r *rig) keeps(before map[string]int) {
	r.t.Helper()
	after := r.pids()
	for name, pid := range before {
		if pid != 0 && after[name] != pid {
			r.t.Errorf("%s has pid %d in place of %d", name, after[name], pid)
		}
	}
}

// TestUpgradeGivenBack has a next version that agrees to take over and then gives
// everything back: the daemon goes on, as the same process, and can be upgraded
// by a better version.
func TestUpgradeGivenBack(t *testing.T) {
	t.Parallel()
	r, own := runOwn(t, start{programs: `
[program:w]
command=` + counterPath(t) + ` write w
stdout_logfile={dir}/w.log
[program:starting]
command=sleep 1000
startsecs=1000
`})
	r.out.wait(t, `success: w entered`)
	dir := t.TempDir()
	if err := testenv.BuildStatic(dir, "./internal/faulttest/refuser"); err != nil {
		t.Fatal(err)
	}
	refuser, err := os.ReadFile(filepath.Join(dir, "refuser"))
	if err != nil {
		t.Fatal(err)
	}
	good, err := os.ReadFile(own)
	if err != nil {
		t.Fatal(err)
	}
	pids := r.pids()
	follow := r.follow(r.ctx(), "w")
	for i := range 3 {
		replace(t, own, string(refuser))
		if i == 2 {
			r.signal(syscall.SIGUSR1)
		} else if err := r.Upgrade(r.ctx()); err != nil {
			t.Fatal(err) // It has taken over what it gave.
		}
		r.out.waitN(t, upgraded, i+1)
		r.keeps(pids)
	}
	r.state("starting", "STARTING")
	replace(t, own, string(good))
	if err := r.Upgrade(r.ctx()); err != nil {
		t.Fatal(err)
	}
	r.out.waitN(t, upgraded, 4)
	if err := r.StopProcess(r.ctx(), "w", true); err != nil {
		t.Fatal(err)
	}
	if lines := r.logLines("w.log"); numbered(t, "w.log", "w", lines) == 0 || !strings.HasPrefix(string(lines[0]), "w 1 ") {
		t.Error("the log is not whole")
	}
	r.end()
	<-follow.done
	lines := strings.Split(follow.buf.String(), "\n")
	if len(lines) < 3 {
		t.Errorf("the stream has %d lines", len(lines))
	}
}
