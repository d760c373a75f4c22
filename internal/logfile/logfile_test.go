package logfile

import (
	"fmt"
	"os"
	"path/filepath"
	"runtime"
	"strings"
	"syscall"
	"testing"
)

// files returns name and content of the files in a directory, sorted.
func files(t testing.TB, dir string) map[string]string {
	t.Helper()
	entries, err := os.ReadDir(dir)
	if err != nil {
		t.Fatal(err)
	}
	m := map[string]string{}
	for _, e := range entries {
		b, err := os.ReadFile(filepath.Join(dir, e.Name()))
		if err != nil {
			t.Fatal(err)
		}
		m[e.Name()] = string(b)
	}
	return m
}

// wantFiles compares files with "name content" pairs.
func wantFiles(t *testing.T, dir string, want ...string) {
	t.Helper()
	got := files(t, dir)
	for i := 0; i < len(want); i += 2 {
		if s, ok := got[want[i]]; !ok || s != want[i+1] {
			t.Errorf("%s is %q (exists: %v), want %q", want[i], s, ok, want[i+1])
		}
		delete(got, want[i])
	}
	for name := range got {
		t.Errorf("unexpected file %s", name)
	}
}

func mustOpen(t testing.TB, path string, o Options) *File {
	t.Helper()
	f, err := Open(path, o)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { f.Close() })
	return f
}

func mustWrite(t testing.TB, f *File, s string) {
	t.Helper()
	if n, err := f.Write([]byte(s)); n != len(s) || err != nil {
		t.Fatalf("Write(%q) = %d, %v", s, n, err)
	}
}

// A program that is started again writes to the path that is configured, even
// if somebody renamed or removed the file that it wrote to before.
func TestOpenAgain(t *testing.T) {
	dir := t.TempDir()
	path := filepath.Join(dir, "a.log")
	f := mustOpen(t, path, Options{})
	open := func() {
		t.Helper()
		if err := f.Open(); err != nil {
			t.Fatal(err)
		}
	}
	mustWrite(t, f, "one\n")
	open()
	mustWrite(t, f, "two\n")
	if err := os.Rename(path, filepath.Join(dir, "old.log")); err != nil {
		t.Fatal(err)
	}
	mustWrite(t, f, "three\n")
	open()
	mustWrite(t, f, "four\n")
	wantFiles(t, dir, "old.log", "one\ntwo\nthree\n", "a.log", "four\n")
	if err := os.Remove(path); err != nil {
		t.Fatal(err)
	}
	changed := f.Changed()
	open()
	<-changed
	wantFiles(t, dir, "old.log", "one\ntwo\nthree\n", "a.log", "")
}

func TestRotation(t *testing.T) {
	type m = map[string]string
	tests := []struct {
		name   string
		o      Options
		before m
		writes []string
		after  m
	}{
		{"never", Options{Backups: 3}, nil, []string{"aaaa", "bbbb"}, m{"log": "aaaabbbb"}},
		{"below the limit", Options{MaxBytes: 5, Backups: 3}, nil, []string{"aaaa"}, m{"log": "aaaa"}},
		{"at the limit", Options{MaxBytes: 4, Backups: 3}, nil, []string{"aaaa"}, m{"log": "", "log.1": "aaaa"}},
		{"after the write that passes it", Options{MaxBytes: 5, Backups: 3}, nil, []string{"aaaa", "bbbb", "c"}, m{"log": "c", "log.1": "aaaabbbb"}},
		{"several", Options{MaxBytes: 1, Backups: 3}, nil, []string{"a", "b", "c"}, m{"log": "", "log.1": "c", "log.2": "b", "log.3": "a"}},
		{"oldest is dropped", Options{MaxBytes: 1, Backups: 2}, nil, []string{"a", "b", "c"}, m{"log": "", "log.1": "c", "log.2": "b"}},
		{"no backups", Options{MaxBytes: 2}, nil, []string{"a", "b", "c"}, m{"log": "c"}},
		{"huge write", Options{MaxBytes: 1, Backups: 1}, nil, []string{strings.Repeat("x", 1<<20)}, m{"log": "", "log.1": strings.Repeat("x", 1<<20)}},
		{"size at open counts", Options{MaxBytes: 6, Backups: 1}, m{"log": "old"}, []string{"new"}, m{"log": "", "log.1": "oldnew"}},
		{"gaps are kept", Options{MaxBytes: 1, Backups: 4}, m{"log.1": "1", "log.3": "3", "log.9": "9"}, []string{"x"},
			m{"log": "", "log.1": "x", "log.2": "1", "log.4": "3", "log.9": "9"}},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			dir := t.TempDir()
			for name, s := range tt.before {
				if err := os.WriteFile(filepath.Join(dir, name), []byte(s), 0o644); err != nil {
					t.Fatal(err)
				}
			}
			f := mustOpen(t, filepath.Join(dir, "log"), tt.o)
			for _, s := range tt.writes {
				mustWrite(t, f, s)
			}
			var want []string
			for name, s := range tt.after {
				want = append(want, name, s)
			}
			wantFiles(t, dir, want...)
		})
	}
}

