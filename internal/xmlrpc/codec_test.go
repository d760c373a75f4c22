package xmlrpc

import (
	"bytes"
	"fmt"
	"math"
	"reflect"
	"strings"
	"testing"
	"time"
	"unicode/utf16"
)

// call wraps parameters into a method call.
func call(params string) string {
	return "<?xml version='1.0'?>\n<methodCall><methodName>a.b</methodName>" + params + "</methodCall>"
}

func param(value string) string {
	return call("<params><param>" + value + "</param></params>")
}

func TestDecodeValues(t *testing.T) {
	tests := []struct {
		name, value string
		want        any
	}{
		{"string", "<value><string>abc</string></value>", "abc"},
		{"untyped", "<value>abc</value>", "abc"},
		{"untyped keeps blanks", "<value> a b </value>", " a b "},
		{"blanks around the type", "\n <value>\n <string>a\t</string>\n </value>\n ", "a\t"},
		{"empty value", "<value></value>", ""},
		{"short value", "<value/>", ""},
		{"empty string", "<value><string/></value>", ""},
		{"CDATA", "<value><string><![CDATA[<a>&amp;]]></string></value>", "<a>&amp;"},
		{"CDATA within text", "<value>x<![CDATA[<y>]]>z</value>", "x<y>z"},
		{"entities", "<value><string>&lt;&gt;&amp;&quot;&apos;&#65;&#x20AC;</string></value>", `<>&"'A€`},
		{"comment", "<value><string>a<!-- no -->b</string></value>", "ab"},
		{"line ends", "<value><string>a\r\nb\rc</string></value>", "a\nb\nc"},
		{"UTF-8", "<value><string>é€😀</string></value>", "é€😀"},
		{"int", "<value><int>42</int></value>", int64(42)},
		{"i4", "<value><i4>-7</i4></value>", int64(-7)},
		{"i8", "<value><i8>4294967296</i8></value>", int64(1 << 32)},
		{"extension i8", "<value><ex:i8 xmlns:ex='http://ws.apache.org/xmlrpc/namespaces/extensions'>5</ex:i8></value>", int64(5)},
		{"int with blanks and sign", "<value><int> +03\n</int></value>", int64(3)},
		{"true", "<value><boolean>1</boolean></value>", true},
		{"false", "<value><boolean>0</boolean></value>", false},
		{"word for a boolean", "<value><boolean>true</boolean></value>", false},
		{"double", "<value><double> 2.5e1 </double></value>", 25.0},
		{"large double", "<value><double>1e999</double></value>", math.Inf(1)},
		{"time", "<value><dateTime.iso8601>20260701T02:03:04</dateTime.iso8601></value>", time.Date(2026, 7, 1, 2, 3, 4, 0, time.UTC)},
		{"base64", "<value><base64>aMOp\n bGxv</base64></value>", "héllo"},
		{"base64 of bytes", "<value><base64>/wA=</base64></value>", "\xff\x00"},
		{"nil", "<value><nil/></value>", nil},
		{"extension nil", "<value><ex:nil/></value>", nil},
		{"unknown type", "<value><color>red</color></value>", "red"},
		{"array", "<value><array><data><value>a</value><value><int>1</int></value><value/></data></array></value>", []any{"a", int64(1), ""}},
		{"empty array", "<value><array><data/></array></value>", []any{}},
		{"struct", "<value><struct> <member> <name>k</name><value>v</value></member><member><name/><value><int>1</int></value></member></struct></value>", map[string]any{"k": "v", "": int64(1)}},
		{"nested", "<value><array><data><value><struct><member><name>a</name><value><array><data/></array></value></member></struct></value></data></array></value>",
			[]any{map[string]any{"a": []any{}}}},
	}
	for _, tt := range tests {
		method, params, err := DecodeCall([]byte(param(tt.value)))
		if err != nil {
			t.Errorf("%s: %v", tt.name, err)
			continue
		}
		if method != "a.b" || len(params) != 1 || !reflect.DeepEqual(params[0], tt.want) {
			t.Errorf("%s: got %q %#v, want %#v", tt.name, method, params, tt.want)
		}
	}
}

func TestDecodeShapes(t *testing.T) {
	tests := []struct {
		name, body string
		params     int
	}{
		{"no params", call(""), 0},
		{"empty params", call("<params/>"), 0},
		{"two", call("<params><param><value>a</value></param><param><value>b</value></param></params>"), 2},
		{"no declaration", "<methodCall><methodName>a.b</methodName></methodCall>", 0},
		{"byte order mark", "\uFEFF" + call(""), 0},
		{"comment after the end", call("") + "\n<!-- bye -->\n", 0},
		{"document type", "<!DOCTYPE methodCall><methodCall><methodName>a.b</methodName></methodCall>", 0},
		{"other root", "<foo><methodName>a.b</methodName></foo>", 0},
		{"other encoding that is not used", "<?xml version='1.0' encoding='koi8-r'?><methodCall><methodName>a.b</methodName></methodCall>", 0},
	}
	for _, tt := range tests {
		method, params, err := DecodeCall([]byte(tt.body))
		if err != nil || method != "a.b" || len(params) != tt.params {
			t.Errorf("%s: got %q %v, %v", tt.name, method, params, err)
		}
	}
}

