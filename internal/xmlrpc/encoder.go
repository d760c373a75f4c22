package xmlrpc

import (
	"bytes"
	"encoding/base64"
	"math"
	"strconv"
	"time"
	"unicode/utf8"

	"supervisord/internal/python"
)

// Encoder writes one response into a buffer. The zero value is ready to use.
//
// A response is BeginResponse, one value, EndResponse; or Fault alone. A value
// is a call of one of the scalar methods, or the values of an array between
// BeginArray and EndArray, or pairs of Member and a value between BeginStruct
// and EndStruct. The caller keeps to that order; it is not checked.
//
// Structs, numbers and texts, of which long answers are made, are appended to the
// buffer where it stands, so that while there is room only its length changes:
// whatever stores the slice anew stores a pointer too, of which the garbage
// collector must be told when it runs.
type Encoder struct {
	buf   []byte
	piece int          // how much is held at most when a struct begins, if spill is set
	spill func([]byte) // takes what was written
}

// Spill makes the encoder hand over what it holds whenever a struct begins and
// it holds at least piece bytes, until Reset. Bytes then returns the rest. A
// response about thousands of processes need not be held as a whole.
func (e *Encoder) Spill(piece int, f func([]byte)) { e.piece, e.spill = piece, f }

// Bytes returns what was written since the last Reset. It is valid until the
// next call of a method.
func (e *Encoder) Bytes() []byte { return e.buf }

// Len returns the number of bytes that were written since the last Reset.
func (e *Encoder) Len() int { return len(e.buf) }

// Reset empties the buffer and keeps its memory.
func (e *Encoder) Reset() { e.buf, e.spill = e.buf[:0], nil }

// Cap returns the size of the buffer's memory.
func (e *Encoder) Cap() int { return cap(e.buf) }

const header = "<?xml version='1.0'?>\n<methodResponse>\n"

// BeginResponse starts the response to a call that succeeded.
func (e *Encoder) BeginResponse() {
	e.buf = append(e.buf, header+"<params>\n<param>\n"...)
}

// EndResponse ends what BeginResponse started.
func (e *Encoder) EndResponse() {
	e.buf = append(e.buf, "</param>\n</params>\n</methodResponse>\n"...)
}

// Fault writes a whole fault response.
func (e *Encoder) Fault(code int, text string) {
	e.buf = append(e.buf, header+"<fault>\n"...)
	e.BeginStruct()
	e.Member("faultCode")
	e.Int(int64(code))
	e.Member("faultString")
	e.String(text)
	e.EndStruct()
	e.buf = append(e.buf, "</fault>\n</methodResponse>\n"...)
}

// Bool writes a boolean.
func (e *Encoder) Bool(v bool) {
	if v {
		e.buf = append(e.buf, "<value><boolean>1</boolean></value>\n"...)
	} else {
		e.buf = append(e.buf, "<value><boolean>0</boolean></value>\n"...)
	}
}

// Int writes an int, or an i8 where it does not fit into 32 bits.
func (e *Encoder) Int(v int64) {
	var room [len("-9223372036854775808")]byte
	digits := strconv.AppendInt(room[:0], v, 10)
	if v < math.MinInt32 || v > math.MaxInt32 {
		e.buf = append(e.buf, "<value><i8>"...)
		e.buf = append(e.buf, digits...)
		e.buf = append(e.buf, "</i8></value>\n"...)
		return
	}
	e.buf = append(e.buf, "<value><int>"...)
	e.buf = append(e.buf, digits...)
	e.buf = append(e.buf, "</int></value>\n"...)
}

// Double writes a double as Python's repr writes it.
func (e *Encoder) Double(v float64) {
	e.buf = append(e.buf, "<value><double>"...)
	e.buf = append(e.buf, python.FloatRepr(v)...)
	e.buf = append(e.buf, "</double></value>\n"...)
}

// String writes a string.
func (e *Encoder) String(v string) {
	e.buf = append(e.buf, "<value><string>"...)
	writeText(e, v)
	e.buf = append(e.buf, "</string></value>\n"...)
}

