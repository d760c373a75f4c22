package xmlrpc

import (
	"bufio"
	"bytes"
	"encoding/binary"
	"encoding/json"
	"fmt"
	"io"
	"maps"
	"math"
	"math/rand/v2"
	"os"
	"os/exec"
	"reflect"
	"slices"
	"strings"
	"testing"
	"time"
)

// reference is a Python program that answers requests on its standard input.
// Both directions are frames: four bytes of length, then that many bytes. A
// request "E" + JSON is answered by what xmlrpc_marshal makes of the value, a
// request "D" + text by the JSON of what supervisor_xmlrpc_handler.loads reads,
// or by "error".
const reference = `
import datetime, io, json, struct, sys, xmlrpc.client
from supervisor.xmlrpc import xmlrpc_marshal, supervisor_xmlrpc_handler
handler = supervisor_xmlrpc_handler(None, [])
def value(v):
    kind, x = v
    if kind == "array": return [value(i) for i in x]
    if kind == "struct": return {k: value(i) for k, i in x}
    if kind == "base64": return xmlrpc.client.Binary(x.encode("latin-1"))
    if kind == "time": return datetime.datetime.strptime(x, "%Y-%m-%dT%H:%M:%S")
    if kind == "double": return float(x)
    if kind == "fault": return xmlrpc.client.Fault(x[0], x[1])
    return x
def plain(v):
    if isinstance(v, bool): return ["bool", v]
    if isinstance(v, int): return ["int", str(v)]
    if isinstance(v, float): return ["double", repr(v)]
    if isinstance(v, datetime.datetime): return ["time", v.strftime("%Y-%m-%dT%H:%M:%S")]
    if isinstance(v, (list, tuple)): return ["array", [plain(i) for i in v]]
    if isinstance(v, dict): return ["struct", sorted([k, plain(i)] for k, i in v.items())]
    return ["string", v] if v is not None else ["nil", None]
stdin, stdout = sys.stdin.buffer, sys.stdout.buffer
while 1:
    head = stdin.read(4)
    if not head: break
    data = stdin.read(struct.unpack(">I", head)[0])
    if data[:1] == b"E":
        out = xmlrpc_marshal(value(json.loads(data[1:]))).encode()
    else:
        try:
            params, method = handler.loads(data[1:].decode())
            if not method: raise ValueError("no method")
            out = json.dumps([method, plain(params or ())]).encode()
        except Exception as e:
            out = b"error"
    stdout.write(struct.pack(">I", len(out)) + out)
    stdout.flush()
`

// python is a running reference.
type pythonServer struct {
	t  *testing.T
	in io.WriteCloser
	bw *bufio.Writer
	br *bufio.Reader
}

func startPython(t *testing.T) *pythonServer {
	t.Helper()
	const program = "/usr/bin/python3"
	if err := exec.Command(program, "-c", "import supervisor.xmlrpc").Run(); err != nil {
		if os.Getenv("CI") == "true" {
			t.Fatalf("install the package supervisor: %v", err)
		}
		t.Skip("needs the package supervisor: apt-get install supervisor")
	}
	cmd := exec.Command(program, "-c", reference)
	cmd.Stderr = os.Stderr
	in, err := cmd.StdinPipe()
	if err != nil {
		t.Fatal(err)
	}
	out, err := cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		in.Close()
		if err := cmd.Wait(); err != nil {
			t.Error(err)
		}
	})
	return &pythonServer{t: t, in: in, bw: bufio.NewWriter(in), br: bufio.NewReader(out)}
}

func (p *pythonServer) ask(request []byte) []byte {
	p.t.Helper()
	binary.Write(p.bw, binary.BigEndian, uint32(len(request)))
	p.bw.Write(request)
	if err := p.bw.Flush(); err != nil {
		p.t.Fatal(err)
	}
	var size uint32
	if err := binary.Read(p.br, binary.BigEndian, &size); err != nil {
		p.t.Fatal(err)
	}
	answer := make([]byte, size)
	if _, err := io.ReadFull(p.br, answer); err != nil {
		p.t.Fatal(err)
	}
	return answer
}

