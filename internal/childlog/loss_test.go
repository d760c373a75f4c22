package childlog

import (
	"bytes"
	"fmt"
	"os"
	"path/filepath"
	"strconv"
	"sync"
	"testing"

	"supervisord/internal/api"
	"supervisord/internal/logfile"
)

// A program writes 50 MB and exits at once.
func TestNothingIsLostAtExit(t *testing.T) {
	const lines = 620_000
	l, path := tempLog(t)
	run(t, fmt.Sprintf("numbered %d %d", lines, 64<<10), PumpOptions{Log: l})
	if info, err := os.Stat(path); err != nil || info.Size() < 50_000_000 {
		t.Errorf("%v bytes, %v", info.Size(), err)
	}
	if filesSum(t, path) != numberedSum(lines) {
		t.Error("the log is not what was written")
	}
}

// 200 programs write and exit together.
func TestManyPumps(t *testing.T) {
	const programs, lines = 200, 1500
	var text []byte
	for i := range lines {
		text = append(text, numberedLine(i)...)
	}
	want := numberedSum(lines)
	var wg sync.WaitGroup
	for range programs {
		l, path := tempLog(t)
		fd, w := newPipe(t)
		p := Start(PumpOptions{FD: fd, Log: l})
		wg.Go(func() {
			if _, err := w.Write(text); err != nil {
				t.Error(err)
			}
			w.Close()
			drained(p)
			if filesSum(t, path) != want {
				t.Error("a log is not what was written")
			}
		})
	}
	wg.Wait()
}

func TestNothingIsLostInRotation(t *testing.T) {
	const lines, backups = 50_000, 2000
	path := filepath.Join(t.TempDir(), "log")
	l := NewLog(LogOptions{Path: path, Rotate: logfile.Options{MaxBytes: 4 << 10, Backups: backups}})
	defer l.Close()
	run(t, fmt.Sprintf("numbered %d 100", lines), PumpOptions{Log: l})
	var paths []string
	for n := backups; n > 0; n-- {
		if name := path + "." + strconv.Itoa(n); exists(name) {
			paths = append(paths, name)
		}
	}
	if len(paths) < 2 || len(paths) == backups {
		t.Fatalf("%d backups", len(paths))
	}
	if filesSum(t, append(paths, path)...) != numberedSum(lines) {
		t.Errorf("the log and its %d backups are not what was written", len(paths))
	}
}

func exists(path string) bool {
	_, err := os.Stat(path)
	return err == nil
}

// whileWriting calls do again and again while a program writes numbered lines.
func whileWriting(t *testing.T, l *Log, lines int, do func(i int)) {
	t.Helper()
	cmd, p := start(t, fmt.Sprintf("numbered %d 100", lines), nil, PumpOptions{Log: l})
	exited := make(chan error, 1)
	go func() { exited <- cmd.Wait() }()
	for i := 0; ; i++ {
		select {
		case err := <-exited:
			if err != nil {
				t.Error(err)
			}
			drained(p)
			return
		case <-l.Changed():
			do(i)
		}
	}
}

func TestNothingIsLostInReopening(t *testing.T) {
	const lines = 50_000
	l, path := tempLog(t)
	var paths []string
	whileWriting(t, l, lines, func(i int) {
		moved := path + "." + strconv.Itoa(i)
		if err := os.Rename(path, moved); err != nil {
			t.Error(err)
		}
		if err := l.Reopen(); err != nil {
			t.Error(err)
		}
		paths = append(paths, moved)
	})
	if filesSum(t, append(paths, path)...) != numberedSum(lines) {
		t.Errorf("the %d files are not what was written", len(paths)+1)
	}
}

// wantWholeLines checks that what is left of a log after something was taken
// away from its front is complete: no holes, and every line up to the last.
func wantWholeLines(t *testing.T, path string, lines int) {
	t.Helper()
	b, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	if bytes.IndexByte(b, 0) >= 0 {
		t.Error("there are holes in the log")
	}
	// The first line may have been cut.
	_, rest, _ := bytes.Cut(b, []byte("\n"))
	first, _, _ := bytes.Cut(rest, []byte(":"))
	if len(rest) == 0 {
		return
	}
	n, err := strconv.Atoi(string(first))
	if err != nil {
		t.Fatal(err)
	}
	var want []byte
	for ; n < lines; n++ {
		want = append(want, numberedLine(n)...)
	}
	if !bytes.Equal(rest, want) {
		t.Errorf("the end of the log is not what was written last")
	}
}

