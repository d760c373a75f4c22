package packaging

import (
	"fmt"
	"hash/crc32"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strconv"
	"strings"
	"testing"

	"supervisord/internal/dockertest"
	"supervisord/internal/testenv"
)

// keepUnit is the unit under which programs outlive supervisord.
const keepUnit = "../../docs/examples/systemd/supervisor.service"

// TestKeepUnit has systemd look for what it does not understand, and compares the
// unit with what the manual says.
func TestKeepUnit(t *testing.T) {
	text, err := os.ReadFile(keepUnit)
	if err != nil {
		t.Fatal(err)
	}
	settings := regexp.MustCompile(`(?m)^#.*\n|^\n`).ReplaceAllString(string(text), "")
	manual, err := os.ReadFile("../../docs/systemd.md")
	if err != nil {
		t.Fatal(err)
	}
	_, service, _ := strings.Cut(settings, "[Service]\n")
	service, _, _ = strings.Cut(service, "[Install]")
	for line := range strings.Lines("[Service]\n" + service) {
		if !strings.Contains(string(manual), "\n    "+line) {
			t.Errorf("docs/systemd.md does not have %q", line)
		}
	}
	testenv.NeedProgram(t, "systemd-analyze", "systemd")
	dir := unpack(t)
	path := filepath.Join(t.TempDir(), "supervisor.service")
	text = []byte(strings.ReplaceAll(string(text), "=/usr/bin/", "="+dir+"/usr/bin/"))
	if err := os.WriteFile(path, text, 0o644); err != nil {
		t.Fatal(err)
	}
	if out := output(t, "systemd-analyze", "verify", "--man=no", path); out != "" {
		t.Errorf("systemd-analyze verify:\n%s", out)
	}
}

const (
	keptWriters = 24
	keptDeparts = 9
)

// keptConf has programs that write numbered lines until they are told to end.
// Those that depart have a status of their own.
const keptConf = `[program:w]
command=/dist/counter write w_%%(process_num)02d
process_name=w_%%(process_num)02d
numprocs=%d
stdout_logfile=/var/log/supervisor/%%(program_name)s_%%(process_num)02d.log
autorestart=true

[program:depart]
command=/dist/counter depart %%(process_num)d
process_name=depart_%%(process_num)d
numprocs=%d
numprocs_start=1
stdout_logfile=/var/log/supervisor/%%(program_name)s_%%(process_num)d.log
autorestart=false
`

// TestSystemKeeps kills supervisord, restarts its service and upgrades it in
// place, again and again, under the unit that keeps the programs: these do not
// notice, and none of what they write is lost or doubled, also where they end
// while there is no supervisord.
//
// The systemd of one release, 252, does not say that it keeps descriptors; that of the
// other, 257, does.
func TestSystemKeeps(t *testing.T) {
	for _, release := range []string{"bookworm", "trixie"} {
		t.Run(release, func(t *testing.T) { keeps(t, release) })
	}
}

