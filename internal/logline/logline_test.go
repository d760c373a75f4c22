package logline

import (
	"bytes"
	"encoding/json"
	"fmt"
	"math/rand/v2"
	"strings"
	"testing"
	"time"
	"unicode/utf8"

	"supervisord/internal/api"
)

var (
	noon   = time.Date(2026, 3, 1, 12, 0, 0, 123_900_000, time.FixedZone("", 3600))
	source = Source{Name: "web", Group: "web", Stream: api.Stdout, PID: 42}
)

// encode returns the records of pieces of output that came a second apart.
func encode(f api.LogFormat, s Source, pieces ...string) string {
	e := NewEncoder(f, s)
	var all []byte
	now := noon
	for _, piece := range pieces {
		for p := []byte(piece); len(p) > 0; {
			var b []byte
			b, p = e.Append(nil, p, now)
			all = append(all, b...)
		}
		now = now.Add(time.Second)
	}
	return string(e.End(all))
}

func TestText(t *testing.T) {
	const at = "2026-03-01T11:00:0"
	worker := Source{Name: "w_0", Group: "pool", Stream: api.Stderr, PID: 7}
	tests := []struct {
		name   string
		s      Source
		pieces []string
		want   string
	}{
		{"lines", source, []string{"a\nb b\n"}, at + "0.123Z web stdout | a\n" + at + "0.123Z web stdout | b b\n"},
		{"of a group", worker, []string{"a\n"}, at + "0.123Z pool:w_0 stderr | a\n"},
		{"time of the first byte", source, []string{"a", "b", "c\nd\n"}, at + "0.123Z web stdout | abc\n" + at + "2.123Z web stdout | d\n"},
		{"empty lines", source, []string{"\n\n"}, at + "0.123Z web stdout | \n" + at + "0.123Z web stdout | \n"},
		{"not ended", source, []string{"a\n", "last words"}, at + "0.123Z web stdout | a\n" + at + "1.123Z web stdout + last words\n"},
		{"bytes as they are", source, []string{"\xff\x00\t\r\n"}, at + "0.123Z web stdout | \xff\x00\t\r\n"},
		{"nothing", source, []string{""}, ""},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			if got := encode(api.FormatText, tt.s, tt.pieces...); got != tt.want {
				t.Errorf("got\n%q, want\n%q", got, tt.want)
			}
		})
	}
}

func TestJSON(t *testing.T) {
	const head = `{"time":"2026-03-01T11:00:00.123Z","name":"web","group":"web","stream":"stdout","pid":42,"message":"`
	tests := []struct{ name, in, want string }{
		{"plain", "hello, world\n", head + "hello, world\"}\n"},
		{"escapes", "\"\\\b\f\r\t\x00\x1f\x7f\n", head + `\"\\\u0008\u000c\r\t\u0000\u001f` + "\x7f\"}\n"},
		{"characters", "grün 漢字 😀\n", head + "grün 漢字 😀\"}\n"},
		{"not UTF-8", "a\xff\xe2\x82z\xc3\n", head + `a\ufffd\ufffd\ufffdz\ufffd` + "\"}\n"},
		{"not ended", "prompt> ", head + "prompt> \",\"partial\":true}\n"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			if got := encode(api.FormatJSON, source, tt.in); got != tt.want {
				t.Errorf("got\n%s, want\n%s", got, tt.want)
			}
		})
	}
}

func TestNamesInJSON(t *testing.T) {
	name := "a\"\xff"
	got := encode(api.FormatJSON, Source{Name: name, Group: name}, "x\n")
	if want := `"name":"a\"\ufffd","group":"a\"\ufffd"`; !strings.Contains(got, want) || !json.Valid([]byte(got)) {
		t.Errorf("%s lacks %s", got, want)
	}
}

