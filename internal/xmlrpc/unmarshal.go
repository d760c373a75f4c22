package xmlrpc

import (
	"bytes"
	"reflect"
	"strconv"
)

// Unmarshal stores the value of a methodResponse where result points to, member
// by member in the fields of structs that have its name as their tag "xmlrpc".
// Members without a field are passed over.
//
// It takes only what is written as this package and Python's write it, has a
// type that fits, and is no fault. For everything else, which may be good
// nevertheless, it returns an error and leaves result alone. The text must be
// UTF-8.
func Unmarshal(response []byte, result any) error {
	return unmarshal(response, nil, []any{result}, nil)
}

// UnmarshalArray is Unmarshal for an array whose elements go to one of results
// each, as those that system.multicall returns. It refuses an array that holds
// the fault of a call.
func UnmarshalArray(response []byte, results []any) error {
	return unmarshal(response, []string{"<value>", "<array>", "<data>"}, results, []string{"</data>", "</array>", "</value>"})
}

// unmarshal stores the values that stand between the tags start and end.
func unmarshal(response []byte, start []string, results []any, end []string) error {
	r := reader{scanner: *newScanner(response), names: make(map[reflect.Type][]string)}
	ok := r.tags("<methodResponse>", "<params>", "<param>") && r.tags(start...)
	values := make([]reflect.Value, len(results))
	for i, result := range results {
		if !ok || result == nil {
			return errUnusual
		}
		values[i] = reflect.New(reflect.TypeOf(result).Elem()).Elem()
		ok = r.value(values[i])
	}
	ok = ok && r.tags(end...) && r.tags("</param>", "</params>", "</methodResponse>")
	if r.space(); !ok || len(r.text) > 0 {
		return errUnusual
	}
	for i, result := range results {
		reflect.ValueOf(result).Elem().Set(values[i])
	}
	return nil
}

// reader stores values while it reads them, with nothing in between. Its methods
// return false for what is left to others. What it takes it reads as
// github.com/kolo/xmlrpc does, down to members that come twice: text that is
// empty does not replace what was there, and an array replaces no other.
type reader struct {
	scanner
	names map[reflect.Type][]string // of the members that go to the fields of a struct
}

// space passes over white space.
func (r *reader) space() {
	for len(r.text) > 0 && (r.text[0] == '\n' || r.text[0] == ' ' || r.text[0] == '\t') {
		r.text = r.text[1:]
	}
}

// tag reads a tag, and white space before it.
func (r *reader) tag(tag string) bool {
	r.space()
	return r.literal(tag)
}

// tags reads several tags.
func (r *reader) tags(tags ...string) bool {
	for _, tag := range tags {
		if !r.tag(tag) {
			return false
		}
	}
	return true
}

// literal reads exactly that.
func (r *reader) literal(text string) bool {
	if len(r.text) < len(text) || string(r.text[:len(text)]) != text {
		return false
	}
	r.text = r.text[len(text):]
	return true
}

// value reads a value element.
func (r *reader) value(to reflect.Value) bool {
	if to.Kind() == reflect.Pointer {
		if to.IsNil() {
			to.Set(reflect.New(to.Type().Elem()))
		}
		to = to.Elem()
	}
	if !r.tag("<value>") {
		return false
	}
	r.space()
	ok := false
	switch {
	case r.literal("<string>"):
		ok = r.string(to) && r.literal("</string>")
	case r.literal("<int>"):
		ok = r.int(to) && r.literal("</int>")
	case r.literal("<struct>"):
		ok = r.structure(to) && r.tag("</struct>")
	case r.literal("<array>"):
		ok = r.tag("<data>") && r.array(to) && r.tags("</data>", "</array>")
	case r.literal("<boolean>"):
		ok = r.bool(to) && r.literal("</boolean>")
	case r.literal("<i8>"):
		ok = r.int(to) && r.literal("</i8>")
	}
	return ok && r.tag("</value>")
}

func (r *reader) string(to reflect.Value) bool {
	text, ok := r.characters()
	if !ok || to.Kind() != reflect.String {
		return false
	}
	if len(text) > 0 {
		to.SetString(string(text))
	}
	return true
}

func (r *reader) int(to reflect.Value) bool {
	text, ok := r.characters()
	if !ok || !to.CanInt() {
		return false
	}
	n, err := strconv.ParseInt(string(text), 10, to.Type().Bits())
	to.SetInt(n)
	return err == nil
}

func (r *reader) bool(to reflect.Value) bool {
	if to.Kind() != reflect.Bool {
		return false
	}
	to.SetBool(r.literal("1"))
	return to.Bool() || r.literal("0")
}

// array reads the values of an array.
func (r *reader) array(to reflect.Value) bool {
	if to.Kind() != reflect.Slice || to.Len() > 0 {
		return false
	}
	for n := 0; ; n++ {
		if r.space(); bytes.HasPrefix(r.text, []byte("</")) {
			return true
		}
		if n == to.Cap() {
			to.Grow(max(n, 1)) // append would copy long ones more often
		}
		to.SetLen(n + 1)
		if !r.value(to.Index(n)) {
			return false
		}
	}
}

// structure reads the members of a struct. They are expected in the order of the
// fields: the search for one begins behind the last one that was found.
func (r *reader) structure(to reflect.Value) bool {
	if to.Kind() != reflect.Struct {
		return false
	}
	names := r.namesOf(to.Type())
	next := 0
	for r.tag("<member>") {
		if !r.tag("<name>") {
			return false
		}
		name, ok := r.characters()
		if !ok || len(name) == 0 || !r.literal("</name>") {
			return false
		}
		if i := find(names, name, next); i >= 0 {
			ok = r.value(to.Field(i))
			next = i + 1
		} else {
			// A fault of a call within a multicall is a struct like others.
			ok = string(name) != "faultCode" && r.skip()
		}
		if !ok || !r.tag("</member>") {
			return false
		}
	}
	return true
}

// namesOf returns the names of the members that go to the fields of a struct, in
// the order of the fields. They are looked up once for each type.
func (r *reader) namesOf(t reflect.Type) []string {
	names, found := r.names[t]
	if !found {
		for i := range t.NumField() {
			names = append(names, t.Field(i).Tag.Get("xmlrpc"))
		}
		r.names[t] = names
	}
	return names
}

// find returns the index of a name, which is looked for from the one at first on,
// or -1.
func find(names []string, name []byte, first int) int {
	for i := first; i < len(names); i++ {
		if names[i] == string(name) {
			return i
		}
	}
	for i := range first {
		if names[i] == string(name) {
			return i
		}
	}
	return -1
}

// skip passes over an element, whatever is in it.
func (r *reader) skip() bool {
	r.space()
	for {
		if _, err := r.next(); err != nil {
			return false
		}
		if len(r.open) == 0 {
			return true
		}
	}
}
