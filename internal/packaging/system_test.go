package packaging

import (
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"supervisord/internal/dockertest"
)

// appConf is what a user has in conf.d. The programs are RUNNING when they are
// started, so that nothing has to wait.
const appConf = `[program:app]
command=/bin/sleep 100001
startsecs=0

[program:worker]
command=/bin/sleep 100002
numprocs=2
process_name=%(program_name)s_%(process_num)d
startsecs=0

[program:off]
command=/bin/sleep 100003
autostart=false

; Its child leaves the session and the process group.
[program:double]
command=/bin/sh -c 'setsid sleep 100004 & exec sleep 100005'
startsecs=0
`

// running is what supervisorctl says of them when all is well.
const running = `app RUNNING
double RUNNING
off STOPPED
worker:worker_0 RUNNING
worker:worker_1 RUNNING`

// A system is a machine with the distribution's supervisor, which has programs
// of a user. It is given the packages of this project.
type system struct {
	*dockertest.Machine
	t *testing.T
}

// boot starts a machine. The packages are in its directory /dist.
func boot(t *testing.T, release string) *system {
	t.Helper()
	image := dockertest.Debian(t, release)
	path := deb(t)
	if _, err := newerDeb(); err != nil {
		t.Fatal(err)
	}
	m := dockertest.Boot(t, image, "-v", filepath.Dir(path)+":/dist:ro", "-e", "DEBIAN_FRONTEND=noninteractive")
	s := &system{m, t}
	s.Shell("dpkg -i /root/supervisor_4*.deb")
	s.Shell("cat >/etc/supervisor/conf.d/app.conf <<'EOF'\n" + appConf + "EOF\n")
	s.Exec("systemctl", "restart", "supervisor")
	return s
}

// install installs a package with apt.
func (s *system) install(path string, options ...string) {
	s.t.Helper()
	args := append([]string{"apt-get", "install", "-q", "-y"}, options...)
	s.Exec(append(args, "/dist/"+filepath.Base(path))...)
}

// await runs a shell command until it succeeds: there is nothing else to wait
// for where the distribution's supervisord or the kernel takes its time.
func (s *system) await(command string) {
	s.t.Helper()
	out, status := s.Try("timeout", "60", "sh", "-c", "until "+command+"; do sleep 0.1; done")
	if status != 0 {
		s.t.Fatalf("in vain: %s\n%s", command, out[max(0, len(out)-2000):])
	}
}

// status returns the names and states of the programs.
func (s *system) status() string {
	s.t.Helper()
	out, _ := s.Try("supervisorctl", "status")
	var lines []string
	for line := range strings.Lines(out) {
		if f := strings.Fields(line); len(f) > 1 {
			lines = append(lines, f[0]+" "+f[1])
		}
	}
	return strings.Join(lines, "\n")
}

// wantRunning waits until the programs run, once each, under this project's
// supervisord, and checks that systemd knows.
func (s *system) wantRunning() {
	s.t.Helper()
	s.await(`test "$(supervisorctl status | grep -c RUNNING)" = 4`)
	if got := s.status(); got != running {
		s.t.Errorf("status:\n%s\nwant:\n%s", got, running)
	}
	if got := s.show("ActiveState", "SubState"); got != "active running" {
		s.t.Errorf("the service is %s", got)
	}
	// A 100004 stays when its program is restarted.
	if got, want := strings.ReplaceAll(s.sleepers(), "100004 ", ""), "100001 100002 100002 100005"; got != want {
		s.t.Errorf("processes of programs: %s, want %s", got, want)
	}
	if exe := s.exe(); exe != "/usr/bin/supervisord" {
		s.t.Errorf("supervisord is %s", exe)
	}
}

// wantStopped checks that nothing is left of the service.
func (s *system) wantStopped() {
	s.t.Helper()
	if got := s.show("ActiveState", "SubState", "Result"); got != "inactive dead success" {
		s.t.Errorf("the service is %s", got)
	}
	if got := s.sleepers(); got != "" {
		s.t.Errorf("processes of programs are left: %s", got)
	}
	if out, status := s.Try("pgrep", "-a", "supervisord"); status != 1 {
		s.t.Errorf("supervisord is left: %s", out)
	}
}