func TestDecodeErrors(t *testing.T) {
	tests := map[string]string{
		"text":              "hello",
		"nothing":           "",
		"blank":             " ",
		"JSON":              `{"a": 1}`,
		"truncated":         call("")[:len(call(""))-8],
		"mismatched":        "<methodCall><methodName>a</methodname></methodCall>",
		"no name":           "<methodCall><params/></methodCall>",
		"empty name":        "<methodCall><methodName></methodName></methodCall>",
		"response":          "<methodResponse><params/></methodResponse>",
		"unknown entity":    param("<value>&nope;</value>"),
		"own entity":        "<!DOCTYPE m [<!ENTITY e 'x'>]>" + "<m><methodName>&e;</methodName></m>",
		"external entity":   "<!DOCTYPE m [<!ENTITY e SYSTEM 'file:///etc/passwd'>]><m><methodName>&e;</methodName></m>",
		"junk":              call("") + "junk",
		"two roots":         call("") + call(""),
		"ampersand":         param("<value>a & b</value>"),
		"control character": param("<value>\x1b</value>"),
		"NUL":               param("<value>&#0;</value>"),
		"not UTF-8":         param("<value>\xff</value>"),
		"int":               param("<value><int>x</int></value>"),
		"empty int":         param("<value><int/></value>"),
		"double":            param("<value><double>x</double></value>"),
		"hexadecimal":       param("<value><double>0x1p-2</double></value>"),
		"time":              param("<value><dateTime.iso8601>now</dateTime.iso8601></value>"),
		"base64":            param("<value><base64>abc</base64></value>"),
		"array":             param("<value><array></array></value>"),
		"member":            param("<value><struct><member><name>a</name></member></struct></value>"),
		"param":             call("<params><param/></params>"),
		"deep":              param(strings.Repeat("<value><array><data>", 50) + strings.Repeat("</data></array></value>", 50)),
		"many":              param("<value><array><data>" + strings.Repeat("<value/>", maxElements) + "</data></array></value>"),
	}
	for name, body := range tests {
		if method, params, err := DecodeCall([]byte(body)); err == nil {
			t.Errorf("%s: no error, got %q %v", name, method, params)
		}
	}
}

// TestDecodeDepth makes sure that the limit leaves room for what clients send.
func TestDecodeDepth(t *testing.T) {
	value := strings.Repeat("<value><array><data>", 20) + strings.Repeat("</data></array></value>", 20)
	if _, _, err := DecodeCall([]byte(param(value))); err != nil {
		t.Error(err)
	}
}

func TestDecodeEncodings(t *testing.T) {
	doc := func(encoding, text string) string {
		return "<?xml version=\"1.0\" encoding=\"" + encoding + "\"?>" + param("<value>" + text + "</value>")[len("<?xml version='1.0'?>\n"):]
	}
	wide := func(order string, text string) string {
		var b strings.Builder
		b.WriteString(order)
		for _, u := range utf16.Encode([]rune(text)) {
			pair := []byte{byte(u), byte(u >> 8)}
			if order == "\xFE\xFF" {
				pair[0], pair[1] = pair[1], pair[0]
			}
			b.Write(pair)
		}
		return b.String()
	}
	tests := []struct{ name, body, want string }{
		{"declared, but UTF-8", doc("ISO-8859-1", "é"), "é"},
		{"unknown, but UTF-8", doc("x-foo", "é"), "é"},
		{"Latin-1", doc("ISO-8859-1", "caf\xe9 \xa4"), "café ¤"},
		{"latin1", doc("latin1", "\xfc"), "ü"},
		{"Latin-9", doc("iso-8859-15", "\xa4\xe9"), "€é"},
		{"Windows", doc("windows-1252", "\x80\x9c\xe9"), "€œé"},
		{"UTF-16 little-endian", wide("\xFF\xFE", doc("utf-16", "é😀")), "é😀"},
		{"UTF-16 big-endian", wide("\xFE\xFF", doc("UTF-16", "é😀")), "é😀"},
	}
	for _, tt := range tests {
		_, params, err := DecodeCall([]byte(tt.body))
		if err != nil || len(params) != 1 || params[0] != tt.want {
			t.Errorf("%s: got %q, %v, want %q", tt.name, params, err, tt.want)
		}
	}
	for _, encoding := range []string{"utf-8", "koi8-r", "ebcdic"} {
		if _, _, err := DecodeCall([]byte(doc(encoding, "\xe9"))); err == nil {
			t.Errorf("%s: no error for text that is not UTF-8", encoding)
		}
	}
}

