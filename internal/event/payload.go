package event

import (
	"strconv"
	"unicode/utf8"

	"supervisord/internal/api"
	"supervisord/internal/python"
)

// StateType returns the type of the event that announces a state.
func StateType(s api.ProcessState) Type {
	switch s {
	case api.Stopped:
		return ProcessStateStopped
	case api.Starting:
		return ProcessStateStarting
	case api.Running:
		return ProcessStateRunning
	case api.Backoff:
		return ProcessStateBackoff
	case api.Stopping:
		return ProcessStateStopping
	case api.Exited:
		return ProcessStateExited
	case api.Fatal:
		return ProcessStateFatal
	case api.Unknown:
		return ProcessStateUnknown
	}
	return ProcessState
}

// StateChange is what the payload of a PROCESS_STATE event tells.
type StateChange struct {
	Group, Process string
	From, To       api.ProcessState
	PID            int
	Tries          int  // of the STARTING and BACKOFF events
	Expected       bool // of the EXITED event
}

// Payload returns the payload of the event (manual: Events, PROCESS_STATE
// event types).
func (c StateChange) Payload() string {
	b := make([]byte, 0, 96)
	b = append(b, "processname:"...)
	b = append(b, c.Process...)
	b = append(b, " groupname:"...)
	b = append(b, c.Group...)
	b = append(b, " from_state:"...)
	b = append(b, c.From.String()...)
	switch c.To {
	case api.Starting, api.Backoff:
		b = append(b, " tries:"...)
		b = strconv.AppendInt(b, int64(c.Tries), 10)
	case api.Exited:
		if c.Expected {
			b = append(b, " expected:1"...)
		} else {
			b = append(b, " expected:0"...)
		}
		b = appendPID(b, c.PID)
	case api.Running, api.Stopping, api.Stopped:
		b = appendPID(b, c.PID)
	}
	return string(b)
}

func appendPID(b []byte, pid int) []byte {
	b = append(b, " pid:"...)
	return strconv.AppendInt(b, int64(pid), 10)
}

// Output is what the payload of a PROCESS_LOG or PROCESS_COMMUNICATION event
// tells.
type Output struct {
	Group, Process string
	PID            int
	Channel        api.Channel
	Data           []byte
}

// LogType returns the type of the PROCESS_LOG event of a channel.
func LogType(c api.Channel) Type {
	if c == api.Stderr {
		return ProcessLogStderr
	}
	return ProcessLogStdout
}

// CommunicationType returns the type of the PROCESS_COMMUNICATION event of a
// channel.
func CommunicationType(c api.Channel) Type {
	if c == api.Stderr {
		return ProcessCommunicationStderr
	}
	return ProcessCommunicationStdout
}

// LogPayload returns the payload of a PROCESS_LOG event.
func (o Output) LogPayload() string {
	b := o.header()
	b = append(b, " channel:"...)
	b = append(b, o.Channel.String()...)
	b = append(b, '\n')
	return string(appendText(b, o.Data))
}

// CommunicationPayload returns the payload of a PROCESS_COMMUNICATION event.
func (o Output) CommunicationPayload() string {
	return string(appendText(append(o.header(), '\n'), o.Data))
}

func (o Output) header() []byte {
	b := make([]byte, 0, 96+len(o.Data))
	b = append(b, "processname:"...)
	b = append(b, o.Process...)
	b = append(b, " groupname:"...)
	b = append(b, o.Group...)
	return appendPID(b, o.PID)
}

// appendText appends output to a payload. A payload is text: what is not UTF-8
// is shown in the form of a Python bytes literal.
func appendText(b, data []byte) []byte {
	if utf8.Valid(data) {
		return append(b, data...)
	}
	b = append(b, "Undecodable: "...)
	return append(b, python.ReprBytes(data)...)
}

// Text returns output as it stands in messages: what is not UTF-8 is shown in
// the form of a Python bytes literal.
func Text(data []byte) string { return string(appendText(nil, data)) }

// RemotePayload returns the payload of a REMOTE_COMMUNICATION event.
func RemotePayload(kind, data string) string { return "type:" + kind + "\n" + data }

// GroupPayload returns the payload of a PROCESS_GROUP event.
func GroupPayload(group string) string { return "groupname:" + group + "\n" }

// TickPayload returns the payload of a TICK event; when is in seconds since
// the epoch.
func TickPayload(when int64) string { return "when:" + strconv.FormatInt(when, 10) }

// Header is the line that goes before a payload to a listener.
type Header struct {
	Server     string // the identifier of the supervisord
	Serial     uint64
	Pool       string
	PoolSerial uint64
	Type       Type
	// CountBytes makes len the number of bytes of the payload instead of the
	// number of characters.
	CountBytes bool
}

// Envelope returns header and payload as a listener gets them.
func (h Header) Envelope(payload string) []byte {
	n := len(payload)
	if !h.CountBytes {
		n = utf8.RuneCountInString(payload)
	}
	b := make([]byte, 0, 128+len(payload))
	b = append(b, "ver:3.0 server:"...)
	b = append(b, h.Server...)
	b = append(b, " serial:"...)
	b = strconv.AppendUint(b, h.Serial, 10)
	b = append(b, " pool:"...)
	b = append(b, h.Pool...)
	b = append(b, " poolserial:"...)
	b = strconv.AppendUint(b, h.PoolSerial, 10)
	b = append(b, " eventname:"...)
	b = append(b, h.Type.String()...)
	b = append(b, " len:"...)
	b = strconv.AppendInt(b, int64(n), 10)
	b = append(b, '\n')
	return append(b, payload...)
}

// Unhealthy describes a process that is restarted because its health checks
// fail.
type Unhealthy struct {
	Group, Process string
	PID            int
	Failures       int // in a row
	Reason         string
}

// Payload returns the text that listeners get: the reason stands behind the
// first line, like the data of other events.
func (u Unhealthy) Payload() string {
	return "processname:" + u.Process + " groupname:" + u.Group + " pid:" + strconv.Itoa(u.PID) +
		" failures:" + strconv.Itoa(u.Failures) + "\n" + u.Reason
}
