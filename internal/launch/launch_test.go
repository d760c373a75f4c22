package launch

import (
	"os"
	"os/exec"
	"strings"
	"syscall"
	"testing"

	"supervisord/internal/spawn"
)

// roleVariable names what a copy of the test program is to do instead of the
// tests, because it changes the process as a whole.
const roleVariable = "LAUNCH_TEST_ROLE"

// roles print what the test compares.
var roles = map[string]func(){
	"limits":      printLimits,
	"descriptors": printDescriptors,
	"detach":      detach,
	"user":        becomeUser,
	"socket":      listenAsUser,
}

func TestMain(m *testing.M) {
	spawn.Shim()
	if role := os.Getenv(roleVariable); role != "" {
		roles[role]()
		os.Exit(0)
	}
	os.Exit(m.Run())
}

// runRole runs a copy of the test program in a role and returns its output,
// which is that of the copies that it starts, too.
func runRole(t *testing.T, role string, change func(*exec.Cmd)) string {
	t.Helper()
	out, err := startRole(t, role, change)
	if err != nil {
		t.Fatalf("%s: %v\n%s", role, err, out)
	}
	return out
}

func startRole(t *testing.T, role string, change func(*exec.Cmd)) (string, error) {
	t.Helper()
	exe, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	cmd := exec.Command(exe)
	// The race detector would sleep at each exit.
	cmd.Env = append(os.Environ(), roleVariable+"="+role, "GORACE=atexit_sleep_ms=0")
	if change != nil {
		change(cmd)
	}
	out, err := cmd.CombinedOutput()
	return string(out), err
}

// asUser makes a copy of the test program run as another user, who is allowed
// to execute it. Only root can do that.
func asUser(t *testing.T, uid uint32) func(*exec.Cmd) {
	t.Helper()
	needRoot(t)
	exe := t.TempDir() + "/test"
	content, err := os.ReadFile("/proc/self/exe")
	if err == nil {
		err = os.WriteFile(exe, content, 0o755)
	}
	if err != nil {
		t.Fatal(err)
	}
	for dir := exe; dir != os.TempDir() && dir != "/"; dir = dir[:strings.LastIndex(dir, "/")] {
		if err := os.Chmod(dir, 0o755); err != nil {
			t.Fatal(err)
		}
	}
	return func(cmd *exec.Cmd) {
		cmd.Path, cmd.Args[0], cmd.Dir = exe, exe, "/"
		cmd.SysProcAttr = &syscall.SysProcAttr{Credential: &syscall.Credential{Uid: uid, Gid: uid}}
	}
}

func needRoot(t *testing.T) {
	t.Helper()
	if os.Getuid() != 0 {
		skip(t, "needs root to become another user")
	}
}

// skip skips a test for which something is missing, where it may.
func skip(t *testing.T, reason string) {
	t.Helper()
	if os.Getenv("CI") == "true" {
		t.Fatal(reason)
	}
	t.Skip(reason)
}
