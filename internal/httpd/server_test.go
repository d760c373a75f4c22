package httpd

import (
	"crypto/sha1"
	"encoding/base64"
	"encoding/hex"
	"net"
	"net/http"
	"os"
	"strings"
	"testing"

	"supervisord/internal/api"
	"supervisord/internal/xmlrpc"
)

func authorization(name, password string) string {
	return "Authorization: Basic " + base64.StdEncoding.EncodeToString([]byte(name+":"+password))
}

func TestAuthorization(t *testing.T) {
	sum := sha1.Sum([]byte("thé:password"))
	digest := hex.EncodeToString(sum[:])
	tests := []struct {
		auth   Auth
		header string
		want   int
	}{
		{Auth{"u", "pw"}, authorization("u", "pw"), 200},
		{Auth{"u", "pw"}, strings.Replace(authorization("u", "pw"), "Basic", "bASIC", 1), 200},
		{Auth{"u", "pw"}, "", 401},
		{Auth{"u", "pw"}, authorization("u", "px"), 401},
		{Auth{"u", "pw"}, authorization("v", "pw"), 401},
		{Auth{"u", "pw"}, authorization("u", ""), 401},
		{Auth{"u", "pw"}, authorization("", ""), 401},
		{Auth{"u", "pw"}, "Authorization: Basic", 401},
		{Auth{"u", "pw"}, "Authorization: Basic !!!", 401},
		{Auth{"u", "pw"}, "Authorization: Basic " + base64.StdEncoding.EncodeToString([]byte("nocolon")), 401},
		{Auth{"u", "pw"}, "Authorization: Basic " + base64.StdEncoding.EncodeToString([]byte("\xff\xfe")), 401},
		{Auth{"u", "pw"}, "Authorization: Digest username=u", 401},
		{Auth{"u", ""}, authorization("u", ""), 200},
		{Auth{"u", "{SHA}" + digest}, authorization("u", "thé:password"), 200},
		{Auth{"u", "{SHA}" + strings.ToUpper(digest)}, authorization("u", "thé:password"), 200},
		{Auth{"u", "{SHA}" + digest}, authorization("u", digest), 401},
		{Auth{"u", "{SHA}" + digest}, authorization("u", "{SHA}"+digest), 401},
		{Auth{"u", "{SHA}" + digest}, authorization("u", ""), 401},
		{Auth{"", "pw"}, "", 200},
		{Auth{}, authorization("any", "thing"), 200},
	}
	for _, tt := range tests {
		s := start(t, "unix", tt.auth, 0)
		for _, path := range []string{"/", "/RPC2", "/logtail/a", "/mainlogtail", "/stylesheets/supervisor.css", "//nope"} {
			headers := []string{"Connection: close"}
			if tt.header != "" {
				headers = append(headers, tt.header)
			}
			request := get(path, headers...)
			if path == "/RPC2" {
				request = post(path, callXML("echo", "x"), headers...)
			}
			want := tt.want
			if want == 200 && strings.Contains(path, "logtail") {
				want = 404
			}
			r, body := s.dial().send(request).response()
			if r == nil || r.StatusCode != want {
				t.Errorf("%v %q %s: got %v, want %d", tt.auth, tt.header, path, r, want)
				continue
			}
			if want == 401 && (r.Header.Get("WWW-Authenticate") != `Basic realm="default"` || !r.Close || !strings.Contains(body, "Error code 401.")) {
				t.Errorf("%s: %v %q", path, r.Header, body)
			}
		}
	}
}

// TestUnauthorizedBody: what a stranger sends is not read.
func TestUnauthorizedBody(t *testing.T) {
	s := start(t, "unix", Auth{"u", "pw"}, 0)
	c := s.dial().send("POST /RPC2 HTTP/1.1\r\nHost: h\r\nContent-Length: 100000000\r\n\r\n<methodCall>")
	if r, _ := c.response(); r == nil || r.StatusCode != 401 {
		t.Fatalf("got %v", r)
	}
}

