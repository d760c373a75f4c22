//go:build linux

package adopt

import (
	"os"
	"os/exec"
	"regexp"
	"strings"
	"syscall"
	"testing"

	"golang.org/x/sys/unix"

	"supervisord/internal/api"
)

// A shelf is a store that the test looks into.
type shelf struct {
	t    *testing.T
	kept Stored
}

func newShelf(t *testing.T) *shelf {
	s := &shelf{t, Stored{}}
	t.Cleanup(func() {
		for name := range s.kept {
			s.kept.close(name)
		}
	})
	return s
}

func (s *shelf) Keep(name string, fds ...int) {
	if !regexp.MustCompile(`^[ -9;-~]{1,255}$`).MatchString(name) {
		s.t.Errorf("no manager takes the name %q", name)
	}
	for _, fd := range fds {
		copied, err := unix.FcntlInt(uintptr(fd), unix.F_DUPFD_CLOEXEC, 0)
		if err != nil {
			s.t.Fatal(err)
		}
		s.kept[name] = append(s.kept[name], copied)
	}
}

func (s *shelf) Drop(name string) { s.kept.close(name) }

// copies are what the next life receives.
func (s *shelf) copies() Stored {
	c := newShelf(s.t)
	for name, fds := range s.kept {
		c.Keep(name, fds...)
	}
	return c.kept
}

// TestStored has a process that ends while there is no supervisord, in groups
// with all kinds of names: what it has written comes back, and so does what
// tells how it ended.
func TestStored(t *testing.T) {
	for _, group := range []string{"p", "a b", "a_b", "ü:ß", strings.Repeat("long", 100), "\n"} {
		path, cfg, _ := world(t)
		g := cfg.Groups[0]
		g.Name = group
		d, s := open(t, path), newShelf(t)
		d.UseStore(s, nil)
		p := d.Process(api.Namespec(group, "p"))
		if err := p.Prepare(Identity{Fingerprint: Fingerprint(cfg, g, g.Processes[0])}); err != nil {
			t.Fatal(err)
		}
		var ends [3]*os.File
		for ch := range ends {
			child, parent, err := p.Pipe(ch)
			if err != nil {
				t.Fatal(err)
			}
			ends[ch] = os.NewFile(uintptr(child), "child")
			closeAll(parent)
		}
		cmd := exec.Command("sh", "-c", "read line; echo $line; echo words >&2; exit 7")
		stdin, err := cmd.StdinPipe()
		if err != nil {
			t.Fatal(err)
		}
		cmd.Stdout, cmd.Stderr = ends[1], ends[2]
		if err := cmd.Start(); err != nil {
			t.Fatal(err)
		}
		for _, f := range ends {
			f.Close()
		}
		p.Set(func(s *Status) { s.State = api.Running })
		p.Forked(cmd.Process.Pid)
		if len(s.kept) != 1 {
			t.Fatalf("kept: %v", s.kept)
		}
		// The life ends here, and the process with it.
		d.Close()
		stdin.Write([]byte("last\n"))
		if err := cmd.Wait(); cmd.ProcessState.ExitCode() != 7 {
			t.Fatal(err)
		}
		again := open(t, path)
		again.UseStore(s, s.copies())
		f := again.Examine(cfg)
		if len(f.Survivors) != 1 {
			t.Fatalf("%q: findings %+v", group, f)
		}
		v := f.Survivors[0]
		if v.PIDFD >= 0 || v.Former < 0 || !isPIDFD(v.Former) {
			t.Errorf("%q: pidfd %d, former %d", group, v.PIDFD, v.Former)
		}
		buf := make([]byte, 20)
		for fd, want := range map[int]string{v.Stdout: "last\n", v.Stderr: "words\n"} {
			if n, err := syscall.Read(fd, buf); err != nil || string(buf[:n]) != want {
				t.Errorf("%q: read %q, %v, want %q", group, buf[:max(n, 0)], err, want)
			}
		}
		closeAll(v.Former, v.Stdout, v.Stderr)
		if len(s.kept) != 1 {
			t.Errorf("%q: it is forgotten before its end is dealt with", group)
		}
		again.Process(v.Name).Ended(func(s *Status) { s.State = api.Exited })
		if len(s.kept) != 0 {
			t.Errorf("%q: left in the store: %v", group, s.kept)
		}
	}
}

// TestStoredOtherwise has a store with what does not belong to a process that is
// taken back. It is forgotten, but for what is none of our business.
func TestStoredOtherwise(t *testing.T) {
	null, err := os.Open(os.DevNull)
	if err != nil {
		t.Fatal(err)
	}
	defer null.Close()
	for _, adopts := range []bool{true, false} {
		path, cfg, fingerprint := world(t)
		s := newShelf(t)
		for _, name := range []string{"supervisord-4711-5", "supervisord-1-99999999999"} {
			s.Keep(name, int(null.Fd()))
		}
		others := []string{"unknown", "supervisord", "supervisord-4711-05", "supervisord-4711-5-6", "supervisord-x-1", "http.socket"}
		for _, name := range others {
			s.Keep(name, int(null.Fd()))
		}
		stored := s.copies()
		if adopts {
			d := open(t, path)
			d.UseStore(s, nil)
			record(t, d, fingerprint)
			stored = s.copies()
			d.Close()
			cfg.Groups[0].Processes[0].Command = "changed"
			d = open(t, path)
			d.UseStore(s, stored)
			f := d.Examine(cfg)
			if len(f.Strangers) != 1 {
				t.Fatalf("findings %+v", f)
			}
			closeAll(f.Strangers[0].PIDFD, f.Strangers[0].Stdout, f.Strangers[0].Stderr)
		} else {
			stored.Discard(s)
		}
		for what, list := range map[string]Stored{"in the store": s.kept, "open": stored} {
			if len(list) != len(others) {
				t.Errorf("adoption %v: %s: %v, want %q", adopts, what, list, others)
			}
			for _, name := range others {
				if len(list[name]) != 1 {
					t.Errorf("adoption %v: %q is not %s any more", adopts, name, what)
				}
			}
		}
	}
}

// TestStoredLate has a process that was started when there was no store.
func TestStoredLate(t *testing.T) {
	path, cfg, fingerprint := world(t)
	d := open(t, path)
	record(t, d, fingerprint)
	d.Close()
	s := newShelf(t)
	for range 2 {
		d = open(t, path)
		d.UseStore(s, s.copies())
		f := d.Examine(cfg)
		if len(f.Survivors) != 1 || len(s.kept) != 1 {
			t.Fatalf("%d survivors, kept: %v", len(f.Survivors), s.kept)
		}
		for name, fds := range s.kept {
			if len(fds) != 3 {
				t.Errorf("%s: %v are kept, want 3", name, fds)
			}
		}
		v := f.Survivors[0]
		closeAll(v.PIDFD, v.Stdin, v.Stdout, v.Stderr)
		d.Close()
	}
}
