package rpc

import "supervisord/internal/api"

// Encoder is what a result is written to: a transport's half of the work. The
// values of an array stand between BeginArray and EndArray, those of a struct
// between BeginStruct and EndStruct, each after the name of its member.
type Encoder interface {
	Bool(bool)
	Int(int64)
	Double(float64)
	String(string)
	Text([]byte) // a string that need not be UTF-8
	BeginArray()
	EndArray()
	BeginStruct()
	Member(name string)
	EndStruct()
}

// Result is what a method returned. It is written as often as Encode is called
// and never changes, until it is released.
type Result interface {
	Encode(e Encoder)
}

// Release gives the memory of a result, which must not be used any more, to later
// calls. It may be left out.
func Release(r Result) {
	if r, ok := r.(interface{ release() }); ok {
		r.release()
	}
}

// The results that are single values.
type (
	boolResult   bool
	intResult    int
	stringResult string
	textResult   []byte
)

func (v boolResult) Encode(e Encoder)   { e.Bool(bool(v)) }
func (v intResult) Encode(e Encoder)    { e.Int(int64(v)) }
func (v stringResult) Encode(e Encoder) { e.String(string(v)) }
func (v textResult) Encode(e Encoder)   { e.Text(v) }

// arrayResult is an array of results.
type arrayResult []Result

func (v arrayResult) Encode(e Encoder) {
	e.BeginArray()
	for _, r := range v {
		r.Encode(e)
	}
	e.EndArray()
}

// namesResult is an array of strings.
type namesResult []string

func (v namesResult) Encode(e Encoder) {
	e.BeginArray()
	for _, name := range v {
		e.String(name)
	}
	e.EndArray()
}

// moodResult is what getState returns.
type moodResult api.Mood

func (v moodResult) Encode(e Encoder) {
	e.BeginStruct()
	e.Member("statecode")
	e.Int(int64(v))
	e.Member("statename")
	e.String(api.Mood(v).String())
	e.EndStruct()
}

// faultResult is a fault as an element of what system.multicall returns.
type faultResult struct{ *api.Fault }

func (v faultResult) Encode(e Encoder) {
	e.BeginStruct()
	e.Member("faultCode")
	e.Int(int64(v.Code))
	e.Member("faultString")
	e.String(v.Text)
	e.EndStruct()
}

// statusResult is what the methods for many processes return.
type statusResult []api.ProcessStatus

func (v statusResult) Encode(e Encoder) {
	e.BeginArray()
	for i := range v {
		s := &v[i]
		e.BeginStruct()
		e.Member("name")
		e.String(s.Name)
		e.Member("group")
		e.String(s.Group)
		e.Member("status")
		e.Int(int64(s.Status))
		e.Member("description")
		e.String(s.Description)
		e.EndStruct()
	}
	e.EndArray()
}

// tailResult is what the methods that tail a log return.
type tailResult struct {
	data     []byte
	offset   int64
	overflow bool
}

func (v tailResult) Encode(e Encoder) {
	e.BeginArray()
	e.Text(v.data)
	e.Int(v.offset)
	e.Bool(v.overflow)
	e.EndArray()
}

// size estimates how many bytes of memory a result takes on its way out.
func size(r Result) int {
	const scalar, process, configuration = 100, 1500, 4000
	switch r := r.(type) {
	case stringResult:
		return scalar + len(r)
	case textResult:
		return scalar + len(r)
	case tailResult:
		return scalar + len(r.data)
	case namesResult:
		return scalar * len(r)
	case statusResult:
		return process * len(r)
	case processResult:
		return process
	case *processesResult:
		return process * len(*r)
	case changesResult:
		return configuration * len(r)
	case configsResult:
		return configuration * len(r)
	}
	return scalar
}

// Answer returns the result of a method that waited: what became of each
// process if it is one that returns a list, otherwise true.
func Answer(list bool, outcomes []api.ProcessStatus) Result {
	if list {
		return statusResult(outcomes)
	}
	return boolResult(true)
}
