package config

import (
	"slices"
	"strings"
	"testing"
)

func TestSplit(t *testing.T) {
	for _, c := range []struct {
		in   string
		want []string
	}{
		{"", nil},
		{" \t\r\n", nil},
		{"a b\tc\nd", []string{"a", "b", "c", "d"}},
		{`"a b" 'c d' e\ f`, []string{"a b", "c d", "e f"}},
		{`'' "" x""y`, []string{"", "", "xy"}},
		{`"a\"b\\c\d"`, []string{`a"b\c\d`}},
		{`'a\'`, []string{`a\`}},
		{"a#b # c", []string{"a#b", "#", "c"}},
		{"a\\\nb", []string{"a\nb"}},
		{"é=$x|;", []string{"é=$x|;"}},
		{"\xff '\xfe'", []string{"\xff", "\xfe"}},
	} {
		if got, err := split(c.in); err != nil || !slices.Equal(got, c.want) {
			t.Errorf("split(%q) = %q, %v, want %q", c.in, got, err, c.want)
		}
	}
	for in, want := range map[string]string{
		`a 'b`: "No closing quotation",
		`"a\`:  "No escaped character",
		`a\`:   "No escaped character",
	} {
		if _, err := split(in); err == nil || err.Error() != want {
			t.Errorf("split(%q): error %v, want %s", in, err, want)
		}
	}
}

func TestParseEnvironment(t *testing.T) {
	for _, c := range []struct{ in, want string }{
		{"", ""},
		{"A=1", "A:1"},
		{` A = "1" , B='two words',`, "A:1|B:two words"},
		{`A="say \"hi\"",B=it\'s`, `A:say "hi"|B:it's`},
		{"A=/usr/bin:/bin,B=+.-()", "A:/usr/bin:/bin|B:+.-()"},
		{"A=1;B=2", "A:1|B:2"},
		{"A=1,A=2", "A:1|A:2"},
		{"A=''", "A:"},
		{"A=b#comment,C=d", "A:b"},
		{"Ä=\xff", "Ä:\xff"},
	} {
		settings, err := parseEnvironment(c.in, nil)
		var got []string
		for _, v := range settings {
			got = append(got, v.name+":"+v.value)
		}
		if err != nil || strings.Join(got, "|") != c.want {
			t.Errorf("parseEnvironment(%q) = %q, %v, want %s", c.in, got, err, c.want)
		}
	}
	for in, want := range map[string]string{
		"A":     "Unexpected end of key/value pairs in value 'A'",
		"A=":    "Unexpected end of key/value pairs in value 'A='",
		"A,=1":  "Unexpected end of key/value pairs in value 'A,=1'",
		"A=b@c": "Unexpected end of key/value pairs in value 'A=b@c'",
		"A='":   "No closing quotation",
	} {
		if _, err := parseEnvironment(in, nil); err == nil || err.Error() != want {
			t.Errorf("parseEnvironment(%q): error %v, want %s", in, err, want)
		}
	}
}