func keeps(t *testing.T, release string) {
	image := dockertest.Debian(t, release)
	path := deb(t)
	builds := []string{"v0.0.1-one", "v0.0.2-two"}
	for _, build := range builds {
		cmd := exec.Command("go", "build", "-trimpath", "-ldflags", "-X main.build="+build, "-o", filepath.Join(dist, build), "../../cmd/supervisord")
		cmd.Env = append(os.Environ(), "CGO_ENABLED=0")
		if out, err := cmd.CombinedOutput(); err != nil {
			t.Fatalf("%v\n%s", err, out)
		}
	}
	if err := testenv.BuildStatic(dist, "./internal/faulttest/counter"); err != nil {
		t.Fatal(err)
	}
	unit, err := os.ReadFile(keepUnit)
	if err != nil {
		t.Fatal(err)
	}
	// A host with control groups of version 1 is too old for a new systemd, unless it
	// is told otherwise.
	m := dockertest.Boot(t, image, "-v", filepath.Dir(path)+":/dist:ro", "-e", "DEBIAN_FRONTEND=noninteractive",
		"-e", "SYSTEMD_PROC_CMDLINE=SYSTEMD_CGROUP_ENABLE_LEGACY_FORCE=1")
	s := &keptSystem{system: &system{m, t}}
	s.install(path)
	s.Shell("systemctl stop supervisor; rm -f /var/log/supervisor/*")
	s.Shell("cat >/etc/systemd/system/supervisor.service <<'EOF'\n" + string(unit) + "EOF\nsystemctl daemon-reload")
	s.Shell(`sed -i 's/^\[supervisord\]$/&\nadopt=true/' /etc/supervisor/supervisord.conf`)
	s.Shell("cat >/etc/supervisor/conf.d/kept.conf <<'EOF'\n" + fmt.Sprintf(keptConf, keptWriters, keptDeparts) + "EOF\n")
	s.Exec("systemctl", "start", "supervisor")
	s.living = keptWriters + keptDeparts
	s.wantKept()
	s.pids = s.programs()
	for round := range 3 {
		s.depart("pkill -KILL -x supervisord")
		s.depart("systemctl restart supervisor")
		s.upgradeTo(builds[round%2])
		s.depart("systemctl kill -s KILL --kill-who=main supervisor")
		s.Exec("systemctl", "restart", "supervisor")
		s.wantKept()
	}
	s.wantRestart("w:w_00")
	s.Exec("systemctl", "stop", "supervisor")
	if got := s.show("ActiveState", "SubState", "Result"); got != "inactive dead success" {
		t.Errorf("the service is %s", got)
	}
	if out, status := s.Try("pgrep", "-a", "counter|supervisord"); status != 1 {
		t.Errorf("left after a stop: %s", out)
	}
	s.checkLogs()
	if t.Failed() {
		t.Log(s.Shell("journalctl --no-pager -n 60; tail -n 80 /var/log/supervisor/supervisord.log"))
	}
}

// A keptSystem is one whose programs outlive supervisord.
type keptSystem struct {
	*system
	living   int // so many programs run
	departed int
	pids     string // of all programs that run, with their names
}

// wantKept waits until the programs run, and systemd keeps what it is to keep.
func (s *keptSystem) wantKept() {
	s.t.Helper()
	s.await(fmt.Sprintf(`test "$(supervisorctl status | grep -c RUNNING)" = %d`, s.living))
	s.await(fmt.Sprintf(`test "$(systemctl show -p NFileDescriptorStore --value supervisor)" = %d`, 3*s.living))
	if got := s.show("ActiveState", "SubState", "Result"); got != "active running success" {
		s.t.Errorf("the service is %s", got)
	}
}

// programs returns the names and pids of the programs that run.
func (s *keptSystem) programs() string {
	s.t.Helper()
	return s.Shell(`supervisorctl status | sed -n 's/^\(\S*\) *RUNNING *pid \([0-9]*\).*/\1 \2/p'`)
}

// depart ends supervisord by a command, and a program before the next one looks
// at it. All others stay.
func (s *keptSystem) depart(command string) {
	s.t.Helper()
	s.departed++
	name := fmt.Sprintf("depart_%d", s.departed)
	pid := s.Exec("supervisorctl", "pid", "depart:"+name)
	before := s.Shell("grep -c 'supervisord started with pid' /var/log/supervisor/supervisord.log || true")
	// The next one cannot start before the program has ended: it is held back.
	s.dropIn(`ExecStartPre=/bin/sh -c "while kill -0 ` + pid + `; do sleep 0.01; done"`)
	s.Shell("(while pgrep -x supervisord; do :; done; kill -TERM " + pid + ") >/dev/null & " + command + "; wait")
	s.dropIn("")
	s.await(fmt.Sprintf("test $(grep -c 'supervisord started with pid' /var/log/supervisor/supervisord.log) -gt %s", before))
	s.living--
	s.wantKept()
	log := s.Exec("cat", "/var/log/supervisor/supervisord.log")
	if !strings.Contains(log, fmt.Sprintf("adopted: '%s' with pid %s", name, pid)) {
		s.t.Errorf("%s: %s was not adopted", command, name)
	}
	end := regexp.MustCompile(`exited: ` + name + ` \((.*);`).FindStringSubmatch(log)
	switch {
	case end == nil:
		s.t.Errorf("%s: %s did not exit", command, name)
	case end[1] == "exit status unknown" && !tellsExit(s.Exec("uname", "-r")):
		s.t.Logf("%s: how %s ended is not known", command, name)
	case end[1] != fmt.Sprintf("exit status %d", s.departed):
		s.t.Errorf("%s: %s ended with %q", command, name, end[1])
	}
	s.wantSame(command, name)
}

