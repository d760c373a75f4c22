package faulttest

import (
	"bufio"
	"bytes"
	"context"
	"errors"
	"flag"
	"fmt"
	"hash/crc32"
	"io"
	"net"
	"net/http"
	"os"
	"path/filepath"
	"regexp"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"syscall"
	"testing"
	"time"

	"supervisord/internal/rpcclient"
	"supervisord/internal/testenv"
)

var (
	upgrades = flag.Int("upgrades", 6, "how often the daemon is upgraded under load")
	writers  = flag.Int("upgrade.children", 20, "how many programs write meanwhile")
)

const upgraded = `supervisord was upgraded from \S+ to \S+ and goes on with pid \d+`

// counterDir has the program counter.
var counterDir = sync.OnceValues(func() (string, error) {
	dir, err := os.MkdirTemp("", "supervisord-counter")
	if err != nil {
		return "", err
	}
	return dir, testenv.BuildStatic(dir, "./internal/faulttest/counter")
})

// counterPath returns the path of the program counter.
func counterPath(t *testing.T) string {
	t.Helper()
	dir, err := counterDir()
	if err != nil {
		t.Fatal(err)
	}
	return filepath.Join(dir, "counter")
}

// A gauge measures how long a daemon does not answer.
type gauge struct {
	calls, failures atomic.Int64
	longest         atomic.Int64 // between two answers
}

// call calls the daemon again and again until ctx ends. A failure is one that a
// second attempt does not mend.
func (g *gauge) call(ctx context.Context, client *rpcclient.Client) {
	last := time.Now()
	for ctx.Err() == nil {
		if _, err := client.State(ctx); err != nil && ctx.Err() == nil {
			if _, err = client.State(ctx); err != nil && ctx.Err() == nil {
				g.failures.Add(1)
			}
		}
		now := time.Now()
		g.calls.Add(1)
		g.longest.Store(max(g.longest.Load(), int64(now.Sub(last))))
		last = now
	}
}

// A tail is a client that follows a log.
type tail struct {
	name string
	buf  bytes.Buffer // of what was read; to be looked at after done
	done chan struct{}
	err  error
}

// follow follows a log over a connection of its own until ctx ends.
func (r *rig) follow(ctx context.Context, name string) *tail {
	f := &tail{name: name, done: make(chan struct{})}
	client := &http.Client{Transport: &http.Transport{
		DialContext: func(ctx context.Context, _, _ string) (net.Conn, error) {
			return new(net.Dialer).DialContext(ctx, "unix", r.path("s.sock"))
		},
	}}
	request, err := http.NewRequestWithContext(ctx, http.MethodGet, "http://localhost/logtail/"+name, nil)
	if err != nil {
		r.t.Fatal(err)
	}
	response, err := client.Do(request)
	if err != nil || response.StatusCode != http.StatusOK {
		r.t.Fatal(response, err)
	}
	go func() {
		defer close(f.done)
		defer response.Body.Close()
		_, f.err = io.Copy(&f.buf, response.Body)
		client.CloseIdleConnections()
	}()
	return f
}

// numbered checks that the lines of a counter follow each other, beginning with
// any, and returns the number of the last.
func numbered(t *testing.T, what, name string, lines [][]byte) int {
	t.Helper()
	last := 0
	for _, line := range lines {
		text, sum, _ := strings.Cut(string(line), " ")
		if text != name {
			t.Fatalf("%s: %q is not a line of %s", what, line, name)
		}
		number, sum, _ := strings.Cut(sum, " ")
		if number == "last" {
			if n, _ := strconv.Atoi(sum); n != last {
				t.Errorf("%s: %d lines of %s", what, last, sum)
			}
			continue
		}
		n, err := strconv.Atoi(number)
		if want := fmt.Sprintf("%08x", crc32.ChecksumIEEE([]byte(name+" "+number))); err != nil || sum != want {
			t.Fatalf("%s: line %q, want the checksum %s", what, line, want)
		}
		if last != 0 && n != last+1 {
			t.Fatalf("%s: line %d follows line %d", what, n, last)
		}
		last = n
	}
	return last
}

