package config

import (
	"encoding/json"
	"errors"
	"fmt"
	"math/rand/v2"
	"reflect"
	"slices"
	"strings"
	"testing"

	"supervisord/internal/python"
)

// pieces returns n to m random elements of a list, one after the other.
func pieces(rnd *rand.Rand, n, m int, list []string) string {
	var b strings.Builder
	for range n + rnd.IntN(m-n+1) {
		b.WriteString(list[rnd.IntN(len(list))])
	}
	return b.String()
}

func pick(rnd *rand.Rand, list ...string) string { return list[rnd.IntN(len(list))] }

// The kinds of made-up files.
func plausibleINI(rnd *rand.Rand) string {
	var b strings.Builder
	for range 1 + rnd.IntN(6) {
		fmt.Fprintf(&b, "[%s]%s\n", pick(rnd, "supervisord", "program:a", "program:b", "program:a.b", "group:x", "DEFAULT", "include"),
			pick(rnd, "", "", " ; comment", "  "))
		for range rnd.IntN(6) {
			fmt.Fprintf(&b, "%s%s%s%s\n", pick(rnd, "command", "Command", "user", "environment", "files", "x y"),
				pick(rnd, "=", " = ", ":", ": "),
				pick(rnd, "/bin/cat -a 'b c'", "A=\"1\",B='2'", "%(here)s/x", "a;b", "", "C:\\dir\\", "x = y"),
				pick(rnd, "", "", " ; comment", "\t# other", " #"))
			for range rnd.IntN(3) {
				b.WriteString(pick(rnd, "  continued\n", "\n", "; comment\n", "\t more = less\n", "  ; indented\n", " # x\n"))
			}
		}
	}
	return b.String()
}

func oddINI(rnd *rand.Rand) string {
	var b strings.Builder
	b.WriteString(pick(rnd, "[s]\n", " [s]\n", "[ s ]\n", "[s]]x\n", "[DEFAULT]\n"))
	for range 1 + rnd.IntN(10) {
		b.WriteString(pick(rnd, "", "", "", " ", "  ", "\t", "\u00a0", "\x1c"))
		b.WriteString(pick(rnd, "k", "-", "`k`", "\"k\"", "K", "İ", "ΑΣ", "[k", "k]", "\\", "[t]", "[]", "k\v", "'k'"))
		b.WriteString(pick(rnd, "=", ":", " = ", " : ", "==", "", "=\t", "\u2003=\u2003"))
		b.WriteString(pick(rnd, "v", "`v`", "\"\"\"v\"\"\"", "\"v\"", "v\\", "\\n\\.", "", "v;w", "v ;w", "v #w;x", "#", ";", "v\x00w", "é", "%(x)s", "[x]", "=", "\x1f;x"))
		b.WriteString(pick(rnd, "\n", "\n", "\n", "\r\n", "\r", "\n\n", "\n \n", "\n;\n", "\n#\n"))
	}
	return b.String()
}

var iniPieces = []string{"[", "]", "=", ":", ";", "#", " ", " ", "\t", "\n", "\n", "\n ", "\n  ", "\r", "a", "b", "k=v", "[s]\n", "\n[s]\n",
	"\\", "\"", "'", "`", "é", "\u00a0", "\u2028", "\x0b", "\x1c", "\x85", "\ufeff", "-", "%", "DEFAULT", "ſ", "K", "\x00"}

func adversarialINI(rnd *rand.Rand) string {
	return "[s]\n" + pieces(rnd, 1, 30, iniPieces)
}

func randomINI(rnd *rand.Rand) string {
	text := pieces(rnd, 0, 40, iniPieces)
	if rnd.IntN(10) == 0 {
		text += pick(rnd, "\xff", "\xc3", "\xe2\x82", "\xed\xa0\x80", "\xf4\x90", "a\xc3(") + pick(rnd, "", "\n", "xyz\n")
	}
	return text
}

func TestINILikePython(t *testing.T) {
	kinds := []func(*rand.Rand) string{plausibleINI, oddINI, adversarialINI, randomINI}
	const file = "dir/it's.conf"
	differ(t, "ini", *countFlag,
		func(rnd *rand.Rand) string { return kinds[rnd.IntN(len(kinds))](rnd) },
		func(text string) any { return map[string]string{"name": file, "data": encoded([]byte(text))} },
		func(text string, want answer) string {
			doc := newDocument()
			_, err := doc.read(file, []byte(text))
			if want.Error != nil {
				if err == nil || err.Error() != *want.Error {
					return fmt.Sprintf("%q: error %v\nwant %s", text, err, *want.Error)
				}
				return ""
			}
			if err != nil {
				return fmt.Sprintf("%q: %v, want none", text, err)
			}
			got, err := json.Marshal(dumpDocument(doc))
			if err != nil {
				return err.Error()
			}
			return difference(text, got, want.OK)
		})
}

