package logfile

import (
	"errors"
	"os"
	"path/filepath"
	"syscall"
	"testing"
)

// nobody is another user.
const nobody = 65534

// sticky returns a directory in which everybody may make files.
func sticky(t *testing.T) string {
	t.Helper()
	if os.Geteuid() != 0 {
		t.Skip("only root can make files of another user")
	}
	dir := t.TempDir()
	if err := os.Chmod(dir, 0o777|os.ModeSticky); err != nil {
		t.Fatal(err)
	}
	return dir
}

// TestPlanted has another user prepare a place for a log where everybody may:
// nothing is written to it.
func TestPlanted(t *testing.T) {
	dir := sticky(t)
	precious := filepath.Join(t.TempDir(), "precious")
	if err := os.WriteFile(precious, []byte("precious"), 0o600); err != nil {
		t.Fatal(err)
	}
	path := filepath.Join(dir, "log")
	own := func() error { return os.Lchown(path, nobody, nobody) }
	for name, plant := range map[string]func() error{
		"link":          func() error { return errors.Join(os.Symlink(precious, path), own()) },
		"dangling link": func() error { return errors.Join(os.Symlink(precious+"2", path), own()) },
		"hard link":     func() error { return os.Link(precious, path) },
		"file":          func() error { return errors.Join(os.WriteFile(path, nil, 0o666), own()) },
		"fifo":          func() error { return errors.Join(syscall.Mkfifo(path, 0o666), own()) },
	} {
		t.Run(name, func(t *testing.T) {
			if err := plant(); err != nil {
				t.Fatal(err)
			}
			if name == "fifo" {
				// Without a reader its opening fails anyway.
				r, err := os.OpenFile(path, os.O_RDONLY|syscall.O_NONBLOCK, 0)
				if err != nil {
					t.Fatal(err)
				}
				defer r.Close()
			}
			f := New(path, Options{})
			defer f.Close()
			if err := f.Open(); !errors.Is(err, syscall.EACCES) {
				t.Errorf("Open: %v", err)
			}
			if got, err := os.ReadFile(precious); string(got) != "precious" || err != nil {
				t.Errorf("written through the link: %q, %v", got, err)
			}
			if _, err := os.Lstat(precious + "2"); !errors.Is(err, os.ErrNotExist) {
				t.Errorf("made through the link: %v", err)
			}
			if err := os.Remove(path); err != nil {
				t.Fatal(err)
			}
			mustWrite(t, f, "line\n")
			wantFiles(t, dir, "log", "line\n")
			f.Close()
			if err := os.Remove(path); err != nil {
				t.Fatal(err)
			}
		})
	}
}

// TestOwnLink follows links where they are ours, or where others cannot make any.
func TestOwnLink(t *testing.T) {
	shared, target := sticky(t), t.TempDir()
	for name, dir := range map[string]string{"ours": shared, "elsewhere": t.TempDir()} {
		path := filepath.Join(dir, "log")
		if err := os.Symlink(filepath.Join(target, name), path); err != nil {
			t.Fatal(err)
		}
		if name == "elsewhere" {
			if err := os.Lchown(path, nobody, nobody); err != nil {
				t.Fatal(err)
			}
		}
		f := mustOpen(t, path, Options{})
		mustWrite(t, f, "line\n")
		f.Close()
		if got, err := os.ReadFile(filepath.Join(target, name)); string(got) != "line\n" || err != nil {
			t.Errorf("%s: %q, %v", name, got, err)
		}
	}
}