// TestUpgradeUnderLoad upgrades a daemon again and again while programs write,
// listeners hear of everything, logs are followed and clients call, and finds
// that nothing is lost, repeated or restarted.
func TestUpgradeUnderLoad(t *testing.T) {
	const listeners, followers, captures, briefs = 5, 20, 4, 8
	n := *writers
	r := run(t, start{programs: fmt.Sprintf(`
[program:w]
command=%[1]s write w_%%(process_num)03d
process_name=w_%%(process_num)03d
numprocs=%[2]d
stdout_logfile={dir}/w_%%(process_num)03d.log
stdout_logfile_maxbytes=20KB
stdout_logfile_backups=1000
[program:c]
command=%[1]s capture c_%%(process_num)d
process_name=c_%%(process_num)d
numprocs=%[3]d
stdout_capture_maxbytes=1KB
stdout_logfile=NONE
[program:b]
command=%[1]s brief 1%%(process_num)d
process_name=b_%%(process_num)d
numprocs=%[4]d
autostart=false
autorestart=false
startsecs=0
`, counterPath(t), n, captures, briefs) + listenerPools(counterPath(t), listeners)})
	r.out.waitN(t, `success: [wlc]\S+ entered RUNNING state`, n+listeners+captures)
	before, err := r.AllProcessInfo(r.ctx())
	if err != nil {
		t.Fatal(err)
	}
	ctx, stop := context.WithCancel(context.Background())
	defer stop()
	var clients sync.WaitGroup
	var g gauge
	clients.Go(func() { g.call(ctx, r.Client) })
	clients.Go(func() {
		pace := time.NewTicker(20 * time.Millisecond)
		defer pace.Stop()
		for i := 0; ctx.Err() == nil; i++ {
			<-pace.C
			// Some are running already, and are started again when they have ended.
			_ = r.StartProcess(ctx, fmt.Sprintf("b:b_%d", i%briefs), i%3 == 0)
		}
	})
	var tails []*tail
	for i := range followers {
		name := fmt.Sprintf("w_%03d", i%n)
		tails = append(tails, r.follow(ctx, "w:"+name))
	}
	for i := range *upgrades {
		if i%2 == 0 {
			client, err := rpcclient.New(rpcclient.Options{ServerURL: "unix://" + r.path("s.sock")})
			if err != nil {
				t.Fatal(err)
			}
			if err := client.Upgrade(r.ctx()); err != nil {
				t.Fatalf("upgrade %d: %v", i, err)
			}
			client.Close()
		} else {
			r.signal(syscall.SIGUSR1)
		}
		r.waitUpgraded(i + 1)
		for range 20 { // Something is to happen in between.
			r.alive()
		}
	}
	after, err := r.AllProcessInfo(r.ctx())
	if err != nil {
		t.Fatal(err)
	}
	for i := range before {
		b, a := &before[i], &after[i]
		if b.Group != "b" && (a.PID != b.PID || a.StateName != "RUNNING" || a.Start != b.Start) {
			t.Errorf("%s was %s with pid %d and is %s with pid %d", a.Name, b.StateName, b.PID, a.StateName, a.PID)
		}
	}
	stop()
	clients.Wait()
	// A log that is followed is complete when its last line was followed.
	if _, err := r.StopProcessGroup(r.ctx(), "w", true); err != nil {
		t.Fatal(err)
	}
	if g.failures.Load() > 0 {
		t.Errorf("%d of %d calls failed twice", g.failures.Load(), g.calls.Load())
	}
	t.Logf("%d upgrades, %d calls, the longest pause between two answers is %v", *upgrades, g.calls.Load(), time.Duration(g.longest.Load()))
	r.end()
	for i := range n {
		name := fmt.Sprintf("w_%03d", i)
		if lines := r.logLines(name + ".log"); numbered(t, name+".log", name, lines) < *upgrades || !bytes.HasPrefix(lines[0], []byte(name+" 1 ")) {
			t.Errorf("%s.log has %d lines", name, len(lines))
		}
	}
	for _, f := range tails {
		<-f.done
		if !errors.Is(f.err, context.Canceled) {
			t.Errorf("the stream of %s ended: %v", f.name, f.err)
		}
		lines := bytes.Split(f.buf.Bytes(), []byte("\n"))
		_, name, _ := strings.Cut(f.name, ":")
		if len(lines) < 3 || numbered(t, "stream of "+f.name, name, lines[1:len(lines)-1]) == 0 {
			t.Errorf("the stream of %s has %d lines", f.name, len(lines))
		}
	}
	for i := range listeners {
		checkEvents(t, r.path(fmt.Sprintf("events%d", i)), captures)
	}
	checkBriefs(t, r.out)
}