func TestClearWhileWriting(t *testing.T) {
	const lines = 50_000
	l, path := tempLog(t)
	whileWriting(t, l, lines, func(int) {
		if err := l.Clear(); err != nil {
			t.Error(err)
		}
	})
	wantWholeLines(t, path, lines)
}

func TestTruncateWhileWriting(t *testing.T) {
	const lines = 50_000
	l, path := tempLog(t)
	whileWriting(t, l, lines, func(int) {
		if err := os.Truncate(path, 0); err != nil {
			t.Error(err)
		}
	})
	wantWholeLines(t, path, lines)
}

// listener is a Sink that waits for texts in the output.
type listener struct {
	mu   sync.Mutex
	tail []byte
	seen map[string]bool
}

func (l *listener) Output(p []byte) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.tail = append(l.tail, p...)
	for text := range l.seen {
		if bytes.Contains(l.tail, []byte(text)) {
			l.seen[text] = true
		}
	}
	l.tail = l.tail[max(0, len(l.tail)-100):]
}
func (*listener) Captured([]byte) {}
func (*listener) Listener([]byte) {}

func (l *listener) saw(text string) bool {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.seen[text]
}

// A process that was left behind holds the pipe and writes without pause. The
// pump answers Drain all the same, and logs what comes later.
func TestOrphan(t *testing.T) {
	const parent, orphan = "last words of the parent\n", "last words of the orphan\n"
	r, w, err := os.Pipe()
	if err != nil {
		t.Fatal(err)
	}
	sink := &listener{seen: map[string]bool{parent: false, orphan: false}}
	cmd, p := start(t, "orphan 0 4096", r, PumpOptions{Events: true, Sink: sink})
	r.Close()
	if err := cmd.Wait(); err != nil {
		t.Fatal(err)
	}
	drained(p)
	if !sink.saw(parent) {
		t.Error("Drain did not wait for what the process wrote")
	}
	select {
	case <-p.Done():
		t.Error("the pump has ended before the orphan")
	default:
	}
	w.Close() // ends the orphan
	<-p.Done()
	if !sink.saw(orphan) {
		t.Error("the end of the orphan's output is lost")
	}
}

// blocker is a Sink that waits.
type blocker struct{ entered, release chan struct{} }

func (b blocker) Output([]byte) {
	b.entered <- struct{}{}
	<-b.release
}
func (b blocker) Captured([]byte) {}
func (b blocker) Listener([]byte) {}

// What holds up one program holds up no other.
func TestBackPressure(t *testing.T) {
	l, path := tempLog(t)
	slow := blocker{make(chan struct{}), make(chan struct{})}
	fd1, w1 := newPipe(t)
	fd2, w2 := newPipe(t)
	p1 := Start(PumpOptions{FD: fd1, Log: l, Events: true, Sink: slow})
	p2 := Start(PumpOptions{FD: fd2, Log: l})
	w1.WriteString("slow\n")
	<-slow.entered
	w2.WriteString("fast\n")
	drained(p2)
	if s := contents(t, path); s != "slow\nfast\n" {
		t.Errorf("log %q", s)
	}
	close(slow.release)
	w1.Close()
	w2.Close()
	<-p1.Done()
	<-p2.Done()
}

func TestLogReportsOnce(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "dir")
	var r recorder
	path := filepath.Join(dir, "log")
	l := NewLog(LogOptions{Path: path, Report: r.log})
	defer l.Close()
	if err := l.Open(); !os.IsNotExist(err) {
		t.Errorf("Open: %v", err)
	}
	fd, w := newPipe(t)
	p := Start(PumpOptions{FD: fd, Log: l})
	for range 3 {
		w.WriteString("kept\n")
		drained(p)
	}
	if err := os.Mkdir(dir, 0o755); err != nil {
		t.Fatal(err)
	}
	w.WriteString("end\n")
	w.Close()
	<-p.Done()
	if s := contents(t, path); s != "kept\nkept\nkept\nend\n" {
		t.Errorf("log %q", s)
	}
	want := "ERRO log file cannot be written: open " + path + ": no such file or directory|INFO log file " + path + " is written again; nothing was lost"
	if got := r.all(); got != want {
		t.Errorf("reported %q\nwant %q", got, want)
	}
}

func TestLogWithoutFile(t *testing.T) {
	l := NewLog(LogOptions{})
	fd, w := newPipe(t)
	p := Start(PumpOptions{FD: fd, Log: l})
	w.WriteString("nowhere\n")
	w.Close()
	<-p.Done()
	if l.Open() != nil || l.Clear() != nil || l.Reopen() != nil || l.Close() != nil || l.Path() != "" || l.Changed() != nil {
		t.Error("a Log without a file does something")
	}
	var _ api.LogSource = l
}
