//go:build linux

package faulttest

import (
	"bufio"
	"context"
	"fmt"
	"io"
	"maps"
	"math/rand/v2"
	"net"
	"net/http"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"
)

// adoptable has programs that write numbered lines, listeners that write down
// what they were sent, and some that end now and then.
const adoptable = `
[program:writer]
command=/bin/sh -c 'i=0; while :; do echo "line $i"; i=$((i+1)); [ $((i %% 50)) = 0 ] && sleep 0.1; done'
numprocs=%WRITERS%
process_name=%(program_name)s_%(process_num)03d
stdout_logfile={dir}/writer_%(process_num)03d.log
stdout_logfile_maxbytes=200KB
stdout_logfile_backups=1000
startsecs=0
stopsignal=KILL
[program:done]
command=/bin/sh -c 'echo once >>{dir}/done'
startsecs=0
autorestart=false
[program:off]
command=/bin/sleep 1000
autostart=false
[eventlistener:listener]
command=python3 {dir}/listener.py {dir} %(process_num)d
numprocs=%LISTENERS%
process_name=%(program_name)s_%(process_num)d
events=REMOTE_COMMUNICATION
buffer_size=1000
startsecs=0
stopsignal=KILL
`

const adoptableListener = `
import sys
out = open('%s/heard_%s' % tuple(sys.argv[1:3]), 'a')
while True:
    sys.stdout.write('READY\n')
    sys.stdout.flush()
    head = dict(w.split(':') for w in sys.stdin.readline().split())
    if not head: break
    body = sys.stdin.read(int(head['len']))
    out.write('%s %s %s\n' % (head['serial'], head['poolserial'], body.split('\n')[1]))
    out.flush()
    sys.stdout.write('RESULT 2\nOK')
    sys.stdout.flush()
`

// TestAdopted kills the daemon with SIGKILL at any moment, again and again, while
// logs are followed and clients ask. The next life takes the processes back: their
// pids are the same, each line of their output is in the logs once and in order,
// and serials do not come twice.
func TestAdopted(t *testing.T) {
	seed := rand.Uint64()
	t.Logf("seed %d", seed)
	random := rand.New(rand.NewPCG(seed, 0))
	writers, listeners, followers, kills := 5, 2, 3, 5
	if *soak > 1 {
		writers, listeners, followers, kills = 200, 5, 20, 50
	}
	programs := strings.NewReplacer("%WRITERS%", strconv.Itoa(writers), "%LISTENERS%", strconv.Itoa(listeners)).Replace(adoptable)
	s := start{dir: openTemp(t), programs: programs, main: "adopt=true\n"}
	r := newRig(t, s)
	if err := os.WriteFile(r.path("listener.py"), []byte(adoptableListener), 0o644); err != nil {
		t.Fatal(err)
	}
	r.launch(s)
	running := writers + listeners
	r.awaitRunning(running)
	pids := r.pids()
	clients := make(chan struct{})
	sent := r.sendEvents(clients)
	ctx, stop := context.WithCancel(context.Background())
	defer stop()
	var others sync.WaitGroup
	var streams, lines, calls, refused atomic.Int64
	for i := range followers {
		name := fmt.Sprintf("writer_%03d", i*writers/followers)
		others.Go(func() { r.keepFollowing(ctx, name, &streams, &lines) })
	}
	others.Go(func() { r.keepAsking(ctx, pids, &calls, &refused) })
	var longest time.Duration
	for range kills {
		time.Sleep(time.Duration(random.Int64N(int64(300 * time.Millisecond))))
		begun := time.Now()
		r.kill()
		r.begin(s)
		r.awaitRunning(running)
		longest = max(longest, time.Since(begun))
		if n := r.out.count("INFO spawned: "); n > 0 {
			ends := regexp.MustCompile(`(?m)^.*(not adopted|exited:|stopped:).*$`).FindAllString(r.read("supervisord.log"), 20)
			t.Fatalf("%d processes were started anew\n%s", n, strings.Join(ends, "\n"))
		}
		if now := r.pids(); fmt.Sprint(now) != fmt.Sprint(pids) {
			t.Fatalf("pids changed from\n%v to\n%v", pids, now)
		}
	}
	t.Logf("%d kills, longest time to the adoption of all: %v", kills, longest)
	stop()
	others.Wait()
	t.Logf("%d followers read %d lines over %d connections; %d calls were answered, %d not", followers, lines.Load(), streams.Load(), calls.Load(), refused.Load())
	if n := int64(followers); streams.Load() < n*2 || lines.Load() < 50*n || calls.Load() < int64(kills) {
		t.Error("the clients did not get far")
	}
	r.until("an event heard", func() bool {
		for i := range listeners {
			if r.read(fmt.Sprintf("heard_%d", i)) != "" {
				return true
			}
		}
		return false
	})
	close(clients)
	t.Logf("%d events were sent", <-sent)
	if text := r.read("done"); text != "once\n" {
		t.Errorf("the program that was done ran again: %q", text)
	}
	r.state("off", "STOPPED")
	r.end()
	for i := range writers {
		checkLines(t, r, fmt.Sprintf("writer_%03d.log", i))
	}
	checkHeard(t, r, listeners)
	if names, err := filepath.Glob(r.path("pid.adopt/*")); err != nil || len(names) != 1 {
		t.Errorf("left in the directory: %v", names)
	}
}

