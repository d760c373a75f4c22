package applog

import (
	"bytes"
	"encoding/json"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"sync"
	"testing"
	"time"

	"supervisord/internal/api"
)

func open(t testing.TB, o Options) *Logger {
	t.Helper()
	l, err := Open(o)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { l.Close() })
	return l
}

func contents(t testing.TB, path string) string {
	t.Helper()
	b, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	return string(b)
}

func TestAppendLine(t *testing.T) {
	now := time.Date(2007, 9, 8, 14, 43, 22, 886_999_999, time.Local)
	tests := []struct {
		level api.LogLevel
		text  string
		want  string
	}{
		{api.LevelInfo, "supervisord started with pid 1", "2007-09-08 14:43:22,886 INFO supervisord started with pid 1\n"},
		{api.LevelCritical, "", "2007-09-08 14:43:22,886 CRIT \n"},
		{api.LevelDebug, "'cat' stdout output:\na\nb\n", "2007-09-08 14:43:22,886 DEBG 'cat' stdout output:\na\nb\n\n"},
		{api.LevelBlather, "100%", "2007-09-08 14:43:22,886 BLAT 100%\n"},
	}
	for _, tt := range tests {
		if got := string(appendLine(nil, now, tt.level, tt.text)); got != tt.want {
			t.Errorf("got %q, want %q", got, tt.want)
		}
	}
}

func TestAppendObject(t *testing.T) {
	now := time.Date(2007, 9, 8, 14, 43, 22, 886_999_999, time.FixedZone("", 7200))
	tests := []struct {
		level api.LogLevel
		text  string
		want  string
	}{
		{api.LevelInfo, "spawned: 'a' with pid 1", `{"time":"2007-09-08T12:43:22.886Z","level":"info","message":"spawned: 'a' with pid 1"}`},
		{api.LevelCritical, "", `{"time":"2007-09-08T12:43:22.886Z","level":"critical","message":""}`},
		{api.LevelDebug, "'cat' stdout output:\na \"b\"\xff\n", `{"time":"2007-09-08T12:43:22.886Z","level":"debug","message":"'cat' stdout output:\na \"b\"\ufffd\n"}`},
	}
	for _, tt := range tests {
		got := string(appendObject(nil, now, tt.level, tt.text))
		if got != tt.want+"\n" || !json.Valid([]byte(got)) {
			t.Errorf("got %s, want %s", got, tt.want)
		}
	}
}

// Each message is one object in one line, also one of several lines.
func TestJSON(t *testing.T) {
	path := filepath.Join(t.TempDir(), "log")
	l := open(t, Options{Path: path, JSON: true})
	l.Log(api.LevelWarn, "one\ntwo\n")
	l.Log(api.LevelInfo, "three")
	var got []string
	for line := range strings.Lines(contents(t, path)) {
		var m struct {
			Time           time.Time
			Level, Message string
		}
		if err := json.Unmarshal([]byte(line), &m); err != nil || m.Time.IsZero() {
			t.Fatalf("%q: %v", line, err)
		}
		got = append(got, m.Level+" "+m.Message)
	}
	if s := strings.Join(got, "|"); s != "warn one\ntwo\n|info three" {
		t.Errorf("logged %q", s)
	}
}

func TestLevels(t *testing.T) {
	path := filepath.Join(t.TempDir(), "log")
	l := open(t, Options{Level: api.LevelWarn, Path: path})
	for _, level := range []api.LogLevel{3, 5, 10, 20, 30, 40, 50} {
		l.Log(level, level.String())
	}
	var got []string
	for line := range strings.Lines(contents(t, path)) {
		got = append(got, strings.TrimSpace(line[24:]))
	}
	if s := strings.Join(got, ","); s != "WARN WARN,ERRO ERRO,CRIT CRIT" {
		t.Errorf("logged %s", s)
	}
	if l.Level() != api.LevelWarn || l.Path() != path {
		t.Errorf("level %v, path %s", l.Level(), l.Path())
	}
}

