package logfile

import (
	"io"
	"net"
	"os"
	"path/filepath"
	"strconv"
	"syscall"
	"testing"
)

func TestDescriptor(t *testing.T) {
	for path, want := range map[string]int{
		"/dev/stdout": 1, "/dev/stderr": 2, "/dev/stdin": 0, "/dev/fd/1": 1, "/dev/fd/12": 12, "/proc/self/fd/2": 2, "//dev/./stdout": 1,
		"/dev/fd": -1, "/dev/fd/": -1, "/dev/fd/x": -1, "/dev/fd/-1": -1, "/dev/fd/1/2": -1, "/dev/null": -1, "/dev/stdout.log": -1, "/x/dev/stdout": -1,
		"/dev/fd/99999999999999": -1,
	} {
		fd, ok := descriptor(path)
		if ok != (want >= 0) || ok && fd != want {
			t.Errorf("descriptor(%s) = %d, %v", path, fd, ok)
		}
	}
}

// descriptorPath returns a name for the descriptor of a file.
func descriptorPath(t *testing.T, f interface {
	SyscallConn() (syscall.RawConn, error)
}) (path string) {
	t.Helper()
	conn, err := f.SyscallConn()
	if err != nil {
		t.Fatal(err)
	}
	conn.Control(func(fd uintptr) { path = "/dev/fd/" + strconv.Itoa(int(fd)) })
	return path
}

func TestLinkToDescriptor(t *testing.T) {
	dir := t.TempDir()
	r, w, err := os.Pipe()
	if err != nil {
		t.Fatal(err)
	}
	defer r.Close()
	for name, to := range map[string]string{"a": descriptorPath(t, w), "b": "a", "loop": "loop"} {
		if err := os.Symlink(to, filepath.Join(dir, name)); err != nil {
			t.Fatal(err)
		}
	}
	writeAndTouch(t, filepath.Join(dir, "b"))
	w.Close()
	if got, err := io.ReadAll(r); string(got) != "one\ntwo\n" || err != nil {
		t.Errorf("got %q, %v", got, err)
	}
	if _, err := os.Lstat(filepath.Join(dir, "b")); err != nil {
		t.Error(err)
	}
	if _, err := Open(filepath.Join(dir, "loop"), Options{}); !errorIs(err, syscall.ELOOP) {
		t.Errorf("Open of a loop: %v", err)
	}
}

// writeAndTouch does everything to a File that must not harm what is not a
// regular file of its own.
func writeAndTouch(t *testing.T, path string) {
	t.Helper()
	f := mustOpen(t, path, Options{MaxBytes: 1, Backups: 1})
	mustWrite(t, f, "one\n")
	for _, do := range []func() error{f.Reopen, f.Clear, f.Close, f.Clear, f.Open} {
		if err := do(); err != nil {
			t.Error(err)
		}
	}
	mustWrite(t, f, "two\n")
	f.Close()
}

func TestDescriptorOfFile(t *testing.T) {
	dir := t.TempDir()
	out, err := os.Create(filepath.Join(dir, "stdout"))
	if err != nil {
		t.Fatal(err)
	}
	defer out.Close()
	out.WriteString("before\n")
	writeAndTouch(t, descriptorPath(t, out))
	out.WriteString("after\n")
	wantFiles(t, dir, "stdout", "before\none\ntwo\nafter\n")
}

func TestDescriptorOfPipe(t *testing.T) {
	r, w, err := os.Pipe()
	if err != nil {
		t.Fatal(err)
	}
	defer r.Close()
	writeAndTouch(t, descriptorPath(t, w))
	w.Close()
	if got, err := io.ReadAll(r); string(got) != "one\ntwo\n" || err != nil {
		t.Errorf("got %q, %v", got, err)
	}
}

// Opening the name of a socket's descriptor fails; writing to it does not.
func TestDescriptorOfSocket(t *testing.T) {
	fds, err := syscall.Socketpair(syscall.AF_UNIX, syscall.SOCK_STREAM, 0)
	if err != nil {
		t.Fatal(err)
	}
	a, b := os.NewFile(uintptr(fds[0]), "a"), os.NewFile(uintptr(fds[1]), "b")
	conn, err := net.FileConn(b)
	b.Close()
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Close()
	writeAndTouch(t, descriptorPath(t, a))
	a.Close()
	if got, err := io.ReadAll(conn); string(got) != "one\ntwo\n" || err != nil {
		t.Errorf("got %q, %v", got, err)
	}
}

func TestNullDevice(t *testing.T) {
	before, err := os.Lstat("/dev/null")
	if err != nil {
		t.Fatal(err)
	}
	writeAndTouch(t, "/dev/null")
	after, err := os.Lstat("/dev/null")
	if err != nil || !os.SameFile(before, after) {
		t.Error("/dev/null was replaced")
	}
}

func TestFifo(t *testing.T) {
	path := filepath.Join(t.TempDir(), "fifo")
	if err := syscall.Mkfifo(path, 0o600); err != nil {
		t.Fatal(err)
	}
	f := New(path, Options{})
	defer f.Close()
	if _, err := f.Write([]byte("one\n")); !errorIs(err, syscall.ENXIO) {
		t.Errorf("Write without a reader: %v", err)
	}
	r, err := os.OpenFile(path, os.O_RDONLY|syscall.O_NONBLOCK, 0)
	if err != nil {
		t.Fatal(err)
	}
	defer r.Close()
	mustWrite(t, f, "three\n")
	writeAndTouch(t, path)
	buf := make([]byte, 100)
	if n, err := r.Read(buf); string(buf[:n]) != "one\nthree\none\ntwo\n" || err != nil {
		t.Errorf("got %q, %v", buf[:n], err)
	}
}

// What several Files write to one descriptor is not mixed, though the pipe
// takes it in pieces.
func TestSharedDescriptor(t *testing.T) {
	r, w, err := os.Pipe()
	if err != nil {
		t.Fatal(err)
	}
	defer r.Close()
	path := descriptorPath(t, w)
	const writers, size = 4, 200 << 10
	done := make(chan error)
	for i := range writers {
		f := mustOpen(t, path, Options{})
		go func() {
			b := make([]byte, size)
			for j := range b {
				b[j] = byte('a' + i)
			}
			_, err := f.Write(b)
			done <- err
		}()
	}
	go func() {
		for range writers {
			if err := <-done; err != nil {
				t.Error(err)
			}
		}
		w.Close()
	}()
	// The last descriptor is closed by the cleanup, so the end is not waited for.
	got := make([]byte, writers*size)
	if _, err := io.ReadFull(r, got); err != nil {
		t.Fatal(err)
	}
	changes := 0
	for i := 1; i < len(got); i++ {
		if got[i] != got[i-1] {
			changes++
		}
	}
	if changes != writers-1 {
		t.Errorf("the writes of %d Files are in %d pieces", writers, changes+1)
	}
}
