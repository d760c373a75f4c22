package rpcclient

import (
	"fmt"
	"reflect"
	"strings"
	"testing"

	"github.com/kolo/xmlrpc"

	xmlvalue "supervisord/internal/xmlrpc"
)

// processes is the value that describes n processes.
func processes(n int) []byte {
	var e xmlvalue.Encoder
	e.BeginArray()
	for i := range n {
		e.BeginStruct()
		for _, name := range []string{"name", "group", "statename", "spawnerr", "logfile", "stdout_logfile", "description", "unknown"} {
			e.Member(name)
			e.String(fmt.Sprintf(" a <b> & %s\n%d ü ", name, i))
		}
		for _, name := range []string{"start", "stop", "now", "state", "exitstatus", "pid"} {
			e.Member(name)
			e.Int(int64(1_700_000_000 + i))
		}
		e.EndStruct()
	}
	e.EndArray()
	return e.Bytes()
}

func TestUnmarshalAsTheLibrary(t *testing.T) {
	for _, value := range []string{
		string(processes(3)),
		"<value><array><data></data></array></value>",
		"<value><array><data>\n<value><struct>\n<member><name>name</name><value><string></string></value></member></struct></value></data></array></value>",
		"<value><array><data><value><struct><member><name>name</name><value>no type</value></member></struct></value></data></array></value>",
		"<value><array><data><value><struct><member><name>pid</name><value><string>1</string></value></member></struct></value></data></array></value>",
		"<value><array><data><value><struct><member><name>pid</name><value><i8>99999999999</i8></value></member></struct></value></data></array></value>",
		"<value><array><data><value><struct><member><name>name</name><value><int>1</int></value></member></struct></value></data></array></value>",
		"<value><array><data><value><string>x</string></value></data></array></value>",
		"<value><struct></struct></value>",
		"<value><string>x</string></value>",
		"<value><array><data><!-- none --></data></array></value>",
		"<value><array><data></array></value>",
		"<value><array>",
	} {
		var got, want []ProcessInfo
		gotErr, wantErr := unmarshal([]byte(value), &got), xmlrpc.Response(value).Unmarshal(&want)
		if fmt.Sprint(gotErr) != fmt.Sprint(wantErr) || len(got)+len(want) > 0 && !reflect.DeepEqual(got, want) {
			t.Errorf("%.200s:\ngot  %+v, %v\nwant %+v, %v", value, got, gotErr, want, wantErr)
		}
	}
}

func TestUnmarshalScalars(t *testing.T) {
	var text string
	var truth bool
	if err := unmarshal([]byte("<value><string>3.0 &amp; x</string></value>"), &text); err != nil || text != "3.0 & x" {
		t.Errorf("got %q, %v", text, err)
	}
	if err := unmarshal([]byte("<value><boolean>1</boolean></value>"), &truth); err != nil || !truth {
		t.Errorf("got %v, %v", truth, err)
	}
	var small int8
	if v, err := xmlvalue.DecodeValue([]byte("<value><int>300</int></value>")); err != nil || assign(reflect.ValueOf(&small).Elem(), v) {
		t.Errorf("300 fits into %T as %v; %v", small, small, err)
	}
}

func BenchmarkUnmarshal100(b *testing.B) {
	value := processes(100)
	if !strings.Contains(string(value), "</struct>") {
		b.Fatal("no structs")
	}
	b.SetBytes(int64(len(value)))
	b.ReportAllocs()
	for b.Loop() {
		var infos []ProcessInfo
		if err := unmarshal(value, &infos); err != nil || len(infos) != 100 {
			b.Fatal(err)
		}
	}
}
