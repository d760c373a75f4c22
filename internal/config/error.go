package config

import (
	"fmt"
	"strings"
)

// An Error says why a configuration cannot be used.
type Error struct {
	// File is the main configuration file, or the included file where the
	// error is known to be in one. Section and Key are empty where the error
	// belongs to no section or to no single key.
	File    string
	Section string
	Key     string
	// Line is where it stands in the file, counted from 1; 0 if that is not
	// known. Only Check tells.
	Line int
	// Text is the message in Supervisor's words.
	Text string

	// where is the end of the text that tells the section and the file again.
	where string
	// parts are the problems that the text lists.
	parts []*Error
}

// Error returns the text.
func (e *Error) Error() string { return e.Text }

// Located returns the text in one line, behind the place in the form
// FILE:LINE: [SECTION] KEY, with what is known of it.
func (e *Error) Located() string {
	var b strings.Builder
	b.WriteString(e.File)
	if e.Line > 0 {
		fmt.Fprintf(&b, ":%d", e.Line)
	}
	b.WriteByte(':')
	if e.Section != "" {
		fmt.Fprintf(&b, " [%s]", e.Section)
	}
	if e.Key != "" {
		b.WriteString(" " + e.Key)
	}
	if e.Section != "" {
		b.WriteByte(':')
	}
	b.WriteString(" " + strings.TrimSuffix(e.Text, e.where))
	return strings.Map(printable, b.String())
}

// printable keeps a message in its line and away from the terminal's controls.
func printable(r rune) rune {
	if r < ' ' || r == 0x7f {
		return ' '
	}
	return r
}
