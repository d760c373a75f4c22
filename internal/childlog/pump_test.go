package childlog

import (
	"bytes"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"sync"
	"syscall"
	"testing"

	"supervisord/internal/api"
	"supervisord/internal/logfile"
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

// A line is logged when it is complete, a prompt when nothing follows, and what
// orphans write to the line of a process that exited is another record.
func TestPumpHoldsLines(t *testing.T) {
	l, path := tempLog(t)
	fd, w := newPipe(t)
	p := Start(PumpOptions{FD: fd, Log: l, Format: api.FormatText, ProcessName: "cat", GroupName: "cat"})
	written := func(text string) string {
		t.Helper()
		changed := l.Changed()
		w.WriteString(text)
		<-changed
		return times.ReplaceAllString(contents(t, path), "T")
	}
	if got := written("one\ntwo> "); got != "T cat stdout | one\n" {
		t.Errorf("after a line: %q", got)
	}
	<-l.Changed()
	if got := times.ReplaceAllString(contents(t, path), "T"); got != "T cat stdout | one\nT cat stdout + two> \n" {
		t.Errorf("after a while: %q", got)
	}
	w.WriteString("three")
	drained(p)
	w.WriteString("four\n")
	w.Close()
	<-p.Done()
	want := "T cat stdout | one\nT cat stdout + two> \nT cat stdout + three\nT cat stdout | four\n"
	if got := times.ReplaceAllString(contents(t, path), "T"); got != want {
		t.Errorf("at the end: %q, want %q", got, want)
	}
}

// The timer of a held line does not wake a pump that holds none.
func TestPumpRestsWithoutAHeldLine(t *testing.T) {
	l, _ := tempLog(t)
	fd, w := newPipe(t)
	p := Start(PumpOptions{FD: fd, Log: l, Format: api.FormatJSON})
	defer p.Close()
	changed := l.Changed()
	w.WriteString("a line\n")
	<-changed
	drained(p)
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.timer != nil {
		t.Error("there is a timer")
	}
	w.Close()
}

// No record is cut by rotation, and none is lost.
func TestRotationCutsNoRecord(t *testing.T) {
	const lines, backups = 20_000, 2000
	path := filepath.Join(t.TempDir(), "log")
	l := NewLog(LogOptions{Path: path, Rotate: logfile.Options{MaxBytes: 10_000, Backups: backups}})
	defer l.Close()
	run(t, fmt.Sprintf("numbered %d 100", lines), PumpOptions{Log: l, Format: api.FormatJSON})
	var text []byte
	files := 0
	for n := backups; n >= 0; n-- {
		name := path
		if n > 0 {
			name += "." + strconv.Itoa(n)
		}
		records, err := os.ReadFile(name)
		if err != nil {
			continue
		}
		files++
		for record := range bytes.Lines(records) {
			var r struct{ Message *string }
			if err := json.Unmarshal(record, &r); err != nil || r.Message == nil {
				t.Fatalf("%s: %q: %v", name, record, err)
			}
			text = append(append(text, *r.Message...), '\n')
		}
	}
	if sum := sha256.Sum256(text); hex.EncodeToString(sum[:]) != numberedSum(lines) || files < 3 {
		t.Errorf("the messages of %d files are not what was written", files)
	}
}
