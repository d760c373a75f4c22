package xmlrpc

import (
	"reflect"
	"strings"
	"testing"
)

// thing has a field of every kind that can be read.
type thing struct {
	Name   string   `xmlrpc:"name"`
	Size   int8     `xmlrpc:"size"`
	Good   bool     `xmlrpc:"good"`
	Known  *bool    `xmlrpc:"known"`
	Words  []string `xmlrpc:"words"`
	Things []thing  `xmlrpc:"things"`
}

func response(value string) []byte {
	return []byte("<?xml version='1.0'?>\n<methodResponse>\n<params>\n<param>\n" + value + "\n</param>\n</params>\n</methodResponse>\n")
}

func member(name, value string) string {
	return "<member>\n<name>" + name + "</name>\n<value>" + value + "</value>\n</member>\n"
}

func structOf(members ...string) string {
	return "<value><struct>\n" + strings.Join(members, "") + "</struct></value>"
}

func TestUnmarshal(t *testing.T) {
	yes := true
	for _, tt := range []struct {
		value string
		want  any
	}{
		{"<value><string>a &lt;b&gt; ü\n</string></value>", "a <b> ü\n"},
		{"<value><string></string></value>", ""},
		{"<value>\n<int>-5</int>\t</value>", -5},
		{"<value><i8>4102444800</i8></value>", 4102444800},
		{"<value><boolean>1</boolean></value>", true},
		{"<value><boolean>0</boolean></value>", false},
		{"<value><array><data>\n</data></array></value>", []int(nil)},
		{"<value><array><data><value><int>1</int></value>\n<value><int>2</int></value></data></array></value>", []int{1, 2}},
		{structOf(), thing{}},
		{structOf(member("good", "<boolean>1</boolean>"), member("size", "<int>7</int>"), member("name", "<string>x</string>")),
			thing{Name: "x", Size: 7, Good: true}},
		{structOf(member("known", "<boolean>1</boolean>"), member("words", "<array><data><value><string>w</string></value></data></array>"),
			"<member><name>things</name><value><array><data>"+structOf(member("size", "<int>1</int>"))+"</data></array></value></member>"),
			thing{Known: &yes, Words: []string{"w"}, Things: []thing{{Size: 1}}}},
		{structOf(member("other", "<struct><member><name>size</name><value><nil/></value></member></struct>"),
			member("more", "without a type"), member("n&amp;n", "<double>1</double>"), member("size", "<int>3</int>")), thing{Size: 3}},
	} {
		got := reflect.New(reflect.TypeOf(tt.want))
		if err := Unmarshal(response(tt.value), got.Interface()); err != nil || !reflect.DeepEqual(got.Elem().Interface(), tt.want) {
			t.Errorf("%s: got %+v, %v", tt.value, got.Elem(), err)
		}
	}
}

func TestUnmarshalRefuses(t *testing.T) {
	name := member("name", "<string>new</string>")
	texts := []string{
		"", "<methodResponse>",
		string(response(structOf(name))) + "x",
		strings.Replace(string(response(structOf(name))), "</params>", "", 1),
		"<methodResponse><fault>" + structOf(member("faultCode", "<int>1</int>")) + "</fault></methodResponse>",
	}
	for _, value := range []string{
		"", "<value></value>", "<value/>", "<value>x</value>", "<value><string>x</string></value>", "<value><int>1</int></value>",
		"<value><array><data></data></array></value>",
		structOf(name, member("size", "<int>200</int>")),
		structOf(name, member("size", "<int></int>")),
		structOf(name, member("size", "<int> 1</int>")),
		structOf(name, member("size", "<string>1</string>")),
		structOf(name, member("good", "<boolean>true</boolean>")),
		structOf(name, member("good", "<int>1</int>")),
		structOf(name, member("name", "<boolean>1</boolean>")),
		structOf(name, member("name", "<base64>AA==</base64>")),
		structOf(name, member("words", "<array><data><value><int>1</int></value></data></array>")),
		structOf(name, member("other", "<none/>")),
		structOf(name, member("other", "&nbsp;")),
		structOf(name, member("", "<int>1</int>")),
		structOf(name, member("faultCode", "<int>1</int>")),
		structOf(name, "<member><name>size</name></member>"),
		structOf(name, "<member><value><int>1</int></value></member>"),
		structOf(name, "<!-- none -->"),
		structOf(name) + structOf(name),
	} {
		texts = append(texts, string(response(value)))
	}
	for _, text := range texts {
		got := thing{Name: "old"}
		if err := Unmarshal([]byte(text), &got); err == nil || !reflect.DeepEqual(got, thing{Name: "old"}) {
			t.Errorf("%s: got %+v, %v", text, got, err)
		}
	}
}

func TestUnmarshalArray(t *testing.T) {
	array := func(values ...string) []byte {
		return response("<value><array><data>\n" + strings.Join(values, "\n") + "</data></array></value>")
	}
	text, number := "<value><string>x</string></value>", "<value><int>3</int></value>"
	fault := structOf(member("faultCode", "<int>1</int>"), member("faultString", "<string>F</string>"))
	var name string
	var size int
	if err := UnmarshalArray(array(text, number), []any{&name, &size}); err != nil || name != "x" || size != 3 {
		t.Errorf("got %q, %d, %v", name, size, err)
	}
	for _, response := range [][]byte{array(), array(text), array(text, text), array(text, fault), array(text, number, number), response(text)} {
		name, size = "old", -1
		if err := UnmarshalArray(response, []any{&name, &size}); err == nil || name != "old" || size != -1 {
			t.Errorf("%s: got %q, %d, %v", response, name, size, err)
		}
	}
	if UnmarshalArray(array(text), []any{nil}) == nil {
		t.Error("what nobody wants to have is taken for no fault")
	}
}
