package launch

import (
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"testing"

	"supervisord/internal/api"
)

func readFile(t *testing.T, path string) string {
	t.Helper()
	b, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	return string(b)
}

func names(t *testing.T, dir string) []string {
	t.Helper()
	entries, err := os.ReadDir(dir)
	if err != nil {
		t.Fatal(err)
	}
	var list []string
	for _, e := range entries {
		list = append(list, e.Name())
	}
	return list
}

func TestPidfile(t *testing.T) {
	content := strconv.Itoa(os.Getpid()) + "\n"
	for _, mode := range []os.FileMode{0o755, 0o777 | os.ModeSticky} {
		dir := t.TempDir()
		if err := os.Chmod(dir, mode); err != nil {
			t.Fatal(err)
		}
		path := filepath.Join(dir, "pid")
		for _, before := range []string{"", "a longer line than a pid\n"} {
			if before != "" {
				if err := os.WriteFile(path, []byte(before), 0o644); err != nil {
					t.Fatal(err)
				}
			}
			p, err := WritePidfile(path)
			if err != nil {
				t.Fatal(err)
			}
			if got := readFile(t, path); got != content {
				t.Errorf("content %q, want %q", got, content)
			}
			if info, _ := os.Stat(path); info.Mode().Perm()&^0o666 != 0 || info.Mode().Perm()&0o600 != 0o600 {
				t.Errorf("mode %v", info.Mode())
			}
			if err := p.Remove(); err != nil {
				t.Fatal(err)
			}
			if got := names(t, dir); len(got) != 0 {
				t.Errorf("left behind: %q", got)
			}
		}
	}
}

func TestPidfileOfAnother(t *testing.T) {
	path := filepath.Join(t.TempDir(), "pid")
	p, err := WritePidfile(path)
	if err != nil {
		t.Fatal(err)
	}
	for _, content := range []string{"1\n", "", readFile(t, path) + "\n"} {
		if err := os.WriteFile(path, []byte(content), 0o644); err != nil {
			t.Fatal(err)
		}
		if err := p.Remove(); err != nil {
			t.Error(err)
		}
		if got := readFile(t, path); got != content {
			t.Errorf("content %q, want %q", got, content)
		}
	}
	os.Remove(path)
	if err := p.Remove(); err != nil {
		t.Errorf("remove of a file that is gone: %v", err)
	}
}

// TestPidfilePlanted has others prepare a place for the pidfile where they may:
// nothing of the daemon's is written through it.
func TestPidfilePlanted(t *testing.T) {
	dir := t.TempDir()
	if err := os.Chmod(dir, 0o777|os.ModeSticky); err != nil {
		t.Fatal(err)
	}
	precious := filepath.Join(t.TempDir(), "precious")
	if err := os.WriteFile(precious, []byte("precious"), 0o600); err != nil {
		t.Fatal(err)
	}
	for _, plant := range []func(string) error{
		func(path string) error { return os.Symlink(precious, path) },
		func(path string) error { return os.Link(precious, path) },
		func(path string) error { return os.Symlink("dangling", path) },
	} {
		path := filepath.Join(dir, "pid")
		if err := plant(path); err != nil {
			t.Fatal(err)
		}
		p, err := WritePidfile(path)
		if err != nil {
			t.Fatal(err)
		}
		if info, err := os.Lstat(path); err != nil || !info.Mode().IsRegular() {
			t.Errorf("pidfile is %v, %v", info.Mode(), err)
		}
		if got := readFile(t, precious); got != "precious" {
			t.Errorf("written through the link: %q", got)
		}
		p.Remove()
	}
}

// TestPidfileLink has the administrator link a pidfile, which is followed.
func TestPidfileLink(t *testing.T) {
	dir := t.TempDir()
	path, target := filepath.Join(dir, "link"), filepath.Join(dir, "target")
	if err := os.Symlink(target, path); err != nil {
		t.Fatal(err)
	}
	if _, err := WritePidfile(path); err != nil {
		t.Fatal(err)
	}
	if got, want := readFile(t, target), strconv.Itoa(os.Getpid())+"\n"; got != want {
		t.Errorf("content of the target %q, want %q", got, want)
	}
}

func TestPidfileError(t *testing.T) {
	path := filepath.Join(t.TempDir(), "none/pid")
	_, err := WritePidfile(path)
	if want := "could not write pidfile " + path; err == nil || err.Error() != want {
		t.Errorf("got %v, want %s", err, want)
	}
}

func TestNewChildLog(t *testing.T) {
	dir := t.TempDir()
	pattern := regexp.MustCompile(`^` + regexp.QuoteMeta(dir) + `/p_1-stderr---me-[a-z0-9_]{8}\.log$`)
	seen := make(map[string]bool)
	for range 50 {
		path, err := NewChildLog(dir, "p_1", "me", api.Stderr)
		if err != nil {
			t.Fatal(err)
		}
		if !pattern.MatchString(path) || seen[path] {
			t.Errorf("path %q", path)
		}
		seen[path] = true
		if info, err := os.Stat(path); err != nil || info.Mode() != 0o600 || info.Size() != 0 {
			t.Errorf("file %v, %v", info, err)
		}
	}
	if _, err := NewChildLog(dir+"/none", "p", "me", api.Stdout); err == nil {
		t.Error("no error in a directory that does not exist")
	}
}

func keepNone(string) bool { return false }

func TestClearChildLogs(t *testing.T) {
	dir := t.TempDir()
	gone := []string{
		"p-stdout---a.b-abcdef.log", "p-stderr---a.b-abcdef.log.1", "x-stdout---a.b-q_.log.12", "odd name---a.b-x.log",
		"p-stdout---a.b-abcdef.log.12345", "p-stdout---a.b-abcdef.logrotated",
	}
	kept := []string{
		"---a.b-abc.log", "a---a.b-b c.log", "p-stdout---a.b-abcdef.txt", "p-stdout---axb-abcdef.log", "p-stdout---other-abcdef.log", "plain.log",
	}
	for _, name := range slices.Concat(gone, kept) {
		if err := os.WriteFile(filepath.Join(dir, name), nil, 0o600); err != nil {
			t.Fatal(err)
		}
	}
	if got := ClearChildLogs(dir, "a.b", keepNone); got != nil {
		t.Errorf("warnings %q", got)
	}
	if got := names(t, dir); !slices.Equal(got, kept) {
		t.Errorf("kept %q\nwant %q", got, kept)
	}

	if err := os.Mkdir(filepath.Join(dir, "p-stdout---a.b-abcdef.log"), 0o700); err != nil {
		t.Fatal(err)
	}
	want := []string{"Failed to clean up '" + dir + "/p-stdout---a.b-abcdef.log'"}
	if got := ClearChildLogs(dir, "a.b", keepNone); !slices.Equal(got, want) {
		t.Errorf("warnings %q, want %q", got, want)
	}
	want = []string{"Could not clear childlog dir"}
	if got := ClearChildLogs(dir+"/none", "a.b", keepNone); !slices.Equal(got, want) {
		t.Errorf("warnings %q, want %q", got, want)
	}
}
