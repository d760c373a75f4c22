// Package python writes text the way Python does, where that text is part of
// Supervisor's interface: quoted strings in error messages, floating-point
// numbers on the wire, %-expansion in the configuration.
//
// Strings are Go strings in UTF-8. A byte that is not UTF-8 is shown as the
// lone surrogate that Python makes of it in arguments and in the environment.
package python

import (
	"math"
	"strconv"
	"strings"
	"unicode"
	"unicode/utf8"
)

const hexDigits = "0123456789abcdef"

// Repr returns s as Python's repr writes a str.
func Repr(s string) string {
	return quote(s, false)
}

// ASCII returns s as Python's ascii writes a str: like Repr, but with every
// character outside ASCII escaped.
func ASCII(s string) string {
	return quote(s, true)
}

// ReprBytes returns b as Python's repr writes a bytes object.
func ReprBytes(b []byte) string {
	delim := delimiter(string(b))
	out := make([]byte, 0, len(b)+3)
	out = append(out, 'b', delim)
	for _, c := range b {
		switch {
		case c == delim || c == '\\':
			out = append(out, '\\', c)
		case c == '\t':
			out = append(out, `\t`...)
		case c == '\n':
			out = append(out, `\n`...)
		case c == '\r':
			out = append(out, `\r`...)
		case c < ' ' || c >= 0x7f:
			out = append(out, '\\', 'x', hexDigits[c>>4], hexDigits[c&15])
		default:
			out = append(out, c)
		}
	}
	return string(append(out, delim))
}

// ReprList returns the list as Python's repr writes a list of str.
func ReprList(list []string) string {
	return "[" + reprItems(list) + "]"
}

// ReprTuple returns the items as Python's repr writes a tuple of str.
func ReprTuple(items ...string) string {
	if len(items) == 1 {
		return "(" + Repr(items[0]) + ",)"
	}
	return "(" + reprItems(items) + ")"
}

// FloatRepr returns f as Python's repr writes a float: the shortest digits
// that identify it, with an exponent below 1e-4 and from 1e16 on.
func FloatRepr(f float64) string {
	switch {
	case math.IsNaN(f):
		return "nan"
	case math.IsInf(f, 1):
		return "inf"
	case math.IsInf(f, -1):
		return "-inf"
	}
	if abs := math.Abs(f); abs != 0 && (abs < 1e-4 || abs >= 1e16) {
		return strconv.FormatFloat(f, 'e', -1, 64)
	}
	s := strconv.FormatFloat(f, 'f', -1, 64)
	if !strings.Contains(s, ".") {
		s += ".0"
	}
	return s
}

func reprItems(items []string) string {
	quoted := make([]string, len(items))
	for i, s := range items {
		quoted[i] = Repr(s)
	}
	return strings.Join(quoted, ", ")
}

// delimiter returns the quotation mark that Python chooses for s.
func delimiter(s string) byte {
	if strings.Contains(s, "'") && !strings.Contains(s, `"`) {
		return '"'
	}
	return '\''
}

func quote(s string, ascii bool) string {
	delim := delimiter(s)
	out := make([]byte, 0, len(s)+2)
	out = append(out, delim)
	for i := 0; i < len(s); {
		r, size := utf8.DecodeRuneInString(s[i:])
		switch {
		case r == utf8.RuneError && size == 1:
			out = appendEscaped(out, 0xdc00+rune(s[i]))
		case r == rune(delim) || r == '\\':
			out = append(out, '\\', byte(r))
		case r == '\t':
			out = append(out, `\t`...)
		case r == '\n':
			out = append(out, `\n`...)
		case r == '\r':
			out = append(out, `\r`...)
		case r < ' ' || r == 0x7f || ascii && r > 0x7f || !unicode.IsPrint(r):
			out = appendEscaped(out, r)
		default:
			out = append(out, s[i:i+size]...)
		}
		i += size
	}
	return string(append(out, delim))
}

// appendEscaped appends r as \xhh, \uhhhh or \Uhhhhhhhh.
func appendEscaped(out []byte, r rune) []byte {
	digits := 8
	switch {
	case r < 0x100:
		digits = 2
		out = append(out, `\x`...)
	case r < 0x10000:
		digits = 4
		out = append(out, `\u`...)
	default:
		out = append(out, `\U`...)
	}
	for shift := 4 * (digits - 1); shift >= 0; shift -= 4 {
		out = append(out, hexDigits[r>>shift&15])
	}
	return out
}
