package archtest

import (
	"go/ast"
	"go/parser"
	"go/token"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"testing"
)

// pureDirs are the packages that decide and do not act: what they know comes
// in as arguments, what they want done goes out as results.
var pureDirs = []string{"core", "event", "capture"}

// impureImports are the roots of what such a package may not import.
var impureImports = []string{"os", "net", "sync", "log", "runtime", "context", "io", "bufio", "unsafe", "math/rand", "crypto/rand"}

// pureNames are the names that such a package may use of a package that it may
// import only in part: of time what does not read the clock, of syscall the
// numbers of signals.
var pureNames = map[string]func(name string) bool{
	"time": func(name string) bool {
		impure := []string{"Now", "Since", "Until", "Sleep", "After", "AfterFunc", "Tick", "NewTimer", "NewTicker", "Timer", "Ticker", "Local", "LoadLocation"}
		return !slices.Contains(impure, name)
	},
	"syscall": func(name string) bool {
		return name == "Signal" || strings.HasPrefix(name, "SIG")
	},
}

func TestPure(t *testing.T) {
	for _, pkg := range pureDirs {
		files, err := filepath.Glob(filepath.Join(root, "internal", pkg, "*.go"))
		if err != nil {
			t.Fatal(err)
		}
		for _, file := range files {
			if strings.HasSuffix(file, "_test.go") {
				continue
			}
			src, err := os.ReadFile(file)
			if err != nil {
				t.Fatal(err)
			}
			for _, problem := range impurities(t, file, src) {
				t.Error(problem)
			}
		}
	}
}

// TestImpurities shows that the check finds what it is for.
func TestImpurities(t *testing.T) {
	for _, tt := range []struct {
		src  string
		want int
	}{
		{"package p; import \"time\"; var d = time.Second", 0},
		{"package p; import \"time\"; var t = time.Now()", 1},
		{"package p; import clock \"time\"; func f() { clock.Sleep(1) }", 1},
		{"package p; import . \"time\"; var t = Now()", 1},
		{"package p; import \"os\"", 1},
		{"package p; import \"net/http\"", 1},
		{"package p; import \"sync/atomic\"", 1},
		{"package p; import \"sort\"", 0},
		{"package p; func f() { go f() }", 1},
		{"package p; func f() { select {} }", 1},
		{"package p; var c = make(chan int)", 1},
		{"package p; import \"syscall\"; const s = syscall.SIGTERM", 0},
		{"package p; import \"syscall\"; var e = syscall.Kill(1, 9)", 1},
	} {
		if got := impurities(t, "p.go", []byte(tt.src)); len(got) != tt.want {
			t.Errorf("%s\ngot %d problems %q, want %d", tt.src, len(got), got, tt.want)
		}
	}
}

// impurities lists what in a source file a pure package must not have: imports
// that act or wait, the clock, goroutines and channels.
func impurities(t *testing.T, name string, src []byte) []string {
	t.Helper()
	fset := token.NewFileSet()
	f, err := parser.ParseFile(fset, name, src, parser.SkipObjectResolution)
	if err != nil {
		t.Fatal(err)
	}
	var problems []string
	add := func(pos token.Pos, what string) {
		problems = append(problems, fset.Position(pos).String()+": "+what)
	}

	partly := make(map[string]func(string) bool) // by local name
	for _, spec := range f.Imports {
		path, err := strconv.Unquote(spec.Path.Value)
		if err != nil {
			t.Fatal(err)
		}
		for _, bad := range impureImports {
			if path == bad || strings.HasPrefix(path, bad+"/") {
				add(spec.Pos(), "imports "+path)
			}
		}
		if spec.Name != nil && spec.Name.Name == "." {
			add(spec.Pos(), "imports "+path+" without its name")
		}
		if allowed, ok := pureNames[path]; ok {
			local := path
			if spec.Name != nil {
				local = spec.Name.Name
			}
			partly[local] = allowed
		}
	}

	ast.Inspect(f, func(n ast.Node) bool {
		switch n := n.(type) {
		case *ast.GoStmt:
			add(n.Pos(), "starts a goroutine")
		case *ast.SelectStmt:
			add(n.Pos(), "selects")
		case *ast.ChanType:
			add(n.Pos(), "has a channel")
		case *ast.SelectorExpr:
			if x, ok := n.X.(*ast.Ident); ok && partly[x.Name] != nil && !partly[x.Name](n.Sel.Name) {
				add(n.Pos(), "refers to "+x.Name+"."+n.Sel.Name)
			}
		}
		return true
	})
	return problems
}
