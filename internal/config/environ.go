package config

import (
	"os"
	"strings"

	"supervisord/internal/python"
)

// An environ is the environment of the program. Its expansions are the names
// ENV_X under which a configuration file sees it.
type environ struct {
	expansions *python.Dict
	values     map[string]string
}

// newEnviron makes an environ of "NAME=value" strings, or of the program's own
// environment where there are none.
func newEnviron(pairs []string) *environ {
	if pairs == nil {
		pairs = os.Environ()
	}
	e := &environ{new(python.Dict), make(map[string]string, len(pairs))}
	for _, pair := range pairs {
		name, value, ok := strings.Cut(pair, "=")
		if _, seen := e.values[name]; !ok || seen {
			continue
		}
		e.values[name] = value
		e.expansions.Set("ENV_"+name, value)
	}
	return e
}

func (e *environ) get(name string) (string, bool) {
	value, ok := e.values[name]
	return value, ok
}
