package config

import (
	"strings"
	"unicode/utf8"

	"supervisord/internal/python"
)

// A lexer splits text into words by the rules of a POSIX shell as Python's
// shlex has them: quotation marks and backslashes protect characters and are
// removed, a backslash between double quotation marks only before one of these
// or another backslash.
type lexer struct {
	text string
	pos  int
	// comments lets "#" start a comment.
	comments bool
	// isWord tells which characters make up a word outside quotation marks;
	// any other one is a token of its own. With a nil isWord all do.
	isWord func(rune) bool

	pushed string // a token that was met behind the word before it
}

var (
	errNoClosingQuotation = python.ValueError("No closing quotation")
	errNoEscapedCharacter = python.ValueError("No escaped character")
)

// split returns the words of a command line (manual: Configuration File,
// command).
func split(command string) ([]string, error) {
	l := lexer{text: command}
	return l.tokens()
}

// tokens returns every token.
func (l *lexer) tokens() ([]string, error) {
	var tokens []string
	for {
		token, ok, err := l.token()
		if err != nil {
			return nil, err
		}
		if !ok {
			return tokens, nil
		}
		tokens = append(tokens, token)
	}
}

// token returns the next token; ok is false at the end of the text.
func (l *lexer) token() (token string, ok bool, err error) {
	if l.pushed != "" {
		token, l.pushed = l.pushed, ""
		return token, true, nil
	}
	var word strings.Builder
	inWord := false // a word has begun, though it may be empty yet
	for l.pos < len(l.text) {
		r, raw := l.next()
		switch {
		case strings.ContainsRune(" \t\r\n", r):
			if inWord {
				return word.String(), true, nil
			}
		case r == '#' && l.comments:
			l.skipLine()
			if inWord {
				return word.String(), true, nil
			}
		case r == '\\':
			if l.pos == len(l.text) {
				return "", false, errNoEscapedCharacter
			}
			_, raw = l.next()
			word.WriteString(raw)
			inWord = true
		case r == '\'' || r == '"':
			if err := l.quoted(&word, r); err != nil {
				return "", false, err
			}
			inWord = true
		case l.isWord == nil || l.isWord(r):
			word.WriteString(raw)
			inWord = true
		case inWord:
			l.pushed = raw
			return word.String(), true, nil
		default:
			return raw, true, nil
		}
	}
	return word.String(), inWord, nil
}

// quoted reads up to the closing quotation mark.
func (l *lexer) quoted(word *strings.Builder, mark rune) error {
	for l.pos < len(l.text) {
		r, raw := l.next()
		if r == mark {
			return nil
		}
		if r == '\\' && mark == '"' {
			if l.pos == len(l.text) {
				return errNoEscapedCharacter
			}
			if r, raw = l.next(); r != '\\' && r != mark {
				word.WriteByte('\\')
			}
		}
		word.WriteString(raw)
	}
	return errNoClosingQuotation
}

// next returns the next character, and the same as it stands in the text,
// which may hold bytes that are not UTF-8.
func (l *lexer) next() (r rune, raw string) {
	r, size := utf8.DecodeRuneInString(l.text[l.pos:])
	raw = l.text[l.pos : l.pos+size]
	l.pos += size
	return r, raw
}

func (l *lexer) skipLine() {
	if i := strings.IndexByte(l.text[l.pos:], '\n'); i >= 0 {
		l.pos += i + 1
	} else {
		l.pos = len(l.text)
	}
}
