package notify

import (
	"context"
	"errors"
	"net"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"supervisord/internal/api"
)

func TestFromEnvironment(t *testing.T) {
	self := strconv.Itoa(os.Getpid())
	for _, tt := range []struct {
		name                      string
		socket, interval, watched string
		address                   string
		watchdog                  time.Duration
		err                       string
	}{
		{name: "no manager"},
		{name: "no manager but a watchdog", interval: "1000000"},
		{name: "path", socket: "/run/notify", address: "/run/notify"},
		{name: "abstract", socket: "@notify", address: "@notify"},
		{name: "other family", socket: "vsock:2:1234", err: "neither a path nor an abstract socket"},
		{name: "relative", socket: "notify", err: "neither a path nor an abstract socket"},
		{name: "watchdog", socket: "/n", address: "/n", interval: "30000000", watchdog: 30 * time.Second},
		{name: "watchdog for us", socket: "/n", address: "/n", interval: "1500", watched: self, watchdog: 1500 * time.Microsecond},
		{name: "watchdog for another", socket: "/n", address: "/n", interval: "1500", watched: "1"},
		{name: "no number", socket: "/n", address: "/n", interval: "soon", err: "no number of microseconds"},
		{name: "zero", socket: "/n", address: "/n", interval: "0", err: "no number of microseconds"},
		{name: "negative", socket: "/n", address: "/n", interval: "-1", err: "no number of microseconds"},
		{name: "overflow", socket: "/n", address: "/n", interval: "9223372036854775807", err: "no number of microseconds"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Setenv(socketVariable, tt.socket)
			t.Setenv(intervalVariable, tt.interval)
			t.Setenv(watchedVariable, tt.watched)
			n, err := FromEnvironment()
			if n.address != tt.address || n.watchdog != tt.watchdog {
				t.Errorf("address %q, watchdog %v; want %q, %v", n.address, n.watchdog, tt.address, tt.watchdog)
			}
			switch {
			case tt.err == "" && err != nil:
				t.Error(err)
			case tt.err != "" && (err == nil || !strings.Contains(err.Error(), tt.err)):
				t.Errorf("error %v, want one with %q", err, tt.err)
			}
			for _, name := range []string{socketVariable, intervalVariable, watchedVariable} {
				if value, ok := os.LookupEnv(name); ok {
					t.Errorf("%s=%s is left for the programs", name, value)
				}
			}
		})
	}
}

// A manager is the other end: it receives the messages.
type manager struct {
	*net.UnixConn
}

func listen(t *testing.T, address string) manager {
	t.Helper()
	conn, err := net.ListenUnixgram("unixgram", &net.UnixAddr{Name: address, Net: "unixgram"})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { conn.Close() })
	return manager{conn}
}

func newManager(t *testing.T) (m manager, address string) {
	address = filepath.Join(t.TempDir(), "notify")
	return listen(t, address), address
}

// want reads a message and compares it. A last line that ends with "=" stands
// for any value.
func (m manager) want(t *testing.T, lines ...string) {
	t.Helper()
	want := strings.Join(lines, "\n")
	buf := make([]byte, 4096)
	n, err := m.Read(buf)
	if err != nil {
		t.Fatalf("wait for %q: %v", want, err)
	}
	got := string(buf[:n])
	if prefix, ok := strings.CutSuffix(want, "="); ok && strings.HasPrefix(got, prefix+"=") {
		return
	}
	if got != want {
		t.Fatalf("message %q, want %q", got, want)
	}
}

// A fake is a daemon whose states the test sets.
type fake struct {
	mu        sync.Mutex
	mood      api.Mood
	processes []api.ProcessInfo
	configs   []api.ConfigInfo
	deaf      bool
	changed   chan struct{}
}

func newFake(states ...api.ProcessState) *fake {
	f := &fake{mood: api.MoodRunning, changed: make(chan struct{})}
	f.setStates(states)
	return f
}

func (f *fake) setStates(states []api.ProcessState) {
	f.processes = nil
	for _, s := range states {
		f.processes = append(f.processes, api.ProcessInfo{State: s})
	}
}

// change changes the daemon and tells those who wait for it.
func (f *fake) change(do func()) {
	f.mu.Lock()
	defer f.mu.Unlock()
	do()
	close(f.changed)
	f.changed = make(chan struct{})
}

func (f *fake) Mood() api.Mood {
	f.mu.Lock()
	defer f.mu.Unlock()
	return f.mood
}

func (f *fake) AllProcessInfo(context.Context) ([]api.ProcessInfo, error) {
	f.mu.Lock()
	defer f.mu.Unlock()
	if f.deaf {
		return nil, errors.New("no answer")
	}
	return f.processes, nil
}

func (f *fake) AllConfigInfo(context.Context) ([]api.ConfigInfo, error) {
	f.mu.Lock()
	defer f.mu.Unlock()
	return f.configs, nil
}

func (f *fake) Changed() <-chan struct{} {
	f.mu.Lock()
	defer f.mu.Unlock()
	return f.changed
}

func fail(t *testing.T) func(error) {
	return func(err error) { t.Errorf("warning: %v", err) }
}

