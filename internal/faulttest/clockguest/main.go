// Command clockguest is what a virtual machine runs to have its clock set under
// supervisord: its init, and all programs that supervisord runs there.
//
//	clockguest [long]  sets the clock, compares what supervisord does with the
//	                   monotonic clock, says what came of it and ends the machine;
//	                   long leaves the clock wrong for 40 minutes, too
//	clockguest listen  is an event listener that passes the events on
//	clockguest ROLE    is a program: sleep, deaf, crash, fail, write or well
package main

import (
	"bufio"
	"context"
	"fmt"
	"io"
	"os"
	"os/exec"
	"os/signal"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"syscall"
	"time"

	"supervisord/internal/api"
	"supervisord/internal/rpcclient"
)

const (
	hour = time.Hour
	year = 365 * 24 * time.Hour

	// slack is by how much the time between two events may be wrong. The clocks
	// of the machine go by what it has computed, not by what its host is doing.
	slack = 300 * time.Millisecond
	// limit is how long something is waited for.
	limit = time.Minute
	// writeInterval is how often steady writes a line, and tickInterval how often
	// there is a TICK_5.
	writeInterval = 10 * time.Second
	tickInterval  = 5 * time.Second

	// fifo takes the events from the listener to init.
	fifo = "/events"
)

func main() {
	if os.Getpid() != 1 {
		play(os.Args[1])
		return
	}
	begin()
	m := newMachine()
	for _, jump := range []time.Duration{hour, -hour, year, -year} {
		m.thereAndBack(jump, func() {})
	}
	m.thereAndBack(-hour, func() { must(m.Upgrade(context.Background())) })
	m.settle()
	if slices.Contains(os.Args, "long") {
		m.stayBehind()
	}
	m.endFollowing()
	m.dieAndSet(hour)
	m.dieAndSet(-hour)
	m.finish()
	end("passed")
}

// play is a program of supervisord's.
func play(role string) {
	switch role {
	case "listen":
		listen()
	case "sleep":
		time.Sleep(year)
	case "deaf":
		signal.Ignore(syscall.SIGTERM)
		time.Sleep(year)
	case "crash":
		time.Sleep(3 * time.Second)
		os.Exit(1)
	case "fail":
		os.Exit(1)
	case "write":
		for i := 0; ; i++ {
			fmt.Println(i)
			time.Sleep(writeInterval)
		}
	}
}

// listen passes the header and the payload of each event on, on one line.
func listen() {
	out, err := os.OpenFile(fifo, os.O_WRONLY, 0)
	must(err)
	in := bufio.NewReader(os.Stdin)
	for {
		fmt.Print("READY\n")
		header, err := in.ReadString('\n')
		must(err)
		header = strings.TrimSpace(header)
		size, err := strconv.Atoi(header[strings.LastIndexByte(header, ':')+1:])
		must(err)
		payload := make([]byte, size)
		_, err = io.ReadFull(in, payload)
		must(err)
		fmt.Fprintf(out, "%s %s\n", header, payload)
		fmt.Print("RESULT 2\nOK")
	}
}

// begin makes what a program expects of a system.
func begin() {
	for kind, dir := range map[string]string{"proc": "/proc", "devtmpfs": "/dev"} {
		must(os.MkdirAll(dir, 0o755))
		must(syscall.Mount(kind, dir, kind, 0, ""))
	}
	must(syscall.Mkfifo(fifo, 0o600))
	set(time.Until(time.Date(2026, 6, 1, 0, 0, 0, 0, time.UTC)))
}

// set moves the clock of the machine.
func set(by time.Duration) {
	to := syscall.NsecToTimeval(time.Now().Add(by).UnixNano())
	must(syscall.Settimeofday(&to))
	fmt.Printf("clock: set by %v\n", by)
}

// end says what came of it and ends the machine.
func end(verdict string) {
	fmt.Printf("clock: %s\n", verdict)
	time.Sleep(time.Second) // until the serial port has sent it
	fmt.Println(syscall.Reboot(syscall.LINUX_REBOOT_CMD_RESTART))
}

func must(err error) {
	if err != nil {
		fail("%v", err)
	}
}

func fail(format string, args ...any) {
	if os.Getpid() == 1 {
		end("failed: " + fmt.Sprintf(format, args...))
	}
	fmt.Fprintf(os.Stderr, format+"\n", args...)
	os.Exit(2)
}

// An event is one that the listener got, with the time by the monotonic clock
// when it did.
type event struct {
	at   time.Time
	text string
}

// member returns what an event says of a key, empty for nothing.
func (e event) member(key string) string {
	for _, field := range strings.Fields(e.text) {
		if value, found := strings.CutPrefix(field, key+":"); found {
			return value
		}
	}
	return ""
}

