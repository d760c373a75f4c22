package webui

import (
	"strconv"
	"unicode/utf8"
)

// jsonBuffer builds JSON text from the inside of the program, where the shape
// is known. Members and elements get their commas by themselves.
type jsonBuffer struct {
	b []byte
	// comma says that a value stands before the next one.
	comma bool
}

// open begins an object '{' or an array '['.
func (j *jsonBuffer) open(c byte) *jsonBuffer {
	j.separate()
	j.b = append(j.b, c)
	j.comma = false
	return j
}

// close ends an object '}' or an array ']'.
func (j *jsonBuffer) close(c byte) *jsonBuffer {
	j.b = append(j.b, c)
	j.comma = true
	return j
}

// key adds the name of the next member.
func (j *jsonBuffer) key(name string) *jsonBuffer {
	j.string(name)
	j.b = append(j.b, ':')
	j.comma = false
	return j
}

// int adds a whole number.
func (j *jsonBuffer) int(n int64) *jsonBuffer {
	j.separate()
	j.b = strconv.AppendInt(j.b, n, 10)
	return j
}

// bool adds true or false.
func (j *jsonBuffer) bool(v bool) *jsonBuffer {
	j.separate()
	j.b = strconv.AppendBool(j.b, v)
	return j
}

// raw adds a value that is JSON already.
func (j *jsonBuffer) raw(value []byte) *jsonBuffer {
	j.separate()
	j.b = append(j.b, value...)
	return j
}

// string adds a string. Everything but plain ASCII text and valid UTF-8 is
// escaped, so that the text can stand in HTML and in a line of an event; what
// is not UTF-8 becomes U+FFFD.
func (j *jsonBuffer) string(s string) *jsonBuffer {
	const hex = "0123456789abcdef"
	j.separate()
	j.b = append(j.b, '"')
	for i := 0; i < len(s); {
		r, size := utf8.DecodeRuneInString(s[i:])
		switch {
		case r == '"' || r == '\\':
			j.b = append(j.b, '\\', byte(r))
		case r < ' ' || r == '<' || r == '>' || r == '&' || r == 0x7f || r == '\u2028' || r == '\u2029':
			j.b = append(j.b, '\\', 'u', hex[r>>12&15], hex[r>>8&15], hex[r>>4&15], hex[r&15])
		default:
			j.b = utf8.AppendRune(j.b, r)
		}
		i += size
	}
	j.b = append(j.b, '"')
	return j
}

// String returns the text.
func (j *jsonBuffer) String() string { return string(j.b) }

func (j *jsonBuffer) separate() {
	if j.comma {
		j.b = append(j.b, ',')
	}
	j.comma = true
}
