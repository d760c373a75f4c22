package capture

import (
	"encoding/json"
	"fmt"
	"strings"
	"testing"
)

// record returns an emit function and the string that it appends to.
func record() (emit func(Kind, []byte), out *strings.Builder) {
	out = &strings.Builder{}
	return func(kind Kind, data []byte) {
		fmt.Fprintf(out, "%c(%s)", "TPMR"[kind], data)
	}, out
}

func TestTags(t *testing.T) {
	for _, tag := range []string{BeginTag, EndTag} {
		if strings.Count(tag, tag[:1]) != 1 {
			t.Errorf("%s contains its first byte twice, which resume does not expect", tag)
		}
	}
}

func TestScan(t *testing.T) {
	const b, e = BeginTag, EndTag
	tests := []struct {
		name string
		in   []string
		want string // including what Flush gives
	}{
		{"nothing", nil, ""},
		{"short text is not held back", []string{"x"}, "T(x)"},
		{"text", []string{"abc\n", "def\n"}, "T(abc\n)T(def\n)"},
		{"one message", []string{"a" + b + "m" + e + "z"}, "T(a)P(m)M(m)T(z)"},
		{"empty message", []string{b + e}, "M()"},
		{"two messages", []string{b + "1" + e + b + "2" + e}, "P(1)M(1)P(2)M(2)"},
		{"message in pieces", []string{b + "1", "2", "3" + e}, "P(1)P(2)P(3)M(123)"},
		{"tags in pieces", []string{"a" + b[:1], b[1:7], b[7:] + "m" + e[:20], e[20:] + "z"}, "T(a)P(m)M(m)T(z)"},
		{"piece ends with tag", []string{"a" + b[:5], b[5:], "m", e}, "T(a)P(m)M(m)"},
		{"nearly a tag", []string{"a" + b[:10] + "x"}, "T(a" + b[:10] + "x)"},
		{"nearly a tag in pieces", []string{"a" + b[:10], "x"}, "T(a)T(" + b[:10] + ")T(x)"},
		{"a tag after nearly a tag", []string{"<", "<!--" + b + "m" + e}, "T(<)T(<!--)P(m)M(m)"},
		{"a tag within a tag", []string{b[:8], b + "m" + e}, "T(" + b[:8] + ")P(m)M(m)"},
		{"end tag outside", []string{"a" + e + "b"}, "T(a" + e + "b)"},
		{"begin tag inside", []string{b + b + e}, "P(" + b + ")M(" + b + ")"},
		{"unfinished tag", []string{"a" + b[:7]}, "T(a)T(" + b[:7] + ")"},
		{"unfinished message", []string{"a" + b + "m"}, "T(a)P(m)R(m)"},
		{"unfinished end tag", []string{b + "m" + e[:7]}, "P(m)P(" + e[:7] + ")R(m" + e[:7] + ")"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			s := Scanner{MaxBytes: 1000}
			emit, out := record()
			for _, p := range tt.in {
				s.Scan([]byte(p), emit)
			}
			s.Flush(emit)
			if out.String() != tt.want {
				t.Errorf("got  %s\nwant %s", out, tt.want)
			}
		})
	}
}

func TestMaxBytes(t *testing.T) {
	tests := []struct {
		pieces []string
		want   string
	}{
		{[]string{"0123456789"}, "0123456789"},
		{[]string{"01234", "56789"}, "0123456789"},
		{[]string{"0123", "4567", "89ab"}, "456789ab"},
		{[]string{"0123456789", "a"}, "123456789a"},
		{[]string{"0123456789", "abcdefghijkl"}, "abcdefghijkl"},
		{[]string{"0", "abcdefghijkl"}, "abcdefghijkl"},
		{[]string{"0123456789abcdef", "x"}, "123456789abcdefx"},
	}
	for _, tt := range tests {
		s := Scanner{MaxBytes: 10}
		var got string
		emit := func(kind Kind, data []byte) {
			if kind == Message {
				got = string(data)
			}
		}
		s.Scan([]byte(BeginTag), emit)
		for _, p := range tt.pieces {
			s.Scan([]byte(p), emit)
		}
		s.Scan([]byte(EndTag), emit)
		if got != tt.want {
			t.Errorf("%q: message %q, want %q", tt.pieces, got, tt.want)
		}
	}
}

// merged joins neighbours of a kind: how text is cut depends on the pieces.
func merged(in []byte, cut func(rest []byte) int, store bool) string {
	s := Scanner{MaxBytes: 1 << 20}
	var out strings.Builder
	last := Kind(-1)
	emit := func(kind Kind, data []byte) {
		if kind != last || kind == Message {
			fmt.Fprintf(&out, "\n%d:", kind)
		}
		last = kind
		out.Write(data)
	}
	for len(in) > 0 {
		n := cut(in)
		s.Scan(append([]byte(nil), in[:n]...), emit)
		in = in[n:]
		if store {
			s = restored(s)
		}
	}
	s.Flush(emit)
	return out.String()
}

// restored returns a Scanner that was stored and read again.
func restored(s Scanner) Scanner {
	b, err := json.Marshal(s)
	if err != nil {
		panic(err)
	}
	var r Scanner
	if err := json.Unmarshal(b, &r); err != nil {
		panic(err)
	}
	return r
}

// The result does not depend on how the output is cut, nor on being stored in
// between.
func FuzzScan(f *testing.F) {
	f.Add([]byte("a"+BeginTag+"m"+EndTag+"z"), uint8(3))
	f.Add([]byte("<!--XSUPERVISOR:BEG<!--XSUPERVISOR:BEGIN--><!--XSUPERVISOR:END<!--XSUPERVISOR:END-->"), uint8(7))
	f.Add([]byte("<<<!<!--<!--XSUPERVISOR:"), uint8(1))
	f.Fuzz(func(t *testing.T, in []byte, size uint8) {
		whole := merged(in, func(rest []byte) int { return len(rest) }, false)
		cut := merged(in, func(rest []byte) int { return min(len(rest), int(size)+1) }, true)
		if whole != cut {
			t.Errorf("whole:%s\nin pieces of %d:%s", whole, int(size)+1, cut)
		}
	})
}

func BenchmarkScanText(b *testing.B) {
	text := []byte(strings.Repeat("an ordinary line of <b>output</b>\n", 2000))
	s := Scanner{MaxBytes: 1 << 20}
	emit := func(Kind, []byte) {}
	b.SetBytes(int64(len(text)))
	b.ReportAllocs()
	for b.Loop() {
		s.Scan(text, emit)
	}
}