// waitUpgraded waits until the log says n times that the daemon was upgraded. It
// is long, and looked at often.
func (r *rig) waitUpgraded(n int) {
	r.t.Helper()
	timeout := time.After(limit)
	for {
		text, changed := r.out.text()
		if strings.Count(text, "supervisord was upgraded") >= n {
			return
		}
		select {
		case <-changed:
		case <-timeout:
			r.t.Fatalf("upgrade %d did not come", n)
		}
	}
}

// listenerPools are n pools with a listener each.
func listenerPools(counter string, n int) string {
	text := ""
	for i := range n {
		text += fmt.Sprintf("[eventlistener:l%d]\ncommand=%s listen {dir}/events%d\nevents=EVENT\nbuffer_size=100000\n", i, counter, i)
	}
	return text
}

// logLines returns the lines of a log and its backups, oldest first.
func (r *rig) logLines(name string) [][]byte {
	r.t.Helper()
	text := []byte(r.read(name))
	for i := 1; ; i++ {
		older := r.read(name + "." + strconv.Itoa(i))
		if older == "" {
			break
		}
		text = append([]byte(older), text...)
	}
	return bytes.Split(bytes.TrimSuffix(text, []byte("\n")), []byte("\n"))
}

// checkEvents checks that a listener was told of every event once and in order.
func checkEvents(t *testing.T, file string, captures int) {
	t.Helper()
	f, err := os.Open(file)
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	messages := make(map[string]int)
	next, serial := 0, -1
	scanner := bufio.NewScanner(f)
	scanner.Buffer(nil, 1<<20)
	for scanner.Scan() {
		fields := strings.SplitN(scanner.Text(), " ", 4)
		s, _ := strconv.Atoi(fields[0])
		if pool, _ := strconv.Atoi(fields[1]); pool != next || s <= serial {
			t.Fatalf("%s: event %s of the pool follows %d, with the serial %d after %d", file, fields[1], next-1, s, serial)
		}
		next, serial = next+1, s
		if m := regexp.MustCompile(` (c_\d) (\d+)$`).FindStringSubmatch(fields[3]); fields[2] == "PROCESS_COMMUNICATION_STDOUT" && m != nil {
			if n, _ := strconv.Atoi(m[2]); n != messages[m[1]]+1 {
				t.Fatalf("%s: message %s of %s follows %d", file, m[2], m[1], messages[m[1]])
			}
			messages[m[1]]++
		}
	}
	if next == 0 || len(messages) != captures {
		t.Errorf("%s has %d events and the messages %v", file, next, messages)
	}
}

// checkBriefs checks that every start of a brief program has its exit, with the
// right status.
func checkBriefs(t *testing.T, out *output) {
	t.Helper()
	text, _ := out.text()
	starts, exits := make(map[string]int), make(map[string]int)
	for _, m := range regexp.MustCompile(`spawned: '(b_\d)' with pid`).FindAllStringSubmatch(text, -1) {
		starts[m[1]]++
	}
	for _, m := range regexp.MustCompile(`(?:exited|stopped): b_(\d) \((.*?)(?:; (?:not )?expected)?\)`).FindAllStringSubmatch(text, -1) {
		exits["b_"+m[1]]++
		if m[2] != "exit status 1"+m[1] && m[2] != "terminated by SIGTERM" {
			t.Errorf("b_%s ended with %s", m[1], m[2])
		}
	}
	total := 0
	for name, n := range starts {
		total += n
		if exits[name] != n {
			t.Errorf("%s was started %d times and ended %d times", name, n, exits[name])
		}
	}
	if total < 10 {
		t.Errorf("only %d brief programs were started", total)
	}
}
