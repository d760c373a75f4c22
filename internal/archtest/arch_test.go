package archtest

import (
	"encoding/json"
	"errors"
	"io"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"
)

const (
	module = "supervisord"
	root   = "../.."
)

// systems are the operating systems for which the sources are read.
var systems = []string{"linux", "darwin", "freebsd"}

// A listed package is what go list says about one.
type listed struct {
	ImportPath string
	Dir        string
	Doc        string
	GoFiles    []string
	Imports    []string
	Deps       []string
}

// packages lists the packages of the module as goos sees them.
func packages(t *testing.T, goos string) []listed {
	t.Helper()
	readSources(t)
	cmd := exec.Command("go", "list", "-e", "-json=ImportPath,Dir,Doc,GoFiles,Imports,Deps", "./...")
	cmd.Dir = root
	cmd.Env = append(os.Environ(), "GOOS="+goos, "CGO_ENABLED=0")
	cmd.Stderr = os.Stderr
	out, err := cmd.Output()
	if err != nil {
		t.Fatalf("list packages for %s: %v", goos, err)
	}
	var all []listed
	d := json.NewDecoder(strings.NewReader(string(out)))
	for {
		var p listed
		if err := d.Decode(&p); errors.Is(err, io.EOF) {
			return all
		} else if err != nil {
			t.Fatalf("read the list of packages: %v", err)
		}
		all = append(all, p)
	}
}

// readSources looks at every directory with sources, so that the result of a
// test that runs the go command is not taken from the cache after a change.
func readSources(t *testing.T) {
	t.Helper()
	for _, dir := range []string{"cmd", "internal", "web"} {
		err := filepath.WalkDir(filepath.Join(root, dir), func(_ string, _ fs.DirEntry, err error) error { return err })
		if err != nil {
			t.Fatal(err)
		}
	}
}

// short is the name of a package in arrows.txt.
func short(path string) string {
	path = strings.TrimPrefix(path, module+"/")
	return strings.TrimPrefix(path, "internal/")
}

// plan reads arrows.txt: the packages that each package may import. What the
// line of * has is for all, except that api and python know nothing of ours
// but, in the case of api, python.
func plan(t *testing.T) map[string][]string {
	t.Helper()
	text, err := os.ReadFile("arrows.txt")
	if err != nil {
		t.Fatal(err)
	}
	arrows := make(map[string][]string)
	for line := range strings.Lines(string(text)) {
		if strings.TrimSpace(line) == "" {
			continue
		}
		from, to, ok := strings.Cut(line, "->")
		if !ok {
			t.Fatalf("arrows.txt: no arrow in line %q", line)
		}
		arrows[strings.TrimSpace(from)] = strings.Fields(to)
	}
	forAll := arrows["*"]
	delete(arrows, "*")
	for from := range arrows {
		switch from {
		case "python":
		case "api":
			arrows[from] = append(arrows[from], "python")
		default:
			arrows[from] = append(arrows[from], forAll...)
		}
	}
	return arrows
}

// ofTests reports whether a package is linked by tests only: its name, or that
// of the one that it is below, ends in test, or it is testenv.
func ofTests(name string) bool {
	first, _, _ := strings.Cut(name, "/")
	return strings.HasSuffix(first, "test") || first == "testenv"
}

func TestArrows(t *testing.T) {
	arrows := plan(t)
	for from, to := range arrows {
		for _, p := range to {
			if _, ok := arrows[p]; !ok {
				t.Errorf("arrows.txt: %s -> %s, which has no line of its own", from, p)
			}
		}
	}
	for _, goos := range systems {
		for _, p := range packages(t, goos) {
			from := short(p.ImportPath)
			if ofTests(from) {
				continue
			}
			if _, ok := arrows[from]; !ok {
				t.Errorf("%s is not in arrows.txt", p.ImportPath)
				continue
			}
			for _, imp := range p.Imports {
				if strings.HasPrefix(imp, module+"/") && !slices.Contains(arrows[from], short(imp)) {
					t.Errorf("%s: %s imports %s, which is not in arrows.txt", goos, from, short(imp))
				}
			}
		}
	}
}

// TestArrowsAcyclic makes sure that the plan itself could be built.
func TestArrowsAcyclic(t *testing.T) {
	arrows := plan(t)
	const visiting, done = 1, 2
	state := make(map[string]int)
	var visit func(p string, path []string)
	visit = func(p string, path []string) {
		path = append(path, p)
		switch state[p] {
		case visiting:
			t.Fatalf("cycle in arrows.txt: %s", strings.Join(path, " -> "))
		case done:
			return
		}
		state[p] = visiting
		for _, to := range arrows[p] {
			visit(to, path)
		}
		state[p] = done
	}
	for p := range arrows {
		visit(p, nil)
	}
}

// TestArchitectureDocument makes sure that the document leaves no package out.
func TestArchitectureDocument(t *testing.T) {
	doc, err := os.ReadFile(filepath.Join(root, "docs/architecture.md"))
	if err != nil {
		t.Fatal(err)
	}
	for from := range plan(t) {
		if strings.HasPrefix(from, "docs/") {
			continue
		}
		if !regexp.MustCompile(`\b` + regexp.QuoteMeta(from) + `\b`).Match(doc) {
			t.Errorf("docs/architecture.md does not mention %s", from)
		}
	}
}

