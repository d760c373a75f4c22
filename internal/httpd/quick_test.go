package httpd

import (
	"bufio"
	"bytes"
	"io"
	"net"
	"net/http"
	"regexp"
	"strconv"
	"strings"
	"testing"
)

// callRequest is a request as programs send it, with more headers.
func callRequest(method, header string) string {
	body := "<?xml version='1.0'?><methodCall><methodName>" + method + "</methodName><params>" +
		"<param><value><string>x</string></value></param></params></methodCall>"
	return "POST /RPC2 HTTP/1.1\r\nHost: localhost\r\nContent-Type: text/xml\r\n" + header +
		"Content-Length: " + strconv.Itoa(len(body)) + "\r\n\r\n" + body
}

// TestQuick makes the same calls once in the form that is served before net/http
// sees it and once in one that is not: the answers are the same, byte for byte,
// but for the time.
func TestQuick(t *testing.T) {
	date := regexp.MustCompile(`Date: [A-Z][a-z]{2}, \d\d [A-Z][a-z]{2} \d{4} \d\d:\d\d:\d\d GMT\r\n`)
	const user = "Authorization: Basic dXNlcjpwYXNz\r\n"
	for _, auth := range []Auth{{}, {Username: "user", Password: "pass"}} {
		s := start(t, "unix", auth, 0)
		var conns [2]net.Conn
		var readers [2]*bufio.Reader
		for i := range conns {
			c, err := net.Dial("unix", s.addr)
			if err != nil {
				t.Fatal(err)
			}
			defer c.Close()
			conns[i], readers[i] = c, bufio.NewReader(c)
		}
		ask := func(i int, request string) string {
			t.Helper()
			c, r := conns[i], readers[i]
			if _, err := io.WriteString(c, request); err != nil {
				t.Fatal(err)
			}
			var seen bytes.Buffer
			resp, err := http.ReadResponse(bufio.NewReader(io.TeeReader(r, &seen)), nil)
			if err != nil {
				t.Fatal(err)
			}
			if _, err := io.Copy(io.Discard, resp.Body); err != nil {
				t.Fatal(err)
			}
			return date.ReplaceAllString(seen.String(), "Date: now\r\n")
		}
		for _, method := range []string{"echo", "unknown", "many", "large", "echo"} {
			quick := callRequest(method, user)
			slow := callRequest(method, user+"X-Other: y\r\n")
			if _, _, ok := callOf([]byte(quick)); !ok {
				t.Fatalf("%s: not served at once", method)
			}
			if _, _, ok := callOf([]byte(slow)); ok {
				t.Fatalf("%s: net/http does not see it", method)
			}
			a, b := ask(0, quick), ask(1, slow)
			if a != b {
				t.Errorf("%s: answered with\n%.300s\nby net/http with\n%.300s", method, a, b)
			}
			if !strings.Contains(a, "Date: now\r\n") {
				t.Errorf("%s: no date in %.300s", method, a)
			}
		}
	}
}

// TestQuickSplit sends a part of the header of a request with the request before.
// What follows looks like a call of its own, and is not.
func TestQuickSplit(t *testing.T) {
	s := start(t, "unix", Auth{}, 0)
	c, err := net.Dial("unix", s.addr)
	if err != nil {
		t.Fatal(err)
	}
	defer c.Close()
	r := bufio.NewReader(c)
	for i, part := range []string{
		"GET /x HTTP/1.1\r\nHost: localhost\r\n\r\nPOST /RPC2 HTTP/1.1\r\nConnection: close\r\nX-Other: ",
		callRequest("echo", ""),
	} {
		if _, err := io.WriteString(c, part); err != nil {
			t.Fatal(err)
		}
		resp, err := http.ReadResponse(r, nil)
		if err != nil {
			t.Fatal(err)
		}
		if _, err := io.Copy(io.Discard, resp.Body); err != nil {
			t.Fatal(err)
		}
		if resp.StatusCode != http.StatusOK || resp.Close != (i == 1) {
			t.Errorf("request %d: answered with %s, close: %v", i, resp.Status, resp.Close)
		}
	}
}

