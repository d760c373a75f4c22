package event

import (
	"testing"

	"supervisord/internal/api"
)

func TestStateChangePayload(t *testing.T) {
	change := StateChange{Group: "g", Process: "p", From: api.Starting, PID: 42, Tries: 3, Expected: true}
	tests := []struct {
		to   api.ProcessState
		want string
	}{
		{api.Stopped, "processname:p groupname:g from_state:STARTING pid:42"},
		{api.Starting, "processname:p groupname:g from_state:STARTING tries:3"},
		{api.Running, "processname:p groupname:g from_state:STARTING pid:42"},
		{api.Backoff, "processname:p groupname:g from_state:STARTING tries:3"},
		{api.Stopping, "processname:p groupname:g from_state:STARTING pid:42"},
		{api.Exited, "processname:p groupname:g from_state:STARTING expected:1 pid:42"},
		{api.Fatal, "processname:p groupname:g from_state:STARTING"},
		{api.Unknown, "processname:p groupname:g from_state:STARTING"},
	}
	for _, tt := range tests {
		change.To = tt.to
		if got := change.Payload(); got != tt.want {
			t.Errorf("%v: got %q, want %q", tt.to, got, tt.want)
		}
	}
	change.Expected, change.To = false, api.Exited
	if got, want := change.Payload(), "processname:p groupname:g from_state:STARTING expected:0 pid:42"; got != want {
		t.Errorf("got %q, want %q", got, want)
	}
}

func TestOutputPayload(t *testing.T) {
	o := Output{Group: "g", Process: "p", PID: 7, Channel: api.Stderr, Data: []byte("héllo\n")}
	if got, want := o.LogPayload(), "processname:p groupname:g pid:7 channel:stderr\nhéllo\n"; got != want {
		t.Errorf("got %q, want %q", got, want)
	}
	if got, want := o.CommunicationPayload(), "processname:p groupname:g pid:7\nhéllo\n"; got != want {
		t.Errorf("got %q, want %q", got, want)
	}
	o.Data = []byte("bad \xff'\n")
	if got, want := o.CommunicationPayload(), "processname:p groupname:g pid:7\nUndecodable: b\"bad \\xff'\\n\""; got != want {
		t.Errorf("got %q, want %q", got, want)
	}
}

func TestEnvelope(t *testing.T) {
	h := Header{Server: "supervisor", Serial: 21, Pool: "listener", PoolSerial: 10, Type: ProcessStateRunning}
	const head = "ver:3.0 server:supervisor serial:21 pool:listener poolserial:10 eventname:PROCESS_STATE_RUNNING len:"
	if got, want := string(h.Envelope("é!")), head+"2\né!"; got != want {
		t.Errorf("got %q, want %q", got, want)
	}
	h.CountBytes = true
	if got, want := string(h.Envelope("é!")), head+"3\né!"; got != want {
		t.Errorf("got %q, want %q", got, want)
	}
}