// owners are the packages that may import a module of others; tests may import
// what they like.
var owners = map[string][]string{
	"github.com/kolo/xmlrpc":               {"rpcclient"},
	"github.com/chzyer/readline":           {"ctl"},
	"gopkg.in/ini.v1":                      {"config"},
	"gopkg.in/natefinch/lumberjack.v2":     {"logfile"},
	"github.com/spf13/cobra":               {"ctl", "cmd/supervisord", "cmd/supervisorctl", "cmd/pidproxy", "cmd/echo_supervisord_conf"},
	"github.com/spf13/pflag":               {"ctl", "cmd/supervisord", "cmd/supervisorctl", "cmd/pidproxy", "cmd/echo_supervisord_conf"},
	"github.com/rogpeppe/go-internal":      {"scripttest"},
	"golang.org/x/crypto":                  {"httpd"},
	"golang.org/x/sys":                     nil,
	"golang.org/x/term":                    nil,
	"golang.org/x/text":                    {"config"},
	"github.com/inconshreveable/mousetrap": {},
}

// TestOwners keeps each module of others behind the packages that own it, so
// that it can be replaced there. A nil list lets all packages import it.
func TestOwners(t *testing.T) {
	for _, p := range packages(t, "linux") {
		for _, imp := range p.Imports {
			first, _, _ := strings.Cut(imp, "/")
			if !strings.Contains(first, ".") {
				continue
			}
			mod, ok := ownedModule(imp)
			if !ok {
				t.Errorf("%s imports %s, which no line of this test allows", short(p.ImportPath), imp)
			} else if by := owners[mod]; by != nil && !slices.Contains(by, short(p.ImportPath)) {
				t.Errorf("%s imports %s, which belongs to %s", short(p.ImportPath), imp, strings.Join(by, ", "))
			}
		}
	}
}

func ownedModule(imp string) (string, bool) {
	for mod := range owners {
		if imp == mod || strings.HasPrefix(imp, mod+"/") {
			return mod, true
		}
	}
	return "", false
}

// TestLinked checks what the programs link. The daemon waits for every child of
// its process itself: beside os/exec, which waits too, exit statuses are lost.
func TestLinked(t *testing.T) {
	forbidden := map[string][]string{
		"cmd/supervisord": {
			"os/exec", "testing", "github.com/chzyer/readline", "github.com/kolo/xmlrpc",
			module + "/internal/ctl", module + "/internal/rpcclient",
		},
		"cmd/supervisorctl": {
			"testing", "gopkg.in/natefinch/lumberjack.v2",
			module + "/internal/core", module + "/internal/daemon",
		},
		"cmd/pidproxy":              {"testing", "net/http"},
		"cmd/echo_supervisord_conf": {"testing", "net/http"},
	}
	for _, goos := range systems {
		for _, p := range packages(t, goos) {
			name := short(p.ImportPath)
			for _, dep := range forbidden[name] {
				if slices.Contains(p.Deps, dep) {
					t.Errorf("%s: %s links %s", goos, name, dep)
				}
			}
			if ofTests(name) {
				continue
			}
			for _, dep := range p.Deps {
				if strings.HasPrefix(dep, module+"/") && ofTests(short(dep)) {
					t.Errorf("%s: %s links %s, which is for tests", goos, name, short(dep))
				}
			}
		}
	}
}

// TestPackageDocs makes sure that each package says what it is for.
func TestPackageDocs(t *testing.T) {
	for _, p := range packages(t, "linux") {
		if p.Doc == "" && len(p.GoFiles) > 0 {
			t.Errorf("%s has no package comment", p.ImportPath)
		}
	}
}

func TestTopLevel(t *testing.T) {
	allowed := []string{"cmd", "internal", "web", "testdata", "docs", "go.mod", "go.sum", "Makefile", "README.md", "LICENSE"}
	for _, name := range topLevel(t) {
		if !strings.HasPrefix(name, ".") && !slices.Contains(allowed, name) {
			t.Errorf("%s does not belong at the top of the repository", name)
		}
	}
}

// topLevel returns the names at the top of the repository: those that git
// tracks, or all but the ignored ones where there is no git.
func topLevel(t *testing.T) []string {
	t.Helper()
	var names []string
	cmd := exec.Command("git", "ls-files", "-z")
	cmd.Dir = root
	if out, err := cmd.Output(); err == nil {
		for file := range strings.SplitSeq(strings.TrimSuffix(string(out), "\x00"), "\x00") {
			name, _, _ := strings.Cut(file, "/")
			names = append(names, name)
		}
		slices.Sort(names)
		return slices.Compact(names)
	}
	entries, err := os.ReadDir(root)
	if err != nil {
		t.Fatal(err)
	}
	for _, e := range entries {
		if e.Name() != "bin" && e.Name() != "dist" {
			names = append(names, e.Name())
		}
	}
	return names
}
