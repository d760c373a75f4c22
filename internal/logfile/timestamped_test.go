package logfile

import (
	"compress/gzip"
	"io"
	"os"
	"path/filepath"
	"regexp"
	"runtime"
	"strings"
	"testing"
	"time"
)

// rotateAt makes the next rotation to a timestamped backup possible at once. It
// waits until its name differs from the last one.
func rotateAt(f *File) {
	r := rollerOf(f.path, f.o)
	r.mu.Lock()
	defer r.mu.Unlock()
	for time.Since(r.rotated) < nameInterval {
		runtime.Gosched()
	}
}

func TestTimestampedBackups(t *testing.T) {
	dir := t.TempDir()
	path := filepath.Join(dir, "cat.log")
	f := mustOpen(t, path, Options{MaxBytes: 4, MaxAge: 1, Backups: 10})
	fo := mustFollow(t, f, 0)
	mustWrite(t, f, "aaaa")
	mustWrite(t, f, "bb")
	rotateAt(f)
	mustWrite(t, f, "cc")
	mustWrite(t, f, "d")
	names := regexp.MustCompile(`^cat-\d{4}-\d\d-\d\dT\d\d-\d\d-\d\d\.\d{3}\.log$`)
	var backups []string
	for name, s := range files(t, dir) {
		switch {
		case name == "cat.log":
			if s != "d" {
				t.Errorf("cat.log is %q", s)
			}
		case names.MatchString(name):
			backups = append(backups, s)
		default:
			t.Errorf("unexpected file %s", name)
		}
	}
	if s := strings.Join(backups, "|"); s != "aaaa|bbcc" && s != "bbcc|aaaa" {
		t.Errorf("backups are %q", backups)
	}
	if got := readAll(t, fo); got != "aaaabbccd" {
		t.Errorf("followed %q", got)
	}
}

// Rotations that come too fast for the names to differ lose nothing.
func TestTimestampedRotationsInARow(t *testing.T) {
	dir := t.TempDir()
	f := mustOpen(t, filepath.Join(dir, "log"), Options{MaxBytes: 1, MaxAge: 1})
	for range 1000 {
		mustWrite(t, f, "0123456789")
	}
	total := 0
	for _, s := range files(t, dir) {
		total += len(s)
	}
	if total != 10000 {
		t.Errorf("%d of 10000 bytes are left", total)
	}
}

func TestCompressedBackups(t *testing.T) {
	dir := t.TempDir()
	path := filepath.Join(dir, "log")
	// A backup of an earlier life is compressed at open, one that is too old is
	// removed.
	now := time.Now().UTC()
	stamp := func(age time.Duration) string { return path + "-" + now.Add(-age).Format("2006-01-02T15-04-05.000") }
	for name, s := range map[string]string{stamp(time.Hour): "left", stamp(72 * time.Hour): "old"} {
		if err := os.WriteFile(name, []byte(s), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	f := mustOpen(t, path, Options{MaxBytes: 4, Compress: true, MaxAge: 2})
	mustWrite(t, f, "data")
	rotateAt(f)
	mustWrite(t, f, "end")

	// Compression goes on in the background and ends with the removal of the
	// file, which has no other sign.
	want := map[string]bool{"left": true, "data": true, "end": true}
	for {
		entries, err := os.ReadDir(dir)
		if err != nil {
			t.Fatal(err)
		}
		raw := 0
		for _, e := range entries {
			if !strings.HasSuffix(e.Name(), ".gz") {
				raw++
			}
		}
		if raw == 1 {
			break
		}
	}
	for name, s := range files(t, dir) {
		if strings.HasSuffix(name, ".gz") {
			z, err := gzip.NewReader(strings.NewReader(s))
			if err != nil {
				t.Fatal(err)
			}
			b, err := io.ReadAll(z)
			if err != nil {
				t.Fatal(err)
			}
			s = string(b)
		}
		if !want[s] {
			t.Errorf("%s holds %q", name, s)
		}
		delete(want, s)
	}
	for s := range want {
		t.Errorf("%q is lost", s)
	}
}

// There is one lumberjack.Logger for a path, however often it is opened.
func TestOneRollerPerPath(t *testing.T) {
	path := filepath.Join(t.TempDir(), "log")
	o := Options{MaxBytes: 1, MaxAge: 1}
	before := len(rollers.m)
	for range 50 {
		f := mustOpen(t, path, o)
		mustWrite(t, f, "x")
		f.Close()
	}
	if n := len(rollers.m) - before; n != 1 {
		t.Errorf("%d rollers", n)
	}
}

func TestTimestampedLeavesDevicesAlone(t *testing.T) {
	f := mustOpen(t, "/dev/null", Options{MaxBytes: 1, Compress: true})
	mustWrite(t, f, "xxxx")
	mustWrite(t, f, "xxxx")
	info, err := os.Lstat("/dev/null")
	if err != nil || info.Mode()&os.ModeCharDevice == 0 {
		t.Errorf("/dev/null is %v, %v", info, err)
	}
}
