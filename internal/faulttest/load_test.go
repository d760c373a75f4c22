package faulttest

import (
	"bufio"
	"bytes"
	"context"
	"errors"
	"flag"
	"fmt"
	"io"
	"maps"
	"math/rand/v2"
	"os"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"syscall"
	"testing"
	"time"

	"supervisord/internal/api"
	"supervisord/internal/rpcclient"
	"supervisord/internal/testenv"
)

var (
	load          = flag.Duration("load", 3*time.Second, "how long the load lasts")
	loadPrograms  = flag.Int("load.programs", 30, "how many programs crash")
	loadClients   = flag.Int("load.clients", 10, "how many clients call")
	loadFollowers = flag.Int("load.followers", 5, "how many clients follow a log")
)

// loaded is the configuration: programs that write numbered lines and crash or
// are killed, two of them at once; one that writes all the time, with rotation;
// one that clients stop and start; listeners. What an update changes is written
// behind it. The arguments are the path of counter and the number of programs.
const loaded = `
[program:crash]
command=sh -c 'i=0; while [ $i -lt 20 ]; do echo "line $i of $$"; i=$((i+1)); done; sleep 0.5; [ $(($$ %%%% 2)) = 0 ] && kill -KILL $$; exit 1'
process_name=crash-%%(process_num)d
numprocs=%[2]d
startsecs=0
autorestart=true
stdout_logfile={dir}/%%(program_name)s-%%(process_num)d.log
stdout_logfile_maxbytes=0
stdout_events_enabled=true
[program:flash]
command=sh -c 'i=0; while [ $i -lt 20 ]; do echo "line $i of $$"; i=$((i+1)); done; exit 1'
process_name=flash-%%(process_num)d
numprocs=2
startsecs=0
autorestart=true
stdout_logfile={dir}/%%(program_name)s-%%(process_num)d.log
stdout_logfile_maxbytes=0
[program:steady]
command=%[1]s write steady
stdout_logfile={dir}/steady.log
stdout_logfile_maxbytes=20KB
stdout_logfile_backups=2
[program:toy]
command=sleep 1000
numprocs=4
process_name=toy-%%(process_num)d
startsecs=0
autorestart=false
[program:message]
command=%[1]s capture message
stdout_capture_maxbytes=1KB
stdout_logfile=NONE
[eventlistener:all]
command=%[1]s listen {dir}/events-all
events=EVENT
buffer_size=100
[eventlistener:states]
command=%[1]s listen {dir}/events-states
events=PROCESS_STATE
buffer_size=1000
[eventlistener:messages]
command=%[1]s listen {dir}/events-messages
events=PROCESS_COMMUNICATION,REMOTE_COMMUNICATION,TICK,PROCESS_GROUP
buffer_size=1000
`

// pools are the listeners in it.
var pools = []string{"all", "states", "messages"}

