package config

import (
	"fmt"
	"strings"
	"unicode"
	"unicode/utf8"

	"supervisord/internal/python"
)

// canonical applies the line rules of Python's ConfigParser to the text of a
// file and writes what it found in a form that has one meaning for every
// parser of INI files: a line "[section]" for each section, a line "key=value"
// for each option with its whole value, both escaped. Comments, continuation
// lines, indentation and quoting are gone then.
//
// The rules: ";" or "#" starts a comment at the start of a line or after a
// blank. An option ends at the first "=" or ":", its name is in lower case. A
// line indented deeper than the option before it continues that option's
// value, and so does a blank line.
//
// With an error the result is what could be read. Where lines is not nil, it
// is told where sections and options stand. Where only is not nil, sections that
// it does not name are left out, but what is wrong in them is not.
func canonical(file, text string, lines map[place]line, only func(section string) bool) (string, error) {
	c := canonizer{file: file, lines: lines, only: only}
	for number := 1; text != ""; number++ {
		line, rest, found := strings.Cut(text, "\n")
		if found {
			line = text[:len(line)+1]
		}
		text = rest
		if err := c.line(number, line); err != nil {
			return "", err
		}
	}
	c.endOption()
	if len(c.bad) > 0 {
		return c.out.String(), parsingErrors(file, c.bad)
	}
	return c.out.String(), nil
}

// A syntaxError is the error of a file that breaks the line rules. immediate
// tells that the rest of the file was not looked at.
type syntaxError struct {
	text      string
	immediate bool
	lines     []badLine
}

// A badLine is a line that breaks the rules, and what there is to say about it.
type badLine struct {
	number int
	text   string
}

// parsingErrors returns the error of a file with lines that are neither a
// section nor an option. The texts of the lines are quoted.
func parsingErrors(file string, bad []badLine) *syntaxError {
	e := &syntaxError{text: "Source contains parsing errors: " + python.Repr(file)}
	for _, line := range bad {
		e.text += fmt.Sprintf("\n\t[line %2d]: %s", line.number, line.text)
		e.lines = append(e.lines, badLine{line.number, "not a section, an option or a comment: " + line.text})
	}
	return e
}

func (e *syntaxError) Error() string { return e.text }

// A canonizer holds the state between two lines of a file.
type canonizer struct {
	file      string
	inSection bool
	indent    int      // columns before the section or option that came last
	key       string   // of the option that can be continued; empty for none
	value     []string // its lines
	bad       []badLine
	out       strings.Builder

	section string // the one that came last
	skipped bool   // that one is left out
	lines   map[place]line
	only    func(section string) bool
}

func (c *canonizer) line(number int, line string) error {
	content, commented := cutComment(line)
	value := strip(content)
	if value == "" {
		if !commented && c.key != "" {
			c.value = append(c.value, "")
		}
		return nil
	}
	indent := columns(line)
	if c.key != "" && indent > c.indent {
		c.value = append(c.value, value)
		return nil
	}
	c.indent = indent
	if name, ok := sectionName(value); ok {
		c.endOption()
		c.inSection = true
		c.section = name
		if _, seen := c.lines[place{name, ""}]; !seen {
			c.note("", number)
		}
		c.skipped = c.only != nil && !c.only(name)
		if !c.skipped {
			c.out.WriteString("[" + escape(name) + "]\n")
		}
		return nil
	}
	if !c.inSection {
		return &syntaxError{
			text: fmt.Sprintf("File contains no section headers.\nfile: %s, line: %d\n%s",
				python.Repr(c.file), number, python.Repr(line)),
			immediate: true,
			lines:     []badLine{{number, "no section header stands before " + python.Repr(line)}},
		}
	}
	delimiter := strings.IndexByte(value, '=')
	if colon := strings.IndexByte(value, ':'); colon >= 0 && (colon < delimiter || delimiter < 0) {
		delimiter = colon
	}
	if delimiter <= 0 {
		c.bad = append(c.bad, badLine{number, python.Repr(line)})
	}
	if delimiter >= 0 {
		c.endOption()
		c.key = lower(strip(value[:delimiter]))
		if c.key != "" {
			c.note(c.key, number)
		}
		c.value = append(c.value, strip(value[delimiter+1:]))
	}
	return nil
}

