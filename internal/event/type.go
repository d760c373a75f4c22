// Package event holds Supervisor's event types, the text of their payloads and
// headers, and the protocol by which event listeners answer (manual: Events).
// It is pure: it keeps no queues and does no input or output.
package event

// Type is an event type. Types form a hierarchy: subscribing to a type means
// subscribing to everything below it.
type Type uint8

// The event types. Those marked abstract are never sent themselves.
const (
	Event        Type = iota // EVENT, abstract
	ProcessState             // PROCESS_STATE, abstract
	ProcessStateStopped
	ProcessStateExited
	ProcessStateStarting
	ProcessStateStopping
	ProcessStateBackoff
	ProcessStateFatal
	ProcessStateRunning
	ProcessStateUnknown
	ProcessCommunication // PROCESS_COMMUNICATION, abstract
	ProcessCommunicationStdout
	ProcessCommunicationStderr
	ProcessLog // PROCESS_LOG, abstract
	ProcessLogStdout
	ProcessLogStderr
	RemoteCommunication
	SupervisorStateChange // SUPERVISOR_STATE_CHANGE, abstract
	SupervisorStateChangeRunning
	SupervisorStateChangeStopping
	Tick // TICK, abstract
	Tick5
	Tick60
	Tick3600
	ProcessGroup // PROCESS_GROUP, abstract
	ProcessGroupAdded
	ProcessGroupRemoved
	ProcessUnhealthy // an addition, and not below EVENT: nobody hears of it who does not ask for it

	// NumTypes is the number of event types.
	NumTypes
)

// types gives each type its name and the type above it.
var types = [NumTypes]struct {
	name   string
	parent Type
}{
	Event:                         {"EVENT", Event},
	ProcessState:                  {"PROCESS_STATE", Event},
	ProcessStateStopped:           {"PROCESS_STATE_STOPPED", ProcessState},
	ProcessStateExited:            {"PROCESS_STATE_EXITED", ProcessState},
	ProcessStateStarting:          {"PROCESS_STATE_STARTING", ProcessState},
	ProcessStateStopping:          {"PROCESS_STATE_STOPPING", ProcessState},
	ProcessStateBackoff:           {"PROCESS_STATE_BACKOFF", ProcessState},
	ProcessStateFatal:             {"PROCESS_STATE_FATAL", ProcessState},
	ProcessStateRunning:           {"PROCESS_STATE_RUNNING", ProcessState},
	ProcessStateUnknown:           {"PROCESS_STATE_UNKNOWN", ProcessState},
	ProcessCommunication:          {"PROCESS_COMMUNICATION", Event},
	ProcessCommunicationStdout:    {"PROCESS_COMMUNICATION_STDOUT", ProcessCommunication},
	ProcessCommunicationStderr:    {"PROCESS_COMMUNICATION_STDERR", ProcessCommunication},
	ProcessLog:                    {"PROCESS_LOG", Event},
	ProcessLogStdout:              {"PROCESS_LOG_STDOUT", ProcessLog},
	ProcessLogStderr:              {"PROCESS_LOG_STDERR", ProcessLog},
	RemoteCommunication:           {"REMOTE_COMMUNICATION", Event},
	SupervisorStateChange:         {"SUPERVISOR_STATE_CHANGE", Event},
	SupervisorStateChangeRunning:  {"SUPERVISOR_STATE_CHANGE_RUNNING", SupervisorStateChange},
	SupervisorStateChangeStopping: {"SUPERVISOR_STATE_CHANGE_STOPPING", SupervisorStateChange},
	Tick:                          {"TICK", Event},
	Tick5:                         {"TICK_5", Tick},
	Tick60:                        {"TICK_60", Tick},
	Tick3600:                      {"TICK_3600", Tick},
	ProcessGroup:                  {"PROCESS_GROUP", Event},
	ProcessGroupAdded:             {"PROCESS_GROUP_ADDED", ProcessGroup},
	ProcessGroupRemoved:           {"PROCESS_GROUP_REMOVED", ProcessGroup},
	ProcessUnhealthy:              {"PROCESS_UNHEALTHY", ProcessUnhealthy},
}

// ParseType returns the type with the given name, in capitals.
func ParseType(name string) (Type, bool) {
	for t := range types {
		if types[t].name == name {
			return Type(t), true
		}
	}
	return 0, false
}

// String returns the name of the type, for example "PROCESS_STATE_RUNNING".
func (t Type) String() string {
	if t >= NumTypes {
		return ""
	}
	return types[t].name
}

// Is reports whether t is ancestor or stands below it in the hierarchy.
func (t Type) Is(ancestor Type) bool {
	for t != ancestor {
		parent := types[t].parent
		if parent == t {
			return false
		}
		t = parent
	}
	return true
}

// Set is a set of event types.
type Set uint32

// Subscribe adds a type and everything below it.
func (s *Set) Subscribe(ancestor Type) {
	for t := Type(0); t < NumTypes; t++ {
		if t.Is(ancestor) {
			*s |= 1 << t
		}
	}
}

// Has reports whether t is in the set.
func (s Set) Has(t Type) bool { return s&(1<<t) != 0 }

// Union returns the types that are in either set.
func (s Set) Union(o Set) Set { return s | o }