// TestLoad loads the daemon in all ways at once: crashing programs, clients,
// followers of logs, slow listeners, updates. Nothing grows, no byte is lost, and
// every event is delivered or its loss logged.
func TestLoad(t *testing.T) {
	programs := fmt.Sprintf(loaded, counterPath(t), *loadPrograms)
	s := start{main: "logfile_maxbytes=0\n", programs: programs}
	twin := run(t, s)
	twin.out.wait(t, "success: steady entered RUNNING state")
	quiet := twin.goroutines()

	r := run(t, s)
	r.out.wait(t, "success: steady entered RUNNING state")
	ctx, cancel := context.WithTimeout(context.Background(), *load)
	defer cancel()
	began := r.usage()
	var clients sync.WaitGroup
	var calls, updates atomic.Int64
	repeat := func(n int, pause time.Duration, count *atomic.Int64, do func(context.Context, *rpcclient.Client) error) {
		for range n {
			clients.Go(func() {
				client, err := rpcclient.New(rpcclient.Options{ServerURL: "unix://" + r.path("s.sock")})
				if err != nil {
					t.Error(err)
					return
				}
				defer client.Close()
				for ctx.Err() == nil {
					if err := do(ctx, client); err != nil && ctx.Err() == nil {
						t.Error(err)
						return
					}
					count.Add(1)
					select {
					case <-time.After(pause):
					case <-ctx.Done():
					}
				}
			})
		}
	}
	repeat(*loadClients, time.Duration(*loadClients)*2*time.Millisecond, &calls, someCall)
	repeat(1, 200*time.Millisecond, &updates, func(ctx context.Context, client *rpcclient.Client) error {
		s.programs = programs + fmt.Sprintf("[program:fickle]\ncommand=sleep 1%d\nstartsecs=0\nautorestart=false\n", rand.IntN(3))
		if rand.IntN(3) == 0 {
			s.programs = programs
		}
		r.write(s)
		return update(ctx, client)
	})
	var tails []*tail
	for i := range *loadFollowers {
		name := []string{"steady", "flash:flash-0", fmt.Sprintf("crash:crash-%d", i%*loadPrograms)}[min(i, 2)]
		tails = append(tails, r.follow(ctx, name))
	}
	var samples []usage
	for range 30 {
		select {
		case <-time.After(*load / 30):
		case <-ctx.Done():
		}
		samples = append(samples, r.usage())
	}
	clients.Wait()
	for _, f := range tails {
		<-f.done
	}
	after := r.usage()
	left := r.goroutines()

	middle, last := mean(samples[10:20]), mean(samples[20:])
	t.Logf("%d calls, %d updates, %d starts; memory %d KiB before, %d and %d KiB in the second and last third, %d KiB after, at most %d KiB; "+
		"files %d, %d, %d, %d; threads %d, %d, %d, %d; goroutines without programs %d before, %d after",
		calls.Load(), updates.Load(), r.logged(`^.*INFO spawned: '(\w)`)[""],
		began.memory, middle.memory, last.memory, after.memory, slices.MaxFunc(samples, func(a, b usage) int { return a.memory - b.memory }).memory,
		began.files, middle.files, last.files, after.files, began.threads, middle.threads, last.threads, after.threads, quiet[""], left[""])
	// A short load is over before everything has come to its size. The memory of
	// the race detector itself grows with everything that is done.
	if !testenv.Race && last.memory > middle.memory*3/2 || last.files > middle.files*3/2 || last.threads > middle.threads*3/2 || left[""] > quiet[""]+10 {
		t.Errorf("something grows; goroutines before: %v, after: %v", quiet, left)
	}
	r.checkLines()
	for _, f := range tails {
		checkTail(t, f)
	}
	r.checkDelivered()
}

// someCall makes one of the calls that clients make.
func someCall(ctx context.Context, client *rpcclient.Client) error {
	toy := fmt.Sprintf("toy:toy-%d", rand.IntN(4))
	var err error
	switch rand.IntN(8) {
	case 0, 1:
		_, err = client.AllProcessInfo(ctx)
	case 2:
		_, err = client.ProcessInfo(ctx, "crash:crash-0")
	case 3:
		_, err = client.ReadProcessLog(ctx, "steady", api.Stdout, -1000, 0)
	case 4:
		_, err = client.ReadLog(ctx, -1000, 0)
	case 5:
		err = client.StopProcess(ctx, toy, true)
	case 6:
		err = client.StartProcess(ctx, toy, true)
	case 7:
		err = client.SendRemoteCommEvent(ctx, "load", "data")
	}
	// The clients stop and start the same ones.
	if fault := new(api.Fault); errors.As(err, &fault) && (fault.Code == api.AlreadyStarted || fault.Code == api.NotRunning || fault.Code == api.AbnormalTermination) {
		return nil
	}
	return err
}

// update does what the update of supervisorctl does.
func update(ctx context.Context, client *rpcclient.Client) error {
	changes, err := client.ReloadConfig(ctx)
	if err != nil {
		return err
	}
	for _, group := range slices.Concat(changes.Changed, changes.Removed) {
		if _, err := client.StopProcessGroup(ctx, group, true); err != nil {
			return err
		}
		if err := client.RemoveProcessGroup(ctx, group); err != nil {
			return err
		}
	}
	for _, group := range slices.Concat(changes.Changed, changes.Added) {
		if err := client.AddProcessGroup(ctx, group); err != nil {
			return err
		}
	}
	return nil
}

// usage is what a daemon takes of the machine; memory is in KiB.
type usage struct{ memory, files, threads int }

