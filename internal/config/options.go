package config

import (
	"errors"
	"fmt"
	"slices"
	"strings"

	"supervisord/internal/python"
)

// options reads the options of one section as typed values. An option that has
// no good value gets the default one, and the problem is noted. So the options
// are checked in the order in which they are read.
type options struct {
	doc     *document
	file    string
	section string
	// scope holds the names that values can refer to.
	scope    python.Scope
	problems *problems
	// files are the files that values refer to; nil where they cannot.
	files *references
	// where is added to every problem.
	where string
}

// has reports whether the option is set.
func (o *options) has(key string) bool {
	_, found := o.doc.get(o.section, key)
	return found
}

// raw returns the value of an option as it stands in the file.
func (o *options) raw(key, fallback string) string {
	if value, found := o.doc.get(o.section, key); found {
		return value
	}
	return fallback
}

// text returns the value of an option with its expansions done.
func (o *options) text(key, fallback string) string {
	return value(o, key, fallback, func(s string) (string, error) { return s, nil })
}

// optional returns the value of an option with its expansions done, nil where
// the option is not set.
func (o *options) optional(key string) *string {
	if !o.has(key) {
		return nil
	}
	text := o.text(key, "")
	return &text
}

// expand does the expansions in text that is not the plain value of the key.
func (o *options) expand(key, text string, scope python.Scope) string {
	expanded, err := o.expansion(text, key, scope)
	if err != nil {
		o.fail(key, err)
	}
	return expanded
}

// expansion does the expansions in text that does not refer to files.
func (o *options) expansion(text, name string, scope python.Scope) (string, error) {
	expanded, err := expand(text, scope, name)
	if err == nil && o.files.marked(expanded) {
		return "", errNotHere // by way of a variable of environment=
	}
	return expanded, err
}

// fail notes a problem with an option, unless there is one with it already.
func (o *options) fail(key string, err error) {
	if o.problems.excuses(o.section, err) {
		o.problems.settle(o.section, key)
		return
	}
	text := o.files.show(err.Error())
	o.problems.add(&Error{File: o.file, Section: o.section, Key: key, Text: text + o.where, where: o.where})
}

func (o *options) failf(key, format string, args ...any) {
	o.fail(key, fmt.Errorf(format, args...))
}

// value returns the value of an option after expansion and conversion, or the
// fallback where the option is not set.
func value[T any](o *options, key string, fallback T, parse func(string) (T, error)) T {
	text, found := o.doc.get(o.section, key)
	if !found {
		return fallback
	}
	text, err := o.expansion(text, o.section+"."+key, o.scope)
	if err != nil {
		o.fail(key, err)
		return fallback
	}
	v, err := parse(text)
	if err != nil {
		o.fail(key, err)
		return fallback
	}
	return v
}

// expand does the expansions in a value (manual: Configuration File, string
// expressions). The name tells in messages where the value stands.
func expand(text string, scope python.Scope, name string) (string, error) {
	return expandShown(text, text, scope, name)
}

// expandShown is expand for text that messages have to show in another form.
func expandShown(text, shown string, scope python.Scope, name string) (string, error) {
	expanded, err := python.Format(text, scope)
	if err == nil {
		return expanded, nil
	}
	text, name = python.Repr(shown), python.Repr(name)
	if missing := (*python.KeyError)(nil); errors.As(err, &missing) {
		names := scope.Names()
		slices.Sort(names)
		return "", &unknownName{missing, python.ValueErrorf(
			"Format string %s for %s contains names (%s) which cannot be expanded. Available names: %s",
			text, name, err, strings.Join(names, ", "))}
	}
	return "", python.ValueErrorf("Format string %s for %s is badly formatted: %s", text, name, err)
}

// An unknownName is the error of a value that refers to a name without a value.
type unknownName struct {
	missing *python.KeyError
	text    python.ValueError
}

func (e *unknownName) Error() string { return e.text.Error() }

func (e *unknownName) Unwrap() error { return e.missing }
