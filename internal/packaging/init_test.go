package packaging

import (
	"path/filepath"
	"strings"
	"testing"

	"supervisord/internal/dockertest"
)

// A host is a container without systemd, in which the init script is used.
type host struct {
	*dockertest.Container
	t *testing.T
}

// script runs the init script and checks its exit status.
func (h *host) script(action string, want int) string {
	h.t.Helper()
	out, status := h.Try("/etc/init.d/supervisor", action)
	if status != want {
		h.t.Errorf("%s: exit status %d, want %d\n%s", action, status, want, out)
	}
	return out
}

// exes returns the files of the daemons that run, by the names that their
// processes have.
func (h *host) exes() string {
	h.t.Helper()
	return h.Shell(`for pid in $(pgrep -x supervisord); do readlink /proc/$pid/exe; done | sed 's,/python3.*,/python,' | xargs`)
}

// TestInitScript replaces the distribution's package where there is no systemd,
// and then does with the init script all that one can.
func TestInitScript(t *testing.T) {
	for _, release := range []string{"bullseye", "bookworm"} {
		t.Run(release, func(t *testing.T) {
			image := dockertest.Debian(t, release)
			path := deb(t)
			h := &host{dockertest.Run(t, "--init", "-v", filepath.Dir(path)+":/dist:ro",
				"-e", "DEBIAN_FRONTEND=noninteractive", image, "sleep", "infinity"), t}
			// As if sysvinit had brought the system up.
			h.Shell(`rm -f /sbin/runlevel; printf '#!/bin/sh\necho N 2\n' >/sbin/runlevel; chmod 755 /sbin/runlevel`)
			h.Shell("dpkg -i /root/supervisor_4*.deb")
			h.Shell("cat >/etc/supervisor/conf.d/app.conf <<'EOF'\n" + appConf + "EOF\n")
			h.script("stop", 0)
			h.Shell("while pgrep -x supervisord; do sleep 0.1; done; rm -f /var/run/supervisord.pid")
			h.script("start", 0)
			if got := h.exes(); got != "/usr/bin/python" {
				t.Fatalf("the distribution's init script started %q", got)
			}
			h.Shell("apt-get install -q -y /dist/" + filepath.Base(path))
			if got := h.exes(); got != "/usr/bin/supervisord" {
				t.Fatalf("after the package was replaced %q runs", got)
			}
			h.useScript()

			h.Shell("apt-get purge -q -y supervisor")
			if got := h.exes(); got != "" {
				t.Errorf("after a purge %q runs", got)
			}
			if got := h.Shell("find /etc -name '*supervisor*'"); got != "/etc/supervisor" {
				t.Errorf("left after a purge:\n%s", got)
			}
		})
	}
}

func (h *host) useScript() {
	t := h.t
	t.Helper()
	pid := h.Exec("supervisorctl", "pid")
	app := h.Exec("supervisorctl", "pid", "app")
	h.script("start", 0) // It runs already.
	if got := h.Exec("supervisorctl", "pid"); got != pid {
		t.Errorf("a second start made %s of process %s", got, pid)
	}
	if out := h.script("status", 0); !strings.Contains(out, "supervisord is running") {
		t.Errorf("status: %s", out)
	}

	h.script("restart", 0)
	if got := h.Exec("supervisorctl", "pid"); got == pid {
		t.Error("restart left the process")
	}
	if _, status := h.Try("kill", "-0", app); status == 0 {
		t.Error("restart left a program")
	}
	pid = h.Exec("supervisorctl", "pid")
	h.script("force-reload", 0)
	if got := h.Exec("supervisorctl", "pid"); got == pid {
		t.Error("force-reload left the process")
	}

	app = h.Exec("supervisorctl", "pid", "app")
	h.script("stop", 0)
	if got := h.exes(); got != "" {
		t.Errorf("after stop %q runs", got)
	}
	if _, status := h.Try("kill", "-0", app); status == 0 {
		t.Error("stop left a program")
	}
	h.script("stop", 0) // It does not run any more.
	h.script("force-reload", 0)
	h.script("status", 3)
	if got := h.exes(); got != "" {
		t.Errorf("force-reload started %q", got)
	}
	h.script("nonsense", 3)

	h.Shell("echo '[program:broken' >/etc/supervisor/conf.d/broken.conf")
	h.script("start", 1)
	h.script("restart", 1)
	h.Shell("rm /etc/supervisor/conf.d/broken.conf")

	h.Shell(`sed -i 's/^DAEMON_OPTS=.*/DAEMON_OPTS="-e debug --identifier=other"/' /etc/default/supervisor`)
	h.script("start", 0)
	if command := h.Shell("tr '\\0' ' ' </proc/$(supervisorctl pid)/cmdline"); !strings.Contains(command, "-e debug --identifier=other") {
		t.Errorf("supervisord runs as %s", command)
	}
}
