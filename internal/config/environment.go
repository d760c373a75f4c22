package config

import (
	"strings"

	"supervisord/internal/python"
)

// A variable is one setting of an environment= option.
type variable struct{ name, value string }

// parseEnvironment returns the settings of an environment= option, in order
// (manual: Configuration File, environment). The same name may come twice.
//
// Every fourth token is taken for the comma between two settings without a
// look at it, as it ever was.
func parseEnvironment(text string) ([]variable, error) {
	l := lexer{text: text, comments: true, isWord: isEnvironmentWord}
	tokens, err := l.tokens()
	if err != nil {
		return nil, err
	}
	var settings []variable
	for i := 0; i < len(tokens); i += 4 {
		if len(tokens)-i < 3 || tokens[i+1] != "=" {
			return nil, python.ValueErrorf("Unexpected end of key/value pairs in value '%s'", text)
		}
		settings = append(settings, variable{tokens[i], tokens[i+2]})
	}
	return settings, nil
}

// isEnvironmentWord tells which characters need no quotation marks.
func isEnvironmentWord(r rune) bool {
	switch {
	case 'a' <= r && r <= 'z', 'A' <= r && r <= 'Z', '0' <= r && r <= '9':
		return true
	case 'ß' <= r && r <= 'ÿ':
		return r != '÷'
	case 'À' <= r && r <= 'Þ':
		return r != '×'
	}
	return strings.ContainsRune("_/.+-():", r)
}
