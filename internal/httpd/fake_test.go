package httpd

import (
	"bufio"
	"context"
	"io"
	"net"
	"net/http"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"supervisord/internal/api"
	"supervisord/internal/rpc"
)

// methods is a table of one's own. A method is called by its name; "wait" waits
// for hold or the end of the context, after telling waiting.
type methods struct {
	hold    chan struct{}
	waiting chan struct{}
	ended   chan error
}

// largeResult is the size of what the method "large" returns: more than the
// buffers of a socket take.
const largeResult = 1 << 20

// manyStructs is how many structs the method "many" returns: more than one piece
// of an answer holds.
const manyStructs = 10000

type structs int

func (v structs) Encode(e rpc.Encoder) {
	e.BeginArray()
	for i := range int(v) {
		e.BeginStruct()
		e.Member("number")
		e.Int(int64(i))
		e.EndStruct()
	}
	e.EndArray()
}

type text string

func (v text) Encode(e rpc.Encoder) { e.String(string(v)) }

func newMethods() *methods {
	return &methods{hold: make(chan struct{}), waiting: make(chan struct{}, 10000), ended: make(chan error, 10000)}
}

func (m *methods) Waits(method string, _ []any) bool { return method == "wait" }

func (m *methods) Call(ctx context.Context, method string, params []any) (rpc.Result, error) {
	switch method {
	case "echo":
		s, _ := params[0].(string)
		return text(s), nil
	case "large":
		return text(strings.Repeat("x", largeResult)), nil
	case "many":
		return structs(manyStructs), nil
	case "wait":
		m.waiting <- struct{}{}
		select {
		case <-m.hold:
			return text("done"), nil
		case <-ctx.Done():
			m.ended <- ctx.Err()
			return nil, ctx.Err()
		}
	}
	return nil, api.NewFault(api.UnknownMethod)
}

// logs has the files of one directory: NAME-stdout, NAME-stderr and main.
type logs struct {
	dir     string
	mu      sync.Mutex
	changed chan struct{}
}

func newLogs(t *testing.T) *logs {
	return &logs{dir: t.TempDir(), changed: make(chan struct{})}
}

type logSource struct {
	*logs
	path string
}

func (s logSource) Path() string { return s.path }

func (l *logs) Changed() <-chan struct{} {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.changed
}

func (l *logs) MainLog() api.LogSource { return logSource{l, filepath.Join(l.dir, "main")} }

func (l *logs) ProcessLog(_ context.Context, name string, channel api.Channel) (api.LogSource, error) {
	if strings.HasPrefix(name, "no") {
		return nil, api.NewFault(api.BadName, name)
	}
	if name == "unlogged" {
		return logSource{l, ""}, nil
	}
	return logSource{l, filepath.Join(l.dir, name+"-"+channel.String())}, nil
}

// write appends to a log and wakes the followers.
func (l *logs) write(t *testing.T, name, data string) {
	t.Helper()
	f, err := os.OpenFile(filepath.Join(l.dir, name), os.O_APPEND|os.O_CREATE|os.O_WRONLY, 0o600)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := io.WriteString(f, data); err != nil {
		t.Fatal(err)
	}
	if err := f.Close(); err != nil {
		t.Fatal(err)
	}
	l.mu.Lock()
	defer l.mu.Unlock()
	close(l.changed)
	l.changed = make(chan struct{})
}

// ui answers with the path, and with the body of a POST.
func ui(w http.ResponseWriter, r *http.Request) {
	if r.URL.Path == "/events" {
		_ = http.NewResponseController(w).Flush()
		<-r.Context().Done()
		return
	}
	body, err := io.ReadAll(r.Body)
	if err != nil {
		http.Error(w, err.Error(), http.StatusBadRequest)
		return
	}
	_, _ = io.WriteString(w, "ui "+r.URL.Path+" "+string(body))
}

// testServer is a Server on a socket.
type testServer struct {
	*Server
	t       *testing.T
	network string
	addr    string
	methods *methods
	logs    *logs
	mu      sync.Mutex
	logged  []string
}

