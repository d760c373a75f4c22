package rpcclient

import (
	"bytes"
	"encoding/xml"
	"strings"
	"testing"
)

func FuzzMarkForbidden(f *testing.F) {
	for _, seed := range []string{"", "plain", "\x00\x1b[0m", "\xff\xfe", "\U000F0000\U000F00FF", "\uFFFE", "a\xf3\xb0\x80", "é\x7f"} {
		f.Add([]byte(seed))
	}
	f.Fuzz(func(t *testing.T, b []byte) {
		marked := markForbidden(b)
		if got := restoreMarked(string(marked)); got != string(b) {
			t.Fatalf("%q comes back as %q", b, got)
		}
		for _, clean := range [][]byte{marked, replaceForbidden(b)} {
			var text bytes.Buffer
			xml.EscapeText(&text, clean)
			if strings.Contains(text.String(), "\uFFFD") && !bytes.Contains(clean, []byte("\uFFFD")) {
				t.Fatalf("%q is not XML: %q", b, clean)
			}
		}
	})
}

func FuzzArrayValues(f *testing.F) {
	for _, seed := range []string{
		"<value><array><data><value><int>1</int></value><value/></data></array></value>",
		"<value><struct></struct></value>", "</value>", "<value>", "<!-- -->", "<value><value></value></value>",
	} {
		f.Add([]byte(seed))
	}
	f.Fuzz(func(t *testing.T, b []byte) {
		values, err := arrayValues(b)
		if err != nil {
			return
		}
		for _, v := range values {
			if !bytes.HasPrefix(v, []byte("<value")) || !bytes.HasSuffix(v, []byte(">")) {
				t.Fatalf("element %q of %q is no value", v, b)
			}
		}
	})
}

func TestArrayValues(t *testing.T) {
	for _, test := range []struct {
		body string
		want []string
	}{
		{"<value><array><data></data></array></value>", nil},
		{"<value><array><data>\n<value>a</value>\n<value/><value><array><data><value>b</value></data></array></value></data></array></value>",
			[]string{"<value>a</value>", "<value/>", "<value><array><data><value>b</value></data></array></value>"}},
	} {
		got, err := arrayValues([]byte(test.body))
		if err != nil || string(bytes.Join(got, []byte("|"))) != strings.Join(test.want, "|") {
			t.Errorf("arrayValues(%s) = %q, %v", test.body, got, err)
		}
	}
	for _, bad := range []string{"<value>", "<value></value></value>", "<value><!-- x --></value>", "<value><struct></struct></value>"} {
		if _, err := arrayValues([]byte(bad)); err == nil {
			t.Errorf("no error for %s", bad)
		}
	}
}

func BenchmarkDecodeAllProcessInfo(b *testing.B) {
	member := func(name, value string) string {
		return "<member>\n<name>" + name + "</name>\n<value>" + value + "</value>\n</member>\n"
	}
	info := "<value><struct>\n"
	for _, name := range []string{"name", "group", "statename", "spawnerr", "logfile", "stdout_logfile", "stderr_logfile", "description"} {
		info += member(name, "<string>some text</string>")
	}
	for _, name := range []string{"start", "stop", "now", "state", "exitstatus", "pid"} {
		info += member(name, "<int>12345</int>")
	}
	info += "</struct></value>\n"
	body := []byte(answer("<array><data>\n" + strings.Repeat(info, 100) + "</data></array>"))
	b.SetBytes(int64(len(body)))
	b.ReportAllocs()
	for b.Loop() {
		var infos []ProcessInfo
		if err := decode(replaceForbidden(body), &infos); err != nil || len(infos) != 100 {
			b.Fatal(len(infos), err)
		}
	}
}