func TestRPC(t *testing.T) {
	s := start(t, "unix", Auth{}, 0)
	echo := callXML("echo", "a&amp;b")
	tests := []struct {
		name, request string
		status        int
		body          string
	}{
		{"call", post("/RPC2", echo), 200, resultXML("a&amp;b")},
		{"longer path", post("/RPC2/x", echo), 200, resultXML("a&amp;b")},
		{"no content type", post("/RPC2", echo, "Content-Type: application/json"), 200, resultXML("a&amp;b")},
		{"chunked", "POST /RPC2 HTTP/1.1\r\nHost: h\r\nTransfer-Encoding: chunked\r\n\r\n" + hexLen(echo) + "\r\n" + echo + "\r\n0\r\n\r\n", 200, resultXML("a&amp;b")},
		{"control characters", post("/RPC2", callXML("echo", "\u241b")), 200, resultXML("\u241b")},
		{"fault", post("/RPC2", callXML("nope", "")), 200, "<?xml version='1.0'?>\n<methodResponse>\n<fault>\n<value><struct>\n<member>\n" +
			"<name>faultCode</name>\n<value><int>1</int></value>\n</member>\n<member>\n<name>faultString</name>\n" +
			"<value><string>UNKNOWN_METHOD</string></value>\n</member>\n</struct></value>\n</fault>\n</methodResponse>\n"},
		{"GET", get("/RPC2"), 400, ""},
		{"PUT", strings.Replace(post("/RPC2", echo), "POST", "PUT", 1), 400, ""},
		{"no XML", post("/RPC2", "hello"), 400, ""},
		{"no method", post("/RPC2", "<methodCall/>"), 400, ""},
		{"empty", post("/RPC2", ""), 400, ""},
		{"no length", "POST /RPC2 HTTP/1.1\r\nHost: h\r\n\r\n", 411, ""},
		{"too long", "POST /RPC2 HTTP/1.1\r\nHost: h\r\nContent-Length: 8388609\r\n\r\n", 413, ""},
		{"two lengths", "POST /RPC2 HTTP/1.1\r\nHost: h\r\nContent-Length: 5\r\nContent-Length: 6\r\n\r\nhello", 400, ""},
		{"length and chunks", "POST /RPC2 HTTP/1.1\r\nHost: h\r\nContent-Length: 5\r\nTransfer-Encoding: chunked, gzip\r\n\r\nhello", 501, ""},
		{"long header", get("/", "X: "+strings.Repeat("x", 80<<10)), 431, ""},
		{"other site", post("/RPC2", echo, "Sec-Fetch-Site: cross-site", "Content-Type: text/plain"), 403, ""},
		{"pages", get("//ok.html?a=b"), 200, "ui //ok.html "},
		{"form", post("/x", "a=b"), 200, "ui /x a=b"},
		{"OPTIONS", "OPTIONS * HTTP/1.1\r\nHost: h\r\n\r\n", 200, "ui * "},
	}
	for _, tt := range tests {
		status, body := s.request(tt.request)
		if status != tt.status || tt.body != "" && body != tt.body {
			t.Errorf("%s: got %d %q, want %d %q", tt.name, status, body, tt.status, tt.body)
		}
	}
	if !s.has("ERRO XML-RPC request data 'hello' is invalid: unmarshallable") ||
		!s.has("ERRO XML-RPC request data '<methodCall/>' is invalid: no method name") ||
		!s.has("TRAC XML-RPC method nope() returned fault: [1] UNKNOWN_METHOD") {
		t.Errorf("logged %q", s.logged)
	}
}

func hexLen(s string) string {
	return strings.TrimLeft(hex.EncodeToString([]byte{byte(len(s) >> 8), byte(len(s))}), "0")
}

// TestConnection: a connection serves many requests, and ends as the version of
// HTTP and the client want it.
// TestPieces asks for an answer that is sent in pieces, before and after a short
// one that may use the same buffer.
func TestPieces(t *testing.T) {
	s := start(t, "unix", Auth{}, 0)
	var e xmlrpc.Encoder
	e.BeginResponse()
	structs(manyStructs).Encode(&e)
	e.EndResponse()
	if e.Len() <= 2*answerPiece {
		t.Fatalf("an answer of %d bytes is not sent in pieces", e.Len())
	}
	for _, c := range []struct{ method, want string }{
		{"many", string(e.Bytes())},
		{"echo", resultXML("x")},
		{"many", string(e.Bytes())},
	} {
		status, body := s.request(post("/RPC2", callXML(c.method, "x")))
		if status != 200 || body != c.want {
			t.Errorf("%s: got %d and %d bytes, want %d", c.method, status, len(body), len(c.want))
		}
	}
}

