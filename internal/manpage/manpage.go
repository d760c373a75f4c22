// Package manpage writes manual pages in the man macros of roff. It is linked
// by tests only: those of the programs write the pages in docs/man from the
// definitions of their command lines, and check that they are up to date.
package manpage

import (
	"fmt"
	"strings"
)

// A Page is the manual page of a program.
type Page struct {
	Name    string
	Summary string
	// Synopsis holds what follows the name, one form each.
	Synopsis []string
	// Description holds paragraphs.
	Description []string
	Options     []Entry
	Sections    []Section
	// SeeAlso holds names of pages, all in section 1.
	SeeAlso []string
}

// A Section is a section of a page with paragraphs, then entries.
type Section struct {
	Title      string
	Paragraphs []string
	Entries    []Entry
}

// An Entry is a term with its explanation. A preformatted one keeps its lines.
type Entry struct {
	Term         string
	Text         string
	Preformatted bool
}

// Render returns the page.
func (p *Page) Render() []byte {
	var b strings.Builder
	fmt.Fprintf(&b, ".TH %s 1 \"\" \"Supervisor 4.3.0\" \"User Commands\"\n", strings.ToUpper(p.Name))
	b.WriteString(".SH NAME\n" + escape(p.Name) + " \\- " + escape(p.Summary) + "\n")
	b.WriteString(".SH SYNOPSIS\n")
	for i, form := range p.Synopsis {
		if i > 0 {
			b.WriteString(".br\n")
		}
		b.WriteString(".B " + escape(p.Name) + "\n" + line(form))
	}
	paragraphs(&b, Section{Title: "DESCRIPTION", Paragraphs: p.Description})
	if len(p.Options) > 0 {
		paragraphs(&b, Section{Title: "OPTIONS", Entries: p.Options})
	}
	for _, s := range p.Sections {
		paragraphs(&b, s)
	}
	if len(p.SeeAlso) > 0 {
		b.WriteString(".SH \"SEE ALSO\"\n")
		for i, name := range p.SeeAlso {
			comma := ","
			if i == len(p.SeeAlso)-1 {
				comma = ""
			}
			fmt.Fprintf(&b, ".BR %s (1)%s\n", escape(name), comma)
		}
	}
	return []byte(b.String())
}

func paragraphs(b *strings.Builder, s Section) {
	fmt.Fprintf(b, ".SH \"%s\"\n", escape(s.Title))
	for i, text := range s.Paragraphs {
		if i > 0 {
			b.WriteString(".PP\n")
		}
		b.WriteString(line(text))
	}
	for _, e := range s.Entries {
		b.WriteString(".TP\n.B " + escape(e.Term) + "\n")
		if e.Preformatted {
			b.WriteString("\\&\n.nf\n")
		}
		for text := range strings.Lines(e.Text) {
			b.WriteString(line(strings.TrimSuffix(text, "\n")))
		}
		if e.Preformatted {
			b.WriteString(".fi\n")
		}
	}
}

// line returns a line of text, which must not be taken for a request.
func line(text string) string {
	text = escape(text)
	if strings.HasPrefix(text, ".") || strings.HasPrefix(text, "'") {
		text = "\\&" + text
	}
	return text + "\n"
}

// escape returns text with what roff understands written out.
func escape(text string) string {
	return strings.NewReplacer(`\`, `\e`, "-", `\-`, `"`, `\(dq`, "\t", "  ").Replace(text)
}
