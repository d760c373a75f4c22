package event

import "testing"

func TestHierarchy(t *testing.T) {
	for typ := Type(0); typ < NumTypes; typ++ {
		if got, ok := ParseType(typ.String()); !ok || got != typ {
			t.Errorf("ParseType(%q) = %v, %v", typ.String(), got, ok)
		}
		if typ.Is(Event) == (typ == ProcessUnhealthy) || !typ.Is(typ) {
			t.Errorf("%v is no EVENT, or not itself", typ)
		}
	}
	tests := []struct {
		ancestor Type
		below    []Type
	}{
		{ProcessState, []Type{ProcessState, ProcessStateStopped, ProcessStateExited, ProcessStateStarting,
			ProcessStateStopping, ProcessStateBackoff, ProcessStateFatal, ProcessStateRunning, ProcessStateUnknown}},
		{ProcessLog, []Type{ProcessLog, ProcessLogStdout, ProcessLogStderr}},
		{Tick, []Type{Tick, Tick5, Tick60, Tick3600}},
		{ProcessGroupAdded, []Type{ProcessGroupAdded}},
	}
	for _, tt := range tests {
		var got, want Set
		got.Subscribe(tt.ancestor)
		for _, typ := range tt.below {
			want |= 1 << typ
		}
		if got != want {
			t.Errorf("%v: got %b, want %b", tt.ancestor, got, want)
		}
	}
	if _, ok := ParseType("NO_SUCH"); ok {
		t.Error("NO_SUCH is a type")
	}
}
