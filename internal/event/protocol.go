package event

import (
	"bytes"
	"strconv"
	"strings"

	"supervisord/internal/api"
)

const (
	readyToken = "READY\n"
	// resultPrefixLen is the length of "RESULT ". The original never looked at
	// the letters, only at what follows them.
	resultPrefixLen = 7
	// maxLine is how long a result line may grow before the listener is given
	// up; maxResult how much of a result is kept. Only "OK" means anything.
	maxLine   = 64 << 10
	maxResult = 64 << 10
)

// OutcomeKind tells what a listener's output meant.
type OutcomeKind uint8

// The kinds of outcomes.
const (
	// StateChanged: the listener went from Outcome.From to Outcome.To.
	StateChanged OutcomeKind = iota
	// Accepted: the outstanding event was processed.
	Accepted
	// Rejected: the outstanding event was refused with a result.
	Rejected
	// BadResult: the outstanding event was answered with a line that is no
	// result; Outcome.Text is the line.
	BadResult
)

// Outcome is one thing that a listener's output meant. The outcomes Accepted,
// Rejected and BadResult come before the change of state that follows them.
type Outcome struct {
	Kind     OutcomeKind
	From, To api.ListenerState
	Text     string
}

// Protocol follows one listener process through the listener protocol
// (manual: Events, event listener notification protocol). The zero value is
// not ready for use; call Reset first. It is plain data.
type Protocol struct {
	State api.ListenerState
	// Pending is output that is not yet enough to decide on.
	Pending []byte
	// InResult says that a result line was read; ResultLeft is how many bytes
	// of the result are still to come, Result what there is of it.
	InResult   bool
	ResultLeft int64
	Result     []byte
	// Taken is how many bytes of the result and its line were consumed, if
	// InResult is set.
	Taken int64 `json:",omitempty"`
}

// Unfinished returns how many of the last bytes that were fed have led to
// nothing yet: a Protocol in the same State that has heard nothing understands
// the same if it is fed them again.
func (p *Protocol) Unfinished() int64 {
	n := int64(len(p.Pending))
	if p.InResult {
		n += p.Taken
	}
	return n
}

// Reset prepares for the output of a new process.
func (p *Protocol) Reset() {
	*p = Protocol{State: api.ListenerAcknowledged}
}

// Sent records that an event was sent to the listener, which was READY.
func (p *Protocol) Sent() { p.State = api.ListenerBusy }

// Unsent takes Sent back: the event did not reach the listener.
func (p *Protocol) Unsent() { p.State = api.ListenerReady }

// Feed takes output of the listener and appends what it meant to out.
func (p *Protocol) Feed(data []byte, out []Outcome) []Outcome {
	if p.State == api.ListenerUnknown {
		return out
	}
	if p.InResult {
		data = p.takeResult(data)
		if p.ResultLeft == 0 {
			out = p.finishResult(out)
		}
	}
	p.Pending = append(p.Pending, data...)
	for len(p.Pending) > 0 || p.InResult {
		before := len(p.Pending)
		inResult := p.InResult
		out = p.step(out)
		if p.State == api.ListenerUnknown {
			p.Pending = nil
			return out
		}
		if len(p.Pending) == before && p.InResult == inResult {
			break
		}
	}
	if len(p.Pending) == 0 {
		p.Pending = nil
	}
	return out
}

// step consumes one token of the pending output, if a whole one is there.
func (p *Protocol) step(out []Outcome) []Outcome {
	if p.InResult {
		p.Pending = p.takeResult(p.Pending)
		if p.ResultLeft == 0 {
			out = p.finishResult(out)
		}
		return out
	}
	switch p.State {
	case api.ListenerAcknowledged:
		switch {
		case len(p.Pending) < len(readyToken):
		case string(p.Pending[:len(readyToken)]) == readyToken:
			p.Pending = p.Pending[len(readyToken):]
			out = p.change(api.ListenerReady, out)
		default:
			out = p.change(api.ListenerUnknown, out)
		}
	case api.ListenerReady:
		// It must not speak before it is spoken to.
		out = p.change(api.ListenerUnknown, out)
	case api.ListenerBusy:
		out = p.resultLine(out)
	}
	return out
}

func (p *Protocol) resultLine(out []Outcome) []Outcome {
	end := bytes.IndexByte(p.Pending, '\n')
	if end < 0 {
		if len(p.Pending) <= maxLine {
			return out
		}
		end = maxLine
	}
	line := p.Pending[:end]
	n, ok := resultLen(line)
	if !ok || end == maxLine {
		out = append(out, Outcome{Kind: BadResult, Text: string(line)})
		return p.change(api.ListenerUnknown, out)
	}
	p.Pending = p.Pending[end+1:]
	p.InResult, p.ResultLeft, p.Result = true, n, p.Result[:0]
	p.Taken = int64(end) + 1
	return out
}

// resultLen reads the length in a result line as Python's int does.
func resultLen(line []byte) (int64, bool) {
	if len(line) <= resultPrefixLen {
		return 0, false
	}
	n, err := strconv.ParseInt(strings.TrimSpace(string(line[resultPrefixLen:])), 10, 64)
	return n, err == nil && n >= 0
}

// takeResult moves bytes of the result out of data and returns the rest.
func (p *Protocol) takeResult(data []byte) []byte {
	n := min(int64(len(data)), p.ResultLeft)
	keep := min(n, int64(maxResult-len(p.Result)))
	p.Result = append(p.Result, data[:keep]...)
	p.ResultLeft -= n
	p.Taken += n
	return data[n:]
}

func (p *Protocol) finishResult(out []Outcome) []Outcome {
	kind := Rejected
	if string(p.Result) == "OK" {
		kind = Accepted
	}
	p.InResult, p.Result = false, p.Result[:0]
	out = append(out, Outcome{Kind: kind})
	return p.change(api.ListenerAcknowledged, out)
}

func (p *Protocol) change(to api.ListenerState, out []Outcome) []Outcome {
	from := p.State
	p.State = to
	return append(out, Outcome{Kind: StateChanged, From: from, To: to})
}
