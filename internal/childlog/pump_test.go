package childlog

import (
	"os"
	"path/filepath"
	"strings"
	"sync"
	"syscall"
	"testing"

	"supervisord/internal/api"
)

// newPipe returns the descriptor that a Pump reads, and the end that a process
// would write to.
func newPipe(t testing.TB) (fd int, w *os.File) {
	t.Helper()
	var fds [2]int
	if err := syscall.Pipe(fds[:]); err != nil {
		t.Fatal(err)
	}
	syscall.CloseOnExec(fds[0])
	syscall.CloseOnExec(fds[1])
	if err := syscall.SetNonblock(fds[0], true); err != nil {
		t.Fatal(err)
	}
	return fds[0], os.NewFile(uintptr(fds[1]), "pipe")
}

// recorder is a Sink and an activity log that remember everything.
type recorder struct {
	mu  sync.Mutex
	got []string
}

func (r *recorder) add(s string) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.got = append(r.got, s)
}

func (r *recorder) Output(p []byte)   { r.add("output " + string(p)) }
func (r *recorder) Captured(p []byte) { r.add("captured " + string(p)) }
func (r *recorder) Listener(p []byte) { r.add("listener " + string(p)) }

func (r *recorder) log(level api.LogLevel, text string) { r.add(level.String() + " " + text) }

func (r *recorder) all() string {
	r.mu.Lock()
	defer r.mu.Unlock()
	return strings.Join(r.got, "|")
}

func tempLog(t testing.TB) (*Log, string) {
	path := filepath.Join(t.TempDir(), "log")
	l := NewLog(LogOptions{Path: path})
	t.Cleanup(func() { l.Close() })
	return l, path
}

func contents(t testing.TB, path string) string {
	t.Helper()
	b, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	return string(b)
}

// drained waits until everything that is in the pipe was moved.
func drained(p *Pump) {
	done := make(chan struct{})
	p.Drain(func() { close(done) })
	<-done
}

func TestPumpLogsUntilTheEnd(t *testing.T) {
	l, path := tempLog(t)
	fd, w := newPipe(t)
	p := Start(PumpOptions{FD: fd, Log: l})
	w.WriteString("one\n")
	drained(p)
	if got := contents(t, path); got != "one\n" {
		t.Errorf("log after Drain: %q", got)
	}
	w.WriteString("two\n")
	w.Close()
	<-p.Done()
	if got := contents(t, path); got != "one\ntwo\n" {
		t.Errorf("log at the end: %q", got)
	}
	drained(p) // still answers
}

func TestPumpClose(t *testing.T) {
	l, path := tempLog(t)
	fd, w := newPipe(t)
	defer w.Close()
	p := Start(PumpOptions{FD: fd, Log: l})
	w.WriteString("last words")
	p.Close()
	<-p.Done()
	if got := contents(t, path); got != "last words" {
		t.Errorf("log: %q", got)
	}
	if _, err := w.WriteString("x"); err == nil {
		t.Error("the pipe is still open for reading")
	}
}