// usage looks at what the daemon takes.
func (r *rig) usage() (u usage) {
	r.t.Helper()
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

func mean(all []usage) (u usage) {
	for _, one := range all {
		u.memory += one.memory
		u.files += one.files
		u.threads += one.threads
	}
	return usage{u.memory / len(all), u.files / len(all), u.threads / len(all)}
}

// goroutines stops all programs, ends the daemon in the way that makes it show
// its goroutines, and returns how many there were of each origin.
func (r *rig) goroutines() map[string]int {
	r.t.Helper()
	if _, err := r.StopAllProcesses(r.ctx(), true); err != nil {
		r.t.Fatal(err)
	}
	r.signal(syscall.SIGABRT)
	select {
	case <-r.done:
	case <-time.After(limit):
		r.kill()
	}
	text, _ := r.out.text()
	if regexp.MustCompile("DATA RACE|CRIT bug:").MatchString(text) {
		r.t.Errorf("supervisord has a defect")
	}
	counts := make(map[string]int)
	for _, m := range regexp.MustCompile(`(?m)^created by (\S+)`).FindAllStringSubmatch(text, -1) {
		counts[m[1]]++
		counts[""]++
	}
	return counts
}

// logged counts the lines of the activity log that match, by the first group, and
// all of them as "".
func (r *rig) logged(pattern string) map[string]int {
	r.t.Helper()
	f, err := os.Open(r.path("supervisord.log"))
	if err != nil {
		r.t.Fatal(err)
	}
	defer f.Close()
	re, counts := regexp.MustCompile(pattern), make(map[string]int)
	lines := bufio.NewScanner(f)
	for lines.Scan() {
		if m := re.FindSubmatch(lines.Bytes()); m != nil {
			counts[string(m[1])]++
			counts[""]++
		}
	}
	if err := lines.Err(); err != nil {
		r.t.Fatal(err)
	}
	return counts
}

// scanLives checks the lines of a crashing program, of which each life leaves 20 in
// order, and returns in how many it began.
func scanLives(t *testing.T, what string, text io.Reader, next int) (n int) {
	t.Helper()
	owner := ""
	lines := bufio.NewReader(text)
	for {
		line, err := lines.ReadString('\n')
		if err != nil {
			return n
		}
		var i int
		var pid string
		if _, err := fmt.Sscanf(line, "line %d of %s\n", &i, &pid); err != nil {
			t.Fatalf("%s: line %q", what, line)
		}
		if next < 0 {
			next, owner = i, pid
		}
		if i != next || i > 0 && pid != owner {
			t.Fatalf("%s: %q, want line %d of %s", what, line, next, owner)
		}
		if i == 0 {
			n++
		}
		next, owner = (i+1)%20, pid
	}
}

// checkLines makes sure that every life of a crashing program has left all its
// lines, in order; the last one may have been stopped.
func (r *rig) checkLines() {
	r.t.Helper()
	spawned := r.logged(`INFO spawned: '((?:crash|flash)-\d+)' `)
	delete(spawned, "")
	for _, name := range slices.Sorted(maps.Keys(spawned)) {
		f, err := os.Open(r.path(name + ".log"))
		if err != nil {
			r.t.Fatal(err)
		}
		n := scanLives(r.t, name, f, 0)
		f.Close()
		if want := spawned[name]; n < want-1 || n > want || n == 0 {
			r.t.Errorf("%s was started %d times and has the lines of %d lives", name, want, n)
		}
	}
	if len(spawned) != *loadPrograms+2 {
		r.t.Errorf("%d programs were started", len(spawned))
	}
}

// checkTail makes sure that a stream has all lines from its beginning on.
func checkTail(t *testing.T, f *tail) {
	t.Helper()
	if !errors.Is(f.err, context.DeadlineExceeded) {
		t.Errorf("the stream of %s ended: %v", f.name, f.err)
	}
	_, text, _ := bytes.Cut(f.buf.Bytes(), []byte("\n"))
	if len(text) == 0 {
		t.Errorf("the stream of %s is empty", f.name)
	} else if f.name == "steady" {
		numbered(t, "stream of steady", "steady", bytes.Split(text[:bytes.LastIndexByte(text, '\n')], []byte("\n")))
	} else {
		scanLives(t, "stream of "+f.name, bytes.NewReader(text), -1)
	}
	t.Logf("stream of %s: %d bytes", f.name, f.buf.Len())
}

// checkDelivered makes sure that listeners got their events in order and that
// every one that they did not get was reported.
func (r *rig) checkDelivered() {
	r.t.Helper()
	discarded := r.logged(`pool (\w+) event buffer overflowed, discarding event \d+`)
	for _, pool := range pools {
		f, err := os.Open(r.path("events-" + pool))
		if err != nil {
			r.t.Fatal(err)
		}
		next, missing := 0, 0
		for lines := bufio.NewScanner(f); lines.Scan(); {
			var serial, n int
			if _, err := fmt.Sscan(lines.Text(), &serial, &n); err != nil {
				r.t.Fatalf("%s: %q", pool, lines.Text())
			}
			if n < next {
				r.t.Fatalf("%s: event %d after %d", pool, n, next-1)
			}
			missing += n - next
			next = n + 1
		}
		f.Close()
		r.t.Logf("pool %s: %d events arrived, %d were discarded", pool, next-missing, discarded[pool])
		if next == 0 || missing > discarded[pool] {
			r.t.Errorf("pool %s: %d events are missing, %d were reported", pool, missing, discarded[pool])
		}
	}
}