func TestConnection(t *testing.T) {
	s := start(t, "unix", Auth{}, 0)
	call := post("/RPC2", callXML("echo", "x"))
	c := s.dial()
	for range 3 {
		r, body := c.send(call).response()
		if r == nil || body != resultXML("x") || r.Close {
			t.Fatalf("got %v %q", r, body)
		}
		if r.Header.Get("Server") != "Medusa/1.12" || r.Header.Get("Content-Type") != "text/xml" || r.Header.Get("Date") == "" {
			t.Errorf("headers %v", r.Header)
		}
	}
	c.send(call + call) // pipelined
	for range 2 {
		if _, body := c.response(); body != resultXML("x") {
			t.Errorf("got %q", body)
		}
	}
	if _, body := c.send(post("/RPC2", callXML("echo", "x"), "Connection: close")).response(); body != resultXML("x") || !c.closed() {
		t.Error("a connection that was to be closed goes on")
	}
	c = s.dial()
	if r, body := c.send(strings.Replace(call, "HTTP/1.1", "HTTP/1.0", 1)).response(); body != resultXML("x") || r.TransferEncoding != nil || !c.closed() {
		t.Error("HTTP/1.0")
	}
	c = s.dial()
	old := strings.Replace(post("/RPC2", callXML("echo", "x"), "Connection: keep-alive"), "HTTP/1.1", "HTTP/1.0", 1)
	for range 2 {
		if r, body := c.send(old).response(); body != resultXML("x") || !strings.EqualFold(r.Header.Get("Connection"), "keep-alive") {
			t.Errorf("HTTP/1.0 with keep-alive: %v %q", r, body)
		}
	}
}

func TestCrossSite(t *testing.T) {
	tests := []struct {
		host    string
		headers map[string]string
		want    bool
	}{
		{"h:9001", nil, false},
		{"h:9001", map[string]string{"Sec-Fetch-Site": "same-origin", "Origin": "http://other"}, false},
		{"h:9001", map[string]string{"Sec-Fetch-Site": "none"}, false},
		{"h:9001", map[string]string{"Sec-Fetch-Site": "cross-site"}, true},
		{"h:9001", map[string]string{"Sec-Fetch-Site": "same-site", "Origin": "http://h:9001"}, true},
		{"h:9001", map[string]string{"Origin": "http://h:9001"}, false},
		{"h:9001", map[string]string{"Origin": "http://H:9001"}, false},
		{"h:9001", map[string]string{"Origin": "http://h"}, true},
		{"h:9001", map[string]string{"Origin": "http://evil:9001"}, true},
		{"h:9001", map[string]string{"Origin": "null"}, true},
		{"h:9001", map[string]string{"Referer": "http://h:9001/index.html"}, false},
		{"h:9001", map[string]string{"Referer": "http://evil/h:9001"}, true},
		{"127.0.0.1:9001", map[string]string{"Origin": "https://sup.example", "X-Forwarded-Host": "sup.example"}, false},
		{"127.0.0.1:9001", map[string]string{"Origin": "https://sup.example"}, true},
	}
	for _, tt := range tests {
		r := &http.Request{Host: tt.host, Header: http.Header{}}
		for k, v := range tt.headers {
			r.Header.Set(k, v)
		}
		if got := crossSite(r); got != tt.want {
			t.Errorf("%s %v: got %v", tt.host, tt.headers, got)
		}
	}
}

