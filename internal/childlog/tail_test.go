package childlog

import (
	"fmt"
	"os"
	"runtime"
	"strings"
	"testing"

	"supervisord/internal/api"
)

func TestLastLines(t *testing.T) {
	twelve := strings.Repeat("line\n", 11) + "last"
	for _, c := range []struct {
		name, in string
		cut      bool
		want     string
	}{
		{"nothing", "", false, ""},
		{"one line", "error: no\n", false, "error: no"},
		{"without an end", "a\nb", false, "a\nb"},
		{"blank lines at the end", "a\n\nb\n\r\n\n", false, "a\n\nb"},
		{"ten lines", twelve, false, strings.Repeat("line\n", 9) + "last"},
		{"a part of a line", "rt of it\nwhole\n", true, "whole"},
		{"nothing but a part", "rt of it\n", true, "rt of it"},
		{"lines of Windows", "a\r\nb\r\n", false, "a\nb"},
		{"progress", "1%\r50%\r100%\nfailed\n", false, "100%\nfailed"},
		{"colours", "\x1b[31mred\x1b[0m \x1b[1;4mbold\x1b[0m\n", false, "red bold"},
		{"control characters", "a\x00b\x07c\td\x1b]0;title\x07\u009b31m\u202e!\n", false, "abc\td]0;title31m!"},
		{"not UTF-8", "caf\xe9 \xff\n", false, "caf\uFFFD \uFFFD"},
	} {
		if got := lastLines([]byte(c.in), c.cut); got != c.want {
			t.Errorf("%s: %q, want %q", c.name, got, c.want)
		}
	}
}

// TestTailKeepsTheEnd adds pieces of all sizes and compares what is kept with
// the end of the whole.
func TestTailKeepsTheEnd(t *testing.T) {
	for size := 1; size < 3*tailSize; size += size/3 + 1 {
		var tail tail
		var all []byte
		for i := 0; len(all) < 4*tailSize; i++ {
			piece := []byte(strings.Repeat(string(rune('a'+i%26)), size))
			tail.add(piece)
			all = append(all, piece...)
			if want := all[max(0, len(all)-tailSize):]; string(tail.kept) != string(want) {
				t.Fatalf("pieces of %d: after %d bytes %d are kept, not the last %d", size, len(all), len(tail.kept), len(want))
			}
			if cut := len(all) > tailSize; tail.cut != cut {
				t.Fatalf("pieces of %d: after %d bytes cut is %t", size, len(all), tail.cut)
			}
		}
		if cap(tail.kept) > 2*tailSize {
			t.Errorf("pieces of %d: %d bytes of memory", size, cap(tail.kept))
		}
	}
}

// TestLastWords has processes write before and after their start has succeeded,
// into all kinds of logs.
func TestLastWords(t *testing.T) {
	for _, c := range []struct {
		name, path string
		format     api.LogFormat
		inFile     bool // the end is not kept in memory after the start
	}{
		{name: "file", path: "log", inFile: true},
		{name: "records", path: "log", format: api.FormatJSON},
		{name: "device", path: "/dev/null"},
		{name: "none"},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Chdir(t.TempDir())
			l := NewLog(LogOptions{Path: c.path})
			defer l.Close()
			life := func(settle bool, pieces ...string) (words string) {
				t.Helper()
				fd, w := newPipe(t)
				p := Start(PumpOptions{FD: fd, Log: l, Format: c.format, Tail: true})
				defer func() { <-p.Done() }()
				defer w.Close()
				for i, piece := range pieces {
					w.WriteString(piece)
					waitFor(t, p, int64(len(strings.Join(pieces[:i+1], ""))))
					if i == 0 && settle {
						p.Settle()
						waitUntilAtRest(t, p)
						if piece != "" && p.keeps == c.inFile {
							t.Errorf("something is in memory: %t", p.keeps)
						}
					}
				}
				drained(p)
				words = p.LastWords()
				// An orphan has the pipe; its words are not those of the process.
				w.WriteString("orphan\n")
				return words
			}
			if got, want := life(false, "one\n", "two\n"), "one\ntwo"; got != want {
				t.Errorf("last words of a failed start: %q, want %q", got, want)
			}
			if got, want := life(true, "three\n", "four\n"), "three\nfour"; got != want {
				t.Errorf("last words after the start: %q, want %q", got, want)
			}
			if got := life(true, "", ""); got != "" {
				t.Errorf("last words of a silent life: %q", got)
			}
			var many strings.Builder
			for i := range 20_000 {
				fmt.Fprintln(&many, "line", i)
			}
			if got := life(true, "x", many.String()); !strings.HasPrefix(got, "line 19990\n") || !strings.HasSuffix(got, "\nline 19999") {
				t.Errorf("last words of many: %q", got)
			}
		})
	}
}

// waitFor waits until so many bytes went through the pump.
func waitFor(t *testing.T, p *Pump, written int64) {
	t.Helper()
	for {
		waitUntilAtRest(t, p)
		p.mu.Lock()
		done := !p.running && p.out.tail.written == written
		p.mu.Unlock()
		if done {
			return
		}
		p.wake()
		runtime.Gosched()
	}
}

// waitUntilAtRest waits until the pump has nothing to do.
func waitUntilAtRest(t *testing.T, p *Pump) {
	t.Helper()
	for {
		p.mu.Lock()
		running := p.running
		p.mu.Unlock()
		if !running {
			return
		}
		runtime.Gosched()
	}
}

// TestLastWordsOfARemovedLog has somebody remove the log file of a program that
// runs.
func TestLastWordsOfARemovedLog(t *testing.T) {
	l, path := tempLog(t)
	fd, w := newPipe(t)
	p := Start(PumpOptions{FD: fd, Log: l, Tail: true})
	w.WriteString("one\n")
	waitFor(t, p, 4)
	p.Settle()
	if err := os.Remove(path); err != nil {
		t.Fatal(err)
	}
	w.Close()
	drained(p)
	if got := p.LastWords(); got != "" {
		t.Errorf("last words %q", got)
	}
}
