package faulttest

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"regexp"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"
)

var load = flag.Duration("load", 3*time.Second, "how long the load lasts")

// loaded has programs that write and crash all the time, and a listener that
// takes every event.
const loaded = `
[program:crash]
command=sh -c 'i=0; while [ $i -lt 20 ]; do echo "line $i of $$"; i=$((i+1)); done; exit 1'
process_name=%(process_num)d
numprocs=30
startsecs=0
autorestart=true
stdout_logfile={dir}/crash-%(process_num)d.log
stdout_logfile_maxbytes=0
stdout_events_enabled=true
[program:steady]
command=sh -c 'while :; do echo tick; sleep 0.01; done'
stdout_logfile={dir}/steady.log
stdout_logfile_maxbytes=20KB
stdout_logfile_backups=2
stopasgroup=true
[eventlistener:listener]
command=sh -c 'echo READY; while read -r h; do echo "$h" >&2; head -c ${h##*:} >/dev/null; printf "RESULT 2\nOKREADY\n"; done'
events=EVENT
buffer_size=100
stdout_logfile=NONE
stderr_logfile={dir}/events
stderr_logfile_maxbytes=0
`

// TestLoad loads the daemon in all ways at once: crashing programs, clients,
// followers of logs, a slow listener and rereads. Nothing grows, no byte is
// lost, and every event is delivered or its loss logged.
func TestLoad(t *testing.T) {
	s := start{main: "logfile_maxbytes=0\n", programs: loaded}
	r := run(t, s)
	r.out.wait(t, "success: steady entered RUNNING state")
	ctx, cancel := context.WithTimeout(context.Background(), *load)
	defer cancel()
	var clients sync.WaitGroup
	var calls, followed, rereads counter
	repeat := func(n int, pause time.Duration, count *counter, do func(context.Context) error) {
		for range n {
			clients.Go(func() {
				for ctx.Err() == nil {
					if err := do(ctx); err != nil && ctx.Err() == nil {
						t.Error(err)
						return
					}
					count.add(1)
					select {
					case <-time.After(pause):
					case <-ctx.Done():
					}
				}
			})
		}
	}
	repeat(10, 20*time.Millisecond, &calls, func(ctx context.Context) error {
		_, err := r.AllProcessInfo(ctx)
		return err
	})
	repeat(1, 200*time.Millisecond, &rereads, func(ctx context.Context) error {
		_, err := r.ReloadConfig(ctx)
		return err
	})
	tr := &http.Transport{DialContext: func(ctx context.Context, _, _ string) (net.Conn, error) {
		return new(net.Dialer).DialContext(ctx, "unix", r.path("s.sock"))
	}}
	for i := range 5 {
		clients.Go(func() {
			name := []string{"steady", "crash:0", "crash:1"}[i%3]
			req, _ := http.NewRequestWithContext(ctx, http.MethodGet, "http://localhost/logtail/"+name, nil)
			resp, err := tr.RoundTrip(req)
			if err != nil {
				t.Error(err)
				return
			}
			defer resp.Body.Close()
			n, _ := io.Copy(io.Discard, resp.Body)
			followed.add(n)
		})
	}
	first := r.usage(ctx, *load/3)
	last := r.usage(ctx, *load)
	clients.Wait()
	t.Logf("%d calls, %d rereads, %d bytes followed, %d starts; memory %d to %d KiB, files %d to %d, threads %d to %d",
		calls.value(), rereads.value(), followed.value(), strings.Count(r.read("supervisord.log"), "spawned: "),
		first.memory, last.memory, first.files, last.files, first.threads, last.threads)
	if last.memory > first.memory*2 || last.files > first.files*2 || last.threads > first.threads*2 {
		t.Errorf("something grows")
	}
	r.end()
	r.checkLines()
	r.checkEvents()
}

type counter struct {
	mu sync.Mutex
	n  int64
}

func (c *counter) add(n int64) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.n += n
}

func (c *counter) value() int64 {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.n
}

// usage is what a daemon takes of the machine; memory is in KiB.
type usage struct{ memory, files, threads int }

// usage waits and then looks at what the daemon takes.
func (r *rig) usage(ctx context.Context, wait time.Duration) (u usage) {
	r.t.Helper()
	select {
	case <-time.After(wait):
	case <-ctx.Done():
	}
	dir := "/proc/" + strconv.Itoa(r.cmd.Process.Pid)
	status, err := os.ReadFile(dir + "/status")
	files, errFiles := os.ReadDir(dir + "/fd")
	if err := errors.Join(err, errFiles); err != nil {
		r.t.Fatal(err)
	}
	u.files = len(files)
	for line := range strings.Lines(string(status)) {
		fmt.Sscanf(line, "VmRSS: %d kB", &u.memory)
		fmt.Sscanf(line, "Threads: %d", &u.threads)
	}
	return u
}

// checkLines makes sure that every life but the last of a crashing program has
// left all its lines, in order.
func (r *rig) checkLines() {
	r.t.Helper()
	for i := range 30 {
		next, owner := 0, ""
		text := r.read(fmt.Sprintf("crash-%d.log", i))
		for line := range strings.Lines(text) {
			var n int
			var pid string
			if _, err := fmt.Sscanf(line, "line %d of %s\n", &n, &pid); err != nil {
				r.t.Fatalf("crash-%d.log: line %q", i, line)
			}
			if n != next || n > 0 && pid != owner {
				r.t.Fatalf("crash-%d.log: %q, want line %d of %s", i, line, next, owner)
			}
			next, owner = (n+1)%20, pid
		}
		if text == "" {
			r.t.Errorf("crash-%d.log is empty", i)
		}
	}
}

// checkEvents makes sure that the listener got the events in order and that
// every one that it did not get was reported.
func (r *rig) checkEvents() {
	r.t.Helper()
	next, missing := 0, 0
	for _, m := range regexp.MustCompile(`poolserial:(\d+)`).FindAllStringSubmatch(r.read("events"), -1) {
		n, _ := strconv.Atoi(m[1])
		if n < next {
			r.t.Fatalf("event %d after %d", n, next-1)
		}
		missing += n - next
		next = n + 1
	}
	discarded := len(regexp.MustCompile(`event buffer overflowed, discarding event \d+`).FindAllString(r.read("supervisord.log"), -1))
	r.t.Logf("%d events arrived, %d were discarded", next-missing, discarded)
	if next == 0 || missing > discarded {
		r.t.Errorf("%d events are missing, %d were reported", missing, discarded)
	}
}
