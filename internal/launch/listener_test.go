package launch

import (
	"net"
	"os"
	"testing"

	"supervisord/internal/config"
)

func listen(t *testing.T, server *config.Server) *Listener {
	t.Helper()
	l, err := ListenHTTP(server, noNotice(t))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { l.Close(); l.Remove() })
	return l
}

func TestRestore(t *testing.T) {
	server := unixServer(t.TempDir() + "/s.sock")
	l := listen(t, server)
	if restored, err := l.Restore(); restored || err != nil {
		t.Errorf("restored a socket that is there: %v, %v", restored, err)
	}
	// A client that is waiting, one that is served, and a server that waits.
	accepted := make(chan net.Conn)
	go func() {
		for {
			c, err := l.Accept()
			if err != nil {
				close(accepted)
				return
			}
			accepted <- c
		}
	}()
	dial := func() {
		t.Helper()
		c, err := net.Dial("unix", server.File)
		if err != nil {
			t.Fatal(err)
		}
		defer c.Close()
		(<-accepted).Close()
	}
	dial()
	for range 3 {
		if err := os.Remove(server.File); err != nil {
			t.Fatal(err)
		}
		if restored, err := l.Restore(); !restored || err != nil {
			t.Fatalf("restored %v, %v", restored, err)
		}
		if info, err := os.Lstat(server.File); err != nil || info.Mode() != os.ModeSocket|server.Mode {
			t.Errorf("mode %v, %v", info.Mode(), err)
		}
		dial()
	}
	l.Close()
	if _, ok := <-accepted; ok {
		t.Error("a connection to a closed socket")
	}
	os.Remove(server.File)
	if restored, err := l.Restore(); restored || err != nil {
		t.Errorf("restored a closed socket: %v, %v", restored, err)
	}
}

// TestForeignFile puts something else in the place of the socket: it is neither
// replaced nor, at the end, removed.
func TestForeignFile(t *testing.T) {
	server := unixServer(t.TempDir() + "/s.sock")
	l := listen(t, server)
	if err := os.Remove(server.File); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(server.File, []byte("mine"), 0o600); err != nil {
		t.Fatal(err)
	}
	if restored, err := l.Restore(); restored || err != nil {
		t.Errorf("restored %v, %v", restored, err)
	}
	l.Close()
	l.Remove()
	if data, err := os.ReadFile(server.File); string(data) != "mine" {
		t.Errorf("the file has %q, %v", data, err)
	}
}

// TestKeep lets the system tell that the file has lost its name.
func TestKeep(t *testing.T) {
	dir := t.TempDir() + "/run"
	if err := os.Mkdir(dir, 0o700); err != nil {
		t.Fatal(err)
	}
	server := unixServer(dir + "/s.sock")
	l := listen(t, server)
	restored := make(chan error)
	l.Keep(func() {
		ok, err := l.Restore()
		if !ok && err == nil {
			return // an earlier watch
		}
		restored <- err
	})
	for name, lose := range map[string]func() error{
		"removed": func() error { return os.Remove(server.File) },
		"renamed": func() error { return os.Rename(server.File, dir+"/other") },
	} {
		if err := os.Chmod(server.File, 0o750); err != nil { // is no loss
			t.Fatal(err)
		}
		if err := lose(); err != nil {
			t.Fatal(err)
		}
		if err := <-restored; err != nil {
			t.Errorf("%s: %v", name, err)
		}
		if info, err := os.Lstat(server.File); err != nil || info.Mode().Type() != os.ModeSocket {
			t.Errorf("%s: %v", name, err)
		}
	}
	// A directory that is gone is an error; the file comes back when it does.
	if err := os.Rename(dir, dir+".old"); err != nil {
		t.Fatal(err)
	}
	if err := os.Remove(dir + ".old/s.sock"); err != nil {
		t.Fatal(err)
	}
	if err := <-restored; err == nil {
		t.Error("a socket in a directory that is not there")
	}
	if err := os.Mkdir(dir, 0o700); err != nil {
		t.Fatal(err)
	}
	if ok, err := l.Restore(); !ok || err != nil {
		t.Fatalf("restored %v, %v", ok, err)
	}
	if err := os.Remove(server.File); err != nil {
		t.Fatal(err)
	}
	if err := <-restored; err != nil {
		t.Error(err)
	}
}
