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
	"sync"
	"testing"
)

// Reference reports whether the programs on PATH are those of the Python
// implementation.
func Reference() bool { return os.Getenv("SUPERVISOR_REF") != "" }

// Main builds the programs, and those in the other packages that are named by
// their directories in the module, into a directory of its own, puts it first on
// PATH, runs the tests of m and exits. It is what TestMain calls in a package
// whose tests run the programs; these call Programs, too.
func Main(m *testing.M, others ...string) {
	flag.Parse()
	if flag.Lookup("test.list").Value.String() != "" {
		os.Exit(m.Run())
	}
	status, err := run(m, others)
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		status = 1
	}
	os.Exit(status)
}

func run(m *testing.M, others []string) (status int, err error) {
	dir, err := os.MkdirTemp("", "supervisord-bin")
	if err != nil {
		return 0, fmt.Errorf("make directory for the programs: %w", err)
	}
	defer os.RemoveAll(dir)
	path := dir + string(os.PathListSeparator) + os.Getenv("PATH")
	packages := others
	if ref := os.Getenv("SUPERVISOR_REF"); ref != "" {
		path = ref + string(os.PathListSeparator) + path
	} else {
		packages = append(packages, "./cmd/...")
	}
	if err := build(dir, testFlags(), os.Environ(), packages...); err != nil {
		return 0, err
	}
	if err := os.Setenv("PATH", path); err != nil {
		return 0, err
	}
	// Without a locale Python adds one to its environment, which expansions
	// then list.
	if err := os.Setenv("LC_ALL", "C.UTF-8"); err != nil {
		return 0, err
	}
	return m.Run(), nil
}

// readOnce reads the sources once.
var readOnce = sync.OnceValue(func() error {
	root, err := Root()
	if err != nil {
		return err
	}
	return readSources(root)
})

// Programs says that a test depends on the programs that Main built. Without it
// the result of a test that passed may be taken from the cache after a change of
// a program: the cache knows of the files and variables that tests looked at,
// not of those that Main did.
func Programs(tb testing.TB) {
	tb.Helper()
	Reference()
	if err := readOnce(); err != nil {
		tb.Fatal(err)
	}
}

// testFlags are the flags to build programs with for a test: they have the race
// detector if the test itself has it.
func testFlags() []string {
	var flags []string
	if Race {
		flags = append(flags, "-race")
	}
	if os.Getenv("GOCOVERDIR") != "" {
		flags = append(flags, "-cover", "-coverpkg=./...")
	}
	return flags
}

// BuildStatic builds packages of programs, such as "./cmd/...", into dir as they
// are released: they need no library and have no race detector.
func BuildStatic(dir string, packages ...string) error {
	return build(dir, nil, append(os.Environ(), "CGO_ENABLED=0"), packages...)
}

func build(dir string, flags, environ []string, packages ...string) error {
	if len(packages) == 0 {
		return nil
	}
	root, err := Root()
	if err != nil {
		return err
	}
	args := append([]string{"build", "-o", dir + string(filepath.Separator)}, flags...)
	cmd := exec.Command("go", append(args, packages...)...)
	cmd.Dir = root
	cmd.Env = environ
	if out, err := cmd.CombinedOutput(); err != nil {
		return fmt.Errorf("build the programs: %w\n%s", err, out)
	}
	return nil
}

// Root returns the directory of go.mod above the current directory.
func Root() (string, error) {
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
	Programs(tb)
	if _, err := exec.LookPath(program); err != nil {
		missing(tb, "%s is not installed (Debian: apt-get install %s)", program, debianPackage)
	}
}

// NeedFile skips the test, or fails it when CI=true, unless there is a file. The
// message says how to get it.
func NeedFile(tb testing.TB, path, advice string) {
	tb.Helper()
	if _, err := os.Stat(path); err != nil {
		missing(tb, "%v (%s)", err, advice)
	}
}

// NeedRoot skips the test, or fails it when CI=true, unless it runs as root.
func NeedRoot(tb testing.TB) {
	tb.Helper()
	Programs(tb)
	if os.Getuid() != 0 {
		missing(tb, "this test must run as root")
	}
}

func missing(tb testing.TB, format string, args ...any) {
	tb.Helper()
	if os.Getenv("CI") == "true" {
		tb.Fatalf(format, args...)
	}
	tb.Skipf(format, args...)
}