// A line is cut after MaxLine bytes, or up to three before so that no
// character is cut.
func TestLongLine(t *testing.T) {
	tests := []struct {
		name  string
		line  string
		sizes []int
	}{
		{"as long as can be", strings.Repeat("x", MaxLine), []int{MaxLine}},
		{"one more", strings.Repeat("x", MaxLine+1), []int{MaxLine, 1}},
		{"two and a half", strings.Repeat("x", MaxLine*5/2), []int{MaxLine, MaxLine, MaxLine / 2}},
		{"a character at the limit", strings.Repeat("x", MaxLine-2) + "漢y", []int{MaxLine - 2, 4}},
		{"half of one", strings.Repeat("x", MaxLine-1) + "\xe6\n", []int{MaxLine}},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			records := strings.SplitAfter(encode(api.FormatText, source, strings.TrimSuffix(tt.line, "\n")+"\n"), "\n")
			records = records[:len(records)-1]
			if len(records) != len(tt.sizes) {
				t.Fatalf("%d records, want %d", len(records), len(tt.sizes))
			}
			for i, r := range records {
				head, text := r[:len("2026-03-01T11:00:00.123Z web stdout | ")], strings.TrimSuffix(r[len("2026-03-01T11:00:00.123Z web stdout | "):], "\n")
				if len(text) != tt.sizes[i] {
					t.Errorf("record %d has %d bytes, want %d", i, len(text), tt.sizes[i])
				}
				if cut := strings.HasSuffix(head, "+ "); cut != (i < len(records)-1) {
					t.Errorf("record %d of %d begins with %q", i, len(records), head)
				}
			}
		})
	}
}

// Records are handed over in batches, however many there are.
func TestBatch(t *testing.T) {
	e := NewEncoder(api.FormatJSON, source)
	p := bytes.Repeat([]byte("\n"), 64<<10)
	count := 0
	for len(p) > 0 {
		var b []byte
		b, p = e.Append(nil, p, noon)
		if len(b) > Batch+200 || b[len(b)-1] != '\n' {
			t.Fatalf("a batch of %d bytes that ends in %q", len(b), b[len(b)-1])
		}
		count += bytes.Count(b, []byte("\n"))
	}
	if count != 64<<10 {
		t.Errorf("%d records", count)
	}
}

// The longest record finds room where a log keeps what it cannot write.
func TestLongestRecord(t *testing.T) {
	got := encode(api.FormatJSON, Source{Name: strings.Repeat("n", 255), Group: strings.Repeat("g", 255)}, strings.Repeat("\x00", MaxLine))
	if len(got) > 256<<10 {
		t.Errorf("%d bytes", len(got))
	}
}

// TestEscapes compares with encoding/json.
func TestEscapes(t *testing.T) {
	r := rand.New(rand.NewPCG(1, 2))
	for range 20_000 {
		p := make([]byte, r.IntN(40))
		for i := range p {
			if p[i] = byte(r.IntN(256)); r.IntN(3) > 0 {
				p[i] = ' ' + byte(r.IntN(95))
			}
		}
		var got string
		if err := json.Unmarshal(append(AppendEscaped([]byte{'"'}, p), '"'), &got); err != nil {
			t.Fatalf("%q: %v", p, err)
		}
		if want := strings.ToValidUTF8(string(eachInvalid(p)), ""); got != want {
			t.Fatalf("%q became %q, want %q", p, got, want)
		}
	}
}

// eachInvalid replaces each byte that is not UTF-8.
func eachInvalid(p []byte) []byte { return []byte(string([]rune(string(p)))) }

func TestAppendTime(t *testing.T) {
	tests := []struct {
		t    time.Time
		want string
	}{
		{noon, "2026-03-01T11:00:00.123Z"},
		{time.Time{}, "0001-01-01T00:00:00.000Z"},
		{time.Date(12345, 1, 1, 0, 0, 0, 0, time.UTC), "9999-12-31T23:59:59.999Z"},
		{time.Date(-1, 1, 1, 0, 0, 0, 0, time.UTC), "0000-01-01T00:00:00.000Z"},
	}
	for _, tt := range tests {
		got := string(AppendTime(nil, tt.t))
		if got != tt.want || len(got) != len(noTime) {
			t.Errorf("%v became %s, want %s", tt.t, got, tt.want)
		}
	}
}

