package childlog

import (
	"bufio"
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"supervisord/internal/api"
)

// The test binary is also the program whose output is logged: with childEnv in
// the environment, "MODE COUNT SIZE", it writes and exits.
const childEnv = "CHILDLOG_TEST_CHILD"

func TestMain(m *testing.M) {
	if what := os.Getenv(childEnv); what != "" {
		if err := child(what); err != nil {
			fmt.Fprintln(os.Stderr, err)
			os.Exit(1)
		}
		os.Exit(0)
	}
	os.Exit(m.Run())
}

// child is the program.
func child(what string) error {
	var mode string
	var count, size int
	if _, err := fmt.Sscan(what, &mode, &count, &size); err != nil {
		return err
	}
	switch mode {
	case "numbered": // lines as numberedLine makes them, through a buffer
		w := bufio.NewWriterSize(os.Stdout, size)
		for i := range count {
			if _, err := w.Write(numberedLine(i)); err != nil {
				return err
			}
		}
		return w.Flush()
	case "writes": // the same bytes again and again
		p := []byte(strings.Repeat("x", size-1) + "\n")
		for range count {
			if _, err := os.Stdout.Write(p); err != nil {
				return err
			}
		}
	case "blocks": // lines of 100 bytes, many with each write
		p := []byte(strings.Repeat(strings.Repeat("x", 99)+"\n", size/100))
		for range count {
			if _, err := os.Stdout.Write(p); err != nil {
				return err
			}
		}
	case "orphan": // leave a process behind that holds the pipe and floods it
		r, w, err := os.Pipe()
		if err != nil {
			return err
		}
		cmd := exec.Command(os.Args[0])
		cmd.Env = append(os.Environ(), childEnv+"="+fmt.Sprintf("flood %d %d", count, size))
		cmd.Stdin, cmd.Stdout = os.Stdin, os.Stdout
		cmd.ExtraFiles = []*os.File{w}
		if err := cmd.Start(); err != nil {
			return err
		}
		w.Close()
		if _, err := io.Copy(io.Discard, r); err != nil { // until it writes
			return err
		}
		fmt.Print("last words of the parent\n")
	case "flood": // write until stdin ends; close descriptor 3 after the first
		ended := make(chan struct{})
		var once sync.Once
		go func() {
			io.Copy(io.Discard, os.Stdin)
			close(ended)
		}()
		p := []byte(strings.Repeat("f", size-1) + "\n")
		for {
			select {
			case <-ended:
				fmt.Print("last words of the orphan\n")
				return nil
			default:
				os.Stdout.Write(p)
				once.Do(func() { os.NewFile(3, "started").Close() })
			}
		}
	}
	return nil
}

// numberedLine returns the ith line of a sequence of lines of several lengths.
func numberedLine(i int) []byte {
	line := strconv.AppendInt(nil, int64(i), 10)
	line = append(line, ": "...)
	line = append(line, filler[i%26:][:i%150]...)
	return append(line, '\n')
}

var filler = strings.Repeat("abcdefghijklmnopqrstuvwxyz", 7)

// numberedSum returns the checksum of the first count numbered lines.
func numberedSum(count int) string {
	h := sha256.New()
	for i := range count {
		h.Write(numberedLine(i))
	}
	return hex.EncodeToString(h.Sum(nil))
}

// filesSum returns the checksum of files, one after the other.
func filesSum(t testing.TB, paths ...string) string {
	t.Helper()
	h := sha256.New()
	for _, path := range paths {
		f, err := os.Open(path)
		if err != nil {
			t.Fatal(err)
		}
		_, err = io.Copy(h, f)
		f.Close()
		if err != nil {
			t.Fatal(err)
		}
	}
	return hex.EncodeToString(h.Sum(nil))
}

