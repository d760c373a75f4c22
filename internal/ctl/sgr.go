package ctl

import (
	"io"
	"unicode/utf8"
)

// logWriter returns a writer for what programs have logged: as it is, or made
// harmless if output goes to a terminal.
func (c *Controller) logWriter() io.Writer {
	if !c.outTTY {
		return c.out
	}
	return &logFilter{w: c.out}
}

// maxSequence is the length in bytes of the longest control sequence that is
// let through.
const maxSequence = 64

// logFilter passes text on to a terminal. Of the control sequences those that
// set colours (SGR) and erase within a line (EL) are let through, because
// programs use them in logs; every other control character is shown instead of
// being obeyed. A sequence or a character may be split between writes.
type logFilter struct {
	w io.Writer
	// pending is the start of a control sequence or of a character.
	pending []byte
}

// Write implements io.Writer. It always takes all of p.
func (f *logFilter) Write(p []byte) (int, error) {
	text := append(f.pending, p...)
	out := make([]byte, 0, len(text))
	for len(text) > 0 {
		n, ok := sequence(text)
		if n == 0 {
			break
		}
		switch r, size := utf8.DecodeRune(text); {
		case ok:
			out = append(out, text[:n]...)
		case r == utf8.RuneError && size == 1:
			n = 1
			out = utf8.AppendRune(out, utf8.RuneError)
		case obeyed(r) && r != '\r' && r < 0x80:
			n = 1
			out = append(out, '^', byte(r)^0x40)
		case obeyed(r) && r != '\r':
			n = size
			out = utf8.AppendRune(out, utf8.RuneError)
		default:
			n = size
			out = append(out, text[:n]...)
		}
		text = text[n:]
	}
	f.pending = append([]byte(nil), text...)
	_, err := f.w.Write(out)
	return len(p), err
}

// sequence returns the length of the control sequence or character at the
// start of text and whether it is a sequence that is let through. The length
// is 0 if more text is needed to tell.
func sequence(text []byte) (n int, ok bool) {
	if text[0] != '\x1b' {
		if !utf8.FullRune(text) {
			return 0, false
		}
		return 1, false
	}
	if len(text) == 1 {
		return 0, false
	}
	if text[1] != '[' {
		return 1, false
	}
	for i := 2; i < len(text) && i < maxSequence; i++ {
		switch c := text[i]; {
		case c >= '0' && c <= '9' || c == ';' || c == ':':
		case c == 'm' || c == 'K':
			return i + 1, true
		default:
			return 1, false
		}
	}
	if len(text) >= maxSequence {
		return 1, false
	}
	return 0, false
}
