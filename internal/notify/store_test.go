package notify

import (
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"reflect"
	"slices"
	"strconv"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"
)

// parcel reads a message and the descriptors that came with it, as files.
func (m manager) parcel(t *testing.T) (text string, files []*os.File) {
	t.Helper()
	buf, oob := make([]byte, 4096), make([]byte, 4096)
	n, oobn, _, _, err := m.ReadMsgUnix(buf, oob)
	if err != nil {
		t.Fatal(err)
	}
	messages, err := syscall.ParseSocketControlMessage(oob[:oobn])
	if err != nil {
		t.Fatal(err)
	}
	for i := range messages {
		fds, err := syscall.ParseUnixRights(&messages[i])
		if err != nil {
			t.Fatal(err)
		}
		for _, fd := range fds {
			f := os.NewFile(uintptr(fd), strconv.Itoa(fd))
			t.Cleanup(func() { f.Close() })
			files = append(files, f)
		}
	}
	return string(buf[:n]), files
}

func TestStore(t *testing.T) {
	m, address := newManager(t)
	n := &Notifier{link: link{address: address}, storeLimit: 7}
	s := n.Store(fail(t))
	if s.Limit() != 7 {
		t.Errorf("limit %d", s.Limit())
	}
	r, w, err := os.Pipe()
	if err != nil {
		t.Fatal(err)
	}
	s.Keep("a-1", int(r.Fd()), int(w.Fd()))
	r.Close()
	w.Close()
	text, files := m.parcel(t)
	if text != "FDSTORE=1\nFDNAME=a-1\nFDPOLL=0" || len(files) != 2 {
		t.Fatalf("message %q with %d descriptors", text, len(files))
	}
	if _, err := files[1].WriteString("kept"); err != nil {
		t.Error(err)
	}
	buf := make([]byte, 10)
	if n, err := files[0].Read(buf); err != nil || string(buf[:n]) != "kept" {
		t.Errorf("the descriptors are not those that were given: %q, %v", buf[:n], err)
	}
	s.Drop("a-1")
	s.Drop("a-2")
	m.want(t, "FDSTOREREMOVE=1", "FDNAME=a-1")
	m.want(t, "FDSTOREREMOVE=1", "FDNAME=a-2")
	s.Close()
}

// TestNoStore has managers that say that they keep nothing, or none at all.
func TestNoStore(t *testing.T) {
	for _, n := range []*Notifier{{}, {storeLimit: 5}, {link: link{address: "/x"}, storeless: true}} {
		if n.Store(fail(t)) != nil {
			t.Errorf("%+v has a store", n)
		}
	}
}

// TestStuckStore has a manager that does not listen. That is said once, and only
// the first message waits for it.
func TestStuckStore(t *testing.T) {
	_, address := newManager(t)
	n := &Notifier{link: link{address: address}}
	for n.pass(time.Millisecond, nil, "STATUS=x") == nil {
	}
	var mu sync.Mutex
	warnings := 0
	s := n.Store(func(err error) {
		mu.Lock()
		defer mu.Unlock()
		warnings++
		if !strings.Contains(err.Error(), "keep descriptors for the next supervisord") {
			t.Error(err)
		}
	})
	for i := range 50 {
		s.Keep(fmt.Sprint("a-", i), 1)
		s.Drop(fmt.Sprint("a-", i))
	}
	s.Close() // It comes to an end, and not after 100 times the patience of one.
	if warnings == 0 || warnings > 2 {
		t.Errorf("%d warnings", warnings)
	}
}

func TestStoreVariable(t *testing.T) {
	for _, tt := range []struct {
		socket, value string
		storeless     bool
		limit         int
		err           bool
	}{
		{socket: "/n"},
		{socket: "/n", value: "0", storeless: true},
		{socket: "/n", value: "12", limit: 12},
		{socket: "/n", value: "-1", storeless: true, err: true},
		{socket: "/n", value: "many", storeless: true, err: true},
		{value: "mine"},
	} {
		t.Setenv(socketVariable, tt.socket)
		t.Setenv(storeVariable, tt.value)
		n, err := FromEnvironment()
		if n.storeless != tt.storeless || n.storeLimit != tt.limit || (err != nil) != tt.err {
			t.Errorf("%+v: storeless %v, limit %d, %v", tt, n.storeless, n.storeLimit, err)
		}
		if value, left := os.LookupEnv(storeVariable); left != (tt.socket == "") {
			t.Errorf("%+v: %q is left: %v", tt, value, left)
		}
		if again := Resume(n.State()); !reflect.DeepEqual(again, &Notifier{link: link{address: n.address}, storeless: n.storeless, storeLimit: n.storeLimit}) {
			t.Errorf("resumed: %+v", again)
		}
	}
}

// helperVariable has the test program say what it has received.
const helperVariable = "NOTIFY_TEST_RECEIVED"

func TestMain(m *testing.M) {
	if os.Getenv(helperVariable) == "" {
		os.Exit(m.Run())
	}
	n, err := FromEnvironment()
	if err != nil {
		fmt.Println(err)
	}
	for name, fds := range n.Received() {
		for _, fd := range fds {
			// The descriptor, and whether a program would inherit it.
			flags, _, _ := syscall.Syscall(syscall.SYS_FCNTL, uintptr(fd), syscall.F_GETFD, 0)
			fmt.Println(name, fd, flags == syscall.FD_CLOEXEC)
		}
	}
	for _, entry := range os.Environ() {
		if strings.HasPrefix(entry, "LISTEN_") {
			fmt.Println(entry)
		}
	}
}

// TestReceived starts a process with descriptors.
func TestReceived(t *testing.T) {
	for _, tt := range []struct {
		name, env string
		want      []string
	}{
		{"ours", "LISTEN_PID=$$ LISTEN_FDS=3 LISTEN_FDNAMES=a:b:a LISTEN_PIDFDID=7", []string{"a 3 true", "a 5 true", "b 4 true"}},
		{"without names", "LISTEN_PID=$$ LISTEN_FDS=2", []string{"unknown 3 true", "unknown 4 true"}},
		{"too few names", "LISTEN_PID=$$ LISTEN_FDS=2 LISTEN_FDNAMES=a", []string{"a 3 true", "unknown 4 true"}},
		{"no number", "LISTEN_PID=$$ LISTEN_FDS=x", nil},
		{"negative", "LISTEN_PID=$$ LISTEN_FDS=-1", nil},
		{"too many", "LISTEN_PID=$$ LISTEN_FDS=99999999999", nil},
		{"another's", "LISTEN_PID=1 LISTEN_FDS=1", []string{"LISTEN_FDS=1", "LISTEN_PID=1"}},
	} {
		t.Run(tt.name, func(t *testing.T) {
			file, err := os.Create(filepath.Join(t.TempDir(), "f"))
			if err != nil {
				t.Fatal(err)
			}
			defer file.Close()
			cmd := exec.Command("sh", "-c", helperVariable+"=1 "+tt.env+` exec "$0"`, os.Args[0])
			cmd.ExtraFiles = []*os.File{file, file, file}
			cmd.Env = append(os.Environ(), "GORACE=atexit_sleep_ms=0")
			out, err := cmd.CombinedOutput()
			if err != nil {
				t.Fatalf("%v: %s", err, out)
			}
			got := strings.FieldsFunc(string(out), func(r rune) bool { return r == '\n' })
			slices.Sort(got)
			if !slices.Equal(got, tt.want) {
				t.Errorf("got %q, want %q", got, tt.want)
			}
		})
	}
}
