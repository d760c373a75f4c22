package doctest

import (
	"maps"
	"regexp"
	"slices"
	"strings"
	"testing"
)

// rows returns the cells of the table rows of a page.
func (p *page) rows() [][]string {
	var rows [][]string
	for _, line := range p.prose {
		inner, ok := strings.CutPrefix(line, "|")
		if !ok {
			continue
		}
		cells := strings.Split(strings.TrimSuffix(inner, "|"), "|")
		for i, cell := range cells {
			cells[i] = strings.TrimSpace(cell)
		}
		rows = append(rows, cells)
	}
	return rows
}

// TestTransitions compares the transitions that docs/subprocess.md lists with
// those of docs/states.md, which is made from the code.
func TestTransitions(t *testing.T) {
	states, processes := pageNamed(t, "docs/states.md"), pageNamed(t, "docs/subprocess.md")
	rows := states.rows()
	if len(rows) < 10 {
		t.Fatalf("docs/states.md has %d rows", len(rows))
	}
	inCode := make(map[string]bool)
	newState := regexp.MustCompile(`\*\*([A-Z]+)\*\*`)
	for _, row := range rows[1:] {
		for i, cell := range row[1:] {
			from, _, _ := strings.Cut(rows[0][i+1], ",")
			if m := newState.FindStringSubmatch(cell); m != nil {
				inCode[from+" to "+m[1]] = true
			}
		}
	}
	listed := make(map[string]bool)
	capitals := regexp.MustCompile(`^[A-Z]+$`)
	for _, row := range processes.rows() {
		if len(row) == 3 && capitals.MatchString(row[0]) && capitals.MatchString(row[1]) {
			listed[row[0]+" to "+row[1]] = true
		}
	}
	if !maps.Equal(inCode, listed) {
		t.Errorf("listed are\n%s\nthere are\n%s", strings.Join(slices.Sorted(maps.Keys(listed)), "\n"),
			strings.Join(slices.Sorted(maps.Keys(inCode)), "\n"))
	}
}
