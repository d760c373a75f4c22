// Package capture looks into the output of a process: Scanner finds what
// stands between the tags that ask for a PROCESS_COMMUNICATION event (manual:
// Events), Stripper removes terminal escapes.
//
// Both take output in pieces of any size and give the same result however it
// was cut. Neither reads, allocates per byte, or knows what becomes of the
// result. All their state is in exported fields of plain types: it can be
// stored in the middle of a tag or an escape and taken up by another process.
package capture

import "bytes"

// The tags around captured output.
const (
	BeginTag = "<!--XSUPERVISOR:BEGIN-->"
	EndTag   = "<!--XSUPERVISOR:END-->"
)

// Kind tells what a piece of output is.
type Kind int

// The kinds of pieces.
const (
	// Text is output outside of tags.
	Text Kind = iota
	// Part is output between tags, as it comes in. It is in the Message that
	// follows, if the capture buffer has room for it.
	Part
	// Message is all that stood between two tags, or the newest of it.
	Message
	// Rest is a Message whose end tag never came.
	Rest
)

// Scanner finds captured output. MaxBytes must be set; the zero values of the
// others are the state at the start of the output.
type Scanner struct {
	// MaxBytes is the size of the capture buffer: before a part is added that
	// would make it larger, as many of its oldest bytes are dropped as the part
	// has. A part is kept whole, so a single one may exceed the size.
	MaxBytes int64
	// Capturing is set between the tags.
	Capturing bool
	// Matched is how many bytes of the next tag stood at the end of the output
	// so far. They were not given out yet.
	Matched int
	// Buffer holds what was captured so far.
	Buffer []byte
}

// Scan takes the next piece of output and calls emit for what it consists of,
// in order. The data is valid during the call. The end of p is held back if it
// is the beginning of a tag.
func (s *Scanner) Scan(p []byte, emit func(kind Kind, data []byte)) {
	if s.Matched > 0 {
		p = s.resume(p, emit)
	}
	for len(p) > 0 {
		tag := s.tag()
		i := bytes.Index(p, []byte(tag))
		if i < 0 {
			s.Matched = prefixAtEnd(p, tag)
			s.text(p[:len(p)-s.Matched], emit)
			return
		}
		s.text(p[:i], emit)
		s.toggle(emit)
		p = p[i+len(tag):]
	}
}

// Flush ends the output. What was held back is given out, and what was captured
// without an end tag as Rest.
func (s *Scanner) Flush(emit func(kind Kind, data []byte)) {
	held := s.tag()[:s.Matched]
	s.Matched = 0
	s.text([]byte(held), emit)
	if s.Capturing {
		s.Capturing = false
		emit(Rest, s.Buffer)
		s.Buffer = nil
	}
}

// tag returns the tag that is looked for.
func (s *Scanner) tag() string {
	if s.Capturing {
		return EndTag
	}
	return BeginTag
}

// resume goes on in the middle of what may be a tag and returns what of p comes
// after that. A tag contains its first byte only once, so that no other tag can
// begin within what was held back.
func (s *Scanner) resume(p []byte, emit func(Kind, []byte)) []byte {
	tag := s.tag()
	rest := tag[s.Matched:]
	n := min(len(rest), len(p))
	switch {
	case string(p[:n]) != rest[:n]:
		held := tag[:s.Matched]
		s.Matched = 0
		s.text([]byte(held), emit)
		return p
	case n == len(rest):
		s.Matched = 0
		s.toggle(emit)
	default:
		s.Matched += n
	}
	return p[n:]
}

// text gives out output that contains no tag.
func (s *Scanner) text(p []byte, emit func(Kind, []byte)) {
	if len(p) == 0 {
		return
	}
	if !s.Capturing {
		emit(Text, p)
		return
	}
	emit(Part, p)
	if int64(len(s.Buffer)+len(p)) > s.MaxBytes {
		s.Buffer = append(s.Buffer[:0], s.Buffer[min(len(p), len(s.Buffer)):]...)
	}
	s.Buffer = append(s.Buffer, p...)
}

// toggle passes a tag.
func (s *Scanner) toggle(emit func(Kind, []byte)) {
	if s.Capturing {
		emit(Message, s.Buffer)
		s.Buffer = nil
	}
	s.Capturing = !s.Capturing
}

// prefixAtEnd returns the length of the proper prefix of tag that p ends in.
func prefixAtEnd(p []byte, tag string) int {
	end := p[max(0, len(p)-len(tag)+1):]
	i := bytes.IndexByte(end, tag[0])
	for i >= 0 {
		end = end[i:]
		if string(end) == tag[:len(end)] {
			return len(end)
		}
		if i = bytes.IndexByte(end[1:], tag[0]); i >= 0 {
			i++
		}
	}
	return 0
}
