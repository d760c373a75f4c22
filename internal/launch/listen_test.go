package launch

import (
	"fmt"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"sync"
	"syscall"
	"testing"

	"supervisord/internal/config"
)

func unixServer(path string) *config.Server {
	return &config.Server{Family: config.Unix, File: path, Mode: 0o700, OwnerUID: -1, OwnerGID: -1}
}

func noNotice(t *testing.T) func(string) {
	return func(text string) { t.Errorf("notice %q", text) }
}

func TestListenUnix(t *testing.T) {
	for _, umask := range []int{0, 0o022, 0o077} {
		for _, mode := range []os.FileMode{0o700, 0o770, 0o777, 0o600} {
			dir := t.TempDir()
			server := unixServer(dir + "/s.sock")
			server.Mode = mode
			old := syscall.Umask(umask)
			l, err := ListenHTTP(server, noNotice(t))
			syscall.Umask(old)
			if err != nil {
				t.Fatal(err)
			}
			if info, err := os.Lstat(server.File); err != nil || info.Mode() != os.ModeSocket|mode {
				t.Errorf("umask %o, mode %o: %v, %v", umask, mode, info.Mode(), err)
			}
			if got := names(t, dir); !slices.Equal(got, []string{"s.sock"}) {
				t.Errorf("files %q", got)
			}
			echo(t, l, "unix", server.File)
			l.Close()
			l.Remove()
			if got := names(t, dir); len(got) != 0 {
				t.Errorf("left behind: %q", got)
			}
		}
	}
}

// echo checks that a connection to the address arrives at the listener.
func echo(t *testing.T, l net.Listener, network, address string) {
	t.Helper()
	c, err := net.Dial(network, address)
	if err != nil {
		t.Fatal(err)
	}
	defer c.Close()
	s, err := l.Accept()
	if err != nil {
		t.Fatal(err)
	}
	defer s.Close()
	fmt.Fprint(s, "hello")
	s.Close()
	var b [10]byte
	if n, err := c.Read(b[:]); string(b[:n]) != "hello" {
		t.Errorf("read %q, %v", b[:n], err)
	}
}

func TestListenUnixOwner(t *testing.T) {
	needRoot(t)
	server := unixServer(t.TempDir() + "/s.sock")
	server.OwnerUID, server.OwnerGID = 1234, 4321
	l, err := ListenHTTP(server, noNotice(t))
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	var stat syscall.Stat_t
	if err := syscall.Stat(server.File, &stat); err != nil || stat.Uid != 1234 || stat.Gid != 4321 {
		t.Errorf("owner %d:%d, %v", stat.Uid, stat.Gid, err)
	}
}

func TestStaleSocketIsTakenOver(t *testing.T) {
	server := unixServer(t.TempDir() + "/s.sock")
	l, err := ListenHTTP(server, noNotice(t))
	if err != nil {
		t.Fatal(err)
	}
	l.Close() // the file stays, as after a kill -9
	var notices []string
	l, err = ListenHTTP(server, func(text string) { notices = append(notices, text) })
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	if want := []string{"Unlinking stale socket " + server.File}; !slices.Equal(notices, want) {
		t.Errorf("notices %q, want %q", notices, want)
	}
	echo(t, l, "unix", server.File)
}

func TestLiveSocketIsRefused(t *testing.T) {
	dir := t.TempDir()
	server := unixServer(dir + "/s.sock")
	l, err := ListenHTTP(server, noNotice(t))
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	_, err = ListenHTTP(server, noNotice(t))
	if err != errInUse {
		t.Errorf("got %v, want %v", err, errInUse)
	}
	if got := names(t, dir); !slices.Equal(got, []string{"s.sock"}) {
		t.Errorf("files %q", got)
	}
}

// TestRaceForASocket has several daemons want the same stale socket. One gets
// it; the others are told.
func TestRaceForASocket(t *testing.T) {
	const n = 8
	server := unixServer(t.TempDir() + "/s.sock")
	var mu sync.Mutex
	var won []net.Listener
	var wg sync.WaitGroup
	for range n {
		wg.Go(func() {
			// Threads of one process share the temporary name; only the final
			// one is raced for here.
			temp := server.File + "." + randomName()
			fd, err := bindUnix(temp, server.Mode)
			if err != nil {
				t.Error(err)
				return
			}
			defer os.Remove(temp)
			f := os.NewFile(uintptr(fd), temp)
			defer f.Close()
			if err := syscall.Listen(fd, n+1); err != nil {
				t.Error(err)
				return
			}
			if err := publish(temp, server.File, noNotice(t)); err != nil {
				if listenError(err) != errInUse {
					t.Error(err)
				}
				return
			}
			l, err := net.FileListener(f)
			if err != nil {
				t.Error(err)
				return
			}
			mu.Lock()
			defer mu.Unlock()
			won = append(won, l)
		})
	}
	wg.Wait()
	if len(won) != 1 {
		t.Fatalf("%d listeners, want 1", len(won))
	}
	defer won[0].Close()
	c, err := net.Dial("unix", server.File)
	if err != nil {
		t.Fatal(err)
	}
	c.Close()
}

func TestFileInTheWayStays(t *testing.T) {
	server := unixServer(t.TempDir() + "/precious")
	if err := os.WriteFile(server.File, []byte("precious"), 0o600); err != nil {
		t.Fatal(err)
	}
	_, err := ListenHTTP(server, noNotice(t))
	if want := "Cannot open an HTTP server: socket.error reported errno.ENOTSOCK (88)"; err == nil || err.Error() != want {
		t.Errorf("got %v, want %s", err, want)
	}
	if got := readFile(t, server.File); got != "precious" {
		t.Errorf("content %q", got)
	}
}