// start starts a server on a UNIX socket, or on a TCP socket with network tcp.
func start(t *testing.T, network string, auth Auth, maxConns int) *testServer {
	t.Helper()
	address := "127.0.0.1:0"
	if network == "unix" {
		address = filepath.Join(t.TempDir(), "s")
	}
	l, err := net.Listen(network, address)
	if err != nil {
		t.Fatal(err)
	}
	s := &testServer{t: t, network: network, addr: l.Addr().String(), methods: newMethods(), logs: newLogs(t)}
	s.Server = New(Options{Methods: s.methods, Logs: s.logs, UI: http.HandlerFunc(ui), Traces: true, MaxConns: maxConns,
		Log: func(level api.LogLevel, text string) {
			s.mu.Lock()
			defer s.mu.Unlock()
			s.logged = append(s.logged, level.String()+" "+text)
		}})
	served := make(chan error, 1)
	go func() { served <- s.Serve(l, auth) }()
	t.Cleanup(func() {
		s.Close()
		if err := <-served; err != nil {
			t.Errorf("Serve: %v", err)
		}
	})
	return s
}

// has reports whether a line was logged.
func (s *testServer) has(line string) bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	for _, l := range s.logged {
		if l == line {
			return true
		}
	}
	return false
}

// client is a connection to a testServer.
type client struct {
	net.Conn
	t  *testing.T
	br *bufio.Reader
}

func (s *testServer) dial() *client {
	s.t.Helper()
	c, err := net.Dial(s.network, s.addr)
	if err != nil {
		s.t.Fatal(err)
	}
	s.t.Cleanup(func() { c.Close() })
	return &client{c, s.t, bufio.NewReader(c)}
}

func (c *client) send(data string) *client {
	c.t.Helper()
	if _, err := io.WriteString(c, data); err != nil {
		c.t.Fatal(err)
	}
	return c
}

// response reads one response. A nil one means that the connection was closed.
func (c *client) response() (*http.Response, string) {
	c.t.Helper()
	r, err := http.ReadResponse(c.br, nil)
	if err != nil {
		return nil, ""
	}
	body, err := io.ReadAll(r.Body)
	if err != nil {
		c.t.Fatal(err)
	}
	return r, string(body)
}

// closed reports whether the server closes the connection now.
func (c *client) closed() bool {
	n, err := c.br.Read(make([]byte, 1))
	return n == 0 && err != nil
}

// request does one request on its own connection and returns the status and
// the body.
func (s *testServer) request(data string) (int, string) {
	s.t.Helper()
	r, body := s.dial().send(data).response()
	if r == nil {
		return 0, ""
	}
	return r.StatusCode, body
}

// get makes a GET request.
func get(path string, headers ...string) string {
	return "GET " + path + " HTTP/1.1\r\nHost: localhost\r\n" + strings.Join(append(headers, ""), "\r\n") + "\r\n"
}

// post makes a POST request.
func post(path, body string, headers ...string) string {
	h := append([]string{"Content-Length: " + strconv.Itoa(len(body))}, headers...)
	return "POST " + path + " HTTP/1.1\r\nHost: localhost\r\n" + strings.Join(append(h, ""), "\r\n") + "\r\n" + body
}

// callXML is the body of a method call with one string.
func callXML(method, param string) string {
	return "<?xml version='1.0'?><methodCall><methodName>" + method + "</methodName><params><param><value><string>" + param +
		"</string></value></param></params></methodCall>"
}

// resultXML is the body of a response with one string.
func resultXML(s string) string {
	return "<?xml version='1.0'?>\n<methodResponse>\n<params>\n<param>\n<value><string>" + s +
		"</string></value>\n</param>\n</params>\n</methodResponse>\n"
}

// background returns a context that ends long after every test should have.
func background(t *testing.T) context.Context {
	ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
	t.Cleanup(cancel)
	return ctx
}
