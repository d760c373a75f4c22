package spawn

import (
	"fmt"
	"os"
	"os/user"
	"strconv"
	"strings"
	"syscall"
	"testing"

	"golang.org/x/sys/unix"
)

func init() {
	roles["subreaper"] = subreaper
}

const orphans = 1000

// subreaper adopts processes whose parent exits, and counts them as they die.
func subreaper() {
	if err := unix.Prctl(unix.PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0); err != nil {
		fmt.Println(err)
		return
	}
	s, reports := collect()
	// The children outlive the shell, as it holds up the pipe that they read.
	spec := shell(`exec 3<&0; i=0; while [ $i -lt $1 ]; do (read x <&3; exit 5) & i=$((i+1)); done; exit 6`, strconv.Itoa(orphans))
	s.Start(1, spec)
	st := (<-reports).(Started)
	exited := (<-reports).(Exited)
	syscall.Close(st.Stdin)
	right := 0
	for range orphans {
		if o := (<-reports).(Orphan); o.Status.ExitStatus() == 5 {
			right++
		}
	}
	fmt.Println(exited.PID == st.PID, exited.Status.ExitStatus(), right)
}

func TestOrphans(t *testing.T) {
	want := fmt.Sprintf("true 6 %d\n", orphans)
	if got := runRole(t, "subreaper", nil); got != want {
		t.Errorf("got %q, want %q", got, want)
	}
}

func TestUser(t *testing.T) {
	if os.Getuid() != 0 {
		skip(t, "needs root to become another user")
	}
	nobody, err := user.Lookup("nobody")
	if err != nil {
		skip(t, "needs a user nobody")
	}
	uid, _ := strconv.ParseUint(nobody.Uid, 10, 32)
	dir := t.TempDir()
	if err := os.Chmod(dir, 0o700); err != nil {
		t.Fatal(err)
	}
	w := newWorld(t)
	for _, umask := range []int{-1, 0o077} {
		spec := shell(`id -u; id -g; id -G`)
		spec.Umask = umask
		spec.UserName = nobody.Uid
		spec.Credential = &syscall.Credential{Uid: uint32(uid), Gid: 4321, Groups: []uint32{4321, 5001, 5002}}
		st, p := w.start(spec)
		want := nobody.Uid + "\n4321\n4321 5001 5002\n"
		if stdout, stderr := p.output(); stdout != want || stderr != "" {
			t.Errorf("umask %d: output %q and %q, want %q", umask, stdout, stderr, want)
		}
		w.waitExit(st.PID)

		// The directory is entered by the user, not by root.
		spec.Dir = dir
		st, p = w.start(spec)
		want = "supervisor: couldn't chdir to " + dir + ": EACCES\n" + notSpawned
		if _, stderr := p.output(); stderr != want {
			t.Errorf("umask %d: output %q, want %q", umask, stderr, want)
		}
		if status := w.waitExit(st.PID); status.ExitStatus() != exitNotSpawned {
			t.Errorf("umask %d: status %#x", umask, status)
		}
	}
}

func TestUserRefused(t *testing.T) {
	if os.Getuid() == 0 {
		// Root can become anybody, except who has no uid.
		w := newWorld(t)
		spec := shell(`exit`)
		spec.UserName = "-1"
		spec.Credential = &syscall.Credential{Uid: 1<<32 - 1, Gid: 1, Groups: []uint32{1}}
		st, p := w.start(spec)
		if _, stderr := p.output(); stderr != notSpawned {
			t.Errorf("output %q, want %q", stderr, notSpawned)
		}
		w.waitExit(st.PID)
		return
	}
	w := newWorld(t)
	spec := shell(`exit`)
	spec.UserName = "1"
	spec.Credential = &syscall.Credential{Uid: 1, Gid: 1, Groups: []uint32{1}}
	st, p := w.start(spec)
	want := "supervisor: couldn't setuid to 1: Could not set groups of effective user\n" + notSpawned
	if _, stderr := p.output(); stderr != want {
		t.Errorf("output %q, want %q", stderr, want)
	}
	w.waitExit(st.PID)
}

// TestChildsDescriptors checks that a process gets three descriptors and that
// they block.
func TestChildsDescriptors(t *testing.T) {
	stray, err := syscall.Open("/dev/null", syscall.O_RDONLY|syscall.O_CLOEXEC, 0)
	if err != nil {
		t.Fatal(err)
	}
	defer syscall.Close(stray)
	w := newWorld(t)
	st, p := w.start(shell(`ls /proc/$$/fd; grep -h flags /proc/$$/fdinfo/[012]`))
	stdout, _ := p.output()
	w.waitExit(st.PID)
	names, flags, _ := strings.Cut(stdout, "flags")
	if names != "0\n1\n2\n" {
		t.Errorf("descriptors %q", names)
	}
	for field := range strings.FieldsSeq(flags) {
		if n, err := strconv.ParseUint(field, 8, 64); err == nil && n&syscall.O_NONBLOCK != 0 {
			t.Errorf("a descriptor does not block: flags %s", field)
		}
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
