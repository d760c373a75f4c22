package rpcclient

import (
	"bytes"
	"context"
	"fmt"

	"github.com/kolo/xmlrpc"

	"supervisord/internal/api"
	xmlvalue "supervisord/internal/xmlrpc"
)

// Request is one call within a Multicall.
type Request struct {
	Method string
	Args   []any
	// Result is where the result is stored, as in Call.
	Result any
	// Err is what became of this call: nil or a *api.Fault.
	Err error
}

// multicallEntry is the form in which a call is an argument of multicall.
type multicallEntry struct {
	Method string `xmlrpc:"methodName"`
	Params []any  `xmlrpc:"params"`
}

// Multicall makes several calls in one round trip, in their order, whether or
// not one fails. The error is that of the whole; a daemon that does not know
// the method gives a fault with api.UnknownMethod (manual: XML-RPC API,
// system.multicall).
func (c *Client) Multicall(ctx context.Context, requests ...*Request) error {
	entries := make([]multicallEntry, len(requests))
	for i, r := range requests {
		entries[i] = multicallEntry{r.Method, r.Args}
	}
	body, err := c.roundTrip(ctx, "system.multicall", []any{entries})
	if err != nil {
		return err
	}
	return decodeResults(replaceForbidden(body), requests)
}

// decodeResults stores the results of a multicall.
func decodeResults(body []byte, requests []*Request) error {
	results := make([]any, len(requests))
	for i, r := range requests {
		results[i] = r.Result
	}
	if xmlvalue.UnmarshalArray(body, results) == nil {
		for _, r := range requests {
			r.Err = nil
		}
		return nil
	}
	if err := decode(body, nil); err != nil {
		return err
	}
	values, err := arrayValues(body)
	if err != nil {
		return err
	}
	if len(values) != len(requests) {
		return fmt.Errorf("decode answer: %d results of %d calls", len(values), len(requests))
	}
	for i, r := range requests {
		if r.Err, err = decodeResult(values[i], r.Result); err != nil {
			return fmt.Errorf("decode result of %s: %w", r.Method, err)
		}
	}
	return nil
}

// decodeResult stores one result of a multicall. That of a call that failed is
// a struct, which is returned as the fault. Unlike with other servers, no
// result is wrapped in an array of its own.
func decodeResult(value []byte, result any) (fault, err error) {
	inner := bytes.TrimLeft(bytes.TrimPrefix(value, []byte("<value>")), " \t\r\n")
	if bytes.HasPrefix(inner, []byte("<struct>")) && bytes.Contains(inner, []byte("<name>faultCode</name>")) {
		var f xmlrpc.FaultError
		if err := xmlrpc.Response(value).Unmarshal(&f); err != nil {
			return nil, err
		}
		return &api.Fault{Code: api.FaultCode(f.Code), Text: f.String}, nil
	}
	if result == nil {
		return nil, nil
	}
	return nil, xmlrpc.Response(value).Unmarshal(result)
}