func TestModeFollowsUmask(t *testing.T) {
	defer syscall.Umask(syscall.Umask(0o027))
	path := filepath.Join(t.TempDir(), "log")
	f := mustOpen(t, path, Options{MaxBytes: 1, Backups: 1})
	mustWrite(t, f, "x")
	for _, p := range []string{path, path + ".1"} {
		info, err := os.Stat(p)
		if err != nil {
			t.Fatal(err)
		}
		if info.Mode() != 0o640 {
			t.Errorf("%s has mode %v", p, info.Mode())
		}
	}
}

// A tool may copy the file and truncate it, before and after rotations.
func TestCopyTruncate(t *testing.T) {
	dir := t.TempDir()
	path := filepath.Join(dir, "log")
	f := mustOpen(t, path, Options{MaxBytes: 8, Backups: 1})
	mustWrite(t, f, "abcdefgh") // rotates
	mustWrite(t, f, "ijk")
	if err := os.Truncate(path, 0); err != nil {
		t.Fatal(err)
	}
	mustWrite(t, f, "lmnopqr") // 7 bytes, not 10: no rotation yet
	wantFiles(t, dir, "log", "lmnopqr", "log.1", "abcdefgh")
}

func TestRenameAndReopen(t *testing.T) {
	dir := t.TempDir()
	path := filepath.Join(dir, "log")
	f := mustOpen(t, path, Options{MaxBytes: 100, Backups: 1})
	mustWrite(t, f, "one")
	if err := os.Rename(path, filepath.Join(dir, "moved")); err != nil {
		t.Fatal(err)
	}
	mustWrite(t, f, "two")
	wantFiles(t, dir, "moved", "onetwo")
	if err := f.Reopen(); err != nil {
		t.Fatal(err)
	}
	mustWrite(t, f, "three")
	wantFiles(t, dir, "moved", "onetwo", "log", "three")
}

// A file that another tool has renamed is not rotated over what took its place.
func TestRotationAfterRename(t *testing.T) {
	dir := t.TempDir()
	path := filepath.Join(dir, "log")
	f := mustOpen(t, path, Options{MaxBytes: 6, Backups: 2})
	mustWrite(t, f, "one")
	if err := os.Rename(path, filepath.Join(dir, "moved")); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(path, []byte("new"), 0o644); err != nil {
		t.Fatal(err)
	}
	mustWrite(t, f, "two")
	mustWrite(t, f, "33")
	wantFiles(t, dir, "moved", "onetwo", "log", "new33")
}

