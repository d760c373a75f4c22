package envfile

import (
	"fmt"
	"math/rand/v2"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"supervisord/internal/testenv"
)

// TestParse has the rules of systemd.exec(5), one after another.
func TestParse(t *testing.T) {
	for text, want := range map[string]string{
		"":                            "",
		"A=1\nB=2\n":                  `A="1"@1 B="2"@2`,
		"A=1":                         `A="1"@1`,
		"A=1\r\nB=2\r\n":              `A="1"@1 B="2"@2`,
		" \t A = 1 2 \t\n":            `A="1 2"@1`,
		"A=":                          `A=""@1`,
		"A=1\nA=2":                    `A="1"@1 A="2"@2`,
		"# A=1\n;B=2\n\n  # C=3\nD=4": `D="4"@5`,
		"A=1 # no comment":            `A="1 # no comment"@1`,
		"# comment \\\nA=1":           `A="1"@2`,
		"A=a=b":                       `A="a=b"@1`,
		"A='a b  '":                   `A="a b  "@1`,
		`A="a b  "`:                   `A="a b  "@1`,
		`A='a\n$b"c'`:                 `A="a\\n$b\"c"@1`,
		`A="\"\\\$` + "\\`" + `\n"`:   "A=\"\\\"\\\\$`\\\\n\"@1",
		"A=\"a\\\nb\"":                `A="ab"@1`,
		"A='a\nb'\nB=2":               `A="a\nb"@1 B="2"@3`,
		"A=a\\\n  b\nB=2":             `A="a  b"@1 B="2"@3`,
		`A=a\ \ `:                     `A="a  "@1`,
		"A=a \\\n":                    `A="a "@1`,
		`A=\"x\"`:                     `A="\"x\""@1`,
		`A="x" y`:                     `A="xy"@1`,
		`A="x"'y'"z"`:                 `A="xyz"@1`,
		`A=x"y"`:                      `A="x\"y\""@1`,
		`A='never ended`:              `A="never ended"@1`,
		`A=$HOME ${B}`:                `A="$HOME ${B}"@1`,
		"A=Grüße":                     `A="Grüße"@1`,
		"nothing":                     "bad 1",
		"A=1\nexport B=2\n\n1C=3\n=4": `A="1"@1 bad 2 bad 4 bad 5`,
		"a b\nC=1":                    `C="1"@2 bad 1`,
	} {
		if got := parsed(text); got != want {
			t.Errorf("%q: %s\nwant %s", text, got, want)
		}
	}
}

// parsed shows what Parse returns.
func parsed(text string) string {
	variables, bad, err := Parse([]byte(text))
	var words []string
	for _, v := range variables {
		words = append(words, fmt.Sprintf("%s=%q@%d", v.Name, v.Value, v.Line))
	}
	for _, line := range bad {
		words = append(words, fmt.Sprintf("bad %d", line))
	}
	if err != nil {
		words = append(words, err.Error())
	}
	return strings.Join(words, " ")
}

func TestParseErrors(t *testing.T) {
	for text, want := range map[string]string{
		"A=1\nB=\xff":     "line 2 is not UTF-8",
		"A=1\n\nB=x\x00y": "line 3 has a NUL character",
	} {
		if got := parsed(text); got != want {
			t.Errorf("%q: %s, want %s", text, got, want)
		}
	}
}

// FuzzParse reads any text; what was read, written between single quotation
// marks, is read as the same.
func FuzzParse(f *testing.F) {
	for _, seed := range []string{"A=1\nB='x'\n", "A=\"\\\n\\\"\"", "# \\\nA=b\\", ";\r\nA = \\ ", "=\nx"} {
		f.Add([]byte(seed))
	}
	f.Fuzz(func(t *testing.T, data []byte) {
		variables, bad, err := Parse(data)
		if err != nil {
			return
		}
		var plain strings.Builder
		line := 1
		for i, v := range variables {
			value := "'" + strings.ReplaceAll(v.Value, "'", `'"'"'`) + "'"
			fmt.Fprintf(&plain, "%s=%s\n", v.Name, value)
			variables[i].Line = line
			line += 1 + strings.Count(v.Value, "\n")
		}
		again, worse, err := Parse([]byte(plain.String()))
		if err != nil || len(worse) > 0 || !slices.Equal(again, variables) {
			t.Errorf("%q written as %q: %v %v %v, want %v", data, plain.String(), again, worse, err, variables)
		}
		lines := strings.Count(string(data), "\n") + 1
		for _, n := range bad {
			if n < 1 || n > lines {
				t.Errorf("%q: bad line %d of %d", data, n, lines)
			}
		}
	})
}

