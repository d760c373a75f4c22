package config

import (
	"fmt"
	"math/rand/v2"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
)

func TestPaths(t *testing.T) {
	t.Chdir("/")
	env := newEnviron([]string{"HOME=/home/x/"})
	for _, c := range []struct{ got, want string }{
		{dirname("a"), ""},
		{dirname("/a"), "/"},
		{dirname("a//b"), "a"},
		{dirname("//a"), "//"},
		{dirname("a/b/"), "a/b"},
		{joinPath("a", "b"), "a/b"},
		{joinPath("a/", "b"), "a/b"},
		{joinPath("", "b"), "b"},
		{joinPath("a", "/b"), "/b"},
		{absolutePath("a/../b"), "/b"},
		{absolutePath(""), "/"},
		{absolutePath("//a//b/."), "//a/b"},
		{absolutePath("///a"), "/a"},
		{env.expandUser("~"), "/home/x"},
		{env.expandUser("~/y"), "/home/x/y"},
		{env.expandUser("a/~"), "a/~"},
		{env.expandUser("~root/y"), "/root/y"},
		{env.expandUser("~nosuchuser/y"), "~nosuchuser/y"},
		{newEnviron([]string{"HOME=/"}).expandUser("~"), "/"},
		{env.normalizePath("~/../y"), "/home/y"},
	} {
		if c.got != c.want {
			t.Errorf("got %s, want %s", c.got, c.want)
		}
	}
}

func TestTempDir(t *testing.T) {
	dir := t.TempDir()
	for _, c := range []struct {
		environ []string
		want    string
	}{
		{[]string{"TMPDIR=/no/such", "TEMP=" + dir}, dir},
		{[]string{"TMP=" + dir + "/."}, dir},
		{[]string{}, "/tmp"},
	} {
		if got := newEnviron(c.environ).tempDir(); got != c.want {
			t.Errorf("%q: %s, want %s", c.environ, got, c.want)
		}
	}
}

func TestFind(t *testing.T) {
	dir := writeFiles(t, "etc/supervisord.conf", "", "supervisord.conf", "", "bin/supervisord", "", "w/etc/supervisord.conf", "")
	t.Chdir(filepath.Join(dir, "w"))
	if err := os.Chmod(filepath.Join(dir, "bin/supervisord"), 0o755); err != nil {
		t.Fatal(err)
	}
	t.Setenv("PATH", "/no/such:"+filepath.Join(dir, "bin"))
	find := func(argv0, want string) {
		t.Helper()
		got, err := Find(argv0)
		if err != nil || got != want {
			t.Errorf("Find(%s) = %s, %v, want %s", argv0, got, err, want)
		}
	}
	find(dir+"/bin/supervisord", dir+"/etc/supervisord.conf")
	find("supervisord", dir+"/etc/supervisord.conf")
	find("../bin/supervisord", "../etc/supervisord.conf")
	find("./supervisord", "etc/supervisord.conf")
	find("/no/such", "etc/supervisord.conf")
	if err := os.Remove(filepath.Join(dir, "etc/supervisord.conf")); err != nil {
		t.Fatal(err)
	}
	find(dir+"/bin/supervisord", dir+"/supervisord.conf")
}

func TestFindNothing(t *testing.T) {
	for _, path := range []string{"/etc/supervisord.conf", "/etc/supervisor/supervisord.conf"} {
		if exists(path) {
			t.Skipf("%s is there", path)
		}
	}
	t.Chdir(t.TempDir())
	_, err := Find("/opt/bin/x")
	want := "No config file found at default paths (/opt/etc/supervisord.conf, /opt/supervisord.conf, supervisord.conf, " +
		"etc/supervisord.conf, /etc/supervisord.conf, /etc/supervisor/supervisord.conf); " +
		"use the -c option to specify a config file at a different path"
	if err == nil || err.Error() != want {
		t.Errorf("error %v, want %s", err, want)
	}
}

// TestGlobLikePython compares the files that match random patterns.
func TestGlobLikePython(t *testing.T) {
	dir := t.TempDir()
	for _, name := range []string{"a", "b.conf", ".hidden", "[x]", "a-b", "d/a.conf", "d/b.conf", "d/.h", "e/a.conf", "e/]", "é"} {
		path := filepath.Join(dir, name)
		if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(path, nil, 0o644); err != nil {
			t.Fatal(err)
		}
	}
	if err := os.Symlink("nowhere", filepath.Join(dir, "dangling")); err != nil {
		t.Fatal(err)
	}
	list := []string{"*", "?", "[", "]", "!", "-", "a", "b", "d", "e", "/", ".", ".conf", "[a-c]", "[!a]", "[]]", "[b-a]", "é", "dangling", "**", "x", "\\"}
	differ(t, "files", *countFlag/4,
		func(rnd *rand.Rand) string { return dir + "/" + pieces(rnd, 1, 6, list) },
		func(pattern string) any { return pattern },
		func(pattern string, want answer) string {
			got := glob(pattern)
			slices.Sort(got)
			return compareAnswer(strings.TrimPrefix(pattern, dir), append([]string{}, got...), nil, want)
		})
}

func TestMatches(t *testing.T) {
	for _, c := range []struct {
		name, pattern string
		want          bool
	}{
		{"", "", true},
		{"a", "[e-[!a]", false},
		{"b", "[]-[!a]", true},
		{"a", "[b-a]", false},
		{"a", "[b-a!]", true},
		{"", "*", true},
		{"a", "", false},
		{"abc", "a*c", true},
		{"abcd", "a*c", false},
		{"aXbXc", "a*b*c", true},
		{"a]", "a[]]", true},
		{"a-", "a[a-]", true},
		{"b", "[!a-c]", false},
		{"[", "[", true},
		{"é", "?", true},
	} {
		if got := matches(c.name, c.pattern); got != c.want {
			t.Errorf("matches(%q, %q) = %v", c.name, c.pattern, got)
		}
	}
}

func TestInetAddress(t *testing.T) {
	for in, want := range map[string]string{
		"9001":            " 9001",
		"*:9001":          " 9001",
		":9001":           " 9001",
		"LOCALHOST: 9001": "localhost 9001",
		"[::1]:9001":      "::1 9001",
		"::1:9001":        "::1 9001",
		"[FE80::1%lo]:1":  "fe80::1%lo 1",
	} {
		host, port, err := inetAddress(in)
		if got := fmt.Sprint(host, " ", port); err != nil || got != want {
			t.Errorf("inetAddress(%s) = %s, %v, want %s", in, got, err, want)
		}
	}
}
