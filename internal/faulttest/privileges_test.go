package faulttest

import (
	"encoding/hex"
	"fmt"
	"net"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"syscall"
	"testing"

	"supervisord/internal/testenv"
)

// nobody is the user that the daemon becomes.
const nobody = "65534"

// TestUserBeforeNetwork has the daemon become another user, and looks at who made
// its sockets: nothing of root's has ever read from them, and no thread of it is
// root's.
func TestUserBeforeNetwork(t *testing.T) {
	t.Parallel()
	testenv.NeedRoot(t)
	r, address := tcp(t, "user=nobody\n")

	info, err := os.Stat(r.path("s.sock"))
	if err != nil {
		t.Fatal(err)
	}
	if uid := fmt.Sprint(info.Sys().(*syscall.Stat_t).Uid); uid != nobody {
		t.Errorf("the UNIX socket is the user %s's", uid)
	}
	if uid := makerOf(t, address); uid != nobody {
		t.Errorf("the TCP socket is the user %s's", uid)
	}

	threads, err := filepath.Glob(fmt.Sprintf("/proc/%d/task/*/status", r.cmd.Process.Pid))
	if err != nil || len(threads) < 2 {
		t.Fatalf("%d threads, %v", len(threads), err)
	}
	ids := regexp.MustCompile(`(?m)^(Uid|Gid):\t(\d+)\t(\d+)\t(\d+)\t(\d+)$`)
	rights := regexp.MustCompile(`(?m)^Cap(Inh|Prm|Eff|Amb):\t0+$`)
	for _, path := range threads {
		status, err := os.ReadFile(path)
		if os.IsNotExist(err) {
			continue // It has ended.
		}
		if err != nil {
			t.Fatal(err)
		}
		found := ids.FindAllStringSubmatch(string(status), -1)
		if len(found) != 2 || len(rights.FindAllString(string(status), -1)) != 4 {
			t.Errorf("%s:\n%s", path, status)
		}
		for _, id := range found {
			if strings.Join(id[2:], " ") != strings.Repeat(nobody+" ", 3)+nobody {
				t.Errorf("%s: %s", path, id[0])
			}
		}
	}
	r.end()
}

// makerOf returns the user who made a listening TCP socket.
func makerOf(t *testing.T, address string) string {
	t.Helper()
	tcp, err := net.ResolveTCPAddr("tcp4", address)
	if err != nil {
		t.Fatal(err)
	}
	ip := tcp.IP.To4()
	local := strings.ToUpper(hex.EncodeToString([]byte{ip[3], ip[2], ip[1], ip[0]})) + fmt.Sprintf(":%04X", tcp.Port)
	table, err := os.ReadFile("/proc/net/tcp")
	if err != nil {
		t.Fatal(err)
	}
	const listening = "0A"
	for line := range strings.Lines(string(table)) {
		if f := strings.Fields(line); len(f) > 7 && f[1] == local && f[3] == listening {
			return f[7]
		}
	}
	t.Fatalf("nobody listens at %s", address)
	return ""
}
