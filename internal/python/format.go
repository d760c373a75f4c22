package python

import (
	"errors"
	"fmt"
	"strconv"
	"strings"
	"unicode/utf8"
)

// maxFieldSize limits the width and the precision of a conversion, so that a
// few characters in a file cannot ask for all memory.
const maxFieldSize = 1 << 20

// KeyError is the error of a format that refers to a name that has no value.
type KeyError struct{ Key string }

// Error returns what Python's str makes of the exception: the quoted name.
func (e *KeyError) Error() string { return Repr(e.Key) }

// Format returns what Python's "format % names" returns for a dict. The error
// is a *KeyError for an unknown name; others have the text of the exception
// that Python raises.
func Format(format string, names Scope) (string, error) {
	if !strings.Contains(format, "%") {
		return format, nil
	}
	f := formatter{format: format, names: names, bare: true}
	for {
		percent := strings.IndexByte(format[f.pos:], '%')
		if percent < 0 {
			f.out.WriteString(format[f.pos:])
			return f.out.String(), nil
		}
		f.out.WriteString(format[f.pos : f.pos+percent])
		f.pos += percent + 1
		if err := f.convert(); err != nil {
			return "", err
		}
	}
}

// A formatter holds the state of one Format.
type formatter struct {
	format string
	pos    int // of the next byte
	names  Scope
	out    strings.Builder

	// value is the argument of the conversion that is next; nil once it was
	// used. bare says that it is the whole mapping, of which the first
	// conversion without a name can make use.
	value any
	bare  bool
}

// A conversion is what stands between a percent sign and its letter.
type conversion struct {
	left, sign, blank, alternate, zero bool
	width, precision                   int // -1 where not given
	verb                               rune
}

var (
	errIncomplete   = errors.New("incomplete format")
	errNotEnough    = errors.New("not enough arguments for format string")
	errNeedInt      = errors.New("* wants int")
	errFieldTooBig  = errors.New("width too big")
	errDigitsTooBig = errors.New("precision too big")
)

// convert does one conversion, from behind its percent sign.
func (f *formatter) convert() error {
	if f.pos < len(f.format) && f.format[f.pos] == '%' {
		f.pos++
		f.out.WriteByte('%')
		return nil
	}
	c := conversion{width: -1, precision: -1}
	if f.pos < len(f.format) && f.format[f.pos] == '(' {
		if err := f.readKey(); err != nil {
			return err
		}
	}
	if err := f.readSpec(&c); err != nil {
		return err
	}
	arg, err := f.argument()
	if err != nil {
		return err
	}
	text, numeric, err := f.text(arg, &c)
	if err != nil {
		return err
	}
	f.pad(text, numeric, &c)
	return nil
}

// readKey reads a name in parentheses, which may hold balanced parentheses,
// and makes its value the argument.
func (f *formatter) readKey() error {
	f.pos++
	start, depth := f.pos, 1
	for ; f.pos < len(f.format) && depth > 0; f.pos++ {
		switch f.format[f.pos] {
		case '(':
			depth++
		case ')':
			depth--
		}
	}
	if depth > 0 {
		return errors.New("incomplete format key")
	}
	key := f.format[start : f.pos-1]
	value, found := f.names.lookup(key)
	if !found {
		return &KeyError{key}
	}
	f.value, f.bare = value, false
	return nil
}

// readSpec reads flags, width, precision, a length that means nothing, and the
// letter of the conversion.
func (f *formatter) readSpec(c *conversion) error {
	r, err := f.next()
	for err == nil && c.flag(r) {
		r, err = f.next()
	}
	if err != nil {
		return err
	}
	if r, err = f.readSize(r, &c.width, errFieldTooBig); err != nil {
		return err
	}
	if r == '.' {
		c.precision = 0
		if r, err = f.next(); err != nil {
			return err
		}
		if r, err = f.readSize(r, &c.precision, errDigitsTooBig); err != nil {
			return err
		}
	}
	if r == 'h' || r == 'l' || r == 'L' {
		if r, err = f.next(); err != nil {
			return err
		}
	}
	c.verb = r
	return nil
}

// flag notes a flag and reports whether r is one.
func (c *conversion) flag(r rune) bool {
	switch r {
	case '-':
		c.left = true
	case '+':
		c.sign = true
	case ' ':
		c.blank = true
	case '#':
		c.alternate = true
	case '0':
		c.zero = true
	default:
		return false
	}
	return true
}

// readSize reads a number or an asterisk that starts with r, if there is one,
// and returns the character behind it.
func (f *formatter) readSize(r rune, size *int, tooBig error) (rune, error) {
	if r == '*' {
		arg, err := f.argument()
		if err != nil {
			return 0, err
		}
		if _, ok := arg.(int); !ok {
			return 0, errNeedInt
		}
		// The size is of no use: it was the only argument.
		return f.next()
	}
	if r < '0' || r > '9' {
		return r, nil
	}
	n := 0
	for '0' <= r && r <= '9' {
		n = n*10 + int(r-'0')
		if n > maxFieldSize {
			return 0, tooBig
		}
		*size = n
		var err error
		if r, err = f.next(); err != nil {
			return 0, err
		}
	}
	return r, nil
}

