package rpcclient

import (
	"fmt"
	"reflect"
	"testing"

	"github.com/kolo/xmlrpc"

	xmlvalue "supervisord/internal/xmlrpc"
)

// processes is an answer that describes n processes.
func processes(n int) []byte {
	var e xmlvalue.Encoder
	e.BeginResponse()
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
		e.Member("ready")
		e.Bool(i%2 == 0)
		e.EndStruct()
	}
	e.EndArray()
	e.EndResponse()
	return e.Bytes()
}

func response(value string) string {
	return "<methodResponse><params><param>" + value + "</param></params></methodResponse>"
}

// unmarshalSeeds are answers that our reader takes, refuses, or takes for some
// types.
var unmarshalSeeds = []string{
	string(processes(3)),
	faultBody,
	answer("<string>3.0 &amp; x</string>"),
	answer("<boolean>1</boolean>"),
	answer("<int>300</int>"),
	answer("<struct></struct>"),
	answer("<array><data></data></array>"),
	answer("<array><data>\n<value><string></string></value><value><array><data></data></array></value></data></array>"),
	answer("<array><data><value><array><data><value><string>a</string></value></data></array></value></data></array>"),
	answer("<array><data>\n<value><struct>\n<member><name>name</name><value><string></string></value></member></struct></value></data></array>"),
	answer("<array><data><value><struct><member><name>name</name><value>no type</value></member></struct></value></data></array>"),
	answer("<array><data><value><struct><member><name>pid</name><value><string>1</string></value></member></struct></value></data></array>"),
	answer("<array><data><value><struct><member><name>pid</name><value><i8>99999999999</i8></value></member></struct></value></data></array>"),
	answer("<array><data><value><struct><member><name>name</name><value><int>1</int></value></member></struct></value></data></array>"),
	answer("<array><data><value><struct><member><name>faultCode</name><value><int>1</int></value></member></struct></value></data></array>"),
	answer("<array><data><value><struct><member><name>settings</name><value><array><data><value><struct><member><name>key</name>" +
		"<value><string>k</string></value></member></struct></value></data></array></value></member></struct></value></data></array>"),
	answer("<array><data><value><string>x</string></value></data></array>"),
	answer("<array><data><value><string>3.0</string></value><value><array><data><value><struct></struct></value></data></array></value></data></array>"),
	response("<value><array><data><!-- none --></data></array></value>"),
	response("<value><array><data></array></value>"),
	response("<value><array>"),
}

// results returns pointers to values of the types that methods return.
func results() []any {
	return []any{new(string), new(int), new(bool), new(ProcessInfo), new([]ProcessInfo), new([]GroupChange), new([]ConfigInfo), new([][][]string)}
}

func TestDecodeAsTheLibrary(t *testing.T) {
	for _, body := range unmarshalSeeds {
		if body == faultBody {
			continue // decode looks for that first, and has a type of its own for it
		}
		wanted := results()
		for i, got := range results() {
			gotErr, wantErr := decode([]byte(body), got), xmlrpc.Response(body).Unmarshal(wanted[i])
			if wantErr != nil {
				wantErr = fmt.Errorf("decode answer: %w", wantErr)
			}
			if fmt.Sprint(gotErr) != fmt.Sprint(wantErr) || !reflect.DeepEqual(got, wanted[i]) {
				t.Errorf("%.200s:\ngot  %+v, %v\nwant %+v, %v", body, got, gotErr, wanted[i], wantErr)
			}
		}
	}
}

// FuzzUnmarshal: what our reader takes, the library takes for no fault, and
// decodes to the same value.
func FuzzUnmarshal(f *testing.F) {
	for _, body := range unmarshalSeeds {
		f.Add([]byte(body))
	}
	f.Fuzz(func(t *testing.T, body []byte) {
		body = replaceForbidden(body)
		wanted := results()
		for i, got := range results() {
			if xmlvalue.Unmarshal(body, got) != nil {
				continue
			}
			r := xmlrpc.Response(body)
			if err := r.Err(); err != nil {
				t.Fatalf("%q is a fault: %v", body, err)
			}
			if err := r.Unmarshal(wanted[i]); err != nil || !reflect.DeepEqual(got, wanted[i]) {
				t.Fatalf("%q: got %+v, want %+v, %v", body, got, wanted[i], err)
			}
		}
		checkArray(t, body)
	})
}

// checkArray compares the two ways to decode the results of two calls.
func checkArray(t *testing.T, body []byte) {
	got, want := []any{new(string), new([]ProcessInfo)}, []any{new(string), new([]ProcessInfo)}
	if xmlvalue.UnmarshalArray(body, got) != nil {
		return
	}
	values, err := arrayValues(body)
	if err != nil || len(values) != len(want) {
		t.Fatalf("%q: %d values, %v", body, len(values), err)
	}
	for i, value := range values {
		if fault, err := decodeResult(value, want[i]); fault != nil || err != nil {
			t.Fatalf("%q: %v, %v", body, fault, err)
		}
	}
	if !reflect.DeepEqual(got, want) {
		t.Fatalf("%q: got %+v, want %+v", body, got, want)
	}
}