// A machine is what supervisord runs on, and what was seen of it.
type machine struct {
	*rpcclient.Client
	daemon *exec.Cmd
	begun  time.Time
	events chan event
	// changed is when a process came into the state in which it is.
	changed map[string]time.Time
	ticked  time.Time
	ticks   int
	sets    int
	follow  func() int // ends the following of steady's log
	pid     int        // of steady
	started int        // when it was, as clients are told
}

func newMachine() *machine {
	client, err := rpcclient.New(rpcclient.Options{ServerURL: "unix:///supervisor.sock"})
	must(err)
	// Open for both, so that its end never comes.
	pipe, err := os.OpenFile(fifo, os.O_RDWR, 0)
	must(err)
	m := &machine{
		Client: client, begun: time.Now(), events: make(chan event, 1000), changed: map[string]time.Time{},
	}
	go func() {
		for lines := bufio.NewScanner(pipe); lines.Scan(); {
			m.events <- event{time.Now(), lines.Text()}
		}
	}()
	m.launch()
	m.await("steady RUNNING", "listen RUNNING")
	// What happens before the listener is RUNNING it hears of only then.
	must(m.StartProcess(context.Background(), "crashes", false))
	must(m.StartProcess(context.Background(), "deaf", false))
	m.await("crashes RUNNING", "deaf RUNNING")
	info, err := m.ProcessInfo(context.Background(), "steady")
	must(err)
	m.pid, m.started = info.PID, info.Start
	m.startFollowing()
	return m
}

// launch starts supervisord and waits until it answers.
func (m *machine) launch() {
	m.daemon = exec.Command("/supervisord", "-c", "/supervisord.conf")
	m.daemon.Stdout, m.daemon.Stderr = os.Stdout, os.Stderr
	must(m.daemon.Start())
	for begun := time.Now(); ; time.Sleep(100 * time.Millisecond) {
		_, err := m.State(context.Background())
		if err == nil {
			return
		}
		if time.Since(begun) > limit {
			fail("no answer: %v", err)
		}
	}
}

// await waits until each of the processes has come into its state. What else
// happens meanwhile is looked at, too.
func (m *machine) await(changes ...string) {
	timeout := time.After(limit)
	for len(changes) > 0 {
		select {
		case e := <-m.events:
			if i := slices.Index(changes, m.judge(e)); i >= 0 {
				changes = slices.Delete(changes, i, i+1)
			}
		case <-timeout:
			fail("waited for %q", changes)
		}
	}
}

// judge compares the time of an event with the one before. It returns the process
// and the state in which it is now.
func (m *machine) judge(e event) string {
	name := e.member("eventname")
	if name == "TICK_5" {
		if !m.ticked.IsZero() && e.at.Sub(m.ticked) > tickInterval+slack {
			fail("no tick for %v", e.at.Sub(m.ticked))
		}
		m.ticked = e.at
		m.ticks++
		return ""
	}
	process, from, to := e.member("processname"), e.member("from_state"), strings.TrimPrefix(name, "PROCESS_STATE_")
	change := process + " " + to
	began, found := m.changed[process]
	took := e.at.Sub(began)
	if found {
		fmt.Printf("clock: %s after %v of %s\n", change, took.Round(time.Millisecond), from)
	}
	if want, limited := duration(e, process+" "+from+" "+to); limited {
		if took < want-slack || took > want+slack {
			fail("%s was %s for %v, not %v, before it was %s", process, from, took, want, to)
		}
	} else if process == "steady" && m.pid != 0 {
		fail("steady is %s", to)
	}
	m.changed[process] = e.at
	return change
}

// duration returns how long a process has to be in a state before it is in another
// one, if supervisord is to decide that by the time.
func duration(e event, change string) (d time.Duration, limited bool) {
	switch change {
	case "slow STARTING RUNNING", "deaf STOPPING STOPPED":
		return 5 * time.Second, true
	case "crashes STARTING RUNNING", "deaf STARTING RUNNING":
		return time.Second, true
	case "crashes RUNNING EXITED":
		return 2 * time.Second, true
	case "crashes EXITED STARTING":
		return 3 * time.Second, true
	case "fails BACKOFF STARTING":
		tries, err := strconv.Atoi(e.member("tries"))
		must(err)
		return time.Duration(tries) * time.Second, true
	case "fails STARTING BACKOFF", "fails BACKOFF FATAL":
		return 0, true
	}
	return 0, false
}

