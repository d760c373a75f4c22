package config

import (
	"cmp"
	"errors"
	"fmt"
	"strings"

	"gopkg.in/ini.v1"
)

// defaultSection supplies options to every other section.
const defaultSection = "DEFAULT"

// A document is the untyped content of a configuration file and of the files
// that it includes.
type document struct {
	names    []string // of the sections, in order of first appearance
	sections map[string]*section
	defaults *section
	// origin tells which included file a section was first seen in.
	origin map[string]string
	// broken holds the sections of files of which some lines cannot be read;
	// what is in them may not be all. incomplete tells that whole sections may
	// be missing.
	broken     map[string]bool
	incomplete bool
	// lines tells where sections and options stand; nil if nobody wants to know.
	lines map[place]line
	// only tells which sections are wanted; nil if all are.
	only func(section string) bool
}

// A line is a line of a file, counted from 1.
type line struct {
	file   string
	number int
}

// A section holds the options of one section in order of first appearance.
type section struct {
	keys   []string
	values map[string]string
}

func newDocument() *document {
	return &document{
		sections: make(map[string]*section),
		defaults: newSection(),
		origin:   make(map[string]string),
		broken:   make(map[string]bool),
	}
}

func newSection() *section { return &section{values: make(map[string]string)} }

func (s *section) set(key, value string) {
	if _, found := s.values[key]; !found {
		s.keys = append(s.keys, key)
	}
	s.values[key] = value
}

// read adds the content of a file. A section seen before gets more options, an
// option seen before a new value. It returns the names of the new sections,
// and also with an error adds what could be read.
func (d *document) read(file string, data []byte) (added []string, err error) {
	text, decodeErr := decodeText(data)
	canon, err := canonical(file, text, d.lines, d.only)
	if decodeErr != nil {
		// The lines before the bad byte were read: only an error that ends
		// the reading at once comes first.
		if syntax := (*syntaxError)(nil); !errors.As(err, &syntax) || !syntax.immediate {
			err = decodeErr
		}
	}
	parsed, parseErr := ini.LoadSources(ini.LoadOptions{
		IgnoreContinuation:      true,
		IgnoreInlineComment:     true,
		PreserveSurroundedQuote: true,
		KeyValueDelimiters:      "=",
		ChildSectionDelimiter:   "\x00",
		// Sections of one name are merged below; looking for them is slow there.
		AllowNonUniqueSections: true,
	}, []byte(canon))
	if parseErr != nil {
		return nil, cmp.Or(err, fmt.Errorf("parse %s: %w", file, parseErr))
	}
	d.incomplete = d.incomplete || err != nil
	for _, s := range parsed.Sections() {
		target, isNew := d.section(s.Name())
		if isNew {
			added = append(added, unescape(s.Name()))
		}
		if err != nil {
			d.broken[unescape(s.Name())] = true
		}
		for _, key := range s.Keys() {
			target.set(unescape(key.Name()), unescape(key.Value()))
		}
	}
	return added, err
}

// locate tells where an option stands, or the section that should have it.
func (d *document) locate(section, key string) (at line, ok bool) {
	for _, p := range []place{{section, key}, {defaultSection, key}, {section, ""}} {
		if at, ok = d.lines[p]; ok {
			return at, true
		}
	}
	return at, false
}

// section returns the section with an escaped name, made if there is none.
func (d *document) section(escaped string) (s *section, isNew bool) {
	name := unescape(escaped)
	if name == defaultSection {
		return d.defaults, false
	}
	s, found := d.sections[name]
	if !found {
		s = newSection()
		d.sections[name] = s
		d.names = append(d.names, name)
	}
	return s, !found
}

// get returns the value of an option of a section that exists.
func (d *document) get(name, key string) (string, bool) {
	if s := d.sections[name]; s != nil {
		if value, found := s.values[key]; found {
			return value, true
		}
	}
	value, found := d.defaults.values[key]
	return value, found
}

func (d *document) has(name string) bool { return d.sections[name] != nil }

// keys returns the options of a section: its own, then the default ones.
func (d *document) keys(name string) []string {
	s := d.sections[name]
	keys := append([]string(nil), s.keys...)
	for _, key := range d.defaults.keys {
		if _, found := s.values[key]; !found {
			keys = append(keys, key)
		}
	}
	return keys
}

// expandHere replaces %(here)s in every value read so far. Options that a
// section has by default become its own if they are changed.
func (d *document) expandHere(here string) {
	const format = "%(here)s"
	for _, name := range d.names {
		for _, key := range d.keys(name) {
			if value, _ := d.get(name, key); strings.Contains(value, format) {
				d.sections[name].set(key, strings.ReplaceAll(value, format, here))
			}
		}
	}
}

// The escapes of the canonical form. The empty one stands at both ends of
// every name and value, so that nothing is trimmed from them and nothing in
// them is taken for a quotation mark, a comment or a header.
var (
	escaper   = strings.NewReplacer(`\`, `\\`, "\n", `\n`)
	unescaper = strings.NewReplacer(`\\`, `\`, `\n`, "\n", `\.`, "")
)

func escape(s string) string {
	return `\.` + escaper.Replace(s) + `\.`
}

func unescape(s string) string {
	if !strings.Contains(s, `\`) {
		return s
	}
	return unescaper.Replace(s)
}