func TestEncodeText(t *testing.T) {
	tests := []struct{ in, want string }{
		{"", ""},
		{"plain", "plain"},
		{`<a href="x">&'`, `&lt;a href="x"&gt;&amp;'`},
		{"]]>", "]]&gt;"},
		{"a\tb\r\nc", "a\tb\r\nc"},
		{"é€😀\x7f\u0085", "é€😀\x7f\u0085"},
		{"\x1b[31mred\x1b[0m", "␛[31mred␛[0m"},
		{"nul\x00", "nul␀"},
		{"\x08\x0c\x1f", "␈␌␟"},
		{"a\xff\xfeb", "a��b"},
		{"half \xe2\x82", "half ��"},
		{"surrogate \xed\xa0\x80", "surrogate ���"},
		{"\uFFFE\uFFFF\uFFFD", "���"},
	}
	for _, tt := range tests {
		if got := string(escaped(tt.in)); got != tt.want {
			t.Errorf("%q: got %q, want %q", tt.in, got, tt.want)
		}
		if got := string(escaped([]byte(tt.in))); got != tt.want {
			t.Errorf("%q as bytes: got %q, want %q", tt.in, got, tt.want)
		}
	}
}

func escaped[T string | []byte](text T) []byte {
	var e Encoder
	writeText(&e, text)
	return e.Bytes()
}

func TestEncodeLargeInt(t *testing.T) {
	var e Encoder
	for v, want := range map[int64]string{
		math.MaxInt32:     "<int>2147483647</int>",
		math.MinInt32:     "<int>-2147483648</int>",
		math.MaxInt32 + 1: "<i8>2147483648</i8>",
		math.MinInt32 - 1: "<i8>-2147483649</i8>",
	} {
		e.Reset()
		e.Int(v)
		if got := string(e.Bytes()); got != "<value>"+want+"</value>\n" {
			t.Errorf("%d: got %q", v, got)
		}
	}
}

// info writes a struct of the size of a process description.
func info(e *Encoder, i int) {
	e.BeginStruct()
	for _, m := range [...]string{"name", "group", "statename", "spawnerr", "logfile", "stdout_logfile", "stderr_logfile", "description"} {
		e.Member(m)
		e.String("/var/log/supervisor/program-stdout.log")
	}
	for _, m := range [...]string{"start", "stop", "now", "state", "exitstatus", "pid"} {
		e.Member(m)
		e.Int(int64(i))
	}
	e.EndStruct()
}

func TestEncodeAllocatesNothing(t *testing.T) {
	var e Encoder
	write := func() {
		e.Reset()
		e.BeginResponse()
		e.BeginArray()
		for i := range 10 {
			info(&e, i)
		}
		e.EndArray()
		e.EndResponse()
	}
	write()
	if n := testing.AllocsPerRun(10, write); n != 0 {
		t.Errorf("a response allocates %v times", n)
	}
}

func BenchmarkEncode100Processes(b *testing.B) {
	var e Encoder
	b.ReportAllocs()
	for b.Loop() {
		e.Reset()
		e.BeginArray()
		for i := range 100 {
			info(&e, i)
		}
		e.EndArray()
	}
	b.SetBytes(int64(e.Len()))
}

func BenchmarkEncodeLog(b *testing.B) {
	text := []byte(strings.Repeat("2026-11-22 10:00:00,123 INFO request done in 12 ms <ok>\n", 20000))
	var e Encoder
	b.SetBytes(int64(len(text)))
	for b.Loop() {
		e.Reset()
		e.Text(text)
	}
}

func BenchmarkDecodeCall(b *testing.B) {
	body := []byte(call("<params><param><value><string>group:name</string></value></param><param><value><boolean>1</boolean></value></param></params>"))
	b.ReportAllocs()
	for b.Loop() {
		if _, _, err := DecodeCall(body); err != nil {
			b.Fatal(err)
		}
	}
}

func ExampleDecodeCall() {
	method, params, err := DecodeCall([]byte("<methodCall><methodName>supervisor.startProcess</methodName>" +
		"<params><param><value>web</value></param></params></methodCall>"))
	fmt.Println(method, params, err)
	// Output: supervisor.startProcess [web] <nil>
}

// TestSpill compares what is handed over in pieces with what is not.
func TestSpill(t *testing.T) {
	write := func(e *Encoder) {
		e.BeginResponse()
		e.BeginArray()
		for i := range 100 {
			info(e, i)
		}
		e.EndArray()
		e.EndResponse()
	}
	var whole, e Encoder
	write(&whole)
	const piece = 1000
	var got []byte
	pieces, longest := 0, 0
	e.Spill(piece, func(b []byte) {
		got = append(got, b...)
		pieces++
		longest = max(longest, len(b))
	})
	write(&e)
	got = append(got, e.Bytes()...)
	if !bytes.Equal(got, whole.Bytes()) {
		t.Error("the pieces together are not the response")
	}
	if pieces < 10 || longest > 10*piece {
		t.Errorf("%d pieces of %d bytes at most", pieces, longest)
	}
	e.Reset()
	write(&e)
	if !bytes.Equal(e.Bytes(), whole.Bytes()) {
		t.Error("after Reset the response is still handed over in pieces")
	}
}
