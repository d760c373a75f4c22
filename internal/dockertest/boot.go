package dockertest

import (
	"bufio"
	"os/exec"
	"strings"
	"testing"
)

// enter mounts systemd's own hierarchy of control groups, which engines on hosts
// without version 2 mount read-only, and becomes systemd. The servers are there
// for other tests.
const enter = `cd /etc/systemd/system/multi-user.target.wants
rm -f nginx.service apache2.service cron.service
if [ -d /sys/fs/cgroup/systemd ]; then
	umount /sys/fs/cgroup/systemd
	mount -t cgroup -o none,name=systemd systemd /sys/fs/cgroup/systemd
fi
exec /sbin/init`

// A Machine is a container with systemd as its first process.
type Machine struct {
	*Container
	boots int
}

// Boot starts a container of an image with systemd, and waits until it has
// started everything. The args are more options for docker run.
func Boot(tb testing.TB, image string, args ...string) *Machine {
	tb.Helper()
	args = append([]string{
		"-t", "--stop-signal", "SIGRTMIN+3", "--cgroupns", "private", "-e", "container=docker",
		"--tmpfs", "/run", "--tmpfs", "/run/lock", "--tmpfs", "/tmp",
	}, args...)
	if out, err := exec.Command("docker", "run", "--rm", "--privileged", image, "true").CombinedOutput(); err == nil {
		args = append(args, "--privileged")
	} else {
		// An engine that is itself confined cannot give everything.
		tb.Logf("no privileged container: %v: %s", err, out)
		args = append(args, "--cap-add", "SYS_ADMIN",
			"--security-opt", "seccomp=unconfined", "--security-opt", "apparmor=unconfined")
	}
	m := &Machine{Container: Run(tb, append(args, image, "sh", "-c", enter)...)}
	m.awaitBoot()
	return m
}

// Reboot stops the system as a shutdown does and boots it again.
func (m *Machine) Reboot() {
	m.tb.Helper()
	Docker(m.tb, "restart", "-t", "120", m.ID)
	m.awaitBoot()
}

// awaitBoot waits until systemd says on the console that it has come to its last
// target, once more than before.
func (m *Machine) awaitBoot() {
	m.tb.Helper()
	m.boots++
	cmd := exec.Command("docker", "logs", "-f", m.ID)
	out, err := cmd.StdoutPipe()
	if err != nil {
		m.tb.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		m.tb.Fatal(err)
	}
	defer func() {
		cmd.Process.Kill()
		cmd.Wait()
	}()
	reached := 0
	for lines := bufio.NewScanner(out); lines.Scan(); {
		if line := lines.Text(); strings.Contains(line, "Reached target") && strings.Contains(strings.ToLower(line), "graphical") {
			reached++
		}
		if reached == m.boots {
			return
		}
	}
	m.tb.Fatal("systemd has not booted the container")
}
