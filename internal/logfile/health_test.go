package logfile

import (
	"bytes"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"syscall"
	"testing"
)

func errorIs(err error, target error) bool { return errors.Is(err, target) }

// failures records what OnFailure tells.
type failures struct {
	mu   sync.Mutex
	told []string
	c    chan struct{} // one element for each
}

func watchFailures(f *File) *failures {
	r := &failures{c: make(chan struct{}, 100)}
	f.OnFailure(func(err error, lost int64) {
		r.mu.Lock()
		defer r.mu.Unlock()
		var errno syscall.Errno
		errors.As(err, &errno)
		r.told = append(r.told, fmt.Sprint(errno, " ", lost))
		if err == nil {
			r.told[len(r.told)-1] = fmt.Sprint("well ", lost)
		}
		r.c <- struct{}{}
	})
	return r
}

func (r *failures) all() string {
	r.mu.Lock()
	defer r.mu.Unlock()
	return strings.Join(r.told, ", ")
}

func TestDirectoryRemovedAndRestored(t *testing.T) {
	top := t.TempDir()
	dir := filepath.Join(top, "dir")
	path := filepath.Join(dir, "log")
	f := New(path, Options{})
	defer f.Close()
	r := watchFailures(f)
	for i := range 3 {
		if n, err := f.Write([]byte(fmt.Sprintln("kept", i))); n != 7 || !errors.Is(err, os.ErrNotExist) {
			t.Errorf("Write = %d, %v", n, err)
		}
	}
	if err := os.Mkdir(dir, 0o755); err != nil {
		t.Fatal(err)
	}
	mustWrite(t, f, "written\n")
	wantFiles(t, dir, "log", "kept 0\nkept 1\nkept 2\nwritten\n")
	if want := "no such file or directory 0, well 0"; r.all() != want {
		t.Errorf("told %q, want %q", r.all(), want)
	}
}

// Without a write it recovers too, even after Close.
func TestRecoversByItself(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "dir")
	f := New(filepath.Join(dir, "log"), Options{})
	r := watchFailures(f)
	f.Write([]byte("kept"))
	f.Close()
	if err := os.Mkdir(dir, 0o755); err != nil {
		t.Fatal(err)
	}
	<-r.c
	<-r.c
	wantFiles(t, dir, "log", "kept")
	f.mu.Lock()
	defer f.mu.Unlock()
	if f.f != nil {
		t.Error("the file is open after Close")
	}
}

func TestReopenFails(t *testing.T) {
	top := t.TempDir()
	dir, moved := filepath.Join(top, "dir"), filepath.Join(top, "moved")
	os.Mkdir(dir, 0o755)
	f := mustOpen(t, filepath.Join(dir, "log"), Options{})
	mustWrite(t, f, "one")
	if err := os.Rename(dir, moved); err != nil {
		t.Fatal(err)
	}
	if err := f.Reopen(); !errors.Is(err, os.ErrNotExist) {
		t.Errorf("Reopen = %v", err)
	}
	mustWrite(t, f, "two")
	wantFiles(t, moved, "log", "onetwo")
}

func TestRotationFails(t *testing.T) {
	dir := t.TempDir()
	path := filepath.Join(dir, "log")
	// A directory in the way of the backup cannot be replaced by a file.
	if err := os.MkdirAll(path+".1/x", 0o755); err != nil {
		t.Fatal(err)
	}
	f := mustOpen(t, path, Options{MaxBytes: 4, Backups: 1})
	r := watchFailures(f)
	mustWrite(t, f, "aaaa")
	mustWrite(t, f, "bbbb")
	if err := os.RemoveAll(path + ".1"); err != nil {
		t.Fatal(err)
	}
	f.mu.Lock()
	f.health.tried = f.health.tried.Add(-retryInterval)
	f.mu.Unlock()
	mustWrite(t, f, "c")
	wantFiles(t, dir, "log", "", "log.1", "aaaabbbbc")
	if want := "file exists 0, well 0"; r.all() != want {
		t.Errorf("told %q, want %q", r.all(), want)
	}
}

func TestBacklog(t *testing.T) {
	var b backlog
	line := []byte(strings.Repeat("x", 99) + "\n")
	for range maxBacklog / len(line) {
		if n := b.add(line); n != len(line) {
			t.Fatalf("kept %d", n)
		}
	}
	if n := b.add(line); n != 0 || b.lost != int64(len(line)) {
		t.Errorf("kept %d of a line too many, lost %d", n, b.lost)
	}
	if n := b.add([]byte("short\n")); n != 0 {
		t.Errorf("kept %d after a loss", n)
	}
	b = backlog{}
	if n := b.add(bytes.Repeat([]byte("x"), 2*maxBacklog)); n != maxBacklog {
		t.Errorf("kept %d of what has no lines", n)
	}
	b = backlog{}
	if n := b.add(bytes.Repeat(line, maxBacklog/len(line)+1)); n != maxBacklog/len(line)*len(line) {
		t.Errorf("kept %d, want whole lines", n)
	}
}
