package dockertest

import (
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"testing"

	"supervisord/internal/testenv"
)

// mirror is where Debian is installed from.
const mirror = "http://deb.debian.org/debian"

// packages are what the system has besides what every Debian system has: systemd,
// what the distribution's supervisor needs, and servers to run under ours.
var packages = []string{
	"systemd", "systemd-sysv", "dbus", "procps", "curl",
	"python3-minimal", "python3-pkg-resources", "lsb-base",
	"nginx-light", "apache2", "cron",
}

// prepare gets the distribution's supervisor. It is not installed: a file of an
// image can come back when a container deletes it (fuse-overlayfs does that).
const prepare = `apt-get -q update && cd /root && apt-get -q download supervisor`

// Debian returns the name of an image with a Debian system of a release, such as
// "bookworm". The distribution's package supervisor is in its directory /root, not
// installed. The system is installed when the engine does not have it yet, which takes
// some minutes, and stays there for the next time.
func Debian(tb testing.TB, release string) string {
	tb.Helper()
	NeedLong(tb)
	testenv.NeedRoot(tb)
	testenv.NeedProgram(tb, "debootstrap", "debootstrap")
	name, err := debian(release)
	if err != nil {
		tb.Fatal(err)
	}
	return name
}

func debian(release string) (name string, err error) {
	sum := sha256.Sum256([]byte(strings.Join(packages, " ") + prepare))
	name = "supervisord-test-" + release + ":" + hex.EncodeToString(sum[:6])
	unlock, err := lock(filepath.Join(os.TempDir(), "supervisord-test-"+release+".lock"))
	if err != nil {
		return "", err
	}
	defer unlock()
	if exec.Command("docker", "image", "inspect", name).Run() == nil {
		return name, nil
	}
	// Not below TMPDIR, which may be mounted with nodev.
	dir, err := os.MkdirTemp("/var/tmp", "supervisord-test")
	if err != nil {
		return "", err
	}
	defer os.RemoveAll(dir)
	cmd := exec.Command("debootstrap", "--variant=minbase", "--include="+strings.Join(packages, ","), release, dir, mirror)
	if out, err := cmd.CombinedOutput(); err != nil {
		return "", fmt.Errorf("debootstrap: %w\n%s", err, tail(string(out)))
	}
	if out, err := exec.Command("chroot", dir, "sh", "-c", prepare).CombinedOutput(); err != nil {
		return "", fmt.Errorf("prepare the system: %w\n%s", err, tail(string(out)))
	}
	tar := exec.Command("tar", "-C", dir, "--exclude=./var/cache/apt/archives/*.deb", "-c", ".")
	archive, err := tar.StdoutPipe()
	if err != nil {
		return "", err
	}
	if err := tar.Start(); err != nil {
		return "", err
	}
	err = importImage(archive, name)
	archive.Close()
	return name, errors.Join(err, tar.Wait())
}

// lock waits until no other test holds the lock.
func lock(path string) (unlock func(), err error) {
	f, err := os.OpenFile(path, os.O_CREATE|os.O_RDWR, 0o600)
	if err != nil {
		return nil, err
	}
	if err := syscall.Flock(int(f.Fd()), syscall.LOCK_EX); err != nil {
		f.Close()
		return nil, fmt.Errorf("lock %s: %w", path, err)
	}
	return func() { f.Close() }, nil
}

// tail returns the last lines of what a program wrote.
func tail(out string) string {
	lines := strings.Split(out, "\n")
	return strings.Join(lines[max(0, len(lines)-20):], "\n")
}