// Both channels of a program may be logged to one file.
func TestTwoFilesOfOnePath(t *testing.T) {
	dir := t.TempDir()
	path := filepath.Join(dir, "log")
	o := Options{MaxBytes: 4, Backups: 5}
	a, b := mustOpen(t, path, o), mustOpen(t, path, o)
	for i := range 4 {
		mustWrite(t, a, fmt.Sprint("a", i))
		mustWrite(t, b, fmt.Sprint("b", i))
	}
	var all string
	got := files(t, dir)
	for n := 5; n >= 0; n-- {
		all += got[filepath.Base(numbered(path, n))]
	}
	for i := range 4 {
		for _, s := range []string{fmt.Sprint("a", i), fmt.Sprint("b", i)} {
			if strings.Count(all, s) != 1 {
				t.Errorf("%s is %d times in %q", s, strings.Count(all, s), all)
			}
		}
	}
}

func TestClear(t *testing.T) {
	dir := t.TempDir()
	path := filepath.Join(dir, "log")
	f := mustOpen(t, path, Options{})
	mustWrite(t, f, "one")
	if err := f.Clear(); err != nil {
		t.Fatal(err)
	}
	wantFiles(t, dir, "log", "")
	mustWrite(t, f, "two")
	wantFiles(t, dir, "log", "two")
	f.Close()
	if err := f.Clear(); err != nil {
		t.Fatal(err)
	}
	wantFiles(t, dir, "log", "")
	if err := os.Remove(path); err != nil {
		t.Fatal(err)
	}
	for _, do := range []func() error{f.Clear, f.Reopen} {
		if err := do(); err != nil {
			t.Fatal(err)
		}
		wantFiles(t, dir)
	}
}

// What Files of a path share goes away with them.
func TestPlacesAreForgotten(t *testing.T) {
	path := filepath.Join(t.TempDir(), "log")
	Open(path, Options{})
	for {
		runtime.GC()
		places.mu.Lock()
		_, found := places.m[path]
		places.mu.Unlock()
		if !found {
			break
		}
	}
}

func TestCloseAndWriteAgain(t *testing.T) {
	dir := t.TempDir()
	f := New(filepath.Join(dir, "log"), Options{})
	mustWrite(t, f, "one")
	if err := f.Close(); err != nil {
		t.Fatal(err)
	}
	mustWrite(t, f, "two")
	wantFiles(t, dir, "log", "onetwo")
}

func TestOpenErrors(t *testing.T) {
	dir := t.TempDir()
	for path, want := range map[string]syscall.Errno{
		dir:                               syscall.EISDIR,
		filepath.Join(dir, "none", "log"): syscall.ENOENT,
		"/dev/fd/987":                     syscall.ENOENT,
	} {
		f, err := Open(path, Options{})
		if f != nil || err == nil || !strings.Contains(err.Error(), path) || !errorIs(err, want) {
			t.Errorf("Open(%s) = %v, %v, want %v", path, f, err, want)
		}
	}
}

func TestChanged(t *testing.T) {
	f := mustOpen(t, filepath.Join(t.TempDir(), "log"), Options{})
	closed := func(c <-chan struct{}) bool {
		select {
		case <-c:
			return true
		default:
			return false
		}
	}
	for name, change := range map[string]func() error{
		"write":  func() error { _, err := f.Write([]byte("x")); return err },
		"reopen": f.Reopen,
		"clear":  f.Clear,
	} {
		c := f.Changed()
		if closed(c) {
			t.Errorf("%s: closed before", name)
		}
		if err := change(); err != nil {
			t.Fatal(err)
		}
		if !closed(c) {
			t.Errorf("%s: not closed", name)
		}
	}
}

func TestWriteAllocatesNothing(t *testing.T) {
	f := mustOpen(t, filepath.Join(t.TempDir(), "log"), Options{MaxBytes: 1 << 30})
	line := []byte("a line of a log\n")
	if n := testing.AllocsPerRun(100, func() { f.Write(line) }); n != 0 {
		t.Errorf("a write makes %v allocations", n)
	}
}
