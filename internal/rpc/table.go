package rpc

import (
	"context"
	"errors"
	"slices"
	"strings"

	"supervisord/internal/api"
)

// APIVersion is the version of the interface, which getAPIVersion returns.
const APIVersion = "3.0"

// Table is the table of methods. It is safe for use by any goroutine.
type Table struct {
	sup     Supervisor
	version string
	methods map[string]*Method
	names   []string // sorted
}

// NewTable returns the table of the methods that act on a Supervisor. version is
// what getSupervisorVersion returns. namespaces are the names under which the
// methods of the supervisor namespace are offered, usually just "supervisor":
// those of the [rpcinterface:x] sections.
func NewTable(sup Supervisor, version string, namespaces []string) *Table {
	t := &Table{sup: sup, version: version, methods: make(map[string]*Method)}
	for _, list := range [][]Method{stateMethods, groupMethods, startMethods, signalMethods, infoMethods, logMethods, rotateMethods, diffMethods, upgradeMethods, systemMethods()} {
		for i := range list {
			m := &list[i]
			for _, name := range append([]string{m.Name}, m.Aliases...) {
				t.add(name, m, namespaces)
			}
		}
	}
	slices.Sort(t.names)
	return t
}

// add adds a method under its name, which a method of the supervisor namespace
// has in each of the namespaces.
func (t *Table) add(name string, m *Method, namespaces []string) {
	names := []string{name}
	if method, ok := strings.CutPrefix(name, "supervisor."); ok {
		names = names[:0]
		for _, space := range namespaces {
			names = append(names, space+"."+method)
		}
	}
	for _, name := range names {
		if t.methods[name] == nil {
			t.methods[name] = m
			t.names = append(t.names, name)
		}
	}
}

// Names returns the names of all methods, aliases included, sorted.
func (t *Table) Names() []string { return t.names }

// Method returns the method of that name, or nil.
func (t *Table) Method(name string) *Method { return t.methods[name] }

// Call calls a method. The parameters are of the types int64, bool, string,
// float64, time.Time, []any, map[string]any, or nil. The error is a *api.Fault,
// or ctx's error if it ended while a method waited; the end of ctx does not
// keep methods that do not wait from returning.
func (t *Table) Call(ctx context.Context, name string, params []any) (Result, error) {
	m := t.methods[name]
	if m == nil {
		return nil, api.NewFault(api.UnknownMethod)
	}
	if len(params) < m.required() || len(params) > len(m.Params) {
		return nil, incorrect()
	}
	if !m.anyMood && t.sup.Mood() < api.MoodRunning {
		return nil, api.NewFault(api.ShutdownState)
	}
	a := arguments(params)
	if !m.mayWait(a) {
		ctx = context.WithoutCancel(ctx)
	}
	result, err := m.call(ctx, t, a)
	if err == nil {
		return result, nil
	}
	if _, ok := errors.AsType[*api.Fault](err); ok || ctx.Err() != nil {
		return nil, err
	}
	return nil, api.NewFault(api.Failed, err.Error())
}

// Waits reports whether a call may take as long as a process takes.
func (t *Table) Waits(name string, params []any) bool {
	m := t.methods[name]
	return m != nil && m.mayWait(arguments(params))
}

// Method describes a method, for clients and for people.
type Method struct {
	// Name is the full name; Aliases are others that mean the same.
	Name    string
	Aliases []string
	// About says what the method does, in one or more paragraphs.
	About   string
	Params  []Param
	Returns Value
	// Faults are the codes of the faults by which the method may fail, besides
	// INCORRECT_PARAMETERS and SHUTDOWN_STATE.
	Faults []api.FaultCode

	// waits tells that the method may take as long as a process takes, unless
	// its last parameter says otherwise, and anyMood that it is served during a
	// shutdown.
	waits   bool
	anyMood bool
	call    func(ctx context.Context, t *Table, a arguments) (Result, error)
}

// Param describes a parameter.
type Param struct {
	Type, Name string
	About      string
	// Default is the value of a parameter that may be left out.
	Default string
}

// Value describes what a method returns.
type Value struct {
	Type  string
	About string
}

// required returns how many parameters may not be left out.
func (m *Method) required() int {
	n := 0
	for _, p := range m.Params {
		if p.Default == "" {
			n++
		}
	}
	return n
}

// mayWait reports whether a call with these arguments may have to wait.
func (m *Method) mayWait(a arguments) bool {
	return m.waits && a.truth(len(m.Params)-1, true)
}

// Signature returns the type of the result, then those of the parameters.
func (m *Method) Signature() []string {
	types := []string{m.Returns.Type}
	for _, p := range m.Params {
		types = append(types, p.Type)
	}
	return types
}

// Help returns the description of the method for clients, with the parameters
// and the result as tags, of which methodSignature is the short form.
func (m *Method) Help() string {
	var b strings.Builder
	b.WriteString(m.About)
	b.WriteString("\n\n")
	for _, p := range m.Params {
		b.WriteString("@param " + p.Type + " " + p.Name + " " + p.About + "\n")
	}
	b.WriteString("@return " + m.Returns.Type + " result " + m.Returns.About + "\n")
	return b.String()
}