// start starts the program, with a pump for its output.
func start(t testing.TB, what string, stdin *os.File, o PumpOptions) (*exec.Cmd, *Pump) {
	t.Helper()
	fd, w := newPipe(t)
	defer w.Close()
	cmd := exec.Command(os.Args[0])
	cmd.Env = append(os.Environ(), childEnv+"="+what, "GORACE=atexit_sleep_ms=0")
	cmd.Stdout = w
	cmd.Stderr = os.Stderr
	if stdin != nil {
		cmd.Stdin = stdin
	}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	o.FD = fd
	p := Start(o)
	t.Cleanup(p.Close)
	return cmd, p
}

// run runs the program to its end and until its output was logged.
func run(t testing.TB, what string, o PumpOptions) {
	t.Helper()
	cmd, p := start(t, what, nil, o)
	if err := cmd.Wait(); err != nil {
		t.Fatal(err)
	}
	drained(p)
}

func benchmarkPump(b *testing.B, mode string, count, size int, format api.LogFormat) {
	path := filepath.Join(b.TempDir(), "log")
	l := NewLog(LogOptions{Path: path})
	defer l.Close()
	b.SetBytes(int64(count * size))
	for b.Loop() {
		run(b, fmt.Sprintf("%s %d %d", mode, count, size), PumpOptions{Log: l, Format: format})
		if err := l.Clear(); err != nil {
			b.Fatal(err)
		}
	}
}

// The benchmarks with cat tell what the machine can do: cat > file.
func benchmarkCat(b *testing.B, count, size int) {
	path := filepath.Join(b.TempDir(), "log")
	b.SetBytes(int64(count * size))
	for b.Loop() {
		f, err := os.Create(path)
		if err != nil {
			b.Fatal(err)
		}
		r, w, err := os.Pipe()
		if err != nil {
			b.Fatal(err)
		}
		cat, child := exec.Command("cat"), exec.Command(os.Args[0])
		cat.Stdin, cat.Stdout = r, f
		child.Stdout = w
		child.Env = append(os.Environ(), fmt.Sprintf("%s=writes %d %d", childEnv, count, size))
		if err := cat.Start(); err != nil {
			b.Fatal(err)
		}
		if err := child.Run(); err != nil {
			b.Fatal(err)
		}
		w.Close()
		if err := cat.Wait(); err != nil {
			b.Fatal(err)
		}
		r.Close()
		f.Close()
		os.Remove(path)
	}
}

func BenchmarkPumpLines(b *testing.B)  { benchmarkPump(b, "writes", 500_000, 100, api.FormatRaw) }
func BenchmarkCatLines(b *testing.B)   { benchmarkCat(b, 500_000, 100) }
func BenchmarkPumpBlocks(b *testing.B) { benchmarkPump(b, "writes", 4096, 64<<10, api.FormatRaw) }
func BenchmarkCatBlocks(b *testing.B)  { benchmarkCat(b, 4096, 64<<10) }

// BenchmarkFormats tells what records cost: of lines of 100 bytes, written one
// by one or as fast as that can be done.
func BenchmarkFormats(b *testing.B) {
	for _, f := range []api.LogFormat{api.FormatRaw, api.FormatText, api.FormatJSON} {
		b.Run(f.String()+"/lines", func(b *testing.B) { benchmarkPump(b, "writes", 500_000, 100, f) })
		b.Run(f.String()+"/blocks", func(b *testing.B) { benchmarkPump(b, "blocks", 4096, 64_000, f) })
	}
}

// BenchmarkPumpLatency is the time from a write to the line in the file, of a
// program that writes now and then.
func BenchmarkPumpLatency(b *testing.B) {
	l := NewLog(LogOptions{Path: filepath.Join(b.TempDir(), "log")})
	defer l.Close()
	fd, w := newPipe(b)
	p := Start(PumpOptions{FD: fd, Log: l})
	line := []byte("a line\n")
	b.ReportAllocs()
	var total time.Duration
	for b.Loop() {
		b.StopTimer()
		// Long enough for the pipe to be idle again.
		<-time.After(2 * hotGap)
		changed := l.Changed()
		b.StartTimer()
		start := time.Now()
		w.Write(line)
		<-changed
		total += time.Since(start)
	}
	w.Close()
	<-p.Done()
}