// thereAndBack sets the clock, and sets it back, while processes are STARTING,
// STOPPING, in BACKOFF and about to be restarted. In between it does something
// else.
func (m *machine) thereAndBack(jump time.Duration, meanwhile func()) {
	ctx := context.Background()
	must(m.StartProcess(ctx, "slow", false))
	must(m.StartProcess(ctx, "fails", false))
	must(m.StopProcess(ctx, "deaf", false))
	time.Sleep(time.Second / 2)
	m.set(jump)
	meanwhile()
	time.Sleep(2 * time.Second)
	m.set(-jump)
	m.await("slow RUNNING", "fails FATAL", "deaf STOPPED", "crashes STARTING")

	must(m.StopProcess(ctx, "slow", true))
	must(m.StartProcess(ctx, "deaf", true))
	m.await("slow STOPPED", "deaf RUNNING")
}

// set sets the clock and looks at what clients are told then.
func (m *machine) set(by time.Duration) {
	set(by)
	m.sets++
	infos, err := m.AllProcessInfo(context.Background())
	must(err)
	now := int(time.Now().Unix())
	for _, info := range infos {
		if info.Now < now-1 || info.Now > now {
			fail("%s: the time is given as %d at %d", info.Name, info.Now, now)
		}
		if info.State == api.Running && !regexp.MustCompile(`uptime (\d+ days?, )?\d+:\d\d:\d\d$`).MatchString(info.Description) {
			fail("%s: %s", info.Name, info.Description)
		}
	}
	m.inspect()
}

// inspect makes sure that steady is what it was in the beginning.
func (m *machine) inspect() {
	info, err := m.ProcessInfo(context.Background(), "steady")
	must(err)
	if info.State != api.Running || info.PID != m.pid || info.Start != m.started || info.Health != "ok" {
		fail("steady is %+v", info)
	}
}

// startFollowing follows the log of steady from its beginning on.
func (m *machine) startFollowing() {
	ctx, cancel := context.WithCancel(context.Background())
	stream, err := m.Follow(ctx, rpcclient.ProcessLogPath("steady", api.Stdout))
	must(err)
	count := make(chan int)
	go func() {
		lines := bufio.NewScanner(stream)
		n := 0
		for ; lines.Scan(); n++ {
			if lines.Text() != strconv.Itoa(n) {
				fail("line %d of the followed log is %q", n, lines.Text())
			}
		}
		if ctx.Err() == nil {
			fail("the followed log ended after %d lines: %v", n, lines.Err())
		}
		count <- n
	}()
	m.follow = func() int {
		cancel()
		return <-count
	}
}

// settle ends what happens by itself.
func (m *machine) settle() {
	must(m.StopProcess(context.Background(), "crashes", true))
	m.await("crashes STOPPED")
}

// stayBehind lets the clock be behind for longer than a client may leave unread
// what was sent to it.
func (m *machine) stayBehind() {
	time.Sleep(2 * time.Minute) // until supervisord has counted by the time of before
	m.set(-hour)
	for range 40 {
		time.Sleep(time.Minute)
		m.drain()
	}
	m.inspect()
	m.set(hour)
}

// endFollowing looks at what the stream and the listener got in the whole time.
func (m *machine) endFollowing() {
	m.drain()
	m.lines("followed", m.follow())
	if most := int(time.Since(m.begun)/tickInterval) + 1 + m.sets; m.ticks > most {
		fail("%d ticks, and not more than %d periods have begun", m.ticks, most)
	}
}

// drain looks at the events that have come.
func (m *machine) drain() {
	for {
		select {
		case e := <-m.events:
			m.judge(e)
		default:
			return
		}
	}
}

// lines makes sure that steady's lines are all there.
func (m *machine) lines(where string, n int) {
	if want := int(time.Since(m.begun) / writeInterval); n < want-1 || n > want+1 {
		fail("%d lines were %s, not %d", n, where, want)
	}
}

// dieAndSet kills supervisord during a start. When the next one takes the process
// back, the clock has been set.
func (m *machine) dieAndSet(jump time.Duration) {
	ctx := context.Background()
	must(m.StartProcess(ctx, "slow", false))
	m.await("slow STARTING")
	time.Sleep(time.Second)
	must(m.daemon.Process.Kill())
	_ = m.daemon.Wait() // It was killed.
	m.drain()
	m.ticked = time.Time{} // A tick may have been missed.
	set(jump)
	m.launch()
	m.await("slow RUNNING")
	must(m.StopProcess(ctx, "slow", true))
	m.await("slow STOPPED")
	m.set(-jump)
}

// finish ends supervisord.
func (m *machine) finish() {
	m.inspect()
	log, err := os.ReadFile("/steady.log")
	must(err)
	m.lines("logged", strings.Count(string(log), "\n"))
	must(m.daemon.Process.Signal(syscall.SIGTERM))
	must(m.daemon.Wait())
}
