package api

import (
	"slices"
	"testing"
)

func TestEventTypes(t *testing.T) {
	if !slices.IsSorted(EventTypes) {
		t.Error("EventTypes is not in alphabetical order")
	}
	for _, name := range EventTypes {
		if !IsEventType(name) {
			t.Errorf("IsEventType(%q) = false", name)
		}
	}
	for _, name := range []string{"", "tick", "TICK_", "TICK_61"} {
		if IsEventType(name) {
			t.Errorf("IsEventType(%q) = true", name)
		}
	}
}
