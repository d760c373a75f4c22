package python

import (
	"errors"
	"strings"
	"testing"
	"unicode/utf8"
)

func testScope() Scope {
	var outer, inner Dict
	outer.Set("a", "shadowed")
	outer.SetInt("n", 5)
	inner.Set("b", "x")
	inner.SetInt("neg", -5)
	inner.SetInt("big", 12345678)
	inner.Set("a", "it's é")
	return Scope{&outer, &inner}
}

func TestFormat(t *testing.T) {
	for _, c := range []struct{ in, want string }{
		{"", ""},
		{"plain", "plain"},
		{"100%%", "100%"},
		{"%(a)s", "it's é"},
		{"[%(a)10s|%(a)-10s|%(a).3s|%(a)-5.1s]", "[    it's é|it's é    |it'|i    ]"},
		{"%(a)r %(a)a", `"it's é" "it's \xe9"`},
		{"%(n)02d %(n)d %(n)5i %(n)-5u|", "05 5     5 5    |"},
		{"%(n)-05d|", "5    |"},
		{"%(n)s %(n)r %(n)05s", "5 5     5"},
		{"%(n)x %(n)#x %(n)#05x %(n)+#05x %(n)# 8x|", "5 0x5 0x005 +0x05      0x5|"},
		{"%(n)o %(n)#o %(n)#X %(n).3x", "5 0o5 0X5 005"},
		{"%(neg)05d %(neg)#06x %(neg)+d %(n)+ d %(n) d", "-0005 -0x005 -5 +5  5"},
		{"%(n)+08.3d", "+0000005"},
		{"%(n)f %(n)F %(n)E %(n)g %(n).0g %(n)#g %(n)#.0f %(n)#.3g", "5.000000 5.000000 5.000000E+00 5 5 5.00000 5. 5.00"},
		{"%(big)g %(big)e", "1.23457e+07 1.234568e+07"},
		{"%(b)c %(n)c", "x \x05"},
		{"%(n)ld %(n)hd %(n)Ld", "5 5 5"},
		{"%s", `{'a': "it's é", 'n': 5, 'b': 'x', 'neg': -5, 'big': 12345678}`},
		{"%a %(b)s", `{'a': "it's \xe9", 'n': 5, 'b': 'x', 'neg': -5, 'big': 12345678} x`},
	} {
		got, err := Format(c.in, testScope())
		if err != nil || got != c.want {
			t.Errorf("Format(%q) = %q, %v, want %q", c.in, got, err, c.want)
		}
	}
}

func TestFormatErrors(t *testing.T) {
	for _, c := range []struct{ in, want string }{
		{"%", "incomplete format"},
		{"%(a)", "incomplete format"},
		{"%(a)5.", "incomplete format"},
		{"%(a)l", "incomplete format"},
		{"%(n)*", "incomplete format"},
		{"%(", "incomplete format key"},
		{"%((a)s", "incomplete format key"},
		{"%(a)%", "unsupported format character '%' (0x25) at index 4"},
		{"%5%", "unsupported format character '%' (0x25) at index 2"},
		{"%z", "unsupported format character 'z' (0x7a) at index 1"},
		{"%(n)\x01", "unsupported format character '?' (0x1) at index 4"},
		{"é%(n)é", "unsupported format character '?' (0xe9) at index 5"},
		{"%(a)hls", "unsupported format character 'l' (0x6c) at index 5"},
		{"%d", "%d format: a real number is required, not dict"},
		{"5%-off", "%o format: an integer is required, not dict"},
		{"%(a)d", "%d format: a real number is required, not str"},
		{"%(a)x", "%x format: an integer is required, not str"},
		{"%(a)f", "must be real number, not str"},
		{"%(a)c", "%c requires int or char"},
		{"%c", "%c requires int or char"},
		{"%(neg)c", "%c arg not in range(0x110000)"},
		{"%(big)c", "%c arg not in range(0x110000)"},
		{"%s %s", "not enough arguments for format string"},
		{"%(n)*d", "not enough arguments for format string"},
		{"%(n).*d", "not enough arguments for format string"},
		{"%s%(a)*s", "* wants int"},
		{"%*d", "* wants int"},
		{"%(n)99999999999999999999d", "width too big"},
		{"%(n).99999999999999999999d", "precision too big"},
		{"%(n)1048577d", "width too big"},
	} {
		got, err := Format(c.in, testScope())
		if err == nil || err.Error() != c.want {
			t.Errorf("Format(%q) = %q, %v, want error %s", c.in, got, err, c.want)
		}
	}
}

func TestFormatKeyError(t *testing.T) {
	for _, c := range []struct{ in, key, text string }{
		{"%(nope)s", "nope", "'nope'"},
		{"%((a))s", "(a)", "'(a)'"},
		{"%()s", "", "''"},
		{"%(it's)d", "it's", `"it's"`},
	} {
		_, err := Format(c.in, testScope())
		var missing *KeyError
		if !errors.As(err, &missing) || missing.Key != c.key || err.Error() != c.text {
			t.Errorf("Format(%q): error %v, want key error %s", c.in, err, c.text)
		}
	}
}

func TestScopeOrder(t *testing.T) {
	var first, second Dict
	first.Set("a", "1")
	first.Set("b", "2")
	second.Set("c", "3")
	second.Set("a", "4")
	first.Delete("b")
	first.Delete("none")
	if got, want := strings.Join(Scope{&first, &second}.Names(), " "), "a c"; got != want {
		t.Errorf("Names = %s, want %s", got, want)
	}
	if got, _ := Format("%(a)s", Scope{&first, &second}); got != "4" {
		t.Errorf("the later dict does not decide: %s", got)
	}
}

func FuzzFormat(f *testing.F) {
	for _, seed := range []string{"%(a)s", "%(n)+#08.3x", "%%%(b)c", "%(a", "%*d", "%s%r", "%(n)5.2f%"} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, format string) {
		if !utf8.ValidString(format) || len(format) > 200 {
			return
		}
		got, err := Format(format, testScope())
		if err != nil {
			if got != "" || err.Error() == "" {
				t.Errorf("Format(%q) = %q with error %v", format, got, err)
			}
			return
		}
		if !utf8.ValidString(got) {
			t.Errorf("Format(%q) = %q, not UTF-8", format, got)
		}
	})
}