// sleepers returns the arguments of the processes that the programs have.
func (s *system) sleepers() string {
	s.t.Helper()
	return s.Shell(`pgrep -ax sleep | grep -o '10000[0-9]$' | sort | xargs`)
}

// exe returns the file that supervisord was started from.
func (s *system) exe() string {
	s.t.Helper()
	return s.Shell("readlink /proc/$(cat /var/run/supervisord.pid)/exe")
}

// show returns properties of the service.
func (s *system) show(properties ...string) string {
	s.t.Helper()
	var values []string
	for _, p := range properties {
		values = append(values, s.Exec("systemctl", "show", "-p", p, "--value", "supervisor"))
	}
	return strings.Join(values, " ")
}

// dropIn adds settings to the unit, or takes them away.
func (s *system) dropIn(settings string) {
	s.t.Helper()
	const dir = "/run/systemd/system/supervisor.service.d"
	s.Shell("rm -rf " + dir)
	if settings != "" {
		s.Shell("mkdir -p " + dir + " && printf '[Service]\n" + settings + "\n' >" + dir + "/test.conf")
	}
	s.Exec("systemctl", "daemon-reload")
}

// TestSystem lives through what an administrator does with the package, on two
// systems: their versions of systemd, 247 and 252, have Ubuntu 22's between them.
func TestSystem(t *testing.T) {
	for _, release := range []string{"bullseye", "bookworm"} {
		t.Run(release, func(t *testing.T) {
			s := boot(t, release)
			t.Log(s.Shell("systemctl --version | head -n 1"))
			for _, step := range []struct {
				name string
				do   func(*system)
			}{
				{"replace", (*system).replace},
				{"service", (*system).service},
				{"reload", (*system).reload},
				{"slow stop", (*system).slowStop},
				{"crash", (*system).crash},
				{"options", (*system).options},
				{"old unit", (*system).oldUnit},
				{"reboot", (*system).reboot},
				{"upgrade", (*system).upgrade},
				{"remove", (*system).remove},
				{"purge", (*system).purge},
			} {
				t.Log(step.name)
				step.do(s)
				if t.Failed() {
					t.Fatal(s.Shell("journalctl --no-pager -n 60"))
				}
			}
		})
	}
}

// replace installs the package in place of the distribution's.
func (s *system) replace() {
	s.await("supervisorctl status | grep -q STOPPED")
	if exe := s.exe(); !strings.Contains(exe, "python") {
		s.t.Fatalf("the distribution's supervisord is %s", exe)
	}
	s.Shell("cp /lib/systemd/system/supervisor.service /root/old.service")
	before := s.Shell("sha256sum /etc/supervisor/conf.d/app.conf")
	path, _ := buildDeb()
	s.install(path)
	s.wantRunning()
	if after := s.Shell("sha256sum /etc/supervisor/conf.d/app.conf"); after != before {
		s.t.Errorf("the user's configuration was %s, is %s", before, after)
	}
	if out := s.Exec("dpkg", "--verify", "supervisor"); out != "" {
		s.t.Errorf("dpkg --verify: %s", out)
	}
	if out := s.Exec("dpkg", "--audit"); out != "" {
		s.t.Errorf("dpkg --audit: %s", out)
	}
	if got := s.show("Type", "UnitFileState"); got != "notify enabled" {
		s.t.Errorf("the unit is %s", got)
	}
}

func (s *system) service() {
	s.Exec("systemctl", "stop", "supervisor")
	s.wantStopped()
	s.Exec("systemctl", "start", "supervisor")
	s.wantRunning()
	pid := s.show("MainPID")
	s.Exec("systemctl", "restart", "supervisor")
	s.wantRunning()
	if s.show("MainPID") == pid {
		s.t.Error("restart left the process")
	}
	s.await(`systemctl status supervisor | grep -q 'Status: "4 RUNNING, 1 STOPPED"'`)
	// The variables of the service manager are not for the programs.
	env := s.Shell(`tr '\0' '\n' </proc/$(supervisorctl pid app)/environ`)
	if regexp.MustCompile("NOTIFY_SOCKET|WATCHDOG").MatchString(env) {
		s.t.Errorf("environment of a program:\n%s", env)
	}
}

