package packaging

import (
	"bytes"
	"flag"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"sync"
	"testing"

	"supervisord/internal/config"
	"supervisord/internal/testenv"
)

var update = flag.Bool("update", false, "write the golden files anew")

// The packages that the tests install: one, and a later version of it. They are
// built when a test wants them first.
var (
	dist     string
	buildDeb = sync.OnceValues(func() (string, error) { return build("") })
	newerDeb = sync.OnceValues(func() (string, error) { return build("+1") })
)

func TestMain(m *testing.M) {
	flag.Parse()
	os.Exit(run(m))
}

func run(m *testing.M) int {
	var err error
	if dist, err = os.MkdirTemp("", "supervisord-dist"); err != nil {
		panic(err)
	}
	defer os.RemoveAll(dist)
	return m.Run()
}

func build(suffix string) (path string, err error) {
	cmd := exec.Command("./build", "deb")
	cmd.Env = append(os.Environ(), "DIST="+dist, "VERSION_SUFFIX="+suffix)
	cmd.Stderr = os.Stderr
	out, err := cmd.Output()
	return strings.TrimSpace(string(out)), err
}

// deb returns the path of the package.
func deb(t *testing.T) string {
	t.Helper()
	testenv.NeedProgram(t, "dpkg-deb", "dpkg")
	path, err := buildDeb()
	if err != nil {
		t.Fatal(err)
	}
	return path
}

// output runs a program and returns what it writes.
func output(t *testing.T, name string, args ...string) string {
	t.Helper()
	out, err := exec.Command(name, args...).CombinedOutput()
	if err != nil {
		t.Fatalf("%s %s: %v\n%s", name, strings.Join(args, " "), err, out)
	}
	return string(out)
}

// unpack extracts the package and returns the directory.
func unpack(t *testing.T) string {
	t.Helper()
	dir := t.TempDir()
	output(t, "dpkg-deb", "-x", deb(t), dir)
	return dir
}

// TestContents compares the files of the package, their modes and owners, and
// which of them are configuration files, with a golden file.
func TestContents(t *testing.T) {
	var got strings.Builder
	got.WriteString("conffiles:\n" + output(t, "dpkg-deb", "-I", deb(t), "conffiles") + "\n")
	// Mode and owner, then size and time, which are left out.
	line := regexp.MustCompile(`(?m)^(\S+ \S+)\s+\d+ \S+ \S+ \./(.*)$`)
	for _, m := range line.FindAllStringSubmatch(output(t, "dpkg-deb", "-c", deb(t)), -1) {
		got.WriteString(m[1] + " /" + m[2] + "\n")
	}
	golden := filepath.Join("testdata", "contents.txt")
	if *update {
		if err := os.WriteFile(golden, []byte(got.String()), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	want, err := os.ReadFile(golden)
	if err != nil {
		t.Fatal(err)
	}
	if got.String() != string(want) {
		t.Errorf("contents of the package:\n%s\nwant:\n%s", got.String(), want)
	}
}

// TestVersion checks that apt takes the package for newer than those of the
// distributions, and a later one for newer than this.
func TestVersion(t *testing.T) {
	version := strings.TrimSpace(output(t, "dpkg-deb", "-f", deb(t), "Version"))
	for _, other := range []string{"4.2.1-1ubuntu1", "4.2.5-1", "4.3.0-1", "5.0-1"} {
		output(t, "dpkg", "--compare-versions", version, "gt", other)
	}
	// One that is made of a tag is newer than one that was made before it.
	output(t, "dpkg", "--compare-versions", "1:4.3.0+go0~534.gabc1234", "lt", "1:4.3.0+go0.1")
	output(t, "dpkg", "--compare-versions", "1:4.3.0+go1.2", "lt", "1:4.3.0+go1.2+3.gabc1234")
	output(t, "dpkg", "--compare-versions", "1:4.3.0+go1.2~rc1", "lt", "1:4.3.0+go1.2")
}

func TestLintian(t *testing.T) {
	testenv.NeedProgram(t, "lintian", "lintian")
	if out := output(t, "lintian", "--allow-root", "--fail-on", "error,warning", deb(t)); out != "" {
		t.Log(out)
	}
}

// TestUnit has systemd look for what it does not understand.
func TestUnit(t *testing.T) {
	testenv.NeedProgram(t, "systemd-analyze", "systemd")
	dir := unpack(t)
	for _, enabled := range []bool{false, true} {
		unit := filepath.Join(dir, "lib/systemd/system/supervisor.service")
		text, err := os.ReadFile(unit)
		if err != nil {
			t.Fatal(err)
		}
		if enabled {
			// The settings that are left out by comments have to be right, too.
			text = regexp.MustCompile(`(?m)^#(\w+=)`).ReplaceAll(text, []byte("$1"))
		}
		// The programs are looked for where the unit says.
		text = bytes.ReplaceAll(text, []byte("=/usr/bin/"), []byte("="+dir+"/usr/bin/"))
		path := filepath.Join(t.TempDir(), "supervisor.service")
		if err := os.WriteFile(path, text, 0o644); err != nil {
			t.Fatal(err)
		}
		if out := output(t, "systemd-analyze", "verify", "--man=no", path); out != "" {
			t.Errorf("systemd-analyze verify, everything enabled %v:\n%s", enabled, out)
		}
	}
}

// TestConf loads the configuration of the package.
func TestConf(t *testing.T) {
	cfg, err := config.Load(config.Options{File: "deb/supervisord.conf"})
	if err != nil {
		t.Fatal(err)
	}
	s := &cfg.Supervisord
	if s.Logfile != "/var/log/supervisor/supervisord.log" || s.ChildLogDir != "/var/log/supervisor" ||
		s.Pidfile != "/var/run/supervisord.pid" || !s.CheckRestart {
		t.Errorf("section supervisord: %+v", s)
	}
	if len(cfg.Servers) != 1 || cfg.Servers[0].File != "/var/run/supervisor.sock" || cfg.Servers[0].Mode != 0o700 {
		t.Errorf("servers: %+v", cfg.Servers)
	}
}
