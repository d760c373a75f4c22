package config

import (
	"os"
	"path/filepath"
	"reflect"
	"slices"
	"strings"
	"testing"
	"unicode/utf8"
)

// FuzzDocument reads any bytes as a file. What was read, written plainly,
// means the same again, and so does a section that is read alone.
func FuzzDocument(f *testing.F) {
	for _, seed := range []string{"[s]\nk=v\n", "[s]\n k : v ; c\n\n  more\n", "[DEFAULT]\na=b\n[x]]y\n`k`=\"\"\"\n", "\ufeff[s]", "[s]\r\n-=\\\r\n", "[s]\n\xff"} {
		f.Add([]byte(seed))
	}
	f.Fuzz(func(t *testing.T, data []byte) {
		doc := newDocument()
		_, err := doc.read("f", data)
		if len(doc.names) > 0 {
			name := doc.names[len(doc.names)-1]
			one := newDocument()
			one.only = func(section string) bool { return section == name }
			if _, oneErr := one.read("f", data); !reflect.DeepEqual(err, oneErr) {
				t.Errorf("%q: with one section alone the error is %v, not %v", data, oneErr, err)
			}
			if !slices.Equal(one.names, []string{name}) || !reflect.DeepEqual(one.sections[name], doc.sections[name]) {
				t.Errorf("%q: section %q alone is read as %v, not %v", data, name, one.sections[name], doc.sections[name])
			}
		}
		if err != nil {
			if strings.HasPrefix(err.Error(), "parse ") {
				t.Errorf("the canonical form of %q is refused: %v", data, err)
			}
			return
		}
		var plain strings.Builder
		write := func(name string, s *section) {
			plain.WriteString("[" + name + "]\n")
			for _, key := range s.keys {
				plain.WriteString(key + "=" + strings.ReplaceAll(s.values[key], "\n", "\n ") + "\n")
			}
		}
		write(defaultSection, doc.defaults)
		for _, name := range doc.names {
			write(name, doc.sections[name])
		}
		if strings.ContainsAny(plain.String(), ";#\r") {
			return // would be read as comments or line ends
		}
		again := newDocument()
		if _, err := again.read("f", []byte(plain.String())); err != nil {
			t.Fatalf("%q written as %q: %v", data, plain.String(), err)
		}
		if !slices.Equal(doc.names, again.names) || !reflect.DeepEqual(doc.defaults, again.defaults) || !reflect.DeepEqual(doc.sections, again.sections) {
			t.Errorf("%q written as %q means something else", data, plain.String())
		}
	})
}

func FuzzSplit(f *testing.F) {
	for _, seed := range []string{"a 'b c' \"d\\\"\"", "a\\ b", "'", "\\", "#;"} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, text string) {
		words, err := split(text)
		if err != nil {
			return
		}
		for i, w := range words {
			words[i] = "'" + strings.ReplaceAll(w, "'", `'\''`) + "'"
		}
		quoted := strings.Join(words, " ")
		again, err := split(quoted)
		if err != nil {
			t.Fatalf("%q quoted as %q: %v", text, quoted, err)
		}
		if first, _ := split(text); !slices.Equal(first, again) {
			t.Errorf("%q quoted as %q: %q", text, quoted, again)
		}
	})
}

func FuzzParseEnvironment(f *testing.F) {
	for _, seed := range []string{`A="1",B='2'`, "A=1;B", `A="a\"b"`, "A=b#c", "=,="} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, text string) {
		settings, err := parseEnvironment(text, nil)
		if err != nil {
			return
		}
		quote := func(s string) string { return "'" + strings.ReplaceAll(s, "'", `'\''`) + "'" }
		var quoted strings.Builder
		for _, v := range settings {
			quoted.WriteString(quote(v.name) + "=" + quote(v.value) + ",")
		}
		again, err := parseEnvironment(quoted.String(), nil)
		if err != nil || !slices.Equal(settings, again) {
			t.Errorf("%q quoted as %q: %q, %v", text, quoted.String(), again, err)
		}
	})
}

// FuzzLoad loads any file.
func FuzzLoad(f *testing.F) {
	files, err := filepath.Glob(filepath.Join(confDir, "*.conf"))
	if err != nil {
		f.Fatal(err)
	}
	for _, file := range files {
		data, err := os.ReadFile(file)
		if err != nil {
			f.Fatal(err)
		}
		f.Add(data)
	}
	f.Fuzz(func(t *testing.T, data []byte) {
		file := filepath.Join(t.TempDir(), "s.conf")
		if err := os.WriteFile(file, data, 0o600); err != nil {
			t.Fatal(err)
		}
		options := Options{File: file, Environ: goldenEnviron, Hostname: "h"}
		cfg, err := Load(options)
		if _, problems := Check(options); (err != nil) != (len(problems) > 0) {
			t.Errorf("%q: error %v, but these problems: %v", data, err, problems)
		}
		if err != nil {
			if err.Error() == "" || cfg != nil {
				t.Errorf("%q: %v, error %q", data, cfg, err)
			}
			return
		}
		if added, changed, removed := Diff(cfg.Groups, cfg.Groups); len(added)+len(removed) > 0 || len(changed) > 0 && !duplicates(cfg.Groups) {
			t.Errorf("%q differs from itself: %v %v %v", data, added, changed, removed)
		}
		for _, g := range cfg.Groups {
			for _, p := range g.Processes {
				if utf8.Valid(data) && !utf8.ValidString(p.Command) {
					t.Errorf("%q: command %q", data, p.Command)
				}
			}
		}
	})
}

func duplicates(groups []*Group) bool {
	return len(byName(groups)) < len(groups)
}
