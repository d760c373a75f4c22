package webui

import (
	"bufio"
	"fmt"
	"io"
	"strings"
	"sync"
	"unicode/utf8"

	"supervisord/web"
)

// values are what stands in the places of a page: a string; a []values for a
// section that is repeated; or a func(io.Writer) error that writes text of any
// length.
type values map[string]any

// A page is a parsed HTML file of package web. In the file {{name}} is a place
// for a value, {{#name}} to {{/name}} a section that is there once for each
// element of a list, or once for a string that is not empty, and {{^name}} to
// {{/name}} one that is there when the list or string is empty. A name is
// looked up in the innermost element first.
//
// Every value is escaped for HTML text and quoted attributes, without a way
// around it.
type page struct {
	nodes []node
}

// A node is a piece of a page: literal HTML if name is empty, a place if kind
// is 0, otherwise a section.
type node struct {
	html string
	name string
	kind byte // 0, '#' or '^'
	body []node
}

// parsePage parses a template.
func parsePage(text string) (*page, error) {
	nodes, rest, err := parseNodes(text, "")
	if err != nil {
		return nil, err
	}
	if rest != "" {
		return nil, fmt.Errorf("parse page: text after its end")
	}
	return &page{nodes}, nil
}

// parseNodes parses up to the end of the section that is open, or of the text,
// and returns what follows.
func parseNodes(text, open string) (nodes []node, rest string, err error) {
	for {
		html, tail, found := strings.Cut(text, "{{")
		if html != "" {
			nodes = append(nodes, node{html: html})
		}
		if !found {
			if open != "" {
				return nil, "", fmt.Errorf("parse page: section %q is not closed", open)
			}
			return nodes, "", nil
		}
		tag, tail, found := strings.Cut(tail, "}}")
		if !found || tag == "" {
			return nil, "", fmt.Errorf("parse page: bad tag %q", tag)
		}
		text = tail
		switch kind, name := tag[0], tag[1:]; kind {
		case '#', '^':
			n := node{name: name, kind: kind}
			if n.body, text, err = parseNodes(text, name); err != nil {
				return nil, "", err
			}
			nodes = append(nodes, n)
		case '/':
			if name != open {
				return nil, "", fmt.Errorf("parse page: section %q closed, %q is open", name, open)
			}
			return nodes, text, nil
		default:
			nodes = append(nodes, node{name: tag})
		}
	}
}

// execute writes the page with its values.
func (p *page) execute(w io.Writer, v values) error {
	b := bufio.NewWriterSize(w, 8<<10)
	if err := executeNodes(b, p.nodes, []values{v}); err != nil {
		return err
	}
	return b.Flush()
}

func executeNodes(w *bufio.Writer, nodes []node, scopes []values) error {
	for i := range nodes {
		n := &nodes[i]
		if n.name == "" {
			if _, err := w.WriteString(n.html); err != nil {
				return err
			}
			continue
		}
		if err := executeNode(w, n, lookup(scopes, n.name), scopes); err != nil {
			return err
		}
	}
	return nil
}

func executeNode(w *bufio.Writer, n *node, value any, scopes []values) error {
	switch value := value.(type) {
	case nil:
		if n.kind == '^' {
			return executeNodes(w, n.body, scopes)
		}
	case string:
		switch {
		case n.kind == 0:
			_, err := escaper{w}.WriteString(value)
			return err
		case (n.kind == '#') == (value != ""):
			return executeNodes(w, n.body, scopes)
		}
	case []values:
		if n.kind == '^' && len(value) == 0 {
			return executeNodes(w, n.body, scopes)
		}
		if n.kind == '#' {
			for _, v := range value {
				if err := executeNodes(w, n.body, append(scopes, v)); err != nil {
					return err
				}
			}
		}
	case func(io.Writer) error:
		return value(escaper{w})
	default:
		return fmt.Errorf("execute page: value of %q has type %T", n.name, value)
	}
	return nil
}

// lookup returns the value of name in the innermost scope that has it, or nil.
func lookup(scopes []values, name string) any {
	for i := len(scopes) - 1; i >= 0; i-- {
		if v, ok := scopes[i][name]; ok {
			return v
		}
	}
	return nil
}

// escaper escapes what is written for HTML text and quoted attributes. What is
// not UTF-8, or must not be in HTML, becomes U+FFFD; a caller must not split a
// character between two writes.
type escaper struct{ w *bufio.Writer }

func (e escaper) Write(p []byte) (int, error) {
	return e.WriteString(string(p))
}

func (e escaper) WriteString(s string) (int, error) {
	done := 0
	for i := 0; i < len(s); {
		r, size := rune(s[i]), 1
		if r >= utf8.RuneSelf {
			r, size = utf8.DecodeRuneInString(s[i:])
		}
		if by := escape(r, size); by != "" {
			e.w.WriteString(s[done:i])
			e.w.WriteString(by)
			done = i + size
		}
		i += size
	}
	// A bufio.Writer keeps its first error, so that this one stands for all.
	_, err := e.w.WriteString(s[done:])
	return len(s), err
}

// escape returns what stands for a character in HTML, or "" for itself.
func escape(r rune, size int) string {
	switch {
	case r == '&':
		return "&amp;"
	case r == '<':
		return "&lt;"
	case r == '>':
		return "&gt;"
	case r == '"':
		return "&quot;"
	case r == '\'':
		return "&#39;"
	case r == utf8.RuneError && size == 1,
		r < ' ' && r != '\t' && r != '\n' && r != '\r' && r != '\f' && r != '\x1b',
		r >= 0x7f && r <= 0x9f:
		return "\uFFFD"
	}
	return ""
}

// queryEscape escapes a string for a query or for one element of a path.
func queryEscape(s string) string {
	const hex = "0123456789ABCDEF"
	var b strings.Builder
	for i := 0; i < len(s); i++ {
		c := s[i]
		if 'a' <= c && c <= 'z' || 'A' <= c && c <= 'Z' || '0' <= c && c <= '9' || strings.IndexByte("-_.~", c) >= 0 {
			b.WriteByte(c)
			continue
		}
		b.WriteByte('%')
		b.WriteByte(hex[c>>4])
		b.WriteByte(hex[c&15])
	}
	return b.String()
}

// The pages are parsed when they are first asked for.
var (
	statusPage  = loadPage("status.html")
	tailPage    = loadPage("tail.html")
	logPage     = loadPage("log.html")
	confirmPage = loadPage("confirm.html")
	errorPage   = loadPage("error.html")
)

// loadPage returns a function that parses a file of package web once. The
// files are part of the program, so that one that cannot be parsed is a bug.
func loadPage(name string) func() *page {
	return sync.OnceValue(func() *page {
		text, err := web.Files.ReadFile(name)
		if err != nil {
			panic(err)
		}
		p, err := parsePage(string(text))
		if err != nil {
			panic(fmt.Sprintf("%s: %v", name, err))
		}
		return p
	})
}
