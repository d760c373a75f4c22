package xmlrpc

import (
	"io"
	"reflect"
	"testing"
)

// decodeWith decodes a call with one tokenizer only.
func decodeWith(tokens tokenizer) (method string, params []any, err error) {
	d := decoder{tokens: tokens}
	err = d.document()
	return d.method, d.params, err
}

// TestScanner checks which text a scanner takes, and that it makes of it what
// encoding/xml does.
func TestScanner(t *testing.T) {
	value := func(v string) string { return call("<params><param>" + v + "</param></params>") }
	tests := []struct {
		text  string
		usual bool
	}{
		{call(""), true},
		{"<methodCall>\n<methodName>m</methodName>\n<params/></methodCall>\n", true},
		{`<?xml version="1.0" encoding="UTF-8"?><methodCall><methodName>m</methodName></methodCall>`, true},
		{value("<value><string>a &lt;&amp;&gt; b &quot;&apos; ü\t\n]] ></string></value>"), true},
		{value("<value> untyped </value>"), true},
		{value("<value><struct><member><name>a</name><value><int>1</int></value></member></struct></value>"), true},
		{value("<value><array><data><value><boolean>1</boolean></value><value/></data></array></value>"), true},
		{value("<value><double>1.5</double></value>\n<!-- no -->"), false},
		{value("<value><![CDATA[text]]></value>"), false},
		{value("<value>&#65;</value>"), false},
		{value("<value>a\r\nb</value>"), false},
		{value("<value>a]]>b</value>"), false},
		{value("<value>\uFFFE</value>"), false},
		{value("<value>\x1b</value>"), false},
		{value("<value><i8>1</i8></value>"), true},
		{value("<value ><int>1</int></value>"), false},
		{value("<value><int>1</value></int>"), false},
		{`<?xml version="1.0" encoding="latin1"?><methodCall><methodName>m</methodName></methodCall>`, false},
		{"<!DOCTYPE a><methodCall><methodName>m</methodName></methodCall>", false},
		{"<methodCall><methodName>m</methodName>", false},
		{"", false},
	}
	for _, tt := range tests {
		method, params, err := decodeWith(newScanner([]byte(tt.text)))
		if usual := err == nil; usual != tt.usual {
			t.Errorf("%q: taken %v, want %v: %v", tt.text, usual, tt.usual, err)
		}
		if err != nil {
			continue
		}
		wantMethod, wantParams, err := decodeWith(newXMLTokenizer([]byte(tt.text)))
		if err != nil || method != wantMethod || !reflect.DeepEqual(params, wantParams) {
			t.Errorf("%q: got %q %v, want %q %v, %v", tt.text, method, params, wantMethod, wantParams, err)
		}
	}
}

// FuzzScanner: whatever a scanner takes, encoding/xml takes too and gives the
// same tokens.
func FuzzScanner(f *testing.F) {
	f.Add(call("<params><param><value><string>a&lt;b</string></value></param></params>"))
	f.Add("<?xml version='1.0'?>\n<value><nil/></value>\n")
	f.Add("<value>a]]>&amp;\r\n</value>")
	f.Add("<a><!-- --></a>")
	f.Fuzz(func(t *testing.T, text string) {
		body, err := toUTF8([]byte(text))
		if err != nil {
			return
		}
		fast, err := tokensOf(newScanner(body))
		if err != io.EOF {
			return
		}
		slow, err := tokensOf(newXMLTokenizer(body))
		if err != io.EOF || !reflect.DeepEqual(fast, slow) {
			t.Errorf("%q: got %v, want %v, %v", text, fast, slow, err)
		}
	})
}

// tokensOf returns all tokens in words, and the error after them.
func tokensOf(tokens tokenizer) (all []string, err error) {
	for {
		t, err := tokens.next()
		if err != nil {
			return all, err
		}
		switch t.kind {
		case startTag:
			all = append(all, "<"+t.name)
		case endTag:
			all = append(all, ">")
		case charData:
			all = append(all, "="+string(t.text))
		}
	}
}
