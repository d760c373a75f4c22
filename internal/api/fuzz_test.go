package api

import (
	"strings"
	"testing"
)

func FuzzSplitNamespec(f *testing.F) {
	for _, seed := range []string{"", "a", "a:b", "a:*", "a:", ":", "*", "a:b:c", "\xff:\x00"} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, namespec string) {
		group, process, all := SplitNamespec(namespec)
		if all != (process == "" && strings.Contains(namespec, ":")) {
			t.Fatalf("%q: group %q, process %q, all %v", namespec, group, process, all)
		}
		if strings.Contains(group, ":") {
			t.Fatalf("%q: group %q", namespec, group)
		}
		// What Namespec makes is read back.
		if !all && process != "" && group != "" {
			if g, p, a := SplitNamespec(Namespec(group, process)); g != group || p != process || a {
				t.Fatalf("%q: %q, %q became %q, %q, %v", namespec, group, process, g, p, a)
			}
		}
	})
}

func FuzzParseSignal(f *testing.F) {
	for _, seed := range []string{"TERM", "sigterm", "15", " 15 ", "-1", "0", "SIGRTMIN+1", "9999999999999999999", "１５"} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, text string) {
		if sig, err := ParseSignal(text); err == nil && sig < 0 {
			t.Fatalf("%q is signal %d", text, sig)
		}
	})
}
