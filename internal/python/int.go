package python

import (
	"math"
	"strings"
	"unicode"
)

// maxDigits is the number of digits that Python's int converts at most.
const maxDigits = 4300

// Int converts text as Python's int does, in base 8 or 10: blanks around it, a
// sign, single underscores between digits and the digits of other scripts are
// accepted, and so is the prefix 0o in base 8. Python's integers have no
// limit; a number that does not fit becomes the nearest int64. The error is
// Python's ValueError.
func Int(text string, base int) (int64, error) {
	s := strings.TrimFunc(text, isIntSpace)
	negative := false
	if s != "" && (s[0] == '+' || s[0] == '-') {
		negative = s[0] == '-'
		s = s[1:]
	}
	if base == 8 && len(s) > 2 && s[0] == '0' && (s[1] == 'o' || s[1] == 'O') {
		s = strings.TrimPrefix(s[2:], "_")
	}
	invalid := func() error {
		return ValueErrorf("invalid literal for int() with base %d: %s", base, Repr(text))
	}
	var value int64
	digits, afterDigit := 0, false
	for _, r := range s {
		if r == '_' && afterDigit {
			afterDigit = false
			continue
		}
		d, ok := digitValue(r)
		if !ok || d >= base {
			return 0, invalid()
		}
		afterDigit = true
		digits++
		if value > (math.MaxInt64-int64(d))/int64(base) {
			value = math.MaxInt64
		} else {
			value = value*int64(base) + int64(d)
		}
	}
	if !afterDigit {
		return 0, invalid()
	}
	if base == 10 && digits > maxDigits {
		return 0, ValueErrorf("Exceeds the limit (%d digits) for integer string conversion: value has %d digits;"+
			" use sys.set_int_max_str_digits() to increase the limit", maxDigits, digits)
	}
	if negative {
		return -value, nil
	}
	return value, nil
}

// isIntSpace reports whether int takes the character for a blank: the six of C
// in ASCII, those of str.isspace beyond.
func isIntSpace(r rune) bool {
	if r < 0x80 {
		return r == ' ' || '\t' <= r && r <= '\r'
	}
	return IsSpace(r)
}

// IsSpace reports whether Python's str.isspace holds for the character.
func IsSpace(r rune) bool {
	return unicode.IsSpace(r) || 0x1c <= r && r <= 0x1f
}

// digitValue returns the value of a decimal digit of any script. Unicode keeps
// the ten digits of a script together and in order.
func digitValue(r rune) (int, bool) {
	if '0' <= r && r <= '9' {
		return int(r - '0'), true
	}
	if r < 0x80 || !unicode.Is(unicode.Nd, r) {
		return 0, false
	}
	for _, t := range unicode.Nd.R16 {
		if rune(t.Lo) <= r && r <= rune(t.Hi) {
			return int(r-rune(t.Lo)) % 10, true
		}
	}
	for _, t := range unicode.Nd.R32 {
		if rune(t.Lo) <= r && r <= rune(t.Hi) {
			return int(r-rune(t.Lo)) % 10, true
		}
	}
	return 0, false
}
