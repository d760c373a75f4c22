package testenv

import (
	"reflect"
	"slices"
	"strings"
	"testing"
)

// KnowsFields fails when a struct has a field that is not in the list, or has
// not one that is. The list is of names; those of what another program has to
// go on with stand on the left of a bar, on the right those that follow from
// others or are not set when the state is taken. advice says what to do about a
// field that was added.
func KnowsFields(t *testing.T, value any, list, advice string) {
	t.Helper()
	typ := reflect.TypeOf(value)
	known := strings.Fields(list)
	for i := range typ.NumField() {
		if name := typ.Field(i).Name; !slices.Contains(known, name) {
			t.Errorf("%s.%s is not known: %s, and put it left of the bar here; "+
				"or put it on the right if who goes on has no need of it", typ.Name(), name, advice)
		}
	}
	for _, name := range known {
		if _, ok := typ.FieldByName(name); !ok && name != "|" {
			t.Errorf("%s.%s does not exist", typ.Name(), name)
		}
	}
}
