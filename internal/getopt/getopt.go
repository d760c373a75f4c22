// Package getopt splits command lines by the rules of Python's getopt, which
// Supervisor's users rely on: short options in one word (-nc FILE, -cFILE),
// long options by any unique prefix (--conf=FILE), no options behind the first
// argument. It stands in front of the command-line library, which is handed
// every option in one canonical spelling.
//
// The package knows the form of options, not their meaning. Its error texts
// are those that Supervisor prints behind "Error: ".
package getopt

import (
	"errors"
	"fmt"
	"strings"
	"unicode/utf8"

	"supervisord/internal/python"
)

// An Option declares an option.
type Option struct {
	// Short holds the letters that stand for the option, each behind "-". Long
	// is the name behind "--".
	Short string
	Long  string
	// Argument tells that the option takes an argument.
	Argument bool
	// Exact tells that the long name must be spelled in full. Options that
	// Supervisor does not have are exact, so that its abbreviations stay
	// unique.
	Exact bool
}

// A Match is an option found on a command line.
type Match struct {
	Option *Option
	// Name is how the option was given, "-c" or "--configuration"; an
	// abbreviation is completed.
	Name  string
	Value string
}

// Parse splits args, which do not include the program's name, into options in
// the order in which they were given and the arguments behind them.
func Parse(args []string, options []Option) (matches []Match, rest []string, err error) {
	for len(args) > 0 {
		word := args[0]
		if !strings.HasPrefix(word, "-") || word == "-" {
			break
		}
		args = args[1:]
		if word == "--" {
			break
		}
		if long, ok := strings.CutPrefix(word, "--"); ok {
			matches, args, err = parseLong(matches, long, args, options)
		} else {
			matches, args, err = parseShort(matches, word[1:], args, options)
		}
		if err != nil {
			return nil, nil, err
		}
	}
	return matches, args, nil
}

func parseLong(matches []Match, word string, args []string, options []Option) ([]Match, []string, error) {
	name, value, hasValue := strings.Cut(word, "=")
	option, err := findLong(name, options)
	if err != nil {
		return nil, nil, err
	}
	switch {
	case !option.Argument && hasValue:
		return nil, nil, fmt.Errorf("option --%s must not have an argument", option.Long)
	case option.Argument && !hasValue:
		if len(args) == 0 {
			return nil, nil, fmt.Errorf("option --%s requires argument", option.Long)
		}
		value, args = args[0], args[1:]
	}
	return append(matches, Match{option, "--" + option.Long, value}), args, nil
}

// findLong returns the option of that name, or else the only one of which the
// name is a prefix.
func findLong(name string, options []Option) (*Option, error) {
	var found *Option
	candidates := 0
	for i := range options {
		o := &options[i]
		if o.Long == name {
			return o, nil
		}
		if !o.Exact && strings.HasPrefix(o.Long, name) {
			found = o
			candidates++
		}
	}
	switch candidates {
	case 0:
		return nil, fmt.Errorf("option --%s not recognized", name)
	case 1:
		return found, nil
	}
	return nil, fmt.Errorf("option --%s not a unique prefix", name)
}

func parseShort(matches []Match, letters string, args []string, options []Option) ([]Match, []string, error) {
	for letters != "" {
		_, size := utf8.DecodeRuneInString(letters)
		letter := letters[:size]
		letters = letters[size:]
		option := findShort(letter, options)
		if option == nil {
			return nil, nil, fmt.Errorf("option -%s not recognized", letter)
		}
		value := ""
		if option.Argument {
			if letters == "" {
				if len(args) == 0 {
					return nil, nil, fmt.Errorf("option -%s requires argument", letter)
				}
				letters, args = args[0], args[1:]
			}
			value, letters = letters, ""
		}
		matches = append(matches, Match{option, "-" + letter, value})
	}
	return matches, args, nil
}

func findShort(letter string, options []Option) *Option {
	for i := range options {
		if strings.Contains(options[i].Short, letter) {
			return &options[i]
		}
	}
	return nil
}

// Canonical returns the matches as a command line of long options,
// "--name" and "--name=value".
func Canonical(matches []Match) []string {
	args := make([]string, len(matches))
	for i, m := range matches {
		args[i] = "--" + m.Option.Long
		if m.Option.Argument {
			args[i] += "=" + m.Value
		}
	}
	return args
}

// InvalidValue returns the error of an option whose value is not accepted.
func (m *Match) InvalidValue(cause error) error {
	return fmt.Errorf("invalid value for %s %s: %w", m.Name, python.Repr(m.Value), cause)
}

// Conflict returns the error of an option that was given before.
func (m *Match) Conflict() error {
	return errors.New("conflicting command line option " + python.Repr(m.Name))
}

// Positional returns the error of arguments where none are accepted.
func Positional(args []string) error {
	return errors.New("positional arguments are not supported: " + python.ReprList(args))
}