func (f *formatter) next() (rune, error) {
	if f.pos >= len(f.format) {
		return 0, errIncomplete
	}
	r, size := utf8.DecodeRuneInString(f.format[f.pos:])
	f.pos += size
	return r, nil
}

// argument returns the argument that is next and uses it up.
func (f *formatter) argument() (any, error) {
	if f.bare {
		f.bare = false
		return f.names, nil
	}
	if f.value == nil {
		return nil, errNotEnough
	}
	v := f.value
	f.value = nil
	return v, nil
}

// text returns the argument as the conversion's letter wants it, before
// padding, and whether it is a number.
func (f *formatter) text(arg any, c *conversion) (text string, numeric bool, err error) {
	switch c.verb {
	case 's', 'r', 'a':
		return asString(arg, c.verb), false, nil
	case 'c':
		text, err = asCharacter(arg)
		return text, false, err
	case 'd', 'i', 'u', 'o', 'x', 'X':
		n, ok := arg.(int)
		if !ok {
			kind := "a real number"
			if c.verb == 'o' || c.verb == 'x' || c.verb == 'X' {
				kind = "an integer"
			}
			return "", false, fmt.Errorf("%%%c format: %s is required, not %s", c.verb, kind, typeName(arg))
		}
		return formatInt(n, c), true, nil
	case 'e', 'E', 'f', 'F', 'g', 'G':
		n, ok := arg.(int)
		if !ok {
			return "", false, fmt.Errorf("must be real number, not %s", typeName(arg))
		}
		return formatFloat(float64(n), c), true, nil
	}
	shown := '?'
	if 31 <= c.verb && c.verb <= 126 {
		shown = c.verb
	}
	index := utf8.RuneCountInString(f.format[:f.pos]) - 1
	return "", false, fmt.Errorf("unsupported format character '%c' (0x%x) at index %d", shown, c.verb, index)
}

func asString(arg any, verb rune) string {
	quote := Repr
	if verb == 'a' {
		quote = ASCII
	}
	switch v := arg.(type) {
	case string:
		if verb == 's' {
			return v
		}
		return quote(v)
	case int:
		return strconv.Itoa(v)
	case Scope:
		return v.repr(quote)
	}
	return ""
}

func asCharacter(arg any) (string, error) {
	switch v := arg.(type) {
	case int:
		if v < 0 || v > utf8.MaxRune {
			return "", errors.New("%c arg not in range(0x110000)")
		}
		return string(rune(v)), nil
	case string:
		if utf8.RuneCountInString(v) == 1 {
			return v, nil
		}
	}
	return "", errors.New("%c requires int or char")
}

func typeName(arg any) string {
	switch arg.(type) {
	case string:
		return "str"
	case int:
		return "int"
	}
	return "dict"
}

// formatInt returns n in the base of the conversion, with as many digits as
// its precision asks for and the prefix of its alternate form.
func formatInt(n int, c *conversion) string {
	base, prefix := 10, ""
	switch c.verb {
	case 'o':
		base, prefix = 8, "0o"
	case 'x', 'X':
		base, prefix = 16, "0x"
	}
	if !c.alternate {
		prefix = ""
	}
	digits, sign := strconv.FormatInt(int64(n), base), ""
	if digits[0] == '-' {
		digits, sign = digits[1:], "-"
	}
	if missing := c.precision - len(digits); missing > 0 {
		digits = strings.Repeat("0", missing) + digits
	}
	text := prefix + digits
	if c.verb == 'X' {
		text = strings.ToUpper(text)
	}
	return sign + text
}

func formatFloat(x float64, c *conversion) string {
	flags := ""
	if c.alternate {
		flags = "#"
	}
	precision := c.precision
	if precision < 0 {
		precision = 6
	}
	if (c.verb == 'g' || c.verb == 'G') && precision == 0 {
		precision = 1
	}
	return fmt.Sprintf("%"+flags+"."+strconv.Itoa(precision)+string(c.verb), x)
}

// pad writes the text into its field. A sign and the prefix of an alternate
// form stand before zeros that fill the field, and behind blanks.
func (f *formatter) pad(text string, numeric bool, c *conversion) {
	if c.precision >= 0 && (c.verb == 's' || c.verb == 'r' || c.verb == 'a') {
		text = cut(text, c.precision)
	}
	head := ""
	if numeric {
		switch {
		case text[0] == '-':
			head, text = "-", text[1:]
		case c.sign:
			head = "+"
		case c.blank:
			head = " "
		}
		if c.alternate && (c.verb == 'o' || c.verb == 'x' || c.verb == 'X') {
			head, text = head+text[:2], text[2:]
		}
	}
	missing := max(c.width-utf8.RuneCountInString(head)-utf8.RuneCountInString(text), 0)
	switch {
	case c.left:
		f.out.WriteString(head + text + strings.Repeat(" ", missing))
	case numeric && c.zero:
		f.out.WriteString(head + strings.Repeat("0", missing) + text)
	default:
		f.out.WriteString(strings.Repeat(" ", missing) + head + text)
	}
}

// cut returns the first n characters of s.
func cut(s string, n int) string {
	for i := range s {
		if n == 0 {
			return s[:i]
		}
		n--
	}
	return s
}
