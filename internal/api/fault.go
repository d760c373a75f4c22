package api

import "strconv"

// FaultCode is the code of an XML-RPC fault (manual: XML-RPC API, faults).
type FaultCode int

// The fault codes of the supervisor namespace, and of the status member of
// the structs that the "all" methods return.
const (
	UnknownMethod        FaultCode = 1
	IncorrectParameters  FaultCode = 2
	BadArguments         FaultCode = 3
	SignatureUnsupported FaultCode = 4
	ShutdownState        FaultCode = 6
	BadName              FaultCode = 10
	BadSignal            FaultCode = 11
	NoFile               FaultCode = 20
	NotExecutable        FaultCode = 21
	Failed               FaultCode = 30
	AbnormalTermination  FaultCode = 40
	SpawnError           FaultCode = 50
	AlreadyStarted       FaultCode = 60
	NotRunning           FaultCode = 70
	Success              FaultCode = 80
	AlreadyAdded         FaultCode = 90
	StillRunning         FaultCode = 91
	CantReread           FaultCode = 92
)

// String returns the name of the fault as it starts the fault string, for
// example "BAD_NAME".
func (c FaultCode) String() string {
	switch c {
	case UnknownMethod:
		return "UNKNOWN_METHOD"
	case IncorrectParameters:
		return "INCORRECT_PARAMETERS"
	case BadArguments:
		return "BAD_ARGUMENTS"
	case SignatureUnsupported:
		return "SIGNATURE_UNSUPPORTED"
	case ShutdownState:
		return "SHUTDOWN_STATE"
	case BadName:
		return "BAD_NAME"
	case BadSignal:
		return "BAD_SIGNAL"
	case NoFile:
		return "NO_FILE"
	case NotExecutable:
		return "NOT_EXECUTABLE"
	case Failed:
		return "FAILED"
	case AbnormalTermination:
		return "ABNORMAL_TERMINATION"
	case SpawnError:
		return "SPAWN_ERROR"
	case AlreadyStarted:
		return "ALREADY_STARTED"
	case NotRunning:
		return "NOT_RUNNING"
	case Success:
		return "SUCCESS"
	case AlreadyAdded:
		return "ALREADY_ADDED"
	case StillRunning:
		return "STILL_RUNNING"
	case CantReread:
		return "CANT_REREAD"
	}
	return "FAULT_" + strconv.Itoa(int(c))
}

// Fault is an error that an RPC client sees as a fault.
type Fault struct {
	Code FaultCode
	// Text is the whole fault string: the name of the code, followed by ": "
	// and a detail where there is one.
	Text string
}

// NewFault returns the fault with the given code and, if there is one, detail.
// A detail is part of the text even if it is empty, as the name of a process in
// a request may be.
func NewFault(code FaultCode, detail ...string) *Fault {
	text := code.String()
	for _, d := range detail {
		text += ": " + d
	}
	return &Fault{code, text}
}

// Error returns the fault string.
func (f *Fault) Error() string { return f.Text }