// TestINILongFiles is about the bad bytes in files that Python reads in
// several pieces.
func TestINILongFiles(t *testing.T) {
	const file = "f"
	differ(t, "ini", 300,
		func(rnd *rand.Rand) string {
			var b strings.Builder
			if rnd.IntN(5) > 0 {
				b.WriteString("[s]\n")
			}
			for size := rnd.IntN(3 * chunkSize); b.Len() < size; {
				b.WriteString(pick(rnd, "k=v\n", "key = 日本語\n", "; é\n", "\n"))
			}
			b.WriteString(pick(rnd, "", "\xff", "\xe6\x97", "\xf0\x9f\x98", "\xe6\x97 x"))
			if rnd.IntN(2) == 0 {
				b.WriteString(strings.Repeat("a=b\n", rnd.IntN(chunkSize)))
			}
			return b.String()
		},
		func(text string) any { return map[string]string{"name": file, "data": encoded([]byte(text))} },
		func(text string, want answer) string {
			doc := newDocument()
			_, err := doc.read(file, []byte(text))
			got := "none"
			if err != nil {
				got = err.Error()
			}
			if want.Error == nil {
				want.Error = new("none")
			}
			if got != *want.Error {
				return fmt.Sprintf("file of %d bytes: error %s, want %s", len(text), got, *want.Error)
			}
			return ""
		})
}

func dumpDocument(doc *document) any {
	pairs := func(s *section) [][]string {
		list := [][]string{}
		for _, key := range s.keys {
			list = append(list, []string{key, s.values[key]})
		}
		return list
	}
	defaults := pairs(doc.defaults)
	slices.SortFunc(defaults, func(a, b []string) int { return strings.Compare(a[0], b[0]) })
	dump := []any{[]any{"DEFAULT", defaults}}
	for _, name := range doc.names {
		dump = append(dump, []any{name, pairs(doc.sections[name])})
	}
	return dump
}

// difference compares two values in JSON.
func difference(question string, got, want []byte) string {
	var g, w any
	if err := errors.Join(json.Unmarshal(got, &g), json.Unmarshal(want, &w)); err != nil {
		return err.Error()
	}
	if reflect.DeepEqual(g, w) {
		return ""
	}
	return fmt.Sprintf("%q:\ngot  %s\nwant %s", question, got, want)
}

func TestSplitLikePython(t *testing.T) {
	list := []string{" ", " ", "a", "b", "'", "\"", "\\", "\t", "\n", "\r", "#", ";", "é", "/bin/cat", "-x", "''", `""`, "=", "$", "\v", "`", "|", "\u00a0"}
	differ(t, "split", *countFlag,
		func(rnd *rand.Rand) string { return pieces(rnd, 0, 15, list) },
		func(text string) any { return text },
		func(text string, want answer) string {
			words, err := split(text)
			if words == nil {
				words = []string{}
			}
			return compareAnswer(text, words, err, want)
		})
}

func TestEnvironmentLikePython(t *testing.T) {
	list := []string{"A", "B=", "=", "=", ",", ",", "1", "'", "\"", "\\", " ", "\n", "#", ";", "/x.y", "+-():", "é", "×", "ß", "日", "A=\"1\"", ",B='2'", "@", "%", "''", "_"}
	differ(t, "environment", *countFlag,
		func(rnd *rand.Rand) string {
			if rnd.IntN(2) == 0 {
				var settings []string
				for range rnd.IntN(4) {
					settings = append(settings, pick(rnd, "A", "KEY", "a_b", "'q'")+pick(rnd, "=", " = ")+
						pick(rnd, "1", `"a b"`, `'it"s'`, `"a\"b"`, `"a\nb"`, "/usr/bin:/bin", `"a"'b'`, `""`, "a b", `x\,y`))
				}
				return strings.Join(settings, pick(rnd, ",", ", ", ";", ",\n"))
			}
			return pieces(rnd, 0, 15, list)
		},
		func(text string) any { return text },
		func(text string, want answer) string {
			settings, err := parseEnvironment(text, nil)
			pairs := [][]string{}
			for _, v := range settings {
				pairs = append(pairs, []string{v.name, v.value})
			}
			return compareAnswer(text, pairs, err, want)
		})
}

