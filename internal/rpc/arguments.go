package rpc

import (
	"math"
	"strconv"

	"supervisord/internal/api"
	"supervisord/internal/python"
)

// arguments are the values that a client passed. Clients are sloppy about
// types, so they are converted as the original's language converts them: a
// number may be sent as a string, a truth as anything. Where no conversion is
// possible the fault is INCORRECT_PARAMETERS.
type arguments []any

// incorrect is the fault for a wrong number of arguments, or for one of a type
// that cannot be converted.
func incorrect(detail ...string) *api.Fault {
	return api.NewFault(api.IncorrectParameters, detail...)
}

// process returns the argument that names a process or a group of processes.
func (a arguments) process(i int) (string, error) {
	if s, ok := a[i].(string); ok {
		return s, nil
	}
	return "", incorrect()
}

// one returns the argument that names one process, and refuses a whole group.
func (a arguments) one(i int) (string, error) {
	name, err := a.process(i)
	if err != nil {
		return "", err
	}
	if _, _, all := api.SplitNamespec(name); all {
		return "", api.NewFault(api.BadName, name)
	}
	return name, nil
}

// group returns the argument that names a group. A number is the name of none.
func (a arguments) group(i int) (string, error) {
	if s, ok := a[i].(string); ok {
		return s, nil
	}
	if a[i] == nil {
		return "", api.NewFault(api.BadName)
	}
	if s, ok := scalarText(a[i]); ok {
		return "", api.NewFault(api.BadName, s)
	}
	return "", incorrect()
}

// text returns an argument as a string, whatever simple type it has.
func (a arguments) text(i int) (string, error) {
	if s, ok := a[i].(string); ok {
		return s, nil
	}
	if a[i] == nil {
		return "None", nil
	}
	if s, ok := scalarText(a[i]); ok {
		return s, nil
	}
	return "", incorrect()
}

// truth returns an argument as a boolean, or the default if it was left out.
func (a arguments) truth(i int, value bool) bool {
	if i >= len(a) {
		return value
	}
	switch v := a[i].(type) {
	case bool:
		return v
	case int64:
		return v != 0
	case float64:
		return v != 0
	case string:
		return v != ""
	case []any:
		return len(v) > 0
	case map[string]any:
		return len(v) > 0
	case nil:
		return false
	}
	return true
}

// integer returns an argument as a whole number.
func (a arguments) integer(i int) (int64, error) {
	switch v := a[i].(type) {
	case int64:
		return v, nil
	case bool:
		if v {
			return 1, nil
		}
		return 0, nil
	case float64:
		if v > -(1<<63) && v < 1<<63 {
			return int64(math.Trunc(v)), nil
		}
	case string:
		if n, err := python.Int(v, 10); err == nil {
			return n, nil
		}
	}
	return 0, incorrect()
}

// signal returns the argument that names a signal. A number is passed on as
// its digits.
func (a arguments) signal(i int) (string, error) {
	if s, ok := a[i].(string); ok {
		return s, nil
	}
	n, err := a.integer(i)
	if err != nil {
		return "", err
	}
	return strconv.FormatInt(n, 10), nil
}

// scalarText returns a number or boolean as the original writes it. ok is false
// for other types.
func scalarText(v any) (s string, ok bool) {
	switch v := v.(type) {
	case bool:
		if v {
			return "True", true
		}
		return "False", true
	case int64:
		return strconv.FormatInt(v, 10), true
	case float64:
		return python.FloatRepr(v), true
	}
	return "", false
}
