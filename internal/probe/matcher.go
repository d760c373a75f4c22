package probe

import (
	"bytes"
	"regexp"
	"sync"
)

// maxLine is how much of a line is looked at.
const maxLine = 8 << 10

// Matcher looks for a line in what is written to it, in pieces of any size. It
// may be used by several goroutines, one for each channel.
type Matcher struct {
	pattern *regexp.Regexp
	found   func()

	mu   sync.Mutex
	held [2][]byte // by channel, the beginning of a line whose end is to come
}

// NewMatcher returns a Matcher that calls found, without holding anything up,
// for every line that the regular expression matches.
func NewMatcher(pattern string, found func()) (*Matcher, error) {
	re, err := regexp.Compile(pattern)
	if err != nil {
		return nil, err
	}
	return &Matcher{pattern: re, found: found}, nil
}

// Write takes a piece of output of a channel, 0 or 1.
func (m *Matcher) Write(channel int, p []byte) {
	m.mu.Lock()
	defer m.mu.Unlock()
	held := m.held[channel]
	for len(p) > 0 {
		line, rest, ended := bytes.Cut(p, []byte{'\n'})
		if room := maxLine - len(held); len(line) > room {
			line = line[:room]
		}
		p = rest
		if !ended {
			held = append(held, line...)
			break
		}
		if len(held) > 0 {
			line = append(held, line...)
		}
		if m.pattern.Match(bytes.TrimSuffix(line, []byte{'\r'})) {
			m.found()
		}
		held = held[:0]
	}
	m.held[channel] = held
}
