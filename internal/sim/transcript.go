package sim

import (
	"encoding/json"
	"fmt"
	"strings"
	"time"

	"supervisord/internal/core"
)

// A Transcript is what the core was told in a life, in the form of its own
// transcripts: a block for each event. What comes of the events is not in it:
// the core's test writes that when it plays the file (-update).
type Transcript struct {
	b    strings.Builder
	last core.Now
	err  error
}

// NewTranscript begins the transcript of a seed.
func NewTranscript(seed uint64) *Transcript {
	t := &Transcript{}
	fmt.Fprintf(&t.b, "# Seed %d of the simulator.\n\nmanual\n----\n", seed)
	return t
}

// add adds an event.
func (t *Transcript) add(ev core.Event, now core.Now) {
	t.b.WriteByte('\n')
	if now != t.last {
		fmt.Fprintf(&t.b, "at %s %s\n", now.Mono, now.Wall.Format(time.RFC3339Nano))
		t.last = now
	}
	text, err := plain(ev)
	if err != nil && t.err == nil {
		t.err = fmt.Errorf("write %T: %w", ev, err)
	}
	_, name, _ := strings.Cut(fmt.Sprintf("%T", ev), ".")
	fmt.Fprintf(&t.b, "event %s %s\n----\n", name, text)
}

// Text returns the file.
func (t *Transcript) Text() (string, error) { return t.b.String(), t.err }

// plain is a value in JSON, without the members that have their zero value.
func plain(v any) ([]byte, error) {
	text, err := json.Marshal(v)
	if err != nil {
		return nil, err
	}
	var tree any
	if err := json.Unmarshal(text, &tree); err != nil {
		return nil, err
	}
	return json.Marshal(prune(tree))
}

// prune removes the members of objects that are zero, which they are anyway.
func prune(v any) any {
	switch v := v.(type) {
	case map[string]any:
		for key, member := range v {
			switch member := prune(member).(type) {
			case nil:
				delete(v, key)
			case bool:
				if !member {
					delete(v, key)
				}
			case float64:
				if member == 0 {
					delete(v, key)
				}
			case string:
				if member == "" {
					delete(v, key)
				}
			}
		}
	case []any:
		for i := range v {
			prune(v[i])
		}
	}
	return v
}
