package python

import (
	"slices"
	"strconv"
	"strings"
)

// Dict maps names to values in the order in which the names first came, like a
// Python dict. A value is a string or an int. The zero Dict is empty and ready
// to use.
type Dict struct {
	names  []string
	values map[string]any
}

// Set gives the name a string value.
func (d *Dict) Set(name, value string) { d.set(name, value) }

// SetInt gives the name an integer value.
func (d *Dict) SetInt(name string, value int) { d.set(name, value) }

// Delete takes the name out of the dict.
func (d *Dict) Delete(name string) {
	if _, found := d.values[name]; found {
		delete(d.values, name)
		d.names = slices.DeleteFunc(d.names, func(n string) bool { return n == name })
	}
}

// Has reports whether the name has a value.
func (d *Dict) Has(name string) bool {
	_, found := d.values[name]
	return found
}

// Names returns the names in order. The caller must not change the slice.
func (d *Dict) Names() []string { return d.names }

func (d *Dict) set(name string, value any) {
	if d.values == nil {
		d.values = make(map[string]any)
	}
	if _, found := d.values[name]; !found {
		d.names = append(d.names, name)
	}
	d.values[name] = value
}

// Scope is a mapping made of several dicts, as if each had updated the ones
// before it: the last one that knows a name decides its value, the first one
// its place.
type Scope []*Dict

// Names returns the names in order, without duplicates.
func (s Scope) Names() []string {
	var names []string
	for i, d := range s {
		for _, name := range d.names {
			if !slices.ContainsFunc(s[:i], func(e *Dict) bool { return e.Has(name) }) {
				names = append(names, name)
			}
		}
	}
	return names
}

func (s Scope) lookup(name string) (any, bool) {
	for _, d := range slices.Backward(s) {
		if v, found := d.values[name]; found {
			return v, true
		}
	}
	return nil, false
}

// repr returns the mapping as Python's repr writes a dict.
func (s Scope) repr(quote func(string) string) string {
	var b strings.Builder
	b.WriteByte('{')
	for i, name := range s.Names() {
		if i > 0 {
			b.WriteString(", ")
		}
		b.WriteString(quote(name))
		b.WriteString(": ")
		switch v, _ := s.lookup(name); v := v.(type) {
		case string:
			b.WriteString(quote(v))
		case int:
			b.WriteString(strconv.Itoa(v))
		}
	}
	b.WriteByte('}')
	return b.String()
}