// reload restarts the programs under the same supervisord, but not with a broken
// configuration.
func (s *system) reload() {
	pid, app := s.show("MainPID"), s.Exec("supervisorctl", "pid", "app")
	s.Exec("systemctl", "reload", "supervisor")
	s.await("! kill -0 " + app)
	s.wantRunning()
	if got := s.show("MainPID"); got != pid {
		s.t.Errorf("supervisord was process %s, is %s", pid, got)
	}
	app = s.Exec("supervisorctl", "pid", "app")
	s.Shell("echo '[program:broken' >/etc/supervisor/conf.d/broken.conf")
	if out, status := s.Try("systemctl", "reload", "supervisor"); status == 0 {
		s.t.Errorf("systemctl reload with a broken configuration succeeded: %s", out)
	}
	s.Shell("rm /etc/supervisor/conf.d/broken.conf")
	s.wantRunning()
	if got := s.Exec("supervisorctl", "pid", "app"); got != app {
		s.t.Errorf("a program was process %s, is %s", app, got)
	}
}

// slowConf is a program that does not stop when it is told to.
const slowConf = `[program:slow]
command=/bin/sh -c 'trap "" TERM; while :; do sleep 0.1; done'
startsecs=0
stopwaitsecs=5
`

// slowStop has a program that takes more time to stop than systemd would give.
func (s *system) slowStop() {
	s.Shell("cat >/etc/supervisor/conf.d/slow.conf <<'EOF'\n" + slowConf + "EOF\nsupervisorctl update")
	s.dropIn("TimeoutStopSec=1s")
	s.Exec("systemctl", "stop", "supervisor")
	s.wantStopped()
	if log := s.Exec("cat", "/var/log/supervisor/supervisord.log"); !strings.Contains(log, "killing 'slow'") {
		s.t.Errorf("supervisord did not come to kill the program:\n%s", log)
	}
	s.Shell("rm /etc/supervisor/conf.d/slow.conf")
	s.dropIn("")
	s.Exec("systemctl", "start", "supervisor")
	s.wantRunning()
}

// crash kills supervisord, and halts it under a watchdog: systemd starts it
// anew, and no program is there twice.
func (s *system) crash() {
	s.dropIn("RestartSec=0\\nWatchdogSec=2s")
	s.Exec("systemctl", "restart", "supervisor")
	for _, signal := range []string{"KILL", "STOP"} {
		pid := s.show("MainPID")
		s.Exec("kill", "-"+signal, pid)
		s.await(`systemctl is-active -q supervisor && ! kill -0 ` + pid)
		s.wantRunning()
	}
	if got := s.show("NRestarts"); got != "2" {
		s.t.Errorf("systemd has restarted supervisord %s times, want 2", got)
	}
	s.dropIn("")
	s.Exec("systemctl", "restart", "supervisor")
}

// options gives supervisord options in /etc/default/supervisor.
func (s *system) options() {
	s.Shell(`sed -i 's/^DAEMON_OPTS=.*/DAEMON_OPTS="-e debug --identifier=other"/' /etc/default/supervisor`)
	s.Exec("systemctl", "restart", "supervisor")
	s.wantRunning()
	command := s.Shell(`tr '\0' ' ' </proc/$(cat /var/run/supervisord.pid)/cmdline`)
	if !strings.Contains(command, "-e debug --identifier=other") {
		s.t.Errorf("supervisord runs as %s", command)
	}
	s.Shell(`sed -i 's/^DAEMON_OPTS=.*/DAEMON_OPTS=""/' /etc/default/supervisor`)
	s.Exec("systemctl", "restart", "supervisor")
}

