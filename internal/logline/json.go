package logline

import (
	"encoding/binary"
	"math/bits"
	"unicode/utf8"
)

const hexDigits = "0123456789abcdef"

// AppendEscaped appends p as it stands between the quotation marks of a JSON
// string. A byte that is no part of a character in UTF-8 becomes \ufffd.
func AppendEscaped(b, p []byte) []byte {
	for len(p) > 0 {
		n := plain(p)
		b = append(b, p[:n]...)
		if p = p[n:]; len(p) == 0 {
			break
		}
		if p[0] < utf8.RuneSelf {
			b = appendEscape(b, p[0])
			p = p[1:]
			continue
		}
		n = characters(p)
		b = append(b, p[:n]...)
		if n == 0 {
			b = append(b, `\ufffd`...)
			n = 1
		}
		p = p[n:]
	}
	return b
}

// characters returns how many bytes at the start of p are characters in UTF-8
// outside of ASCII.
func characters(p []byte) int {
	n := 0
	for n < len(p) && p[n] >= utf8.RuneSelf {
		r, size := utf8.DecodeRune(p[n:])
		if r == utf8.RuneError && size == 1 {
			break
		}
		n += size
	}
	return n
}

// appendEscape appends an ASCII character that cannot stand for itself.
func appendEscape(b []byte, c byte) []byte {
	switch c {
	case '"', '\\':
		return append(b, '\\', c)
	case '\n':
		return append(b, `\n`...)
	case '\r':
		return append(b, `\r`...)
	case '\t':
		return append(b, `\t`...)
	}
	return append(b, '\\', 'u', '0', '0', hexDigits[c>>4], hexDigits[c&15])
}

const (
	ones  = 0x0101010101010101
	highs = 0x8080808080808080
)

// plain returns how many bytes at the start of p are ASCII characters that
// stand for themselves. It looks at eight at a time.
func plain(p []byte) int {
	n := 0
	for ; n+8 <= len(p); n += 8 {
		w := binary.LittleEndian.Uint64(p[n:])
		quote, backslash := w^('"'*ones), w^('\\'*ones)
		// A byte of w that is to be found sets its high bit in one of these. The
		// borrow may set that of bytes that follow it, but of none before.
		found := ((w - ' '*ones) | (quote - ones) | (backslash - ones) | w) & highs
		if found != 0 {
			return n + bits.TrailingZeros64(found)/8
		}
	}
	for n < len(p) && p[n] >= ' ' && p[n] != '"' && p[n] != '\\' && p[n] < utf8.RuneSelf {
		n++
	}
	return n
}
