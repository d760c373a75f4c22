package xmlrpc

import "math/bits"

// Stretch is after how many bytes that Skip passes over it is worth a call: in
// text with other letters than those of ASCII it would find one each time.
const Stretch = 16

// Skip returns the first index of s, from i on, whose byte is not ASCII, a
// control character other than a line feed, or one of three more. The bytes of s
// are looked at eight at a time; where fewer are left it returns the index of the
// first of them.
func Skip[T string | []byte](s T, i int, a, b, c byte) int {
	as, bs, cs := uint64(a)*ones, uint64(b)*ones, uint64(c)*ones
	for ; i+8 <= len(s); i += 8 {
		w := uint64(s[i]) | uint64(s[i+1])<<8 | uint64(s[i+2])<<16 | uint64(s[i+3])<<24 |
			uint64(s[i+4])<<32 | uint64(s[i+5])<<40 | uint64(s[i+6])<<48 | uint64(s[i+7])<<56
		// What is wrong beyond the first byte that is not ASCII does not matter.
		control := ^(w + (0x80-' ')*ones) &^ equal(w, '\n'*ones)
		if found := (w | control | equal(w, as) | equal(w, bs) | equal(w, cs)) & highs; found != 0 {
			return i + bits.TrailingZeros64(found)/8
		}
	}
	return i
}

const (
	ones  = 0x0101010101010101
	highs = 0x80 * ones
)

// equal sets the highest bit of each byte of w that is as that of v, where both
// are ASCII. The other bits are of no use.
func equal(w, v uint64) uint64 { return ^((w ^ v) + 0x7F*ones) }
