package capture

import "bytes"

const escape = 0x1b

// Stripper removes the escape sequences that move the cursor or colour the
// text of a terminal: ESC, '[' and everything up to one of the letters
// HfABCDRsuJKhlpm. The zero value is the state at the start of the output.
type Stripper struct {
	// Inside is set within an escape sequence.
	Inside bool
	// Held is set when the output so far ended in an ESC, which was not given
	// out because it depends on the next byte what it is.
	Held bool
}

// Unhold puts the byte that was held back, if there is one, at the beginning of
// p and returns how many bytes these are. The output that follows goes behind
// them; all of it is then given to Strip.
func (s *Stripper) Unhold(p []byte) int {
	if !s.Held || len(p) == 0 {
		return 0
	}
	s.Held = false
	p[0] = escape
	return 1
}

// Strip removes escape sequences from p, in place, and returns what is left.
func (s *Stripper) Strip(p []byte) []byte {
	if !s.Inside && bytes.IndexByte(p, escape) < 0 {
		return p
	}
	out := p[:0]
	for {
		if s.Inside {
			end := terminator(p)
			if end < 0 {
				return out
			}
			s.Inside = false
			p = p[end+1:]
		}
		i := bytes.IndexByte(p, escape)
		switch {
		case i < 0:
			return append(out, p...)
		case i == len(p)-1:
			s.Held = true
			return append(out, p[:i]...)
		case p[i+1] == '[':
			out = append(out, p[:i]...)
			s.Inside = true
			p = p[i+2:]
		default:
			out = append(out, p[:i+1]...)
			p = p[i+1:]
		}
	}
}

// terminator returns the index of the first byte that ends an escape sequence,
// or -1.
func terminator(p []byte) int {
	for i, c := range p {
		switch c {
		case 'H', 'f', 'A', 'B', 'C', 'D', 'R', 's', 'u', 'J', 'K', 'h', 'l', 'p', 'm':
			return i
		}
	}
	return -1
}