func TestRebinding(t *testing.T) {
	s := start(t, "tcp", Auth{}, 0)
	_, port, err := net.SplitHostPort(s.addr)
	if err != nil {
		t.Fatal(err)
	}
	s.hostname = "box.example.org"
	tests := []struct {
		host, header string
		want         int
	}{
		{"127.0.0.1:" + port, "User-Agent: Mozilla/5.0", 200},
		{"[::1]:" + port, "User-Agent: Mozilla/5.0", 200},
		{"localhost:" + port, "User-Agent: Mozilla/5.0", 200},
		{"sup.localhost.:" + port, "User-Agent: Mozilla/5.0", 200},
		{"box:" + port, "User-Agent: Mozilla/5.0", 200},
		{"BOX.example.org:" + port, "Origin: http://box.example.org:" + port, 200},
		{"evil.example:" + port, "User-Agent: Mozilla/5.0", 403},
		{"evil.example:" + port, "Origin: http://evil.example:" + port, 403},
		{"evil.example:" + port, "Sec-Fetch-Site: same-origin", 403},
		{"evil.example:" + port, "User-Agent: curl/8", 200},
		{"sup.example", "User-Agent: Mozilla/5.0", 200}, // through a proxy
		{"sup.example:443", "User-Agent: Mozilla/5.0", 200},
	}
	for _, tt := range tests {
		if got, _ := s.request("GET / HTTP/1.1\r\nHost: " + tt.host + "\r\n" + tt.header + "\r\n\r\n"); got != tt.want {
			t.Errorf("%s, %s: got %d, want %d", tt.host, tt.header, got, tt.want)
		}
	}
	// With a password a page of another name could not do anything.
	s = start(t, "tcp", Auth{"u", "pw"}, 0)
	_, port, _ = net.SplitHostPort(s.addr)
	if got, _ := s.request("GET / HTTP/1.1\r\nHost: evil:" + port + "\r\nUser-Agent: Mozilla/5.0\r\n" + authorization("u", "pw") + "\r\n\r\n"); got != 200 {
		t.Errorf("with a password: %d", got)
	}
}

// TestWaiting: a call that waits is answered when it is done, and ended when
// the client goes away.
func TestWaiting(t *testing.T) {
	s := start(t, "unix", Auth{}, 0)
	call := post("/RPC2", callXML("wait", ""))
	gone := s.dial().send(call)
	<-s.methods.waiting
	gone.Close()
	if err := <-s.methods.ended; err == nil {
		t.Error("the call was not ended")
	}
	var waiting []*client
	for range 50 {
		waiting = append(waiting, s.dial().send(call))
	}
	for range waiting {
		<-s.methods.waiting
	}
	if status, _ := s.request(post("/RPC2", callXML("echo", ""))); status != 200 {
		t.Errorf("status %d beside calls that wait", status)
	}
	close(s.methods.hold)
	for _, c := range waiting {
		if _, body := c.response(); body != resultXML("done") {
			t.Errorf("got %q", body)
		}
	}
}

// TestShutdown: the answers to requests that have been served arrive, what
// waits for nothing any more ends, and new requests are not served.
func TestShutdown(t *testing.T) {
	s := start(t, "unix", Auth{}, 0)
	s.logs.write(t, "a-stdout", "text")
	silent, idle, follower, events, waiting := s.dial(), s.dial(), s.dial(), s.dial(), s.dial()
	if _, body := idle.send(post("/RPC2", callXML("echo", "x"))).response(); body != resultXML("x") {
		t.Fatalf("got %q", body)
	}
	follower.send(get("/logtail/a"))
	follower.until("text")
	events.send(get("/events"))
	events.until("\r\n\r\n")
	waiting.send(post("/RPC2", callXML("wait", "")))
	<-s.methods.waiting
	large := s.dial().send(post("/RPC2", callXML("large", "")))
	large.until("<string>x")

	done := make(chan error, 1)
	go func() { done <- s.Shutdown(background(t)) }()
	if n := large.rest(); n < largeResult-8<<10 {
		t.Errorf("only %d bytes of an answer arrived", n)
	}
	if err := <-done; err != nil {
		t.Error(err)
	}
	<-s.methods.ended
	for _, c := range []*client{silent, idle, waiting} {
		if !c.closed() {
			t.Error("a connection is open after the end")
		}
	}
	follower.rest()
	events.rest()
	if _, err := net.Dial(s.network, s.addr); err == nil {
		t.Error("the socket is open after the end")
	}
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	if err := s.Serve(l, Auth{}); err != nil {
		t.Error(err)
	}
	if _, err := l.Accept(); err == nil {
		t.Error("a socket that came too late is open")
	}
}

// until reads until the text has arrived.
func (c *client) until(s string) {
	c.t.Helper()
	var got strings.Builder
	for !strings.Contains(got.String(), s) {
		b, err := c.br.ReadByte()
		if err != nil {
			c.t.Fatalf("got %q, then %v", got.String(), err)
		}
		got.WriteByte(b)
	}
}

// rest reads until the connection is closed and returns how much that was.
func (c *client) rest() int {
	buf, total := make([]byte, 64<<10), 0
	for {
		n, err := c.br.Read(buf)
		total += n
		if err != nil {
			return total
		}
	}
}

