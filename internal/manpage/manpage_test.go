package manpage

import "testing"

func TestRender(t *testing.T) {
	p := Page{
		Name:        "frob",
		Summary:     "frobs things",
		Synopsis:    []string{"[-x] THING", "-h"},
		Description: []string{".dot and \\n", "second"},
		Options:     []Entry{{Term: "-x, --long-name", Text: "does \"it\""}},
		Sections:    []Section{{Title: "FORMS", Entries: []Entry{{Term: "a", Text: "one\n'two\tthree", Preformatted: true}}}},
		SeeAlso:     []string{"a", "b-c"},
	}
	const want = `.TH FROB 1 "" "Supervisor 4.3.0" "User Commands"
.SH NAME
frob \- frobs things
.SH SYNOPSIS
.B frob
[\-x] THING
.br
.B frob
\-h
.SH "DESCRIPTION"
\&.dot and \en
.PP
second
.SH "OPTIONS"
.TP
.B \-x, \-\-long\-name
does \(dqit\(dq
.SH "FORMS"
.TP
.B a
\&
.nf
one
\&'two  three
.fi
.SH "SEE ALSO"
.BR a (1),
.BR b\-c (1)
`
	if got := string(p.Render()); got != want {
		t.Errorf("got\n%s\nwant\n%s", got, want)
	}
}
