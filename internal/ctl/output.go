package ctl

import (
	"fmt"
	"strings"
	"unicode/utf8"

	"golang.org/x/sys/unix"

	"supervisord/internal/api"
	"supervisord/internal/python"
)

func isSpace(r rune) bool { return python.IsSpace(r) }

// isTerminal reports whether a descriptor is a terminal.
func isTerminal(fd int) bool {
	_, err := unix.IoctlGetTermios(fd, getTermios)
	return err == nil
}

// output writes a line, or several.
func (c *Controller) output(text string) {
	if c.outTTY {
		text = visible(text)
	}
	c.out.WriteString(text)
	c.out.WriteByte('\n')
}

// complain says why an action fails. Where JSON is printed, complaints go to
// standard error.
func (c *Controller) complain(text string) {
	if c.json {
		c.warn(text)
		return
	}
	c.output(text)
}

// flush writes what was output so far. What cannot be written is an error of the
// action, as whoever reads the output must not take a part for all of it.
func (c *Controller) flush() {
	if err := c.out.Flush(); err != nil && c.outErr == nil {
		c.outErr = err
		fmt.Fprintln(c.stderr, "supervisorctl: "+err.Error())
		c.fail(Generic)
	}
}

// warn writes a line to standard error.
func (c *Controller) warn(text string) {
	c.flush()
	if c.errTTY {
		text = visible(text)
	}
	fmt.Fprintln(c.stderr, text)
}

// visible returns text with the characters that a terminal would obey shown in
// caret notation, or as U+FFFD where there is none.
func visible(text string) string {
	clean := strings.IndexFunc(text, obeyed) < 0 && utf8.ValidString(text)
	if clean {
		return text
	}
	var b strings.Builder
	for _, r := range text {
		writeVisible(&b, r)
	}
	return b.String()
}

// obeyed reports whether a terminal does something else with a character than
// show it. Tabs, newlines and backspaces do no harm.
func obeyed(r rune) bool {
	return r < ' ' && r != '\n' && r != '\t' && r != '\b' || r >= 0x7f && r < 0xa0
}

// writeVisible writes a character as visible returns it.
func writeVisible(b *strings.Builder, r rune) {
	switch {
	case !obeyed(r):
		b.WriteRune(r)
	case r < 0x80:
		b.WriteByte('^')
		b.WriteRune(r ^ 0x40)
	default:
		b.WriteRune(utf8.RuneError)
	}
}

// The colours of states, as the numbers of SGR control sequences.
func stateColour(s api.ProcessState) string {
	switch s {
	case api.Running:
		return "32"
	case api.Starting, api.Stopping, api.Backoff:
		return "33"
	case api.Fatal, api.Unknown:
		return "31"
	case api.Stopped, api.Exited:
		return "2"
	}
	return "0"
}
