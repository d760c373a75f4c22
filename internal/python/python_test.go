package python

import (
	"math"
	"testing"
)

func TestRepr(t *testing.T) {
	for _, c := range []struct{ in, want string }{
		{"", `''`},
		{"plain", `'plain'`},
		{"it's", `"it's"`},
		{`it's "so"`, `'it\'s "so"'`},
		{`a\b`, `'a\\b'`},
		{"a\tb\nc\rd", `'a\tb\nc\rd'`},
		{"\x00\x1b\x7f", `'\x00\x1b\x7f'`},
		{"é", `'é'`},
		{"\u00a0\u00ad", `'\xa0\xad'`},
		{"\u2028\ufeff", `'\u2028\ufeff'`},
		{"\U0001f600\U000e0001", `'` + "\U0001f600" + `\U000e0001'`},
		{"a\xffb\xc3", `'a\udcffb\udcc3'`},
		{"\ufffd", "'\ufffd'"},
	} {
		if got := Repr(c.in); got != c.want {
			t.Errorf("Repr(%q) = %s, want %s", c.in, got, c.want)
		}
	}
}

func TestASCII(t *testing.T) {
	if got, want := ASCII("é€\U0001f600a"), `'\xe9\u20ac\U0001f600a'`; got != want {
		t.Errorf("ASCII = %s, want %s", got, want)
	}
}

func TestReprBytes(t *testing.T) {
	for _, c := range []struct{ in, want string }{
		{"", `b''`},
		{"it's", `b"it's"`},
		{`it's "so"`, `b'it\'s "so"'`},
		{"a\\\t\n\r\x00\x7f\xff", `b'a\\\t\n\r\x00\x7f\xff'`},
	} {
		if got := ReprBytes([]byte(c.in)); got != c.want {
			t.Errorf("ReprBytes(%q) = %s, want %s", c.in, got, c.want)
		}
	}
}

func TestReprSequences(t *testing.T) {
	for _, c := range []struct{ got, want string }{
		{ReprList(nil), "[]"},
		{ReprList([]string{"a", "it's"}), `['a', "it's"]`},
		{ReprTuple("a"), "('a',)"},
		{ReprTuple("a", "b"), "('a', 'b')"},
	} {
		if c.got != c.want {
			t.Errorf("got %s, want %s", c.got, c.want)
		}
	}
}

func TestFloatRepr(t *testing.T) {
	for _, c := range []struct {
		in   float64
		want string
	}{
		{0, "0.0"},
		{math.Copysign(0, -1), "-0.0"},
		{1, "1.0"},
		{0.1, "0.1"},
		{-2.5, "-2.5"},
		{1e100, "1e+100"},
		{1e16, "1e+16"},
		{9999999999999998, "9999999999999998.0"},
		{0.0001, "0.0001"},
		{0.00001, "1e-05"},
		{1.5e-7, "1.5e-07"},
		{math.Inf(1), "inf"},
		{math.Inf(-1), "-inf"},
		{math.NaN(), "nan"},
	} {
		if got := FloatRepr(c.in); got != c.want {
			t.Errorf("FloatRepr(%v) = %s, want %s", c.in, got, c.want)
		}
	}
}
