package doctest

import (
	"os"
	"path/filepath"
	"regexp"
	"strconv"
	"strings"
	"testing"
)

const root = "../.."

// A page is a file of the documentation.
type page struct {
	path string // from the root of the module
	text string
	// prose is the text without blocks of code, which are empty lines there.
	prose  []string
	blocks []block
}

// A block is a block of code.
type block struct {
	line int    // of its first line, from 1
	info string // what stands behind the fence; empty for an indented block
	// section is the heading above the block.
	section string
	text    string
}

// pages reads README.md and everything in docs.
func pages(t *testing.T) []page {
	t.Helper()
	paths, err := filepath.Glob(root + "/docs/*.md")
	if err != nil {
		t.Fatal(err)
	}
	var list []page
	for _, path := range append(paths, root+"/README.md") {
		data, err := os.ReadFile(path)
		if err != nil {
			t.Fatal(err)
		}
		rel, err := filepath.Rel(root, path)
		if err != nil {
			t.Fatal(err)
		}
		list = append(list, parse(rel, string(data)))
	}
	return list
}

// pageNamed reads one page.
func pageNamed(t *testing.T, path string) page {
	t.Helper()
	data, err := os.ReadFile(filepath.Join(root, path))
	if err != nil {
		t.Fatal(err)
	}
	return parse(path, string(data))
}

// parse finds the blocks of code in a page: those between fences, and those
// that are indented by four columns behind an empty line.
func parse(path, text string) page {
	p := page{path: path, text: text}
	lines := strings.Split(text, "\n")
	section := ""
	for i := 0; i < len(lines); i++ {
		line := lines[i]
		start := i
		switch {
		case strings.HasPrefix(strings.TrimLeft(line, " "), "```"):
			indent := line[:strings.IndexByte(line, '`')]
			var code strings.Builder
			for i++; i < len(lines) && strings.TrimSpace(lines[i]) != "```"; i++ {
				code.WriteString(strings.TrimPrefix(lines[i], indent) + "\n")
			}
			p.blocks = append(p.blocks, block{start + 2, line[len(indent)+3:], section, code.String()})
		case strings.HasPrefix(line, "    ") && i > 0 && lines[i-1] == "":
			for ; i < len(lines) && (lines[i] == "" || strings.HasPrefix(lines[i], "    ")); i++ {
			}
			var code strings.Builder
			for _, l := range lines[start:i] {
				code.WriteString(strings.TrimPrefix(l, "    ") + "\n")
			}
			p.blocks = append(p.blocks, block{start + 1, "", section, code.String()})
			i--
		default:
			if strings.HasPrefix(line, "## ") {
				section = strings.TrimPrefix(line, "## ")
			}
			p.prose = append(p.prose, line)
			continue
		}
		for range min(i, len(lines)-1) - start + 1 {
			p.prose = append(p.prose, "")
		}
	}
	return p
}

var (
	notInAnchor = regexp.MustCompile(`[^\p{L}\p{N}_ -]`)
	linkPattern = regexp.MustCompile(`\]\(([^)\s]+)\)`)
	codeSpan    = regexp.MustCompile("`[^`]+`")
)

// anchors returns the anchors of the headings, as GitHub names them.
func (p *page) anchors() map[string]bool {
	anchors := make(map[string]bool)
	for _, line := range p.prose {
		if !strings.HasPrefix(line, "#") {
			continue
		}
		heading := linkPattern.ReplaceAllString(strings.TrimSpace(strings.TrimLeft(line, "#")), "")
		name := strings.ReplaceAll(notInAnchor.ReplaceAllString(strings.ToLower(heading), ""), " ", "-")
		unique := name
		for n := 1; anchors[unique]; n++ {
			unique = name + "-" + strconv.Itoa(n)
		}
		anchors[unique] = true
	}
	return anchors
}

// TestLinks follows every link that does not lead out of the repository.
func TestLinks(t *testing.T) {
	all := make(map[string]page)
	for _, p := range pages(t) {
		all[p.path] = p
	}
	for _, p := range all {
		for i, line := range p.prose {
			for _, m := range linkPattern.FindAllStringSubmatch(codeSpan.ReplaceAllString(line, "code"), -1) {
				target, anchor, hasAnchor := strings.Cut(m[1], "#")
				if strings.Contains(target, "://") {
					continue
				}
				file := p.path
				if target != "" {
					file = filepath.Join(filepath.Dir(p.path), target)
				}
				if _, err := os.Stat(filepath.Join(root, file)); err != nil {
					t.Errorf("%s:%d: %s does not exist", p.path, i+1, m[1])
					continue
				}
				to, isPage := all[file]
				if hasAnchor && (!isPage || !to.anchors()[anchor]) {
					t.Errorf("%s:%d: %s has no heading #%s", p.path, i+1, file, anchor)
				}
			}
		}
	}
}

// TestIndex looks for every page in the map of the documentation.
func TestIndex(t *testing.T) {
	index := pageNamed(t, "docs/index.md")
	for _, p := range pages(t) {
		name := filepath.Base(p.path)
		if p.path != index.path && filepath.Dir(p.path) == "docs" && !strings.Contains(index.text, "]("+name+")") {
			t.Errorf("docs/index.md does not lead to %s", name)
		}
	}
}