func TestReopenAndClear(t *testing.T) {
	path := filepath.Join(t.TempDir(), "log")
	l := open(t, Options{Path: path})
	l.Log(api.LevelInfo, "one")
	if err := os.Rename(path, path+".moved"); err != nil {
		t.Fatal(err)
	}
	if err := l.Reopen(); err != nil {
		t.Fatal(err)
	}
	changed := l.Changed()
	l.Log(api.LevelInfo, "two")
	<-changed
	if s := contents(t, path); strings.Count(s, "\n") != 1 || !strings.HasSuffix(s, " INFO two\n") {
		t.Errorf("after Reopen: %q", s)
	}
	if err := l.Clear(); err != nil {
		t.Fatal(err)
	}
	if s := contents(t, path); s != "" {
		t.Errorf("after Clear: %q", s)
	}
}

func TestRotation(t *testing.T) {
	path := filepath.Join(t.TempDir(), "log")
	l := open(t, Options{Path: path, MaxBytes: 100, Backups: 2})
	for i := range 8 {
		l.Log(api.LevelInfo, fmt.Sprint("message ", i))
	}
	var all string
	for _, p := range []string{path + ".2", path + ".1", path} {
		all += contents(t, p)
	}
	if got := strings.Join(regexp.MustCompile(`message \d`).FindAllString(all, -1), ","); !strings.HasSuffix(got, "message 5,message 6,message 7") {
		t.Errorf("kept %s", got)
	}
}

// Lines of many goroutines are whole.
func TestConcurrency(t *testing.T) {
	path := filepath.Join(t.TempDir(), "log")
	l := open(t, Options{Path: path})
	const goroutines, lines = 8, 200
	var wg sync.WaitGroup
	for g := range goroutines {
		wg.Go(func() {
			for i := range lines {
				l.Log(api.LevelInfo, fmt.Sprintf("from %d number %d end", g, i))
			}
		})
	}
	wg.Wait()
	line := regexp.MustCompile(`^\d{4}-\d\d-\d\d \d\d:\d\d:\d\d,\d{3} INFO from \d number \d+ end\n$`)
	n := 0
	for s := range strings.Lines(contents(t, path)) {
		n++
		if !line.MatchString(s) {
			t.Errorf("line %q", s)
		}
	}
	if n != goroutines*lines {
		t.Errorf("%d lines", n)
	}
}

func TestNoFile(t *testing.T) {
	l := open(t, Options{})
	l.Log(api.LevelCritical, "into the void")
	if l.Path() != "" || l.Changed() != nil || l.Reopen() != nil || l.Clear() != nil {
		t.Error("a log without a file is not empty")
	}
}

func TestOpenError(t *testing.T) {
	l, err := Open(Options{Path: filepath.Join(t.TempDir(), "none", "log")})
	if l != nil || !os.IsNotExist(err) {
		t.Errorf("Open = %v, %v", l, err)
	}
}

// Standard output gets a copy of every line, and standard error or output the
// news that the file cannot be written.
func TestStdout(t *testing.T) {
	r, w, err := os.Pipe()
	if err != nil {
		t.Fatal(err)
	}
	restore := redirect(t, w)
	l, err := Open(Options{Path: "/dev/full", Stdout: true})
	if err != nil {
		restore()
		t.Skipf("open /dev/full: %v", err)
	}
	l.Log(api.LevelInfo, "one")
	l.Log(api.LevelInfo, "two")
	l.Close()
	restore()
	w.Close()
	b, err := io.ReadAll(r)
	if err != nil {
		t.Fatal(err)
	}
	var got []string
	for line := range bytes.Lines(b) {
		got = append(got, string(bytes.TrimSpace(line[24:])))
	}
	want := "INFO one,CRIT log file cannot be written: write /dev/full: no space left on device,INFO two"
	if s := strings.Join(got, ","); s != want {
		t.Errorf("got %s\nwant %s", s, want)
	}
}

func BenchmarkLog(b *testing.B) {
	l := open(b, Options{Path: filepath.Join(b.TempDir(), "log"), Level: api.LevelInfo})
	b.Run("written", func(b *testing.B) {
		b.ReportAllocs()
		for b.Loop() {
			l.Log(api.LevelInfo, "spawned: 'cat' with pid 12345")
		}
	})
	b.Run("below level", func(b *testing.B) {
		b.ReportAllocs()
		for b.Loop() {
			l.Log(api.LevelDebug, "spawned: 'cat' with pid 12345")
		}
	})
}
