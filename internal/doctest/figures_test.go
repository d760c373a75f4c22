package doctest

import (
	"flag"
	"os"
	"strings"
	"testing"
)

var update = flag.Bool("update", false, "write the figures of docs/benchmarks.md into README.md")

// cells returns the cells of a line of a table, nil for any other line.
func cells(line string) []string {
	inner, found := strings.CutPrefix(line, "| ")
	if !found {
		return nil
	}
	return strings.Split(strings.TrimSuffix(inner, " |"), " | ")
}

// TestFigures compares the figures in README.md with those that make bench wrote
// into docs/benchmarks.md.
func TestFigures(t *testing.T) {
	measured := make(map[string][]string)
	for _, line := range pageNamed(t, "docs/benchmarks.md").prose {
		// Lines that begin with "the same" mean nothing without those above.
		if c := cells(line); len(c) == 6 && !strings.HasPrefix(c[0], "the same") {
			measured[c[0]] = c
		}
	}
	path := root + "/README.md"
	text, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	lines := strings.Split(string(text), "\n")
	shown, wrong, costs := 0, 0, false
	for i, line := range lines {
		if strings.HasPrefix(line, "## ") {
			costs = line == "## What it costs"
		}
		c := cells(line)
		if !costs || len(c) != 4 || strings.HasPrefix(line, "| | ") {
			continue
		}
		want, ok := measured[c[0]]
		if !ok {
			t.Errorf("README.md:%d: docs/benchmarks.md has no line %q", i+1, c[0])
			continue
		}
		shown++
		if is := "| " + strings.Join(want[:4], " | ") + " |"; is != line {
			wrong++
			lines[i] = is
		}
	}
	if shown < 5 {
		t.Errorf("README.md has only %d lines of figures", shown)
	}
	switch {
	case wrong == 0 || t.Failed():
	case *update:
		if err := os.WriteFile(path, []byte(strings.Join(lines, "\n")), 0o644); err != nil {
			t.Fatal(err)
		}
	default:
		t.Errorf("%d lines of figures in README.md are not those of docs/benchmarks.md; go test ./internal/doctest -run TestFigures -update writes them", wrong)
	}
}
