package webui

import (
	"errors"
	"io"
	"strings"
	"testing"
)

func TestPage(t *testing.T) {
	rows := []values{{"name": "a"}, {"name": "b", "outer": "inner"}}
	for _, test := range []struct {
		text string
		v    values
		want string
	}{
		{"plain", nil, "plain"},
		{"<p>{{name}}</p>", values{"name": `<a href="x">'&`}, "<p>&lt;a href=&quot;x&quot;&gt;&#39;&amp;</p>"},
		{"[{{none}}]", nil, "[]"},
		{"{{#rows}}({{name}} {{outer}}){{/rows}}", values{"rows": rows, "outer": "o"}, "(a o)(b inner)"},
		{"{{^rows}}none{{/rows}}", values{"rows": rows}, ""},
		{"{{^rows}}none{{/rows}}", values{"rows": []values{}}, "none"},
		{"{{^rows}}none{{/rows}}", nil, "none"},
		{"{{#s}}has {{s}}{{/s}}{{^s}}has not{{/s}}", values{"s": "it"}, "has it"},
		{"{{#s}}has {{s}}{{/s}}{{^s}}has not{{/s}}", values{"s": ""}, "has not"},
		{"<pre>{{tail}}</pre>", values{"tail": func(w io.Writer) error { _, err := w.Write([]byte("<&\n")); return err }}, "<pre>&lt;&amp;\n</pre>"},
		{"{{x}}", values{"x": "a\x00b\xffc\u0085d\x1b[31m\ttab é"}, "a\uFFFDb\uFFFDc\uFFFDd\x1b[31m\ttab é"},
	} {
		p, err := parsePage(test.text)
		if err != nil {
			t.Errorf("%s: %v", test.text, err)
			continue
		}
		var b strings.Builder
		if err := p.execute(&b, test.v); err != nil || b.String() != test.want {
			t.Errorf("%s: %q, %v; want %q", test.text, b.String(), err, test.want)
		}
	}
}

func TestPageErrors(t *testing.T) {
	for _, text := range []string{"{{", "{{name", "{{}}", "{{#a}}", "{{#a}}{{/b}}", "{{/a}}", "{{#a}}{{#b}}{{/a}}{{/b}}"} {
		if _, err := parsePage(text); err == nil {
			t.Errorf("%q is parsed", text)
		}
	}
	p, err := parsePage("{{x}}")
	if err != nil {
		t.Fatal(err)
	}
	if err := p.execute(io.Discard, values{"x": 42}); err == nil {
		t.Error("a number is no value, and is written")
	}
	gone := errors.New("gone")
	if err := p.execute(io.Discard, values{"x": func(io.Writer) error { return gone }}); !errors.Is(err, gone) {
		t.Errorf("the error of a writer comes back as %v", err)
	}
}

// Every page of the program can be parsed.
func TestPagesParse(t *testing.T) {
	for _, load := range []func() *page{statusPage, tailPage, logPage, confirmPage, errorPage} {
		if len(load().nodes) == 0 {
			t.Error("a page is empty")
		}
	}
}

// FuzzEscape checks that nothing can leave the place of a value in a page.
func FuzzEscape(f *testing.F) {
	for _, s := range []string{"", "plain", `<script>"'&`, "\x00\xff\xc3", "é\u2028\u202e", "&lt;"} {
		f.Add(s)
	}
	p, err := parsePage("{{x}}")
	if err != nil {
		f.Fatal(err)
	}
	back := strings.NewReplacer("&lt;", "<", "&gt;", ">", "&quot;", `"`, "&#39;", "'", "&amp;", "&")
	f.Fuzz(func(t *testing.T, s string) {
		var b strings.Builder
		if err := p.execute(&b, values{"x": s}); err != nil {
			t.Fatal(err)
		}
		if strings.ContainsAny(b.String(), "<>\"'\x00") {
			t.Errorf("%q becomes %q", s, b.String())
		}
		clean := strings.Map(func(r rune) rune {
			if escape(r, 2) == "\uFFFD" {
				return '\uFFFD'
			}
			return r
		}, strings.ToValidUTF8(s, "\uFFFD"))
		if got := back.Replace(b.String()); got != clean && strings.ToValidUTF8(s, "") == s {
			t.Errorf("%q reads as %q", s, got)
		}
	})
}

// FuzzPage checks that no template brings the parser down.
func FuzzPage(f *testing.F) {
	for _, s := range []string{"", "a{{b}}c", "{{#a}}{{b}}{{/a}}", "{{^a}}{{/a}}", "{{#a}}", "{{/", "}}{{"} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, text string) {
		p, err := parsePage(text)
		if err != nil {
			return
		}
		if err := p.execute(io.Discard, values{"a": []values{{"b": "1"}}, "b": "2"}); err != nil {
			t.Error(err)
		}
	})
}

func TestQueryEscape(t *testing.T) {
	if got, want := queryEscape("a&b<i>c+d'e%%f g:h/é~"), "a%26b%3Ci%3Ec%2Bd%27e%25%25f%20g%3Ah%2F%C3%A9~"; got != want {
		t.Errorf("got %s, want %s", got, want)
	}
}