// note notes where an option of the section stands; with an empty key, where
// the section itself does.
func (c *canonizer) note(key string, number int) {
	if c.lines != nil {
		c.lines[place{c.section, key}] = line{c.file, number}
	}
}

// endOption writes the option whose lines were collected.
func (c *canonizer) endOption() {
	if c.key != "" && !c.skipped {
		value := strings.TrimRightFunc(strings.Join(c.value, "\n"), python.IsSpace)
		c.out.WriteString(escape(c.key) + "=" + escape(value) + "\n")
	}
	c.key, c.value = "", c.value[:0]
}

// cutComment cuts the comment from a line and reports whether there was one.
//
// The two signs are searched for in step, the first ";" with the first "#",
// then the second ones: the search ends at the first step that finds a
// comment, even if another sign further left starts one.
func cutComment(line string) (content string, found bool) {
	if stripped := strings.TrimLeftFunc(line, python.IsSpace); stripped != "" && (stripped[0] == ';' || stripped[0] == '#') {
		return "", true
	}
	semicolon, hash := -1, -1
	for {
		semicolon, hash = nextSign(line, ';', semicolon), nextSign(line, '#', hash)
		start := len(line)
		for _, i := range []int{semicolon, hash} {
			if i < len(line) && startsComment(line, i) {
				start = min(start, i)
			}
		}
		if start < len(line) {
			return line[:start], true
		}
		if semicolon == len(line) && hash == len(line) {
			return line, false
		}
	}
}

// nextSign returns the index of the first sign behind index from, or the
// length of the line.
func nextSign(line string, sign byte, from int) int {
	if from >= len(line) {
		return len(line)
	}
	if i := strings.IndexByte(line[from+1:], sign); i >= 0 {
		return from + 1 + i
	}
	return len(line)
}

func startsComment(line string, i int) bool {
	before, _ := utf8.DecodeLastRuneInString(line[:i])
	return i == 0 || python.IsSpace(before)
}

// columns returns the number of characters before the first that is no blank.
func columns(line string) int {
	n := 0
	for _, r := range line {
		if !python.IsSpace(r) {
			return n
		}
		n++
	}
	return 0
}

// sectionName returns the name in a header "[name]", up to the last bracket of
// the line. What follows is not looked at.
func sectionName(value string) (string, bool) {
	end := strings.LastIndexByte(value, ']')
	if value[0] != '[' || end < 2 {
		return "", false
	}
	return value[1:end], true
}

func strip(s string) string { return strings.TrimFunc(s, python.IsSpace) }

// lower turns the name of an option into lower case as Python does, where two
// letters are different: the capital I with a dot becomes two characters, and
// a capital sigma at the end of a word has a form of its own.
func lower(s string) string {
	if !strings.ContainsRune(s, 'İ') && !strings.ContainsRune(s, 'Σ') {
		return strings.ToLower(s)
	}
	runes := []rune(s)
	var b strings.Builder
	for i, r := range runes {
		switch {
		case r == 'İ':
			b.WriteString("i\u0307")
		case r == 'Σ' && endsWord(runes, i):
			b.WriteRune('ς')
		default:
			b.WriteRune(unicode.ToLower(r))
		}
	}
	return b.String()
}

// endsWord reports whether a letter stands before index i and none behind it.
func endsWord(runes []rune, i int) bool {
	before, after := i-1, i+1
	for before >= 0 && ignoresCase(runes[before]) {
		before--
	}
	for after < len(runes) && ignoresCase(runes[after]) {
		after++
	}
	return before >= 0 && unicode.IsLetter(runes[before]) && (after == len(runes) || !unicode.IsLetter(runes[after]))
}

// ignoresCase reports whether a character between letters does not end a word.
func ignoresCase(r rune) bool {
	return unicode.In(r, unicode.Mn, unicode.Me, unicode.Cf, unicode.Lm, unicode.Sk) || strings.ContainsRune("'.:·’", r)
}