// TestQuickRefuses has everything else served by net/http.
func TestQuickRefuses(t *testing.T) {
	good := callRequest("echo", "")
	if _, _, ok := callOf([]byte(good)); !ok {
		t.Fatal("a plain call is refused")
	}
	for _, replace := range [][2]string{
		{"POST", "GET"}, {"/RPC2", "/RPC2/"}, {"/RPC2", "/RPC2?x"}, {"HTTP/1.1", "HTTP/1.0"},
		{"Host: localhost\r\n", ""}, {"Host: localhost", "Host: a b"}, {"Host: localhost", "host: localhost"},
		{"Host: localhost\r\n", "Host: localhost\r\nHost: localhost\r\n"},
		{"Content-Type: text/xml", "Content-Type : text/xml"}, {"Content-Type: text/xml", "Content-Type:text/xml"},
		{"Content-Type: text/xml", "Content-Type: text/xml "}, {"Content-Type: text/xml", "Content-Type: \x01"},
		{"Content-Type: text/xml", "Origin: http://localhost"}, {"Content-Type: text/xml", "Transfer-Encoding: chunked"},
		{"Content-Type: text/xml", "Expect: 100-continue"}, {"Content-Type: text/xml", "Connection: close"},
		{"Content-Type: text/xml\r\n", "Content-Type: text/xml\n"}, {"Content-Type: text/xml\r\n", "Content-Type: text/xml\r\n folded\r\n"},
		{"Content-Length: ", "Content-Length: +"}, {"Content-Length: ", "Content-Length: 1"},
		{"Content-Length: ", "Content-Length: 3\r\nContent-Length: "}, {"Content-Length: ", "Content-Length: 000000"},
		{"</methodCall>", "</methodCall>\n"}, {"</methodCall>", "</methodCall"},
	} {
		bad := strings.Replace(good, replace[0], replace[1], 1)
		if bad == good {
			t.Fatalf("%q: not found", replace)
		}
		if _, _, ok := callOf([]byte(bad)); ok {
			t.Errorf("%q for %q: served at once", replace[1], replace[0])
		}
	}
}

// TestQuickWaits has calls that wait, and those of strangers, served by net/http.
func TestQuickWaits(t *testing.T) {
	s := start(t, "unix", Auth{Username: "user", Password: "pass"}, 0)
	for _, c := range []struct{ name, method, header string }{
		{"no password", "echo", ""},
		{"wrong password", "echo", "Authorization: Basic dXNlcjpwYXN0\r\n"},
		{"a call that waits", "wait", "Authorization: Basic dXNlcjpwYXNz\r\n"},
	} {
		l, err := net.Dial("unix", s.addr)
		if err != nil {
			t.Fatal(err)
		}
		defer l.Close()
		q := newQuick(s.Server, newCredentials(Auth{Username: "user", Password: "pass"}), &conn{Conn: l, conns: s.conns})
		if q == nil || q.serve([]byte(callRequest(c.method, c.header))) {
			t.Errorf("%s: served at once", c.name)
		}
	}
}

// TestQuickBody has the body of a request, whose header came with the request
// before it, not be taken for a request.
func TestQuickBody(t *testing.T) {
	s := start(t, "unix", Auth{}, 0)
	c := s.dial()
	body := callRequest("echo", "")
	if _, _, ok := callOf([]byte(body)); !ok {
		t.Fatal("the body is no plain call")
	}
	header, _, _ := strings.Cut(post("/RPC2", body), "\r\n\r\n")
	c.send(callRequest("echo", "") + header + "\r\n\r\n")
	if r, _ := c.response(); r.StatusCode != http.StatusOK {
		t.Fatalf("status %d", r.StatusCode)
	}
	c.send(body)
	if r, text := c.response(); r.StatusCode != http.StatusBadRequest {
		t.Errorf("the body was served: %d %s", r.StatusCode, text)
	}
}

// FuzzQuick makes sure that what is served before net/http sees it is what
// net/http would have seen in it.
func FuzzQuick(f *testing.F) {
	for _, header := range []string{"", "Authorization: Basic eDp5\r\n", "Connection: Keep-Alive\r\n", "Accept: */*\r\nUser-Agent: x\r\n",
		"Content-Length: 3\r\n", "Transfer-Encoding: chunked\r\n", "Host: x\r\n", "Connection: close\r\n", "Expect: 100-continue\r\n"} {
		f.Add([]byte(callRequest("echo", header)))
	}
	f.Fuzz(func(t *testing.T, request []byte) {
		body, authorization, ok := callOf(request)
		if !ok {
			return
		}
		reader := bufio.NewReader(bytes.NewReader(request))
		r, err := http.ReadRequest(reader)
		if err != nil {
			t.Fatalf("net/http refuses it: %v", err)
		}
		seen, err := io.ReadAll(r.Body)
		if err != nil || !bytes.Equal(seen, body) || reader.Buffered() > 0 {
			t.Fatalf("the body is %q and not %q (%v), and %d bytes follow", seen, body, err, reader.Buffered())
		}
		if r.Method != http.MethodPost || r.URL.Path != "/RPC2" || r.Close || !r.ProtoAtLeast(1, 1) || r.TransferEncoding != nil || r.Host == "" {
			t.Fatalf("net/http takes it for %+v", r)
		}
		if r.Header.Get("Authorization") != string(authorization) || len(r.Header["Authorization"]) > 1 || crossSite(r) || r.Header.Get("Expect") != "" {
			t.Fatalf("net/http sees the headers %v", r.Header)
		}
	})
}
