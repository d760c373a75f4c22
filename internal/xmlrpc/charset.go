package xmlrpc

import (
	"bytes"
	"errors"
	"regexp"
	"strings"
	"sync"
	"unicode/utf16"
	"unicode/utf8"
)

// encodingDecl finds the encoding that an XML declaration names. Hardly anybody
// has a need for that.
var encodingDecl = sync.OnceValue(func() *regexp.Regexp {
	return regexp.MustCompile(`^<\?xml[^>]*?\sencoding\s*=\s*["']([A-Za-z0-9._-]+)["']`)
})

// errEncoding is the error for text that is neither UTF-8 nor what it says.
var errEncoding = errors.New("decode method call: text is not UTF-8")

// toUTF8 returns the text of an XML document as UTF-8. Text that is UTF-8 is
// taken as such, whatever its declaration says. Otherwise it may be UTF-16 with
// a byte order mark, or what the declaration names: Latin-1, Latin-9 and the
// Windows code page 1252.
func toUTF8(b []byte) ([]byte, error) {
	switch {
	case bytes.HasPrefix(b, []byte("\xFF\xFE")):
		return fromUTF16(b[2:], 1)
	case bytes.HasPrefix(b, []byte("\xFE\xFF")):
		return fromUTF16(b[2:], 0)
	}
	b = bytes.TrimPrefix(b, []byte("\uFEFF"))
	if utf8.Valid(b) {
		return b, nil
	}
	m := encodingDecl().FindSubmatch(b)
	if m == nil {
		return nil, errEncoding
	}
	switch strings.ToLower(strings.ReplaceAll(string(m[1]), "_", "-")) {
	case "iso-8859-1", "latin-1", "latin1", "l1":
		return fromBytes(b, nil), nil
	case "iso-8859-15", "latin-9", "latin9":
		return fromBytes(b, latin9), nil
	case "windows-1252", "cp1252", "1252":
		return fromBytes(b, windows1252), nil
	}
	return nil, errEncoding
}

// fromUTF16 decodes UTF-16; high is the index of the high byte of each pair.
func fromUTF16(b []byte, high int) ([]byte, error) {
	if len(b)%2 != 0 {
		return nil, errEncoding
	}
	units := make([]uint16, len(b)/2)
	for i := range units {
		units[i] = uint16(b[2*i+high])<<8 | uint16(b[2*i+1-high])
	}
	return []byte(string(utf16.Decode(units))), nil
}

// fromBytes decodes a character set of one byte for each character: Latin-1,
// except where special says otherwise.
func fromBytes(b []byte, special map[byte]rune) []byte {
	out := make([]byte, 0, len(b)+len(b)/8)
	for _, c := range b {
		r, ok := special[c]
		if !ok {
			r = rune(c)
		}
		out = utf8.AppendRune(out, r)
	}
	return out
}

// latin9 is where ISO 8859-15 differs from ISO 8859-1.
var latin9 = map[byte]rune{
	0xA4: '€', 0xA6: 'Š', 0xA8: 'š', 0xB4: 'Ž', 0xB8: 'ž', 0xBC: 'Œ', 0xBD: 'œ', 0xBE: 'Ÿ',
}

// windows1252 is where the Windows code page 1252 differs from ISO 8859-1.
var windows1252 = map[byte]rune{
	0x80: '€', 0x82: '‚', 0x83: 'ƒ', 0x84: '„', 0x85: '…', 0x86: '†', 0x87: '‡', 0x88: 'ˆ',
	0x89: '‰', 0x8A: 'Š', 0x8B: '‹', 0x8C: 'Œ', 0x8E: 'Ž', 0x91: '‘', 0x92: '’', 0x93: '“',
	0x94: '”', 0x95: '•', 0x96: '–', 0x97: '—', 0x98: '˜', 0x99: '™', 0x9A: 'š', 0x9B: '›',
	0x9C: 'œ', 0x9E: 'ž', 0x9F: 'Ÿ',
}
