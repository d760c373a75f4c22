package logfile

import (
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"golang.org/x/sys/unix"

	"supervisord/internal/testenv"
)

// TestStateKnowsEveryField fails when something is added to a File that an
// upgrade would lose.
func TestStateKnowsEveryField(t *testing.T) {
	const advice = "save it in Freeze and restore it in Resume"
	testenv.KnowsFields(t, File{}, "f regular backlog health milled due | path o shared notice mu closed now spliced splicedOf unspliceable", advice)
	testenv.KnowsFields(t, health{}, "write lost told | rotate tried timer changed mu tell", advice)
	testenv.KnowsFields(t, backlog{}, "data full tail torn lost |", advice)
	testenv.KnowsFields(t, Follower{}, "f offset mark | path changed", advice)
}

// handedOver returns a File that goes on where f is, as another program would:
// with a descriptor of the same open file.
func handedOver(t *testing.T, f *File) *File {
	t.Helper()
	s := f.Freeze() // for good: it is as if its program were no more
	if s.FD >= 0 {
		fd, err := unix.Dup(s.FD)
		if err != nil {
			t.Fatal(err)
		}
		s.FD = fd
	}
	return Resume(f.path, f.o, s)
}

// TestResume goes on with a file that was renamed: it is written on, and rotated
// at its size.
func TestResume(t *testing.T) {
	path := filepath.Join(t.TempDir(), "log")
	f, err := Open(path, Options{MaxBytes: 10, Backups: 1})
	if err != nil {
		t.Fatal(err)
	}
	f.Write([]byte("12345"))
	if err := os.Rename(path, path+".moved"); err != nil {
		t.Fatal(err)
	}
	g := handedOver(t, f)
	if _, err := g.Write([]byte("6")); err != nil {
		t.Fatal(err)
	}
	if text, _ := os.ReadFile(path + ".moved"); string(text) != "123456" {
		t.Errorf("the file has %q", text)
	}
	if err := g.Reopen(); err != nil {
		t.Fatal(err)
	}
	g.Write([]byte("0123456789"))
	g.Write([]byte("x"))
	g.Close()
	if text, _ := os.ReadFile(path + ".1"); string(text) != "0123456789" {
		t.Errorf("the backup has %q", text)
	}
}

// TestResumeWithBacklog goes on with a file that cannot be written: what is kept
// is written when that is possible, and the end of the failure is told once.
func TestResumeWithBacklog(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "dir")
	f := New(filepath.Join(dir, "log"), Options{})
	f.OnFailure(func(error, int64) {})
	if n, err := f.Write([]byte("kept\n")); n != 5 || !errors.Is(err, os.ErrNotExist) {
		t.Fatal(n, err)
	}
	g := handedOver(t, f)
	told := make(chan string, 10)
	g.OnFailure(func(err error, lost int64) {
		if err != nil {
			told <- err.Error()
		} else {
			told <- "written"
		}
	})
	if err := os.Mkdir(dir, 0o755); err != nil {
		t.Fatal(err)
	}
	if got := <-told; got != "written" {
		t.Errorf("told %s", got)
	}
	g.Write([]byte("new\n"))
	if text, _ := os.ReadFile(g.Path()); !strings.HasPrefix(string(text), "kept\nnew\n") {
		t.Errorf("the file has %q", text)
	}
	g.Close()
}
