// Package testenv gives tests what they need from the machine: the programs of
// this module, built once for a test binary, and a uniform answer to programs
// of others that are not installed. It is linked by tests only.
//
// The environment variables that it knows:
//
//	CI=true             what is missing fails a test instead of skipping it
//	SUPERVISOR_REF=DIR  use the programs in DIR, those of the Python
//	                    implementation, in place of the ones built here
//	GOCOVERDIR=DIR      build the programs so that they write coverage there
package testenv

import (
	"errors"
	"flag"
	"fmt"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
)

// Reference reports whether the programs on PATH are those of the Python
// implementation.
func Reference() bool { return os.Getenv("SUPERVISOR_REF") != "" }

// Main builds the programs into a directory of its own, puts it first on PATH,
// runs the tests of m and exits. It is what TestMain calls in a package whose
// tests run the programs.
func Main(m *testing.M) {
	os.Exit(run(m))
}

func run(m *testing.M) int {
	flag.Parse()
	dir := os.Getenv("SUPERVISOR_REF")
	if dir == "" && flag.Lookup("test.list").Value.String() == "" {
		var err error
		dir, err = os.MkdirTemp("", "supervisord-bin")
		if err != nil {
			fmt.Fprintf(os.Stderr, "make directory for the programs: %v\n", err)
			return 1
		}
		defer os.RemoveAll(dir)
		if err := Build(dir); err != nil {
			fmt.Fprintln(os.Stderr, err)
			return 1
		}
	}
	if err := os.Setenv("PATH", dir+string(os.PathListSeparator)+os.Getenv("PATH")); err != nil {
		fmt.Fprintln(os.Stderr, err)
		return 1
	}
	return m.Run()
}

// Build builds the programs of this module into dir, with the race detector if
// the test itself has it.
func Build(dir string) error {
	var flags []string
	if raceEnabled {
		flags = append(flags, "-race")
	}
	if os.Getenv("GOCOVERDIR") != "" {
		flags = append(flags, "-cover", "-coverpkg=./...")
	}
	return build(dir, flags, os.Environ())
}

// BuildStatic builds the programs into dir as they are released: they need no
// library and have no race detector.
func BuildStatic(dir string) error {
	return build(dir, nil, append(os.Environ(), "CGO_ENABLED=0"))
}

func build(dir string, flags, environ []string) error {
	root, err := moduleRoot()
	if err != nil {
		return err
	}
	if err := readSources(root); err != nil {
		return err
	}
	args := append([]string{"build", "-o", dir + string(filepath.Separator)}, flags...)
	cmd := exec.Command("go", append(args, "./cmd/...")...)
	cmd.Dir = root
	cmd.Env = environ
	if out, err := cmd.CombinedOutput(); err != nil {
		return fmt.Errorf("build the programs: %w\n%s", err, out)
	}
	return nil
}

// moduleRoot returns the directory of go.mod above the current directory.
func moduleRoot() (string, error) {
	dir, err := os.Getwd()
	if err != nil {
		return "", err
	}
	for {
		if _, err := os.Stat(filepath.Join(dir, "go.mod")); err == nil {
			return dir, nil
		} else if !errors.Is(err, fs.ErrNotExist) {
			return "", err
		}
		parent := filepath.Dir(dir)
		if parent == dir {
			return "", errors.New("find go.mod: no directory above has it")
		}
		dir = parent
	}
}

// readSources looks at every directory with sources, so that a test that
// passed is run again, not taken from the cache, after a change of a program.
func readSources(root string) error {
	for _, dir := range []string{"cmd", "internal", "web"} {
		err := filepath.WalkDir(filepath.Join(root, dir), func(_ string, _ fs.DirEntry, err error) error { return err })
		if err != nil {
			return fmt.Errorf("read sources: %w", err)
		}
	}
	return nil
}

// NeedProgram skips the test, or fails it when CI=true, unless the program is
// on PATH. The message names the Debian package that has it.
func NeedProgram(tb testing.TB, program, debianPackage string) {
	tb.Helper()
	if _, err := exec.LookPath(program); err != nil {
		missing(tb, "%s is not installed (Debian: apt-get install %s)", program, debianPackage)
	}
}

// NeedRoot skips the test, or fails it when CI=true, unless it runs as root.
func NeedRoot(tb testing.TB) {
	tb.Helper()
	if os.Getuid() != 0 {
		missing(tb, "this test must run as root")
	}
}

// NeedDocker skips the test unless a Docker engine answers. It does so too when
// CI=true: an engine cannot be installed everywhere.
func NeedDocker(tb testing.TB) {
	tb.Helper()
	out, err := exec.Command("docker", "version", "--format", "{{.Server.Version}}").CombinedOutput()
	if err != nil {
		tb.Skipf("no Docker engine answers: %v: %s", err, strings.TrimSpace(string(out)))
	}
}

func missing(tb testing.TB, format string, args ...any) {
	tb.Helper()
	if os.Getenv("CI") == "true" {
		tb.Fatalf(format, args...)
	}
	tb.Skipf(format, args...)
}