// TestFollow goes through a life: ready, news, a restart, ready again, the end.
func TestFollow(t *testing.T) {
	m, address := newManager(t)
	n := &Notifier{link: link{address: address}}

	daemon := newFake(api.Starting, api.Starting, api.Stopped)
	daemon.configs = []api.ConfigInfo{
		{Group: "a", InUse: true, StopWaitSecs: 10},
		{Group: "a", InUse: true, StopWaitSecs: 40},
		{Group: "b", InUse: true, StopWaitSecs: 3600},
		{Group: "c", InUse: false, StopWaitSecs: 99999},
	}
	stop := n.Follow(daemon, fail(t))
	m.want(t, "READY=1", "STATUS=2 STARTING, 1 STOPPED")
	daemon.change(func() { daemon.setStates([]api.ProcessState{api.Running, api.Fatal, api.Running}) })
	m.want(t, "STATUS=2 RUNNING, 1 FATAL")

	daemon.change(func() { daemon.mood = api.MoodRestarting })
	message := make([]byte, 4096)
	length, err := m.Read(message)
	if err != nil {
		t.Fatal(err)
	}
	lines := strings.Split(string(message[:length]), "\n")
	if len(lines) != 3 || lines[0] != "RELOADING=1" || lines[2] != "EXTEND_TIMEOUT_USEC=3670000000" {
		t.Errorf("at a restart: %q", lines)
	}
	if usec, err := strconv.Atoi(strings.TrimPrefix(lines[1], "MONOTONIC_USEC=")); err != nil || usec <= 0 {
		t.Errorf("time of a restart: %q", lines[1])
	}
	stop()

	daemon = newFake()
	stop = n.Follow(daemon, fail(t))
	m.want(t, "READY=1", "STATUS=no programs")
	daemon.change(func() { daemon.mood = api.MoodShutdown })
	m.want(t, "STOPPING=1", "EXTEND_TIMEOUT_USEC=30000000")
	stop()
	m.want(t, "STATUS=stopped")
}

// TestStopTells has the daemon end before anybody looked.
func TestStopTells(t *testing.T) {
	m, address := newManager(t)
	n := &Notifier{link: link{address: address}}
	daemon := newFake()
	stop := n.Follow(daemon, fail(t))
	m.want(t, "READY=1", "STATUS=no programs")
	daemon.mu.Lock()
	daemon.mood = api.MoodShutdown
	daemon.mu.Unlock()
	stop()
	m.want(t, "STOPPING=1", "EXTEND_TIMEOUT_USEC=")
}

// TestWatchdog takes signs of life until the daemon does not answer any more.
func TestWatchdog(t *testing.T) {
	m, address := newManager(t)
	n := &Notifier{link: link{address: address}, watchdog: 20 * time.Millisecond}
	daemon := newFake(api.Running)
	stop := n.Follow(daemon, fail(t))
	m.want(t, "READY=1", "STATUS=1 RUNNING")
	for range 3 {
		m.want(t, "WATCHDOG=1")
	}
	daemon.change(func() { daemon.deaf = true })
	stop()
	// What was sent before the daemon became deaf may still be there.
	if err := m.SetReadDeadline(time.Now().Add(time.Millisecond)); err != nil {
		t.Fatal(err)
	}
	buf := make([]byte, 64)
	for {
		if _, err := m.Read(buf); err != nil {
			break
		}
	}

	daemon = newFake(api.Running)
	daemon.deaf = true
	stop = n.Follow(daemon, fail(t))
	if err := m.SetReadDeadline(time.Now().Add(100 * time.Millisecond)); err != nil {
		t.Fatal(err)
	}
	if n, err := m.Read(buf); err == nil {
		t.Errorf("a daemon that does not answer sent %q", buf[:n])
	}
	stop()
}

// TestManagerReturns opens the manager's socket anew between messages.
func TestManagerReturns(t *testing.T) {
	m, address := newManager(t)
	n := &Notifier{link: link{address: address}}
	if err := n.send("A=1"); err != nil {
		t.Fatal(err)
	}
	m.want(t, "A=1")
	m.Close()
	os.Remove(address)
	if err := n.send("A=2"); err == nil {
		t.Error("sent to nobody without an error")
	}
	m = listen(t, address)
	if err := n.send("A=3"); err != nil {
		t.Fatal(err)
	}
	m.want(t, "A=3")
}

func TestAbstract(t *testing.T) {
	address := "@" + t.TempDir()
	m := listen(t, address)
	n := &Notifier{link: link{address: address}}
	if err := n.send("READY=1"); err != nil {
		t.Fatal(err)
	}
	m.want(t, "READY=1")
}

// TestWarnOnce has nobody listen: that is said once, and nothing waits for it.
func TestWarnOnce(t *testing.T) {
	n := &Notifier{link: link{address: filepath.Join(t.TempDir(), "none")}, watchdog: time.Millisecond}
	var mu sync.Mutex
	warnings := 0
	daemon := newFake(api.Running)
	stop := n.Follow(daemon, func(error) {
		mu.Lock()
		defer mu.Unlock()
		warnings++
	})
	daemon.change(func() { daemon.mood = api.MoodShutdown })
	stop()
	mu.Lock()
	defer mu.Unlock()
	if warnings != 1 {
		t.Errorf("%d warnings, want 1", warnings)
	}
}

// TestStuckManager fills the socket of a manager that reads nothing.
func TestStuckManager(t *testing.T) {
	_, address := newManager(t)
	n := &Notifier{link: link{address: address}}
	for range 100000 {
		if err := n.send("STATUS=x"); err != nil {
			if !errors.Is(err, os.ErrDeadlineExceeded) {
				t.Errorf("error %v, want a timeout", err)
			}
			return
		}
	}
	t.Error("the socket is never full")
}

func TestNobodyToTell(t *testing.T) {
	new(Notifier).Follow(newFake(), fail(t))()
}