// oldUnit runs the package with the unit of the distribution's, as it does where
// an administrator has a copy of that below /etc.
func (s *system) oldUnit() {
	s.Shell("cp /root/old.service /etc/systemd/system/supervisor.service && systemctl daemon-reload")
	s.Exec("systemctl", "restart", "supervisor")
	if got := s.show("Type"); got != "simple" {
		s.t.Errorf("the old unit has the type %s", got)
	}
	s.wantRunning()
	app := s.Exec("supervisorctl", "pid", "app")
	s.Exec("systemctl", "reload", "supervisor")
	s.await("! kill -0 " + app + ` && test "$(supervisorctl status | grep -c RUNNING)" = 4`)

	s.Exec("systemctl", "stop", "supervisor")
	s.await("! pgrep -x supervisord")
	// As under the distribution's package, a process that has left its group
	// stays.
	if got := s.sleepers(); strings.Trim(got, "104 ") != "" {
		s.t.Errorf("processes of programs are left: %s", got)
	}
	s.Shell("pkill -f '^sleep 100004'; rm /etc/systemd/system/supervisor.service; systemctl daemon-reload")
	s.Exec("systemctl", "start", "supervisor")
	s.wantRunning()
}

func (s *system) reboot() {
	s.Reboot()
	s.wantRunning()
}

// upgrade installs a later version: what was changed stays, what runs is
// restarted, and what is disabled and stopped stays so.
func (s *system) upgrade() {
	s.Shell(`echo '; changed' >>/etc/supervisor/supervisord.conf`)
	pid := s.show("MainPID")
	newer, _ := newerDeb()
	s.install(newer)
	s.wantRunning()
	if s.show("MainPID") == pid {
		s.t.Error("the old version still runs")
	}
	s.Exec("grep", "-q", "; changed", "/etc/supervisor/supervisord.conf")

	s.Exec("systemctl", "disable", "-q", "--now", "supervisor")
	older, _ := buildDeb()
	s.install(older, "--allow-downgrades")
	if got := s.show("UnitFileState"); got != "disabled" {
		s.t.Errorf("the service was disabled, is %s", got)
	}
	s.wantStopped()
	s.Exec("systemctl", "enable", "-q", "--now", "supervisor")
	s.wantRunning()
}

// remove leaves the configuration, with which a new installation works.
func (s *system) remove() {
	s.Exec("apt-get", "remove", "-q", "-y", "supervisor")
	if got := s.sleepers(); got != "" {
		s.t.Errorf("processes of programs are left: %s", got)
	}
	s.Shell("test ! -e /usr/bin/supervisord && test ! -e /lib/systemd/system/supervisor.service")
	s.Shell("cd /etc && grep -q '; changed' supervisor/supervisord.conf && test -e supervisor/conf.d/app.conf && test -e default/supervisor")
	if got := s.Exec("dpkg-query", "-W", "-f", "${db:Status-Status}", "supervisor"); got != "config-files" {
		s.t.Errorf("dpkg says of the package: %s", got)
	}
	path, _ := buildDeb()
	s.install(path)
	s.wantRunning()
}

// purge leaves nothing but what the user put there.
func (s *system) purge() {
	s.Exec("apt-get", "purge", "-q", "-y", "supervisor")
	if got := s.sleepers(); got != "" {
		s.t.Errorf("processes of programs are left: %s", got)
	}
	left := s.Shell(`find /etc /lib/systemd /run /usr/bin /usr/share/doc /var/log /var/lib/systemd -xdev -iname '*supervisor*' | sort`)
	if left != "/etc/supervisor" {
		s.t.Errorf("left after purge:\n%s", left)
	}
	if got := s.Shell("find /etc/supervisor -type f"); got != "/etc/supervisor/conf.d/app.conf" {
		s.t.Errorf("left in /etc/supervisor:\n%s", got)
	}
	if got := s.show("LoadState"); got != "not-found" {
		s.t.Errorf("the unit is %s", got)
	}
	if out, _ := s.Try("systemctl", "is-system-running"); out != "running" {
		s.t.Errorf("the system is %s:\n%s", out, s.Shell("systemctl --failed --no-pager"))
	}
}