// awaitRunning waits until so many processes are RUNNING, and the program has
// ended that runs only once.
func (r *rig) awaitRunning(n int) {
	r.t.Helper()
	for end := time.Now().Add(limit); time.Now().Before(end); time.Sleep(10 * time.Millisecond) {
		list, err := r.AllProcessInfo(r.ctx())
		running, done := 0, false
		for _, p := range list {
			switch {
			case p.Name == "done":
				done = p.StateName == "EXITED"
			case p.StateName == "RUNNING":
				running++
			}
		}
		if err == nil && running == n && done {
			return
		}
	}
	text, _ := r.out.text()
	r.t.Fatalf("not all programs came to run\n%s", text[max(0, len(text)-3<<10):])
}

// pids returns the pids of all processes.
func (r *rig) pids() map[string]int {
	r.t.Helper()
	list, err := r.AllProcessInfo(r.ctx())
	if err != nil {
		r.t.Fatal(err)
	}
	pids := make(map[string]int)
	for _, p := range list {
		pids[p.Group+":"+p.Name] = p.PID
	}
	return pids
}

// keepFollowing follows a log until ctx ends, anew as often as the stream ends.
// Within one the lines have to follow each other.
func (r *rig) keepFollowing(ctx context.Context, name string, streams, lines *atomic.Int64) {
	client := &http.Client{Transport: &http.Transport{
		DisableKeepAlives: true,
		DialContext: func(ctx context.Context, _, _ string) (net.Conn, error) {
			return new(net.Dialer).DialContext(ctx, "unix", r.path("s.sock"))
		},
	}}
	for ctx.Err() == nil {
		request, err := http.NewRequestWithContext(ctx, http.MethodGet, "http://localhost/logtail/writer:"+name, nil)
		if err != nil {
			r.t.Error(err)
			return
		}
		response, err := client.Do(request)
		if err != nil {
			// There is no daemon now.
			time.Sleep(5 * time.Millisecond)
			continue
		}
		if response.StatusCode == http.StatusOK {
			streams.Add(1)
			lines.Add(readFollowed(r.t, name, response.Body))
		}
		response.Body.Close()
	}
}