// generator is a program of systemd that reads such files, of the directory
// environment.d, with the same code. It expands variables too.
const generator = "/usr/lib/systemd/user-environment-generators/30-systemd-environment-d-generator"

// TestLikeSystemd compares random files with what systemd makes of them.
func TestLikeSystemd(t *testing.T) {
	testenv.NeedProgram(t, generator, "systemd")
	pieces := []string{"A", "B", "_c1", "1", "=", "=", " ", "\t", "\n", "\n", "\\", "\\\n", "'", `"`, "#", ";", "x", "y z", "ü", "`", "A=", "\nB=", "\r"}
	seed := rand.Uint64()
	rnd := rand.New(rand.NewPCG(seed, 1))
	for i := range 400 {
		var text strings.Builder
		for range 1 + rnd.IntN(25) {
			text.WriteString(pieces[rnd.IntN(len(pieces))])
		}
		got, _, err := Parse([]byte(text.String()))
		if err != nil {
			t.Fatal(err)
		}
		want := systemd(t, text.String())
		if continuedComment(text.String()) {
			continue // Before version 254 such a comment had another line.
		}
		if slices.ContainsFunc(want, func(s string) bool { return strings.HasSuffix(s, "=") }) {
			continue // An empty value counts there only if it was written in one way.
		}
		if g := last(got); !slices.Equal(g, want) {
			t.Errorf("seed %d, file %d, %q: %q\nsystemd: %q", seed, i, text.String(), g, want)
		}
	}
}

// last returns the settings in order of name, each name with its last value, as
// the generator prints them: it does not count those that are empty.
func last(variables []Variable) []string {
	values := map[string]string{}
	for _, v := range variables {
		if v.Value != "" {
			values[v.Name] = v.Value
		}
	}
	var list []string
	for name, value := range values {
		list = append(list, name+"="+value)
	}
	slices.Sort(list)
	return list
}

// systemd returns the settings that the generator finds in a file, sorted. It
// prints them for a shell.
func systemd(t *testing.T, text string) []string {
	t.Helper()
	home := t.TempDir()
	dir := filepath.Join(home, ".config", "environment.d")
	if err := os.MkdirAll(dir, 0o755); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(filepath.Join(dir, "~.conf"), []byte(text), 0o644); err != nil {
		t.Fatal(err)
	}
	cmd := exec.Command(generator)
	cmd.Env = []string{"HOME=" + home, "XDG_CONFIG_HOME=" + home + "/.config", "LC_ALL=C.UTF-8"}
	out, err := cmd.Output()
	if err != nil {
		t.Fatalf("%q: %v", text, err)
	}
	var list []string
	for entry := range strings.Lines(string(out)) {
		name, value, _ := strings.Cut(strings.TrimSuffix(entry, "\n"), "=")
		if quoted, ok := strings.CutPrefix(value, `"`); ok {
			value = unquote.Replace(strings.TrimSuffix(quoted, `"`))
		}
		if name != "QT_ACCESSIBILITY" { // a file of Debian's
			list = append(list, name+"="+value)
		}
	}
	slices.Sort(list)
	return list
}

// unquote reads what stands between the double quotation marks.
var unquote = strings.NewReplacer(`\\`, `\`, `\"`, `"`, `\$`, "$", "\\`", "`", `\n`, "\n", `\t`, "\t", `\r`, "\r")

// continuedComment reports whether a line that may be a comment ends in a
// backslash.
func continuedComment(text string) bool {
	for line := range strings.SplitSeq(strings.ReplaceAll(text, "\r", "\n"), "\n") {
		if strings.ContainsAny(line, "#;") && strings.HasSuffix(line, "\\") {
			return true
		}
	}
	return false
}