// FuzzEncoder cuts output in pieces, which must not change the records, and
// puts it together again from these.
func FuzzEncoder(f *testing.F) {
	f.Add([]byte("a\nb\n"), uint16(1), uint16(2), false)
	f.Add([]byte("a\xe6\xbc\xa2\n\x00\"\\"), uint16(2), uint16(3), true)
	f.Add(bytes.Repeat([]byte("漢"), 20), uint16(15), uint16(17), true)
	f.Fuzz(func(t *testing.T, p []byte, one, two uint16, asJSON bool) {
		format := api.FormatText
		if asJSON {
			format = api.FormatJSON
		}
		records := func(pieces ...[]byte) (all []byte) {
			e := NewEncoder(format, source)
			e.max = 16
			for _, piece := range pieces {
				for len(piece) > 0 {
					var b []byte
					b, piece = e.Append(nil, piece, noon)
					all = append(all, b...)
				}
			}
			return e.End(all)
		}
		whole := records(p)
		i, j := min(int(one), len(p)), min(int(two), len(p))
		i, j = min(i, j), max(i, j)
		if got := records(p[:i], p[i:j], p[j:]); !bytes.Equal(got, whole) {
			t.Errorf("cut at %d and %d: got\n%q, want\n%q", i, j, got, whole)
		}
		if got, want := restore(t, whole, asJSON), p; asJSON && !bytes.Equal(got, eachInvalid(want)) || !asJSON && !bytes.Equal(got, want) {
			t.Errorf("restored\n%q, want\n%q", got, want)
		}
	})
}

// restore returns the output that records were made of.
func restore(t *testing.T, records []byte, asJSON bool) []byte {
	var p []byte
	for record := range bytes.Lines(records) {
		whole := true
		if asJSON {
			var r struct {
				Time, Name, Group, Stream, Message string
				PID                                int
				Partial                            bool
			}
			d := json.NewDecoder(bytes.NewReader(record))
			d.DisallowUnknownFields()
			if err := d.Decode(&r); err != nil || !utf8.Valid(record) {
				t.Fatalf("%q: %v", record, err)
			}
			if want := (Source{r.Name, r.Group, api.Stdout, r.PID}); want != source || r.Stream != "stdout" {
				t.Fatalf("%q", record)
			}
			p, whole = append(p, r.Message...), !r.Partial
		} else {
			head := len("2026-03-01T11:00:00.123Z web stdout | ")
			p, whole = append(p, record[head:len(record)-1]...), record[head-2] == complete
		}
		if whole {
			p = append(p, '\n')
		}
	}
	return p
}

func benchmarkEncoder(b *testing.B, f api.LogFormat, line string) {
	e := NewEncoder(f, source)
	p := []byte(strings.Repeat(line+"\n", (64<<10)/(len(line)+1)))
	out := make([]byte, 0, 2*Batch)
	b.SetBytes(int64(len(p)))
	b.ReportAllocs()
	now := noon
	for b.Loop() {
		now = now.Add(time.Millisecond)
		for rest := p; len(rest) > 0; {
			out, rest = e.Append(out[:0], rest, now)
		}
	}
}

func BenchmarkEncoder(b *testing.B) {
	for _, f := range []api.LogFormat{api.FormatText, api.FormatJSON} {
		for name, line := range map[string]string{
			"plain":  strings.Repeat("abcdefghi ", 10),
			"quotes": strings.Repeat(`"k": "v", `, 10),
			"utf8":   strings.Repeat("漢字", 16),
			"binary": strings.Repeat("\xff\x00", 50),
		} {
			b.Run(fmt.Sprintf("%v/%s", f, name), func(b *testing.B) { benchmarkEncoder(b, f, line) })
		}
	}
}