// tellsExit reports whether a kernel of a release tells how a process ended that
// was reaped, which it does from Linux 6.15 on.
func tellsExit(release string) bool {
	var major, minor int
	if _, err := fmt.Sscanf(release, "%d.%d", &major, &minor); err != nil {
		return true
	}
	return major > 6 || major == 6 && minor >= 15
}

// wantSame checks that the programs have the pids that they had, but for one that
// has departed.
func (s *keptSystem) wantSame(command, departed string) {
	s.t.Helper()
	s.pids = regexp.MustCompile(`depart:`+departed+` \d+\n`).ReplaceAllString(s.pids, "")
	if got := s.programs(); got != s.pids {
		s.t.Errorf("%s: the programs were\n%s\nand are\n%s", command, s.pids, got)
	}
}

// upgradeTo has another version of supervisord take over in the same process.
func (s *keptSystem) upgradeTo(build string) {
	s.t.Helper()
	pid := s.show("MainPID")
	s.Shell("cp /dist/" + build + " /usr/bin/supervisord.new && mv /usr/bin/supervisord.new /usr/bin/supervisord")
	s.Exec("systemctl", "reload", "supervisor")
	s.await("grep -q 'upgraded from .* to " + build + " and goes on with pid " + pid + "' /var/log/supervisor/supervisord.log")
	s.wantKept()
	if got := s.show("MainPID"); got != pid {
		s.t.Errorf("the main process was %s, is %s", pid, got)
	}
	s.wantSame("systemctl reload", "none")
}

// wantRestart checks that an adopted program that ends is started anew.
func (s *keptSystem) wantRestart(name string) {
	s.t.Helper()
	pid := s.Exec("supervisorctl", "pid", name)
	s.Exec("kill", pid)
	s.await("! kill -0 " + pid)
	s.wantKept()
	if now := s.Exec("supervisorctl", "pid", name); now == pid {
		s.t.Errorf("%s has pid %s still", name, pid)
	}
}

// checkLogs checks that each line of each program is in its log, once and in
// order, to the last.
func (s *keptSystem) checkLogs() {
	s.t.Helper()
	all := s.Shell("cd /var/log/supervisor && for f in w_*.log depart_*.log; do cat $f; done")
	last, ended := map[string]int{}, map[string]int{}
	for line := range strings.Lines(all) {
		f := strings.Fields(line)
		if len(f) != 3 {
			s.t.Fatalf("line %q", line)
		}
		n, err := strconv.Atoi(f[1])
		switch {
		case f[1] == "last":
			if f[2] != strconv.Itoa(last[f[0]]) {
				s.t.Errorf("%s has %d lines, and wrote %s", f[0], last[f[0]], f[2])
			}
			last[f[0]] = 0 // It may be started anew.
			ended[f[0]]++
		case err != nil || n != last[f[0]]+1 || f[2] != fmt.Sprintf("%08x", crc32.ChecksumIEEE([]byte(f[0]+" "+f[1]))):
			s.t.Fatalf("line %q follows line %d", line, last[f[0]])
		default:
			last[f[0]] = n
		}
	}
	if len(ended) != keptWriters+keptDeparts || ended["w_00"] != 2 {
		s.t.Errorf("%d programs have ended, want %d: %v", len(ended), keptWriters+keptDeparts, ended)
	}
}
