package logfile

import (
	"bytes"
	"crypto/sha256"
	"fmt"
	"os"
	"path/filepath"
	"syscall"
	"testing"
)

// tmpfs mounts a file system of that many bytes.
func tmpfs(t *testing.T, size int) string {
	t.Helper()
	dir := t.TempDir()
	err := syscall.Mount("tmpfs", dir, "tmpfs", 0, fmt.Sprintf("size=%d", size))
	if err != nil {
		if os.Getenv("CI") == "true" && os.Getuid() == 0 {
			t.Fatalf("mount tmpfs: %v", err)
		}
		t.Skipf("mount tmpfs: %v; run as root with the right to mount", err)
	}
	t.Cleanup(func() { syscall.Unmount(dir, syscall.MNT_DETACH) })
	return dir
}

func TestDiskFull(t *testing.T) {
	dir := tmpfs(t, 64<<10)
	blocker := filepath.Join(dir, "blocker")
	if err := os.WriteFile(blocker, make([]byte, 48<<10), 0o644); err != nil {
		t.Fatal(err)
	}
	path := filepath.Join(dir, "log")
	f := mustOpen(t, path, Options{MaxBytes: 1 << 20, Backups: 1})
	r := watchFailures(f)
	want, got := sha256.New(), sha256.New()
	failed := 0
	for i := range 400 {
		line := fmt.Appendf(nil, "%099d\n", i)
		want.Write(line)
		if n, err := f.Write(line); n != len(line) {
			t.Fatalf("line %d: kept %d, %v", i, n, err)
		} else if err != nil {
			failed++
		}
	}
	if failed == 0 {
		t.Fatal("the disk was never full")
	}
	if err := os.Remove(blocker); err != nil {
		t.Fatal(err)
	}
	mustWrite(t, f, "end\n")
	want.Write([]byte("end\n"))
	b, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	got.Write(b)
	if !bytes.Equal(want.Sum(nil), got.Sum(nil)) {
		t.Errorf("the file is not what was written; it has %d bytes", len(b))
	}
	if want := "no space left on device 0, well 0"; r.all() != want {
		t.Errorf("told %q, want %q", r.all(), want)
	}
}

// More than the backlog holds is counted.
func TestDiskFullForLong(t *testing.T) {
	dir := tmpfs(t, 2<<20)
	blocker := filepath.Join(dir, "blocker")
	// What does not fit is an error that does not matter here.
	os.WriteFile(blocker, make([]byte, 4<<20), 0o644)
	path := filepath.Join(dir, "log")
	f := New(path, Options{})
	defer f.Close()
	r := watchFailures(f)
	line := bytes.Repeat([]byte("x"), 1023)
	line = append(line, '\n')
	for range 300 {
		f.Write(line)
	}
	if err := os.Remove(blocker); err != nil {
		t.Fatal(err)
	}
	mustWrite(t, f, "end\n")
	if want := fmt.Sprintf("no space left on device 0, well %d", 300*1024-maxBacklog); r.all() != want {
		t.Errorf("told %q, want %q", r.all(), want)
	}
	if info, err := os.Stat(path); err != nil || info.Size() != maxBacklog+4 {
		t.Errorf("%v, %v", info.Size(), err)
	}
}
