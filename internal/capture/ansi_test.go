package capture

import (
	"bytes"
	"encoding/json"
	"math/rand/v2"
	"os"
	"os/exec"
	"strings"
	"testing"
)

// strip strips in as pieces of a size.
func strip(in []byte, size int) []byte {
	var s Stripper
	var out []byte
	for len(in) > 0 {
		n := min(size, len(in))
		b := append(make([]byte, 1), in[:n]...)
		in = in[n:]
		out = append(out, s.Strip(b[1-s.Unhold(b):])...)
	}
	var held [1]byte
	return append(out, held[:s.Unhold(held[:])]...)
}

func TestStrip(t *testing.T) {
	for in, want := range map[string]string{
		"":                                      "",
		"plain":                                 "plain",
		"\x1b[31mred\x1b[0m plain":              "red plain",
		"\x1b[1;32;40mbold\x1b[m\x1b[2Jx\x1b[H": "boldx",
		"\x1b(B stay":                           "\x1b(B stay",
		"a\x1b":                                 "a\x1b",
		"a\x1b\x1b[0mb":                         "a\x1bb",
		"a\x1b[":                                "a",
		"a\x1b[12;":                             "a",
		"a\x1b[3Xbc":                            "ac"[:1],
		"a\x1b[3Xbcmd":                          "ad",
		"\x1b[\x1b[0mb":                         "b",
	} {
		if got := strip([]byte(in), 1<<10); string(got) != want {
			t.Errorf("%q: got %q, want %q", in, got, want)
		}
	}
}

func TestStripAsTheOriginal(t *testing.T) {
	python := "/usr/bin/python3"
	if err := exec.Command(python, "-c", "import supervisor.dispatchers").Run(); err != nil {
		if os.Getenv("CI") == "true" {
			t.Fatalf("import supervisor.dispatchers: %v", err)
		}
		t.Skip("install the Debian package supervisor to compare with it")
	}
	rnd := rand.New(rand.NewPCG(1, 2))
	const alphabet = "\x1b\x1b[[[mHxK0;\n"
	inputs := make([]string, 20000)
	for i := range inputs {
		b := make([]byte, rnd.IntN(20))
		for j := range b {
			b[j] = alphabet[rnd.IntN(len(alphabet))]
		}
		inputs[i] = string(b)
	}
	in, err := json.Marshal(inputs)
	if err != nil {
		t.Fatal(err)
	}
	cmd := exec.Command(python, "-c", `
import json, sys
from supervisor.dispatchers import stripEscapes
json.dump([stripEscapes(s.encode()).decode() for s in json.load(sys.stdin)], sys.stdout)`)
	cmd.Stdin = bytes.NewReader(in)
	out, err := cmd.Output()
	if err != nil {
		t.Fatal(err)
	}
	var want []string
	if err := json.Unmarshal(out, &want); err != nil {
		t.Fatal(err)
	}
	for i, s := range inputs {
		for _, size := range []int{1, 2, 100} {
			if got := string(strip([]byte(s), size)); got != want[i] {
				t.Fatalf("%q in pieces of %d: got %q, want %q", s, size, got, want[i])
			}
		}
	}
}

func FuzzStrip(f *testing.F) {
	f.Add([]byte("\x1b[31mred\x1b[0m plain"), uint8(2))
	f.Add([]byte("\x1b\x1b[\x1bm\x1b"), uint8(0))
	f.Fuzz(func(t *testing.T, in []byte, size uint8) {
		whole, cut := strip(in, len(in)+1), strip(in, int(size)+1)
		if !bytes.Equal(whole, cut) {
			t.Errorf("whole %q, in pieces of %d %q", whole, int(size)+1, cut)
		}
		if bytes.Contains(whole, []byte("\x1b[")) && !bytes.Contains(in, []byte("\x1b\x1b[")) {
			t.Errorf("an escape is left in %q", whole)
		}
	})
}

func BenchmarkStrip(b *testing.B) {
	text := []byte(strings.Repeat("\x1b[32mINFO\x1b[0m a line of output with some colour\n", 1000))
	buf := make([]byte, len(text))
	var s Stripper
	b.SetBytes(int64(len(text)))
	b.ReportAllocs()
	for b.Loop() {
		copy(buf, text)
		s.Strip(buf)
	}
}
