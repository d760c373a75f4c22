//go:build linux

package adopt

import (
	"errors"
	"os"
	"path/filepath"
	"testing"

	"supervisord/internal/api"
	"supervisord/internal/config"
)

func open(t *testing.T, path string) *Directory {
	t.Helper()
	d, err := Open(path, func(err error) { t.Error(err) })
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(d.Close)
	return d
}

func TestDirectoryIsRefused(t *testing.T) {
	base := t.TempDir()
	path := func(name string) string { return filepath.Join(base, name) }
	open(t, path("taken"))
	if _, err := Open(path("taken"), nil); !errors.Is(err, ErrInUse) {
		t.Errorf("a directory that is in use: %v", err)
	}
	os.Mkdir(path("open"), 0o700)
	os.Chmod(path("open"), 0o750)
	os.Symlink(base, path("link"))
	os.WriteFile(path("file"), nil, 0o600)
	os.Mkdir(path("planted"), 0o700)
	os.Symlink(path("file"), path("planted/state"))
	for _, name := range []string{"open", "link", "file", "planted", "no/such"} {
		if _, err := Open(path(name), nil); err == nil {
			t.Errorf("%s was taken", name)
		}
	}
	if os.Getuid() == 0 {
		os.Mkdir(path("other"), 0o700)
		os.Chown(path("other"), 4321, 4321)
		if _, err := Open(path("other"), nil); err == nil {
			t.Error("somebody else's directory was taken")
		}
	}
}

// world is a configuration of one program, with the record of a process of it
// that runs: this one.
func world(t *testing.T) (path string, cfg *config.Config, fingerprint string) {
	t.Helper()
	p := &config.Process{Name: "p", Command: "c"}
	g := &config.Group{Name: "p", Processes: []*config.Process{p}}
	cfg = &config.Config{Groups: []*config.Group{g}}
	return filepath.Join(t.TempDir(), "d"), cfg, Fingerprint(cfg, g, p)
}

func record(t *testing.T, d *Directory, fingerprint string) *Process {
	t.Helper()
	p := d.Process("p")
	if err := p.Prepare(Identity{Fingerprint: fingerprint}); err != nil {
		t.Fatal(err)
	}
	for ch := range 3 {
		child, parent, err := p.Pipe(ch)
		if err != nil {
			t.Fatal(err)
		}
		t.Cleanup(func() { closeAll(child, parent) })
	}
	p.Set(func(s *Status) { s.State = api.Running })
	p.Forked(os.Getpid())
	return p
}

func closeAll(fds ...int) {
	for _, fd := range fds {
		os.NewFile(uintptr(fd), "").Close()
	}
}