// readFollowed reads a stream to its end and returns the number of lines.
func readFollowed(t *testing.T, name string, stream io.Reader) (n int64) {
	text := bufio.NewReader(stream)
	last := -1
	for first := true; ; first = false {
		line, err := text.ReadString('\n')
		if err != nil {
			return n // The rest is no whole line.
		}
		if first {
			continue // Neither is the first.
		}
		var number int
		if _, err := fmt.Sscanf(line, "line %d\n", &number); err != nil || last >= 0 && number != last+1 {
			t.Errorf("a follower of %s read %q after line %d", name, line, last)
			return n
		}
		last = number
		n++
	}
}

// keepAsking asks for a process after the other until ctx ends. Who is answered
// hears of the same pid as ever.
func (r *rig) keepAsking(ctx context.Context, pids map[string]int, calls, refused *atomic.Int64) {
	names := slices.Sorted(maps.Keys(pids))
	for i := 0; ctx.Err() == nil; i++ {
		name := names[i%len(names)]
		info, err := r.ProcessInfo(ctx, name)
		if err != nil {
			refused.Add(1)
			time.Sleep(5 * time.Millisecond)
			continue
		}
		calls.Add(1)
		if info.PID != pids[name] {
			r.t.Errorf("%s has pid %d, and had %d", name, info.PID, pids[name])
			return
		}
	}
}

// sendEvents sends events until the channel is closed, and tells how many.
func (r *rig) sendEvents(until <-chan struct{}) <-chan int {
	count := make(chan int, 1)
	go func() {
		n := 0
		for {
			select {
			case <-until:
				count <- n
				return
			case <-time.After(3 * time.Millisecond):
			}
			// While there is no daemon nobody takes it.
			if r.SendRemoteCommEvent(r.ctx(), "test", strconv.Itoa(n)) == nil {
				n++
			}
		}
	}()
	return count
}

// logFiles returns the names of a log and its backups, oldest first.
func (r *rig) logFiles(name string) []string {
	r.t.Helper()
	list, err := filepath.Glob(r.path(name + ".*"))
	if err != nil {
		r.t.Fatal(err)
	}
	// A number is missing where the daemon was killed as it renamed backups.
	number := func(path string) int {
		n, _ := strconv.Atoi(path[strings.LastIndexByte(path, '.')+1:])
		return n
	}
	slices.SortFunc(list, func(a, b string) int { return number(b) - number(a) })
	for i := range list {
		list[i] = filepath.Base(list[i])
	}
	return append(list, name)
}

// checkLines checks that a log with its backups has each line once and in order.
func checkLines(t *testing.T, r *rig, name string) {
	t.Helper()
	next := 0
	for _, file := range r.logFiles(name) {
		for line := range strings.Lines(r.read(file)) {
			if line != fmt.Sprintf("line %d\n", next) && (file != name || strings.HasSuffix(line, "\n")) {
				t.Errorf("%s has %q in place of line %d", file, line, next)
				return
			}
			next++
		}
	}
	if next < 50 {
		t.Errorf("%s has only %d lines", name, next)
	}
}

// checkHeard checks that serials come once, and grow for each listener.
func checkHeard(t *testing.T, r *rig, listeners int) {
	t.Helper()
	seen := make(map[uint64]bool)
	for i := range listeners {
		lines := bufio.NewScanner(strings.NewReader(r.read(fmt.Sprintf("heard_%d", i))))
		var last, lastPool uint64
		heard := 0
		for lines.Scan() {
			var serial, pool uint64
			var body string
			if _, err := fmt.Sscan(lines.Text(), &serial, &pool, &body); err != nil {
				t.Fatalf("listener %d heard %q: %v", i, lines.Text(), err)
			}
			if seen[serial] || heard > 0 && (serial <= last || pool <= lastPool) {
				t.Errorf("listener %d heard serial %d, pool serial %d after %d, %d", i, serial, pool, last, lastPool)
			}
			seen[serial] = true
			last, lastPool = serial, pool
			heard++
		}
	}
	// Each goes to the first listener that is ready, which may be the same always.
	if len(seen) == 0 {
		t.Error("no listener heard anything")
	}
}
