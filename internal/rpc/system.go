package rpc

import (
	"context"
	"errors"

	"supervisord/internal/api"
)

const (
	// maxCalls is how many calls one system.multicall may hold.
	maxCalls = 10000
	// maxResults is about how many bytes the results of one system.multicall
	// may take. Calls that follow fail.
	maxResults = 64 << 20
)

// systemMethods returns the methods of the system namespace. They are made by a
// function because they refer to the table that they are part of.
func systemMethods() []Method {
	methodParam := Param{Type: "string", Name: "name", About: "the full name of a method"}
	return []Method{{
		Name: "system.listMethods", anyMood: true,
		About:   "List the methods, aliases included.",
		Returns: Value{"array", "the full names of all methods, sorted"},
		call: func(_ context.Context, t *Table, _ arguments) (Result, error) {
			return namesResult(t.names), nil
		},
	}, {
		Name: "system.methodHelp", anyMood: true,
		About: "Describe a method. The text ends with a line for each parameter and one for the result,\n" +
			"which name their types.",
		Params:  []Param{methodParam},
		Returns: Value{"string", "the description"},
		Faults:  []api.FaultCode{api.SignatureUnsupported},
		call: func(_ context.Context, t *Table, a arguments) (Result, error) {
			m, err := t.lookup(a)
			if err != nil {
				return nil, err
			}
			return stringResult(m.Help()), nil
		},
	}, {
		Name: "system.methodSignature", anyMood: true,
		About:   "Tell the types of a method's result and parameters.",
		Params:  []Param{methodParam},
		Returns: Value{"array", "the type of the result, then those of the parameters"},
		Faults:  []api.FaultCode{api.SignatureUnsupported},
		call: func(_ context.Context, t *Table, a arguments) (Result, error) {
			m, err := t.lookup(a)
			if err != nil {
				return nil, err
			}
			return namesResult(m.Signature()), nil
		},
	}, {
		Name: "system.multicall", anyMood: true, waits: true,
		About: "Make several calls, one after the other, also where one fails. A call that waits holds\n" +
			"up those that follow.",
		Params:  []Param{{Type: "array", Name: "calls", About: "structs with the members string methodName and array params"}},
		Returns: Value{"array", "the results; for a call that failed a struct with the members int faultCode and string faultString"},
		call: func(ctx context.Context, t *Table, a arguments) (Result, error) {
			return t.multicall(ctx, a)
		},
	}}
}

// lookup returns the method that the first argument names.
func (t *Table) lookup(a arguments) (*Method, error) {
	name, _ := a[0].(string)
	if m := t.methods[name]; m != nil {
		return m, nil
	}
	return nil, api.NewFault(api.SignatureUnsupported)
}

func (t *Table) multicall(ctx context.Context, a arguments) (Result, error) {
	calls, ok := a[0].([]any)
	if !ok || len(calls) > maxCalls {
		return nil, incorrect()
	}
	// The answer to one of them is not the answer.
	ctx = api.WithTicket(ctx, nil)
	results := make(arrayResult, 0, len(calls))
	total := 0
	for _, c := range calls {
		call, ok := c.(map[string]any)
		if !ok {
			return nil, incorrect()
		}
		var result Result
		var err error
		if total > maxResults {
			err = api.NewFault(api.Failed, "the results of this system.multicall are too large")
		} else {
			result, err = t.callOne(ctx, call)
		}
		if err != nil {
			f, ok := errors.AsType[*api.Fault](err)
			if !ok {
				return nil, err
			}
			result = faultResult{f}
		}
		results = append(results, result)
		total += size(result)
	}
	return results, nil
}

// callOne makes one of the calls of a system.multicall.
func (t *Table) callOne(ctx context.Context, call map[string]any) (Result, error) {
	name := call["methodName"]
	if name == nil {
		return nil, incorrect("No methodName")
	}
	if name == "system.multicall" {
		return nil, incorrect("Recursive system.multicall forbidden")
	}
	method, ok := name.(string)
	if !ok {
		return nil, incorrect()
	}
	params, given := call["params"]
	list, ok := params.([]any)
	if given && !ok {
		return nil, incorrect()
	}
	return t.Call(ctx, method, list)
}
