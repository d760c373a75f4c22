package api

import "slices"

// EventTypes lists every event type that a listener can subscribe to, in
// alphabetical order (manual: Events, event types).
var EventTypes = []string{
	"EVENT",
	"PROCESS_COMMUNICATION",
	"PROCESS_COMMUNICATION_STDERR",
	"PROCESS_COMMUNICATION_STDOUT",
	"PROCESS_GROUP",
	"PROCESS_GROUP_ADDED",
	"PROCESS_GROUP_REMOVED",
	"PROCESS_LOG",
	"PROCESS_LOG_STDERR",
	"PROCESS_LOG_STDOUT",
	"PROCESS_STATE",
	"PROCESS_STATE_BACKOFF",
	"PROCESS_STATE_EXITED",
	"PROCESS_STATE_FATAL",
	"PROCESS_STATE_RUNNING",
	"PROCESS_STATE_STARTING",
	"PROCESS_STATE_STOPPED",
	"PROCESS_STATE_STOPPING",
	"PROCESS_STATE_UNKNOWN",
	"PROCESS_UNHEALTHY", // an addition
	"REMOTE_COMMUNICATION",
	"SUPERVISOR_STATE_CHANGE",
	"SUPERVISOR_STATE_CHANGE_RUNNING",
	"SUPERVISOR_STATE_CHANGE_STOPPING",
	"TICK",
	"TICK_3600",
	"TICK_5",
	"TICK_60",
}

// IsEventType reports whether a listener can subscribe to events of this name.
func IsEventType(name string) bool {
	_, found := slices.BinarySearch(EventTypes, name)
	return found
}