func TestLogTail(t *testing.T) {
	s := start(t, "unix", Auth{}, 0)
	long := strings.Repeat("0123456789abcde\n", 200)
	s.logs.write(t, "a-stdout", long)
	s.logs.write(t, "a-stderr", "errors\n")
	s.logs.write(t, "main", "activity\xff\x00\n")
	s.logs.write(t, "g:b c-stdout", "spaces\n")
	for path, want := range map[string]string{
		"/logtail/a": long[len(long)-1024:], "/logtail/a/stdout": long[len(long)-1024:], "/logtail/a/stderr": "errors\n",
		"/mainlogtail": "activity\xff\x00\n", "/mainlogtail/": "activity\xff\x00\n", "/logtail/g:b%20c": "spaces\n", "/logtail/g%3Ab%20c?x=1": "spaces\n",
	} {
		c := s.dial().send(get(path))
		r, err := http.ReadResponse(c.br, nil)
		if err != nil {
			t.Fatal(err)
		}
		h := r.Header
		if r.StatusCode != 200 || h.Get("Content-Type") != "text/plain;charset=utf-8" || h.Get("X-Accel-Buffering") != "no" ||
			h.Get("Last-Modified") == "" || len(r.TransferEncoding) != 1 {
			t.Errorf("%s: %v", path, r)
		}
		got := make([]byte, len(want))
		if _, err := readFull(r, got); err != nil || string(got) != want {
			t.Errorf("%s: got %q, %v", path, got, err)
		}
	}
	for path, want := range map[string]int{
		"/logtail": 404, "/logtail/": 404, "/logtail/nobody": 404, "/logtail/a/": 404, "/logtail/a/stdin": 404, "/logtail/a/stdout/x": 404,
		"/logtail/unlogged": 404, "/logtail/b": 404, "/logtail/g:*": 404, "/logtail/a:": 404,
	} {
		if got, body := s.request(get(path)); got != want || !strings.Contains(body, "<title>Error response</title>") {
			t.Errorf("%s: got %d %q", path, got, body)
		}
	}
	for _, method := range []string{"POST", "HEAD", "PUT"} {
		for _, path := range []string{"/logtail/a", "/mainlogtail"} {
			c := s.dial().send(method + " " + path + " HTTP/1.1\r\nHost: h\r\n\r\n")
			if r, err := http.ReadResponse(c.br, &http.Request{Method: method}); err != nil || r.StatusCode != 400 {
				t.Errorf("%s %s: %v, %v", method, path, r, err)
			}
		}
	}
	if err := os.Remove(s.logs.MainLog().Path()); err != nil {
		t.Fatal(err)
	}
	if got, _ := s.request(get("/mainlogtail")); got != 404 {
		t.Errorf("without a file: %d", got)
	}
}

func readFull(r *http.Response, p []byte) (int, error) {
	for n := 0; n < len(p); {
		m, err := r.Body.Read(p[n:])
		if n += m; err != nil {
			return n, err
		}
	}
	return len(p), nil
}

// TestFollowers: everything that is written reaches every follower, while some
// read nothing and some have gone.
func TestFollowers(t *testing.T) {
	s := start(t, "unix", Auth{}, 1000)
	s.logs.write(t, "a-stdout", "")
	const followers, lines = 200, 400
	line := strings.Repeat("x", 999) + "\n"
	for range 20 {
		s.dial().send(get("/logtail/a"))
	}
	done := make(chan string, followers)
	for range followers {
		c := s.dial().send(get("/logtail/a"))
		r, err := http.ReadResponse(c.br, nil)
		if err != nil {
			t.Fatal(err)
		}
		go func() {
			buf := make([]byte, len(line)*lines)
			_, err := readFull(r, buf)
			if err != nil || string(buf) != strings.Repeat(line, lines) {
				done <- "lost bytes"
			}
			c.Close()
			done <- ""
		}()
	}
	for range lines {
		s.logs.write(t, "a-stdout", line)
	}
	for range followers {
		if problem := <-done; problem != "" {
			t.Fatal(problem)
		}
	}
	if status, _ := s.request(post("/RPC2", callXML("echo", ""))); status != 200 {
		t.Errorf("status %d beside followers that read nothing", status)
	}
}

var _ Logs = (*logs)(nil)
var _ api.LogSource = logSource{}