// compareAnswer compares a value or an error with the answer to a question.
func compareAnswer(question string, value any, err error, want answer) string {
	if want.Error != nil {
		if err == nil || err.Error() != *want.Error {
			return fmt.Sprintf("%q: %v, error %v\nwant %s", question, value, err, *want.Error)
		}
		return ""
	}
	if err != nil {
		return fmt.Sprintf("%q: error %v, want %s", question, err, want.OK)
	}
	got, err := json.Marshal(value)
	if err != nil {
		return err.Error()
	}
	return difference(question, got, want.OK)
}

func TestFormatLikePython(t *testing.T) {
	list := []string{"%", "%", "%%", "(a)", "(n)", "(neg)", "(b)", "(nope)", "(", ")", "s", "d", "x", "X", "o", "f", "e", "g", "c", "r", "a",
		"i", "u", "E", "F", "G", "5", "0", "12", ".", ".3", "*", "-", "+", " ", "#", "l", "h", "L", "z", "é", "%(a)s", "%(n)02d", "text"}
	var outer, inner python.Dict
	outer.Set("a", "it's é")
	outer.SetInt("n", 5)
	inner.Set("b", "x")
	inner.SetInt("neg", -1234)
	inner.Set("(a)", "paren")
	scopes := []map[string]any{{"a": "it's é"}, {"n": 5}, {"b": "x"}, {"neg": -1234}, {"(a)": "paren"}}
	differ(t, "percent", *countFlag,
		func(rnd *rand.Rand) string {
			if rnd.IntN(2) == 0 {
				return pieces(rnd, 0, 3, []string{"x", "%%", "é"}) + "%" + pick(rnd, "(a)", "(n)", "(neg)", "(b)", "(n)", "(neg)") +
					pieces(rnd, 0, 3, []string{"-", "+", " ", "#", "0"}) + pick(rnd, "", "", "1", "8", "12") +
					pick(rnd, "", "", ".", ".0", ".2", ".10") + pick(rnd, "", "", "l", "h") +
					pick(rnd, "s", "d", "x", "X", "o", "f", "e", "g", "G", "E", "F", "c", "r", "a", "i", "u") + pick(rnd, "", "y")
			}
			return pieces(rnd, 0, 10, list)
		},
		func(format string) any { return map[string]any{"format": format, "scopes": scopes} },
		func(format string, want answer) string {
			got, err := python.Format(format, python.Scope{&outer, &inner})
			if missing := (*python.KeyError)(nil); errors.As(err, &missing) {
				err = errors.New("KeyError: " + err.Error())
			}
			return compareAnswer(format, got, err, want)
		})
}

func TestIntLikePython(t *testing.T) {
	list := []string{"0", "1", "7", "8", "9", "_", "+", "-", " ", "0o", "x", "\u00a0", "٣", "９", "\x1c", "\n", "e", ".", "922337203685477580"}
	type question struct {
		Text string `json:"text"`
		Base int    `json:"base"`
	}
	differ(t, "integer", *countFlag/2,
		func(rnd *rand.Rand) question {
			return question{pieces(rnd, 0, 5, list), 8 + 2*rnd.IntN(2)}
		},
		func(q question) any { return q },
		func(q question, want answer) string {
			got, err := python.Int(q.Text, q.Base)
			if err == nil && want.Error == nil && fmt.Sprint(got) == string(want.OK) {
				return "" // compared as text: JSON numbers lose digits
			}
			return compareAnswer(fmt.Sprint(q), got, err, want)
		})
}

func TestReprLikePython(t *testing.T) {
	differ(t, "representation", *countFlag/4,
		func(rnd *rand.Rand) string {
			var b strings.Builder
			for range rnd.IntN(10) {
				switch rnd.IntN(4) {
				case 0:
					b.WriteString(pick(rnd, "'", "\"", "\\", "\n", "\r", "\t"))
				case 1:
					b.WriteRune(rune(rnd.IntN(0x100)))
				case 2:
					// What is printable grows from one version of Unicode to
					// the next; these planes have not changed for long.
					b.WriteRune(rune(rnd.IntN(0x500)))
				default:
					b.WriteString(pick(rnd, "\u2028", "\ufeff", "\U000e0001", "\U0001f600", "\ue000", "\u00ad", "日"))
				}
			}
			return b.String()
		},
		func(text string) any { return text },
		func(text string, want answer) string {
			got := []string{python.Repr(text), python.ASCII(text), python.ReprBytes([]byte(text))}
			return compareAnswer(text, got, nil, want)
		})
}
