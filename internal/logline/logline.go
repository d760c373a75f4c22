// Package logline turns output into records, one for each line: text behind the
// time and the name of the process, or a JSON object.
//
//	2026-03-01T14:43:22.886Z web stdout | listening on port 8000
//	{"time":"2026-03-01T14:43:22.886Z","name":"web","group":"web","stream":"stdout","pid":42,"message":"listening on port 8000"}
//
// Output comes in pieces of any size and gives the same records however it was
// cut. Nothing in it is reordered or left out; what of it is not UTF-8 appears
// in JSON, which has no way of saying it, as U+FFFD. The package neither reads
// nor writes nor knows the time, and allocates nothing per line.
package logline

import (
	"bytes"
	"strconv"
	"time"
	"unicode/utf8"

	"supervisord/internal/api"
)

const (
	// MaxLine is the most bytes of output in one record; what of a line goes
	// beyond that is in the next. The longest record of it, in which each byte
	// is escaped, still finds room in the memory of a log that cannot be written.
	MaxLine = 32 << 10
	// Batch is the size in bytes at which records are handed over although there
	// are more.
	Batch = 256 << 10
)

// Source is where output comes from.
type Source struct {
	Name   string // of the process
	Group  string
	Stream api.Channel
	PID    int
}

// Encoder makes records of the output of one source. Held and Since are all of
// its state.
type Encoder struct {
	// Held is the beginning of a line whose end has not come yet, and Since is
	// when its first byte came.
	Held  []byte
	Since time.Time

	json    bool
	max     int    // MaxLine
	head    []byte // what a record begins with; the time in it is stamp
	at      int    // where the time stands in head
	mark    int    // where the mark of an incomplete line stands, in text
	stamp   int64  // in milliseconds since 1970
	stamped bool
}

// The marks of text records.
const (
	complete   = '|'
	incomplete = '+'
)

// NewEncoder returns an Encoder for api.FormatText or api.FormatJSON.
func NewEncoder(f api.LogFormat, s Source) *Encoder {
	e := &Encoder{json: f == api.FormatJSON, max: MaxLine}
	if !e.json {
		e.head = append(e.head, noTime+" "+api.Namespec(s.Group, s.Name)+" "+s.Stream.String()+" "...)
		e.mark = len(e.head)
		e.head = append(e.head, complete, ' ')
		return e
	}
	e.head = append(e.head, `{"time":"`...)
	e.at = len(e.head)
	e.head = append(e.head, noTime+`","name":"`...)
	e.head = AppendEscaped(e.head, []byte(s.Name))
	e.head = append(e.head, `","group":"`...)
	e.head = AppendEscaped(e.head, []byte(s.Group))
	e.head = append(e.head, `","stream":"`+s.Stream.String()+`","pid":`...)
	e.head = strconv.AppendInt(e.head, int64(s.PID), 10)
	e.head = append(e.head, `,"message":"`...)
	return e
}

// Append appends to b the records of the lines that end in p, which came now.
// It stops when b has the size of a Batch, and returns what is left of p; the
// end of p, if it is not that of a line, is held.
func (e *Encoder) Append(b, p []byte, now time.Time) (records, rest []byte) {
	for len(p) > 0 && len(b) < Batch {
		end := bytes.IndexByte(p[:min(len(p), e.max+1-len(e.Held))], '\n')
		switch {
		case end >= 0:
			b = e.line(b, p[:end], now, true)
			p = p[end+1:]
		case len(e.Held)+len(p) <= e.max:
			e.hold(p, now)
			return b, nil
		default:
			b, p = e.cut(b, p, now)
		}
	}
	return b, p
}

// End appends the record of the line whose end has not come, if there is one:
// it is not going to come soon.
func (e *Encoder) End(b []byte) []byte {
	if len(e.Held) > 0 {
		b = e.line(b, nil, e.Since, false)
	}
	return b
}

// hold keeps the beginning of a line.
func (e *Encoder) hold(p []byte, now time.Time) {
	if len(e.Held) == 0 {
		e.Since = now
	}
	e.Held = append(e.Held, p...)
}

// line appends the record of a line that consists of what is held and of p.
func (e *Encoder) line(b, p []byte, now time.Time, whole bool) []byte {
	if len(e.Held) == 0 {
		return e.record(b, p, now, whole)
	}
	e.Held = append(e.Held, p...)
	b = e.record(b, e.Held, e.Since, whole)
	if e.Held = e.Held[:0]; cap(e.Held) > maxKept {
		e.Held = nil
	}
	return b
}

// maxKept limits the memory that is kept for the next line that is held.
const maxKept = 4 << 10

// cut appends the record of the first part of a line that is longer than
// MaxLine, and returns the rest of p. A character that would be cut is left to
// the next record.
func (e *Encoder) cut(b, p []byte, now time.Time) (records, rest []byte) {
	n := e.max - len(e.Held)
	e.hold(p[:n], now)
	p = p[n:]
	whole := wholeRunes(e.Held)
	var rune [utf8.UTFMax]byte
	left := copy(rune[:], e.Held[whole:])
	e.Held = e.Held[:whole]
	b = e.line(b, nil, e.Since, false)
	if left > 0 {
		e.hold(rune[:left], now)
	}
	return b, p
}

// wholeRunes returns the length of p without the beginning of a character at
// its end.
func wholeRunes(p []byte) int {
	for n := len(p) - 1; n >= 0 && n > len(p)-utf8.UTFMax; n-- {
		if utf8.RuneStart(p[n]) {
			if !utf8.FullRune(p[n:]) {
				return n
			}
			break
		}
	}
	return len(p)
}

// record appends one record.
func (e *Encoder) record(b, p []byte, when time.Time, whole bool) []byte {
	if ms := when.UnixMilli(); ms != e.stamp || !e.stamped {
		e.stamp, e.stamped = ms, true
		// It may write more than it appends.
		var scratch [2 * len(noTime)]byte
		copy(e.head[e.at:], AppendTime(scratch[:0], when))
	}
	start := len(b)
	b = append(b, e.head...)
	switch {
	case e.json && whole:
		return append(AppendEscaped(b, p), "\"}\n"...)
	case e.json:
		return append(AppendEscaped(b, p), "\",\"partial\":true}\n"...)
	case !whole:
		b[start+e.mark] = incomplete
	}
	return append(append(b, p...), '\n')
}