// Text writes a string that is held in bytes.
func (e *Encoder) Text(v []byte) {
	e.buf = append(e.buf, "<value><string>"...)
	writeText(e, v)
	e.buf = append(e.buf, "</string></value>\n"...)
}

// base64Line is how many bytes Python puts on one line of base64.
const base64Line = 57

// Base64 writes binary data.
func (e *Encoder) Base64(v []byte) {
	e.buf = append(e.buf, "<value><base64>\n"...)
	for len(v) > 0 {
		n := min(len(v), base64Line)
		e.buf = base64.StdEncoding.AppendEncode(e.buf, v[:n])
		e.buf = append(e.buf, '\n')
		v = v[n:]
	}
	e.buf = append(e.buf, "</base64></value>\n"...)
}

// Time writes a point in time, without its zone and fraction.
func (e *Encoder) Time(v time.Time) {
	e.buf = append(e.buf, "<value><dateTime.iso8601>"...)
	e.buf = v.AppendFormat(e.buf, "20060102T15:04:05")
	e.buf = append(e.buf, "</dateTime.iso8601></value>\n"...)
}

// BeginArray starts an array.
func (e *Encoder) BeginArray() {
	e.buf = append(e.buf, "<value><array><data>\n"...)
}

// EndArray ends the array that was started last.
func (e *Encoder) EndArray() {
	e.buf = append(e.buf, "</data></array></value>\n"...)
}

const structStart = "<value><struct>\n"

// BeginStruct starts a struct.
func (e *Encoder) BeginStruct() {
	if e.spill != nil && len(e.buf) >= e.piece {
		e.spill(e.buf)
		e.buf = e.buf[:0]
	}
	e.buf = append(e.buf, structStart...)
}

// Member starts a member of the current struct; its value follows.
func (e *Encoder) Member(name string) {
	e.endMember()
	e.buf = append(e.buf, "<member>\n<name>"...)
	writeText(e, name)
	e.buf = append(e.buf, "</name>\n"...)
}

// EndStruct ends the struct that was started last.
func (e *Encoder) EndStruct() {
	e.endMember()
	e.buf = append(e.buf, "</struct></value>\n"...)
}

// endMember closes the previous member of the current struct, if there is one.
// What stands last in the buffer tells: after a member that is the end of a
// value, never the start of the struct, because text has its '<' escaped.
func (e *Encoder) endMember() {
	if !bytes.HasSuffix(e.buf, []byte(structStart)) {
		e.buf = append(e.buf, "</member>\n"...)
	}
}

// plain tells which bytes stand for themselves in the text of an element.
var plain = func() (t [utf8.RuneSelf]bool) {
	for c := range t {
		t[c] = c >= ' ' && c != '&' && c != '<' && c != '>' || c == '\t' || c == '\n' || c == '\r'
	}
	return t
}()

// writeText writes s, escaped, with what XML cannot carry replaced.
func writeText[T string | []byte](e *Encoder, s T) {
	start := 0
	for i := 0; i < len(s); {
		stretch := min(i+Stretch, len(s))
		for i < stretch && s[i] < utf8.RuneSelf && plain[s[i]] {
			i++
		}
		if i == stretch {
			i = Skip(s, i, '&', '<', '>')
			continue
		}
		c := s[i]
		size, replacement := 1, ""
		switch {
		case c >= utf8.RuneSelf:
			size, replacement = checkRune([]byte(s[i:min(i+utf8.UTFMax, len(s))]))
		case c == '&':
			replacement = "&amp;"
		case c == '<':
			replacement = "&lt;"
		case c == '>':
			replacement = "&gt;"
		default:
			replacement = string(rune(0x2400) + rune(c))
		}
		if replacement != "" {
			e.buf = append(e.buf, s[start:i]...)
			e.buf = append(e.buf, replacement...)
			start = i + size
		}
		i += size
	}
	e.buf = append(e.buf, s[start:]...)
}

// checkRune returns the size of the first character of b, which is not ASCII,
// and what must replace it, if anything.
func checkRune(b []byte) (size int, replacement string) {
	r, size := utf8.DecodeRune(b)
	if r == utf8.RuneError && size == 1 || r == 0xFFFE || r == 0xFFFF {
		return size, "\uFFFD"
	}
	return size, ""
}
