package config

import (
	"maps"
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
func parseEnvironment(text string, files *references) ([]variable, error) {
	l := lexer{text: text, comments: true, isWord: isEnvironmentWord}
	if files.marked(text) {
		l.isWord = func(r rune) bool { return isEnvironmentWord(r) || string(r) == markSign }
	}
	tokens, err := l.tokens()
	if err != nil {
		return nil, err
	}
	var settings []variable
	for i := 0; i < len(tokens); i += 4 {
		if len(tokens)-i < 3 || tokens[i+1] != "=" {
			return nil, python.ValueErrorf("Unexpected end of key/value pairs in value '%s'", text)
		}
		if files.marked(tokens[i]) {
			return nil, errSecretName
		}
		settings = append(settings, variable{tokens[i], tokens[i+2]})
	}
	return settings, nil
}

// An environment is what a process gets on top of the daemon's environment.
// Values that are the contents of files are there as they are written, and in
// secrets as what they stand for.
type environment struct {
	values  map[string]string
	secrets map[string]Template
}

// with returns the environment with settings on top.
func (e environment) with(settings []variable, l *loader) environment {
	if len(settings) == 0 {
		return e
	}
	values := make(map[string]string, len(e.values)+len(settings))
	maps.Copy(values, e.values)
	secrets := maps.Clone(e.secrets)
	for _, v := range settings {
		values[v.name] = l.files.show(v.value)
		delete(secrets, v.name)
		if t := l.files.template(v.value, l.fromHere); t != nil {
			if secrets == nil {
				secrets = make(map[string]Template)
			}
			secrets[v.name] = t
		}
	}
	return environment{values, secrets}
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