// seeded returns a random source and reports its seed if the test fails.
func seeded(t *testing.T) *rand.Rand {
	seed := uint64(time.Now().UnixNano())
	t.Cleanup(func() {
		if t.Failed() {
			t.Logf("seed %d", seed)
		}
	})
	return rand.New(rand.NewPCG(seed, 0))
}

var alphabet = []rune("abcXYZ09 \t\n\r&<>\"'/]ÿé€😀\x7f\u0080\u2028")

func randomText(r *rand.Rand) string {
	var b strings.Builder
	for range r.IntN(12) {
		b.WriteRune(alphabet[r.IntN(len(alphabet))])
	}
	return b.String()
}

// randomValue writes a random value to the encoder and returns the same for the
// reference.
func randomValue(r *rand.Rand, e *Encoder, depth int) []any {
	kinds := 8
	if depth > 3 {
		kinds = 6
	}
	switch r.IntN(kinds) {
	case 0:
		v := r.IntN(2) == 0
		e.Bool(v)
		return []any{"bool", v}
	case 1:
		v := int64(int32(r.Uint32())) >> r.IntN(32)
		e.Int(v)
		return []any{"int", v}
	case 2:
		v := math.Float64frombits(r.Uint64())
		if r.IntN(2) == 0 || math.IsNaN(v) {
			v = math.Round(r.NormFloat64()*1000) / math.Pow(10, float64(r.IntN(20)))
		}
		e.Double(v)
		return []any{"double", fmt.Sprintf("%.17g", v)}
	case 3:
		v := make([]byte, r.IntN(130))
		for i := range v {
			v[i] = byte(r.IntN(256))
		}
		e.Base64(v)
		return []any{"base64", string(fromBytes(v, nil))}
	case 4:
		v := time.Unix(r.Int64N(4e9), 0).UTC()
		e.Time(v)
		return []any{"time", v.Format("2006-01-02T15:04:05")}
	case 6:
		list := []any{}
		e.BeginArray()
		for range r.IntN(4) {
			list = append(list, randomValue(r, e, depth+1))
		}
		e.EndArray()
		return []any{"array", list}
	case 7:
		members, seen := []any{}, map[string]bool{}
		e.BeginStruct()
		for range r.IntN(4) {
			name := randomText(r)
			if seen[name] {
				continue
			}
			seen[name] = true
			e.Member(name)
			members = append(members, []any{name, randomValue(r, e, depth+1)})
		}
		e.EndStruct()
		return []any{"struct", members}
	default:
		v := randomText(r)
		e.String(v)
		return []any{"string", v}
	}
}

// TestReferenceEncode compares random responses with those of the original.
func TestReferenceEncode(t *testing.T) {
	p := startPython(t)
	r := seeded(t)
	var e Encoder
	for range 5000 {
		e.Reset()
		var value []any
		if r.IntN(10) == 0 {
			code, text := r.IntN(100), randomText(r)
			e.Fault(code, text)
			value = []any{"fault", []any{code, text}}
		} else {
			e.BeginResponse()
			value = randomValue(r, &e, 0)
			e.EndResponse()
		}
		request, err := json.Marshal(value)
		if err != nil {
			t.Fatal(err)
		}
		want := p.ask(append([]byte("E"), request...))
		if !bytes.Equal(e.Bytes(), want) {
			t.Fatalf("%s\ngot  %q\nwant %q", request, e.Bytes(), want)
		}
	}
}

