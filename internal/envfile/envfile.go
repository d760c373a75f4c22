// Package envfile reads files that set environment variables, by the rules
// that systemd has for EnvironmentFile= (systemd.exec(5)), so that one file
// serves both.
//
// A line is NAME=VALUE, blanks around both are dropped. An empty line and one
// that starts with "#" or ";" say nothing. A value may have parts in quotation
// marks. Between single ones every character stands for itself; between double
// ones a backslash protects a quotation mark, a dollar sign, a backquote and a
// backslash, and stays where it stands before another character; outside it
// protects any character. A backslash at the end of a line joins the next one
// to it. Nothing is expanded.
package envfile

import (
	"bytes"
	"fmt"
	"strings"
	"unicode/utf8"
)

// A Variable is one setting of a file. Line is where it begins, counted from 1.
type Variable struct {
	Name, Value string
	Line        int
}

// Parse returns the settings of a file in their order; a name may come twice.
// bad are the lines that set nothing although something stands there: they have
// no "=", or no name that a variable can have. The error is that of a file
// which is no text; neither has anything of the content.
func Parse(data []byte) (variables []Variable, bad []int, err error) {
	if err := checkText(data); err != nil {
		return nil, nil, err
	}
	p := parser{line: 1}
	for _, c := range data {
		p.state = p.next(c)
		if c == '\n' {
			p.line++
		}
	}
	p.end()
	return p.variables, p.bad, nil
}

func checkText(data []byte) error {
	for number := 1; len(data) > 0; number++ {
		line, rest, _ := bytes.Cut(data, []byte{'\n'})
		switch {
		case bytes.IndexByte(line, 0) >= 0:
			return fmt.Errorf("line %d has a NUL character", number)
		case !utf8.Valid(line):
			return fmt.Errorf("line %d is not UTF-8", number)
		}
		data = rest
	}
	return nil
}

// A state tells what the next character belongs to.
type state int

const (
	beforeName    state = iota
	inName              // up to the "="
	beforeValue         // also behind a part in quotation marks
	inValue             // outside quotation marks
	escaped             // behind a backslash outside quotation marks
	singleQuoted        // between single quotation marks
	doubleQuoted        // between double ones
	doubleEscaped       // behind a backslash between double ones
	inComment
)

// A parser holds the state between two characters.
type parser struct {
	state state
	line  int // of the next character
	start int // line of the setting that is being read

	name, value []byte
	// kept is how long the value is without the blanks at its end that do not
	// belong to it.
	kept int

	variables []Variable
	bad       []int
}

// next takes one character and returns the state behind it.
func (p *parser) next(c byte) state {
	switch p.state {
	case beforeName:
		return p.first(c)
	case inName:
		return p.nameByte(c)
	case beforeValue, inValue:
		return p.valueByte(c)
	case escaped:
		if !isNewline(c) {
			p.keep(c)
		}
		return inValue
	case singleQuoted:
		if c == '\'' {
			return beforeValue
		}
		p.keep(c)
	case doubleQuoted:
		switch c {
		case '"':
			return beforeValue
		case '\\':
			return doubleEscaped
		}
		p.keep(c)
	case doubleEscaped:
		p.unescape(c)
		return doubleQuoted
	case inComment:
		if isNewline(c) {
			return beforeName
		}
	}
	return p.state
}

// first takes a character of a line of which nothing but blanks was read.
func (p *parser) first(c byte) state {
	switch {
	case c == '#' || c == ';':
		return inComment
	case isBlank(c):
		return beforeName
	}
	p.start = p.line
	p.name, p.value, p.kept = append(p.name[:0], c), p.value[:0], 0
	return inName
}

func (p *parser) nameByte(c byte) state {
	switch {
	case isNewline(c):
		p.bad = append(p.bad, p.start)
		return beforeName
	case c == '=':
		return beforeValue
	}
	p.name = append(p.name, c)
	return inName
}

func (p *parser) valueByte(c byte) state {
	inside := p.state == inValue
	switch {
	case isNewline(c):
		p.end()
		return beforeName
	case c == '\\':
		p.kept = len(p.value)
		return escaped
	case c == '\'' && !inside:
		return singleQuoted
	case c == '"' && !inside:
		return doubleQuoted
	case !isBlank(c):
		p.keep(c)
	case inside:
		p.value = append(p.value, c)
	default:
		return p.state
	}
	return inValue
}

// keep adds a character to the value, and what was read before it.
func (p *parser) keep(c byte) {
	p.value = append(p.value, c)
	p.kept = len(p.value)
}

// unescape takes the character behind a backslash between double quotation
// marks.
func (p *parser) unescape(c byte) {
	switch {
	case strings.IndexByte("\"\\`$", c) >= 0:
		p.keep(c)
	case c != '\n':
		p.keep('\\')
		p.keep(c)
	}
}

// end ends the setting that is being read, if one is.
func (p *parser) end() {
	switch p.state {
	case beforeName, inComment:
		return
	case inName:
		p.bad = append(p.bad, p.start)
		return
	}
	name := string(bytes.TrimRight(p.name, " \t\n\r"))
	if !isName(name) {
		p.bad = append(p.bad, p.start)
		return
	}
	value := p.value
	if p.state == inValue {
		value = value[:p.kept]
	}
	p.variables = append(p.variables, Variable{name, string(value), p.start})
}

func isNewline(c byte) bool { return c == '\n' || c == '\r' }

func isBlank(c byte) bool { return c == ' ' || c == '\t' || isNewline(c) }

// isName reports whether a variable can have the name.
func isName(s string) bool {
	for i := range len(s) {
		c := s[i]
		letter := 'a' <= c|0x20 && c|0x20 <= 'z' || c == '_'
		if !letter && (i == 0 || c < '0' || c > '9') {
			return false
		}
	}
	return s != ""
}