func TestExamine(t *testing.T) {
	tests := []struct {
		name string
		// change is made to what the predecessor left.
		change             func(d *Directory, p *Process, cfg *config.Config)
		survivors, strange int
		lives              bool // of the survivor
		damaged            int
	}{
		{name: "untouched", survivors: 1, lives: true},
		{name: "pid reused", survivors: 1,
			change: func(_ *Directory, p *Process, _ *config.Config) { p.Set(func(s *Status) { s.Born++ }) }},
		{name: "pid gone", survivors: 1,
			change: func(_ *Directory, p *Process, _ *config.Config) { p.Set(func(s *Status) { s.PID = maxPID }) }},
		{name: "another boot", change: func(d *Directory, p *Process, _ *config.Config) {
			id := Identity{Boot: "another", Name: "p"}
			b, _ := id.encode()
			d.write(b, p.at(identityAt))
		}},
		{name: "config changed", strange: 1,
			change: func(_ *Directory, _ *Process, cfg *config.Config) { cfg.Groups[0].Processes[0].Command = "d" }},
		{name: "config without it", strange: 1,
			change: func(_ *Directory, _ *Process, cfg *config.Config) { cfg.Groups = nil }},
		{name: "what does not count", survivors: 1, lives: true,
			change: func(_ *Directory, _ *Process, cfg *config.Config) { cfg.Groups[0].Processes[0].Priority = 5 }},
		{name: "pipe gone", strange: 1,
			change: func(_ *Directory, p *Process, _ *config.Config) { os.Remove(p.path(".1")) }},
		{name: "file for a pipe", strange: 1, change: func(_ *Directory, p *Process, _ *config.Config) {
			os.Remove(p.path(".1"))
			os.WriteFile(p.path(".1"), nil, 0o600)
		}},
		{name: "damaged", damaged: 1,
			change: func(d *Directory, p *Process, _ *config.Config) { d.write([]byte{1, 2, 3}, p.at(identityAt)) }},
		{name: "cut off", damaged: 1,
			change: func(d *Directory, p *Process, _ *config.Config) { d.file.Truncate(p.at(answerAt)) }},
		{name: "stopped", survivors: 1, change: func(_ *Directory, p *Process, _ *config.Config) {
			p.Set(func(s *Status) { s.PID, s.State = 0, api.Stopped })
		}},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			path, cfg, fingerprint := world(t)
			d := open(t, path)
			p := record(t, d, fingerprint)
			if tt.change != nil {
				tt.change(d, p, cfg)
			}
			d.Close()
			f := open(t, path).Examine(cfg)
			if len(f.Survivors) != tt.survivors || len(f.Strangers) != tt.strange || f.Damaged != tt.damaged {
				t.Fatalf("%d survivors, %d strangers, %d damaged, want %d, %d, %d",
					len(f.Survivors), len(f.Strangers), f.Damaged, tt.survivors, tt.strange, tt.damaged)
			}
			for _, s := range f.Survivors {
				if lives := s.PIDFD >= 0; lives != tt.lives {
					t.Errorf("it lives: %v, want %v", lives, tt.lives)
				}
				closeAll(s.PIDFD, s.Stdin, s.Stdout, s.Stderr)
			}
			for _, s := range f.Strangers {
				if s.PID != os.Getpid() || s.Reason == "" {
					t.Errorf("stranger %+v", s)
				}
				closeAll(s.PIDFD, s.Stdout, s.Stderr)
			}
		})
	}
}

// TestSent tells an event that was sent from one that was not.
func TestSent(t *testing.T) {
	for _, sent := range []bool{false, true} {
		path, cfg, _ := world(t)
		g := cfg.Groups[0]
		g.Kind = config.ListenerPool
		d := open(t, path)
		p := record(t, d, Fingerprint(cfg, g, g.Processes[0]))
		fd, err := p.openOwn(0)
		if err != nil {
			t.Fatal(err)
		}
		stdin := os.NewFile(uintptr(fd), "stdin")
		stdin.WriteString("earlier")
		p.SetAnswer(Answer{State: api.ListenerBusy, InFlight: true, Serial: 5}, []byte("payload"))
		if sent {
			stdin.WriteString("event")
		}
		stdin.Close()
		d.SetSerial(6)
		d.Close()
		again := open(t, path)
		f := again.Examine(cfg)
		if len(f.Survivors) != 1 {
			t.Fatalf("%d survivors", len(f.Survivors))
		}
		s := f.Survivors[0]
		if s.Unsent == sent || string(s.Payload) != "payload" || s.Answer.Serial != 5 || again.Serial() != 6 {
			t.Errorf("sent %v: unsent %v, payload %q, serial %d, next %d", sent, s.Unsent, s.Payload, s.Answer.Serial, again.Serial())
		}
		closeAll(s.PIDFD, s.Stdin, s.Stdout, s.Stderr)
	}
}

func TestClear(t *testing.T) {
	path, cfg, fingerprint := world(t)
	d := open(t, path)
	record(t, d, fingerprint)
	d.SetSerial(77)
	if err := d.Clear(); err != nil {
		t.Fatal(err)
	}
	if f := d.Examine(cfg); len(f.Survivors)+len(f.Strangers)+f.Damaged != 0 || d.Serial() != 77 {
		t.Errorf("findings %+v, serial %d", f, d.Serial())
	}
	names, err := os.ReadDir(path)
	if err != nil || len(names) != 1 {
		t.Errorf("left: %v, %v", names, err)
	}
}
