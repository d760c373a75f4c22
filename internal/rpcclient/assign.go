package rpcclient

import (
	"reflect"

	"github.com/kolo/xmlrpc"

	xmlvalue "supervisord/internal/xmlrpc"
)

// unmarshal stores a value element where result points to. Answers about many
// processes are long, and the library, which can read any XML, takes several
// times as long for them as the scanner that the daemon reads calls with. It
// reads what that one refuses, and has the last word about what does not fit.
func unmarshal(value []byte, result any) error {
	if v, err := xmlvalue.DecodeValue(value); err == nil && assign(reflect.ValueOf(result).Elem(), v) {
		return nil
	}
	return xmlrpc.Response(value).Unmarshal(result)
}

// assign stores a decoded value, and reports whether it fits.
func assign(to reflect.Value, value any) bool {
	switch v := value.(type) {
	case string:
		if to.Kind() != reflect.String {
			return false
		}
		to.SetString(v)
	case int64:
		if !to.CanInt() || to.OverflowInt(v) {
			return false
		}
		to.SetInt(v)
	case bool:
		if to.Kind() != reflect.Bool {
			return false
		}
		to.SetBool(v)
	case []any:
		return assignArray(to, v)
	case map[string]any:
		return assignStruct(to, v)
	default:
		return false
	}
	return true
}

func assignArray(to reflect.Value, list []any) bool {
	if to.Kind() != reflect.Slice {
		return false
	}
	slice := reflect.MakeSlice(to.Type(), len(list), len(list))
	for i, v := range list {
		if !assign(slice.Index(i), v) {
			return false
		}
	}
	to.Set(slice)
	return true
}

// assignStruct stores the members for which there is a field.
func assignStruct(to reflect.Value, members map[string]any) bool {
	if to.Kind() != reflect.Struct {
		return false
	}
	for i := range to.NumField() {
		if v, found := members[to.Type().Field(i).Tag.Get("xmlrpc")]; found && !assign(to.Field(i), v) {
			return false
		}
	}
	return true
}
