package xmlrpc

import (
	"strings"
	"testing"
	"unicode/utf8"
)

// skipOne is what Skip does, one byte after the other.
func skipOne(s string, i int, a, b, c byte) int {
	for last := len(s) - (len(s)-i)%8; i < last; i++ {
		if x := s[i]; x >= utf8.RuneSelf || x < ' ' && x != '\n' || x == a || x == b || x == c {
			break
		}
	}
	return i
}

func TestSkip(t *testing.T) {
	for x := range 256 {
		for at := range 19 {
			b := []byte(strings.Repeat("a\n~ ", 5))[:19]
			b[at] = byte(x)
			for from := range 4 {
				want := skipOne(string(b), from, '&', '<', '>')
				if got := Skip(string(b), from, '&', '<', '>'); got != want {
					t.Fatalf("Skip of %q from %d is %d, want %d", b, from, got, want)
				}
				if got := Skip(b, from, '&', '<', '>'); got != want {
					t.Fatalf("Skip of the bytes %q from %d is %d, want %d", b, from, got, want)
				}
			}
		}
	}
}

func FuzzSkip(f *testing.F) {
	f.Add("<value><string>a&amp;b\tc\u00e4d</string></value>\n", 3, byte('&'), byte('<'), byte('>'))
	f.Fuzz(func(t *testing.T, s string, from int, a, b, c byte) {
		if from < 0 || from > len(s) {
			return
		}
		// All that follows the first byte that is found, too.
		for i := from; i < len(s); i++ {
			want := skipOne(s, i, a%utf8.RuneSelf, b%utf8.RuneSelf, c%utf8.RuneSelf)
			if got := Skip(s, i, a%utf8.RuneSelf, b%utf8.RuneSelf, c%utf8.RuneSelf); got != want {
				t.Fatalf("Skip of %q from %d is %d, want %d", s, i, got, want)
			}
		}
	})
}
