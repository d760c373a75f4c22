package event

import (
	"fmt"
	"slices"
	"strings"
	"testing"

	"supervisord/internal/api"
)

// follow feeds pieces of output to a listener in a state and describes what
// came of it.
func follow(state api.ListenerState, pieces ...string) (api.ListenerState, string) {
	var p Protocol
	p.Reset()
	p.State = state
	var words []string
	for _, piece := range pieces {
		for _, o := range p.Feed([]byte(piece), nil) {
			switch o.Kind {
			case StateChanged:
				words = append(words, o.To.String())
			case Accepted:
				words = append(words, "ok")
			case Rejected:
				words = append(words, "rejected")
			case BadResult:
				words = append(words, fmt.Sprintf("bad(%s)", o.Text))
			}
		}
	}
	return p.State, strings.Join(words, " ")
}

func TestProtocol(t *testing.T) {
	const (
		ready = api.ListenerReady
		busy  = api.ListenerBusy
		ack   = api.ListenerAcknowledged
		lost  = api.ListenerUnknown
	)
	tests := []struct {
		state  api.ListenerState
		output string
		want   string
		end    api.ListenerState
	}{
		{ack, "READY\n", "READY", ready},
		{ack, "READ", "", ack},
		{ack, "READY", "", ack},
		{ack, "HELLO\n", "UNKNOWN", lost},
		{ack, "READY\nREADY\n", "READY UNKNOWN", lost},
		{ready, "x", "UNKNOWN", lost},
		{busy, "RESULT 2\nOK", "ok ACKNOWLEDGED", ack},
		{busy, "RESULT 2\nOKREADY\n", "ok ACKNOWLEDGED READY", ready},
		{busy, "RESULT 4\nFAIL", "rejected ACKNOWLEDGED", ack},
		{busy, "RESULT 0\n", "rejected ACKNOWLEDGED", ack},
		{busy, "RESULT 0\nREADY\n", "rejected ACKNOWLEDGED READY", ready},
		{busy, "RESULT 5\nOK", "", busy},
		{busy, "RESULT  2 \nOK", "ok ACKNOWLEDGED", ack},
		{busy, "resolve2\nOK", "ok ACKNOWLEDGED", ack},
		{busy, "ANSWER 2\nOK", "ok ACKNOWLEDGED", ack},
		{busy, "RESULT\n", "bad(RESULT) UNKNOWN", lost},
		{busy, "RESULT x\nOK", "bad(RESULT x) UNKNOWN", lost},
		{busy, "RESULT -1\nOK", "bad(RESULT -1) UNKNOWN", lost},
		{busy, "\n", "bad() UNKNOWN", lost},
		{busy, "RESULT 2", "", busy},
		{lost, "READY\n", "", lost},
	}
	for _, tt := range tests {
		// However the output is cut, it means the same.
		cuts := [][]string{{tt.output}, strings.Split(tt.output, "")}
		for i := range tt.output {
			cuts = append(cuts, []string{tt.output[:i], tt.output[i:]})
		}
		for _, pieces := range cuts {
			if end, got := follow(tt.state, pieces...); got != tt.want || end != tt.end {
				t.Errorf("%v %q: got %q, %v, want %q, %v", tt.state, pieces, got, end, tt.want, tt.end)
			}
		}
	}
}

// TestProtocolLimits checks that no output makes the protocol remember without
// end.
func TestProtocolLimits(t *testing.T) {
	var p Protocol
	p.Reset()
	p.State = api.ListenerBusy
	block := []byte(strings.Repeat("x", 1<<20))
	p.Feed(block, nil)
	if p.State != api.ListenerUnknown || len(p.Pending) > 0 {
		t.Errorf("an endless line: %v, %d bytes pending", p.State, len(p.Pending))
	}
	p.Reset()
	p.State = api.ListenerBusy
	p.Feed([]byte("RESULT 1000000000\n"), nil)
	for range 8 {
		p.Feed(block, nil)
	}
	if n := len(p.Result) + len(p.Pending); n > maxResult || p.State != api.ListenerBusy {
		t.Errorf("a long result: %v, %d bytes kept", p.State, n)
	}
}

func FuzzProtocol(f *testing.F) {
	f.Add([]byte("READY\n"), 3, false)
	f.Add([]byte("RESULT 2\nOKREADY\n"), 10, true)
	f.Add([]byte("RESULT 00\nRESULT 1\n"), 9, true)
	f.Add([]byte("RESULT 9223372036854775807\nOK"), 20, true)
	f.Fuzz(func(t *testing.T, data []byte, cut int, busy bool) {
		cut = min(max(cut, 0), len(data))
		feed := func(pieces ...[]byte) (Protocol, []Outcome) {
			var p Protocol
			p.Reset()
			if busy {
				p.State = api.ListenerBusy
			}
			var out []Outcome
			for _, piece := range pieces {
				out = p.Feed(slices.Clone(piece), out)
			}
			return p, out
		}
		p, whole := feed(data)
		q, parts := feed(data[:cut], data[cut:])
		if !slices.Equal(whole, parts) || p.State != q.State {
			t.Errorf("%q: %v %v, cut at %d: %v %v", data, p.State, whole, cut, q.State, parts)
		}
		if len(p.Pending) > maxLine || len(p.Result) > maxResult {
			t.Errorf("%d bytes pending, %d of a result", len(p.Pending), len(p.Result))
		}
	})
}