// randomCall writes a call, well-formed most of the time.
func randomCall(r *rand.Rand) string {
	pieces := []string{"<value>", "</value>", "<string>", "</string>", "<int>", "</int>", "7", " a ", "<array><data>", "</data></array>",
		"<struct>", "</struct>", "<member>", "</member>", "<name>", "</name>", "<nil/>", "<boolean>1</boolean>", "<!-- c -->", "<?pi?>",
		"<double>1.50</double>", "<base64>YWJj</base64>", "<![CDATA[<&>]]>", "&amp;", "<value/>", "<i4> -3 </i4>", "<what>x</what>"}
	var b strings.Builder
	var element func(depth int)
	element = func(depth int) {
		switch n := r.IntN(9); {
		case n == 0 && depth < 4:
			b.WriteString("<value><array><data>")
			for range r.IntN(3) {
				element(depth + 1)
			}
			b.WriteString("</data></array></value>\n")
		case n == 1 && depth < 4:
			b.WriteString("<value><struct>")
			for i := range r.IntN(3) {
				fmt.Fprintf(&b, "<member>\n<name>n%d</name>", i)
				element(depth + 1)
				b.WriteString("</member>")
			}
			b.WriteString("</struct></value>")
		case n == 2:
			b.WriteString(pieces[r.IntN(len(pieces))])
		case n == 3:
			fmt.Fprintf(&b, "<value><int>%d</int></value>", int32(r.Uint32()))
		case n == 4:
			fmt.Fprintf(&b, "<value> <string>%s</string>\n</value>", escaped(randomText(r)))
		default:
			fmt.Fprintf(&b, "<value>%s</value>", escaped(randomText(r)))
		}
	}
	b.WriteString("<?xml version='1.0'?>\n<methodCall>\n<methodName>a.b</methodName>\n<params>\n")
	for range r.IntN(4) {
		b.WriteString("<param>")
		element(0)
		b.WriteString("</param>\n")
	}
	b.WriteString("</params>\n</methodCall>\n")
	s := b.String()
	if r.IntN(10) == 0 {
		// Not within the declaration, which this parser reads more liberally.
		i := strings.IndexByte(s, '\n')
		i += r.IntN(len(s) - i)
		for i < len(s) && s[i] >= 0x80 {
			i++
		}
		s = s[:i] + pieces[r.IntN(len(pieces))] + s[i:]
	}
	return s
}

// TestReferenceDecode compares what is read from random calls.
func TestReferenceDecode(t *testing.T) {
	p := startPython(t)
	r := seeded(t)
	accepted := 0
	for range 5000 {
		body := randomCall(r)
		answer := p.ask(append([]byte("D"), body...))
		method, params, err := DecodeCall([]byte(body))
		if string(answer) == "error" {
			if err == nil {
				t.Fatalf("accepted as %q %#v what the original refuses: %q", method, params, body)
			}
			continue
		}
		accepted++
		if err != nil {
			t.Fatalf("%v: %q", err, body)
		}
		var want any
		if err := json.Unmarshal(answer, &want); err != nil {
			t.Fatal(err)
		}
		if params == nil {
			params = []any{}
		}
		if got := toJSON(t, []any{method, plainValue(params)}); !reflect.DeepEqual(got, want) {
			t.Fatalf("%q\ngot  %v\nwant %v", body, got, want)
		}
	}
	if accepted < 1000 {
		t.Errorf("only %d calls were well-formed", accepted)
	}
}

func toJSON(t *testing.T, v any) (out any) {
	b, err := json.Marshal(v)
	if err != nil {
		t.Fatal(err)
	}
	if err := json.Unmarshal(b, &out); err != nil {
		t.Fatal(err)
	}
	return out
}

// plainValue says of a decoded value what the reference says.
func plainValue(v any) []any {
	switch v := v.(type) {
	case bool:
		return []any{"bool", v}
	case int64:
		return []any{"int", fmt.Sprint(v)}
	case float64:
		var e Encoder
		e.Double(v)
		s := strings.TrimPrefix(string(e.Bytes()), "<value><double>")
		return []any{"double", strings.TrimSuffix(s, "</double></value>\n")}
	case string:
		return []any{"string", v}
	case []any:
		list := []any{}
		for _, x := range v {
			list = append(list, plainValue(x))
		}
		return []any{"array", list}
	case map[string]any:
		members := []any{}
		for _, name := range slices.Sorted(maps.Keys(v)) {
			members = append(members, []any{name, plainValue(v[name])})
		}
		return []any{"struct", members}
	}
	return []any{"nil", nil}
}