func TestListenErrors(t *testing.T) {
	const cannot = "Cannot open an HTTP server: socket.error reported "
	tests := []struct {
		server *config.Server
		want   string
	}{
		{unixServer(t.TempDir() + "/none/s.sock"), cannot + "errno.ENOENT (2)"},
		{unixServer("/tmp/" + strings.Repeat("x", 200)), cannot + "AF_UNIX path too long"},
		{&config.Server{Host: "192.0.2.1", Port: 9}, cannot + "errno.EADDRNOTAVAIL (99)"},
	}
	for _, tt := range tests {
		if _, err := ListenHTTP(tt.server, noNotice(t)); err == nil || err.Error() != tt.want {
			t.Errorf("got %v, want %s", err, tt.want)
		}
	}
}

// listenAsUser tries to give a socket away, which only root can.
func listenAsUser() {
	server := unixServer(os.Getenv("SOCKET"))
	server.OwnerUID, server.OwnerGID = 0, 0
	_, err := ListenHTTP(server, func(text string) { fmt.Println(text) })
	fmt.Println(err)
}

func TestOwnerNotPermitted(t *testing.T) {
	user := asUser(t, 1)
	dir := t.TempDir()
	for d := dir; d != os.TempDir() && d != "/"; d = filepath.Dir(d) {
		if err := os.Chmod(d, 0o777); err != nil {
			t.Fatal(err)
		}
	}
	path := dir + "/s.sock"
	got := runRole(t, "socket", func(cmd *exec.Cmd) { user(cmd); cmd.Env = append(cmd.Env, "SOCKET="+path) })
	want := "Not permitted to chown " + path + ` to uid/gid (0, 0); adjust "sockchown" value in config file or on command` +
		" line to values that the current user (daemon) can successfully chown\n"
	if got != want {
		t.Errorf("got\n%swant\n%s", got, want)
	}
	if got := names(t, dir); len(got) != 0 {
		t.Errorf("left behind: %q", got)
	}
}

func TestListenInet(t *testing.T) {
	for _, host := range []string{"", "127.0.0.1", "[::1]", "::1", "localhost"} {
		l, err := ListenHTTP(&config.Server{Host: host}, noNotice(t))
		if err != nil {
			if strings.Contains(host, ":") {
				continue // no IPv6 here
			}
			t.Fatalf("%q: %v", host, err)
		}
		addr := l.Addr().(*net.TCPAddr)
		if host == "" && addr.IP.To4() == nil {
			t.Errorf("listens on %v, want IPv4 only", addr)
		}
		dial := strings.Trim(host, "[]")
		if host == "" {
			dial = "127.0.0.1"
		}
		echo(t, l, "tcp", net.JoinHostPort(dial, strconv.Itoa(addr.Port)))
		if _, err := ListenHTTP(&config.Server{Host: host, Port: addr.Port}, noNotice(t)); err != errInUse {
			t.Errorf("%q, port in use: %v", host, err)
		}
		l.Close()
	}
}

func TestListenFastCGI(t *testing.T) {
	path := t.TempDir() + "/f.sock"
	if err := os.WriteFile(path, nil, 0o600); err != nil {
		t.Fatal(err)
	}
	sockets := []*config.Socket{
		{Unix: true, Path: path, Mode: 0o770, OwnerUID: os.Getuid(), OwnerGID: os.Getgid()},
		{Unix: true, Path: path, Mode: 0o700, OwnerUID: -1, OwnerGID: -1, Backlog: 5},
		{Host: "127.0.0.1"},
		{Host: "localhost", Backlog: 1},
	}
	for _, s := range sockets {
		fd, err := ListenFastCGI(s)
		if err != nil {
			t.Fatal(err)
		}
		flags, _, _ := syscall.Syscall(syscall.SYS_FCNTL, uintptr(fd), syscall.F_GETFL, 0)
		if flags&syscall.O_NONBLOCK != 0 {
			t.Errorf("%+v: the socket does not block", s)
		}
		flags, _, _ = syscall.Syscall(syscall.SYS_FCNTL, uintptr(fd), syscall.F_GETFD, 0)
		if flags&syscall.FD_CLOEXEC == 0 {
			t.Errorf("%+v: the socket is inherited", s)
		}
		network, address := "unix", path
		if s.Unix {
			if info, err := os.Lstat(path); err != nil || info.Mode() != os.ModeSocket|s.Mode {
				t.Errorf("%+v: %v, %v", s, info.Mode(), err)
			}
		} else {
			sa, err := syscall.Getsockname(fd)
			if err != nil {
				t.Fatal(err)
			}
			network, address = "tcp", net.JoinHostPort("127.0.0.1", strconv.Itoa(sa.(*syscall.SockaddrInet4).Port))
		}
		f := os.NewFile(uintptr(fd), "socket")
		l, err := net.FileListener(f)
		if err != nil {
			t.Fatal(err)
		}
		echo(t, l, network, address)
		l.Close()
		f.Close()
	}
	if _, err := ListenFastCGI(&config.Socket{Unix: true, Path: path + "/none", OwnerUID: -1, OwnerGID: -1}); err == nil {
		t.Error("no error where the directory does not exist")
	}
}
