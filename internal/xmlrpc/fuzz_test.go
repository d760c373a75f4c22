package xmlrpc

import (
	"encoding/xml"
	"io"
	"strings"
	"testing"
)

// FuzzDecodeCall: whatever is sent, decoding ends, and what it accepts has a
// method name.
func FuzzDecodeCall(f *testing.F) {
	f.Add([]byte(call("")))
	f.Add([]byte(param("<value><array><data><value><int>1</int></value></data></array></value>")))
	f.Add([]byte(param("<value><struct><member><name>a</name><value><base64>AA==</base64></value></member></struct></value>")))
	f.Add([]byte("<?xml version='1.0' encoding='latin1'?>" + "<m><methodName>\xe9</methodName></m>"))
	f.Fuzz(func(t *testing.T, body []byte) {
		method, params, err := DecodeCall(body)
		if err == nil && method == "" {
			t.Fatal("no method name and no error")
		}
		if err != nil && (method != "" || params != nil) {
			t.Fatal("a result beside an error")
		}
	})
}

// FuzzEncodeText: what is written can be read by a strict parser, and text that
// XML can carry comes back as it was.
func FuzzEncodeText(f *testing.F) {
	f.Add("plain <text> & more", int64(1))
	f.Add("\x00\x1b[0m\xff\xed\xa0\x80\uFFFF]]>", int64(-1<<40))
	f.Fuzz(func(t *testing.T, text string, n int64) {
		var e Encoder
		e.BeginResponse()
		e.BeginStruct()
		e.Member(text)
		e.String(text)
		e.Member("n")
		e.Int(n)
		e.Member("t")
		e.Text([]byte(text))
		e.EndStruct()
		e.EndResponse()
		d := xml.NewDecoder(strings.NewReader(string(e.Bytes())))
		var read []string
		for {
			token, err := d.Token()
			if err == io.EOF {
				break
			}
			if err != nil {
				t.Fatalf("%v in %q", err, e.Bytes())
			}
			if start, ok := token.(xml.StartElement); ok && start.Name.Local == "string" {
				var s string
				if err := d.DecodeElement(&s, &start); err != nil {
					t.Fatal(err)
				}
				read = append(read, s)
			}
		}
		want := string(escaped(text))
		if strings.ContainsAny(want, "&\r") {
			return // Escapes and line ends are the parser's to undo.
		}
		if len(read) != 2 || read[0] != want || read[1] != want {
			t.Fatalf("read %q, want %q", read, want)
		}
	})
}
