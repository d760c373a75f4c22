package launch

import (
	"path/filepath"
	"syscall"
	"testing"
)

// TestTouchWaitsForNothing touches files that would block who opens them.
func TestTouchWaitsForNothing(t *testing.T) {
	dir := t.TempDir()
	fifo := filepath.Join(dir, "fifo")
	if err := syscall.Mkfifo(fifo, 0o700); err != nil {
		t.Fatal(err)
	}
	for _, file := range []string{fifo, dir, "/bin/sh", filepath.Join(dir, "none"), ""} {
		Touch(file, dir)
		Touch(file, filepath.Join(dir, "none"))
	}
}
