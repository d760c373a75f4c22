package faulttest

import (
	"encoding/base64"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"slices"
	"strconv"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"supervisord/internal/testenv"
)

func base64Of(text string) string { return base64.StdEncoding.EncodeToString([]byte(text)) }

// dialog sends a text and returns everything that is answered until the daemon
// closes the connection, which it must do.
func dialog(t *testing.T, network, address, text string) string {
	t.Helper()
	c, err := net.Dial(network, address)
	if err != nil {
		t.Error(err)
		return ""
	}
	defer c.Close()
	c.SetDeadline(time.Now().Add(limit))
	// The daemon may answer and close before it has read everything.
	go io.WriteString(c, text)
	answer, err := io.ReadAll(c)
	if err != nil && !errors.Is(err, syscall.ECONNRESET) {
		t.Errorf("%.40q: %v", text, err)
	}
	return string(answer)
}

// tcp starts a daemon with a TCP server that asks for a password.
func tcp(t *testing.T, main string, wrapper ...string) (r *rig, address string) {
	t.Helper()
	return listening(t, start{main: main, wrapper: wrapper, programs: "username=user\npassword=pass\n"})
}

// listening starts a daemon with a TCP server, whose section goes on with what
// is given as programs.
func listening(t *testing.T, s start) (r *rig, address string) {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	address = l.Addr().String()
	l.Close()
	s.programs = "[inet_http_server]\nport=" + address + "\n" + s.programs + "[program:cat]\ncommand=cat\nstartsecs=0\n"
	return run(t, s), address
}

const login = "Authorization: Basic dXNlcjpwYXNz\r\n"

// call is a request for the method, complete with what it takes.
func call(headers, body string) string {
	return "POST /RPC2 HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n" + login + headers +
		"Content-Length: " + strconv.Itoa(len(body)) + "\r\n\r\n" + body
}

func methodCall(method, params string) string {
	return "<?xml version='1.0'?><methodCall><methodName>" + method + "</methodName><params>" + params + "</params></methodCall>"
}

// status returns the status of an answer, 0 if there is none.
func status(answer string) int {
	fields := strings.Fields(answer)
	if len(fields) < 2 {
		return 0
	}
	n, _ := strconv.Atoi(fields[1])
	return n
}

// TestHostileRequests sends requests that no honest program sends. Each is
// answered with one of the statuses, on which nothing else follows, and the
// daemon goes on.
func TestHostileRequests(t *testing.T) {
	t.Parallel()
	r, address := tcp(t, "")
	state := methodCall("supervisor.getState", "")
	stop := call("", methodCall("supervisor.stopAllProcesses", ""))
	laughs := "<?xml version='1.0'?><!DOCTYPE x [<!ENTITY a 'ha'>" + func() string {
		var b strings.Builder
		for c := 'b'; c <= 'j'; c++ {
			fmt.Fprintf(&b, "<!ENTITY %c '%s'>", c, strings.Repeat(fmt.Sprintf("&%c;", c-1), 10))
		}
		return b.String()
	}() + "]><methodCall><methodName>&j;</methodName></methodCall>"
	for name, test := range map[string]struct {
		text string
		want []int
	}{
		"good":              {call("", state), []int{200}},
		"no password":       {"POST /RPC2 HTTP/1.1\r\nHost: x\r\nConnection: close\r\nContent-Length: 5\r\n\r\nhello", []int{401}},
		"huge, no password": {"POST /RPC2 HTTP/1.1\r\nHost: x\r\nContent-Length: 100000000\r\n\r\n" + strings.Repeat("x", 1<<20), []int{401}},
		"huge body":         {"POST /RPC2 HTTP/1.1\r\nHost: x\r\n" + login + "Content-Length: 100000000\r\n\r\n" + strings.Repeat("x", 1<<20), []int{413}},
		"huge chunks":       {"POST /RPC2 HTTP/1.1\r\nHost: x\r\n" + login + "Transfer-Encoding: chunked\r\n\r\nffffffff\r\n" + strings.Repeat("x", 9<<20), []int{413}},
		"negative length":   {"POST /RPC2 HTTP/1.1\r\nHost: x\r\n" + login + "Content-Length: -1\r\n\r\n", []int{400}},
		"large length":      {"POST /RPC2 HTTP/1.1\r\nHost: x\r\n" + login + "Content-Length: 99999999999999999999\r\n\r\n", []int{400}},
		"two lengths":       {"POST /RPC2 HTTP/1.1\r\nHost: x\r\n" + login + "Content-Length: 0\r\nContent-Length: " + strconv.Itoa(len(stop)) + "\r\n\r\n" + stop, []int{400}},
		"length and chunks": {"POST /RPC2 HTTP/1.1\r\nHost: x\r\n" + login + "Content-Length: 4\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n", []int{400}},
		"odd chunks":        {"POST /RPC2 HTTP/1.1\r\nHost: x\r\n" + login + "Transfer-Encoding: xchunked\r\n\r\n0\r\n\r\n" + stop, []int{400, 501}},
		"bad chunk":         {"POST /RPC2 HTTP/1.1\r\nHost: x\r\n" + login + "Transfer-Encoding: chunked\r\n\r\nzz\r\n\r\n", []int{400}},
		"space in name":     {"GET / HTTP/1.1\r\nHost: x\r\n" + login + "Content-Length : 5\r\n\r\nhello", []int{400}},
		"folded header":     {"GET / HTTP/1.1\r\nHost: x\r\nConnection: close\r\n" + login + "X: a\r\n\tContent-Length: 5\r\n\r\n", []int{200, 400}},
		"no host":           {"GET / HTTP/1.1\r\n" + login + "\r\n", []int{400}},
		"two hosts":         {"GET / HTTP/1.1\r\nHost: a\r\nHost: b\r\n" + login + "\r\n", []int{400}},
		"bad host":          {"GET / HTTP/1.1\r\nHost: a b\r\n" + login + "\r\n", []int{400}},
		"long header":       {"GET / HTTP/1.1\r\nHost: x\r\n" + login + "X: " + strings.Repeat("x", 1<<20), []int{431}},
		"many headers":      {"GET / HTTP/1.1\r\nHost: x\r\n" + login + strings.Repeat("X: y\r\n", 120000), []int{431}},
		"long path":         {"GET /" + strings.Repeat("x", 1<<20), []int{431}},
		"not HTTP":          {"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03" + strings.Repeat("\x00", 500) + "\r\n\r\n", []int{400}},
		"HTTP/2":            {"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n", []int{401, 400, 505}},
		"HTTP/9":            {"GET / HTTP/9.9\r\nHost: x\r\n" + login + "\r\n", []int{505, 400}},
		"traversal":         {"GET /../../../../etc/passwd HTTP/1.1\r\nHost: x\r\nConnection: close\r\n" + login + "\r\n", []int{301, 400, 404}},
		"coded traversal":   {"GET /stylesheets/%2e%2e/%2e%2e/%2e%2e/etc/passwd HTTP/1.1\r\nHost: x\r\nConnection: close\r\n" + login + "\r\n", []int{301, 400, 404}},
		"backslashes":       {"GET /stylesheets/..%5c..%5cetc%5cpasswd HTTP/1.1\r\nHost: x\r\nConnection: close\r\n" + login + "\r\n", []int{301, 400, 404}},
		"traversal of logs": {"GET /logtail/..%2f..%2fetc%2fpasswd HTTP/1.1\r\nHost: x\r\nConnection: close\r\n" + login + "\r\n", []int{404, 410}},
		"NUL":               {"GET /index.html%00.css HTTP/1.1\r\nHost: x\r\nConnection: close\r\n" + login + "\r\n", []int{404, 400}},
		"absolute":          {"GET http://elsewhere/ HTTP/1.1\r\nHost: x\r\nConnection: close\r\n" + login + "\r\n", []int{200, 400, 404}},
		"proxy":             {"CONNECT elsewhere:80 HTTP/1.1\r\nHost: elsewhere:80\r\nConnection: close\r\n" + login + "\r\n", []int{400, 404, 405}},
		"foreign page":      {call("Origin: http://evil\r\nContent-Type: text/plain\r\n", methodCall("supervisor.stopAllProcesses", "")), []int{403}},
		"null origin":       {call("Origin: null\r\n", methodCall("supervisor.stopAllProcesses", "")), []int{403}},
		"foreign fetch":     {call("Sec-Fetch-Site: cross-site\r\n", methodCall("supervisor.stopAllProcesses", "")), []int{403}},
		"foreign action":    {"GET /index.html?action=stopall HTTP/1.1\r\nHost: x\r\nReferer: http://evil/\r\nConnection: close\r\n" + login + "\r\n", []int{200, 303, 403}},
		"deep XML":          {call("", "<methodCall><methodName>x</methodName><params><param>"+strings.Repeat("<value><array><data>", 100000)), []int{400}},
		"wide XML":          {call("", "<methodCall><methodName>x</methodName><params>"+strings.Repeat("<param><value/></param>", 300000)), []int{400}},
		"billion laughs":    {call("", laughs), []int{400}},
		"outer entity":      {call("", "<!DOCTYPE x [<!ENTITY e SYSTEM 'file:///etc/passwd'>]><methodCall><methodName>&e;</methodName></methodCall>"), []int{400}},
		"broken UTF-8":      {call("", "<methodCall><methodName>\xff\xfe</methodName></methodCall>"), []int{200, 400}},
		"empty body":        {call("", ""), []int{400, 411}},
		"cut body":          {call("", state)[:len(call("", state))-10] + "\r\n\r\n<<<<<<", []int{400}},
		"multicall in it":   {call("", methodCall("system.multicall", "<param><value><array><data>"+strings.Repeat("<value><struct><member><name>methodName</name><value>system.multicall</value></member></struct></value>", 1000)+"</data></array></value></param>")), []int{200}},
	} {
		for _, at := range [][2]string{{"tcp", address}, {"unix", r.path("s.sock")}} {
			if at[0] == "unix" && slices.Contains(test.want, http.StatusUnauthorized) {
				continue // It has no password.
			}
			t.Run(name+"/"+at[0], func(t *testing.T) {
				answer := dialog(t, at[0], at[1], test.text)
				if !slices.Contains(test.want, status(answer)) {
					t.Errorf("got %.200q, want %v", answer, test.want)
				}
				if n := strings.Count(answer, "HTTP/1."); n != 1 {
					t.Errorf("%d answers: %q", n, answer)
				}
				if strings.Contains(answer, "root:") {
					t.Errorf("a file of the system is served")
				}
			})
		}
	}
	r.state("cat", "RUNNING") // No request has stopped it.
	r.end()
}

// TestPipelining sends many requests at once on one connection.
func TestPipelining(t *testing.T) {
	t.Parallel()
	r, address := tcp(t, "")
	const n = 1000
	body := methodCall("supervisor.getState", "")
	one := "POST /RPC2 HTTP/1.1\r\nHost: localhost\r\n" + login + "Content-Length: " + strconv.Itoa(len(body)) + "\r\n\r\n" + body
	for _, at := range [][2]string{{"tcp", address}, {"unix", r.path("s.sock")}} {
		answer := dialog(t, at[0], at[1], strings.Repeat(one, n-1)+call("", body))
		if got := strings.Count(answer, "<methodResponse>"); got != n {
			t.Errorf("%s: %d of %d answers", at[0], got, n)
		}
	}
	r.end()
}

// TestIdleClients opens more connections than are served, of which some say
// nothing, some half of a header and some half of a body, and none is closed by
// its client. Others are served all the same.
func TestIdleClients(t *testing.T) {
	t.Parallel()
	t.Run("password", func(t *testing.T) { idleClients(t, "username=user\npassword=pass\n") })
	t.Run("none", func(t *testing.T) { idleClients(t, "") })
}

func idleClients(t *testing.T, password string) {
	t.Helper()
	testenv.NeedProgram(t, "prlimit", "util-linux")
	r, address := listening(t, start{wrapper: []string{"prlimit", "--nofile=1024:1024"}, programs: password})
	n := min(1000**soak, 10000)
	texts := []string{
		"",
		"POST /RPC2 HTTP/1.1\r\nHost: localhost\r\nX-Slow: ",
		"POST /RPC2 HTTP/1.1\r\nHost: localhost\r\n" + login + "Content-Length: 1000\r\n\r\n<methodCall>",
		"POST /RPC2 HTTP/1.1\r\nHost: localhost\r\nContent-Length: 1000\r\n\r\n<methodCall>",
		"GET /stylesheets/supervisor.css HTTP/1.1\r\nHost: localhost\r\n\r\n",
	}
	var mu sync.Mutex
	var conns []net.Conn
	defer func() {
		for _, c := range conns {
			c.Close()
		}
	}()
	var dialers sync.WaitGroup
	next := make(chan string)
	for range 20 {
		dialers.Go(func() {
			for text := range next {
				c, err := net.DialTimeout("tcp", address, limit)
				if err != nil {
					t.Error(err)
					continue
				}
				io.WriteString(c, text)
				mu.Lock()
				conns = append(conns, c)
				mu.Unlock()
			}
		})
	}
	var slowest, slowestLocal time.Duration // on the TCP port, and on the UNIX socket
	for i := range n {
		next <- texts[i%len(texts)]
		if i%(n/5) == n/10 {
			asked := time.Now()
			if got := status(dialog(t, "tcp", address, call("", methodCall("supervisor.getState", "")))); got != 200 {
				t.Errorf("after %d connections: status %d", i, got)
			}
			slowest = max(slowest, time.Since(asked))
			asked = time.Now()
			r.alive()
			slowestLocal = max(slowestLocal, time.Since(asked))
		}
	}
	close(next)
	dialers.Wait()
	// A third of the files is for connections.
	fds, err := os.ReadDir(fmt.Sprintf("/proc/%d/fd", r.cmd.Process.Pid))
	if err != nil {
		t.Fatal(err)
	}
	if len(fds) > 400 {
		t.Errorf("the daemon has %d files open", len(fds))
	}
	t.Logf("%d connections; the slowest answer took %v, on the UNIX socket %v; the daemon has %d files open", n, slowest, slowestLocal, len(fds))
	r.end()
}

// TestForgedLines tries to write lines of its own into the activity log.
func TestForgedLines(t *testing.T) {
	t.Parallel()
	r, address := tcp(t, "loglevel=blather\n")
	const line = "\n2026-01-01 00:00:00,000 CRIT forged\x1b[2J"
	escaped := strings.ReplaceAll(line, "\x1b", "")
	for _, body := range []string{
		methodCall("no.such"+escaped, ""),
		methodCall("supervisor.startProcess", "<param><value>x"+escaped+"</value></param>"),
		methodCall("supervisor.stopProcess", "<param><value>x"+escaped+":y"+escaped+"</value></param>"),
		methodCall("supervisor.signalProcess", "<param><value>cat</value></param><param><value>x"+escaped+"</value></param>"),
		methodCall("supervisor.addProcessGroup", "<param><value>x"+escaped+"</value></param>"),
		methodCall("supervisor.sendRemoteCommEvent", "<param><value>x"+escaped+"</value></param><param><value>y"+escaped+"</value></param>"),
		"<methodCall>" + line,
		line,
	} {
		dialog(t, "tcp", address, call("", body))
	}
	dialog(t, "tcp", address, "GET /logtail/x%0a2026-01-01%2000:00:00,000%20CRIT%20forged%1b[2J HTTP/1.1\r\nHost: x\r\nConnection: close\r\n"+login+"\r\n")
	dialog(t, "tcp", address, "GET /index.html?action=stop&processname=x%0a2026-01-01%2000:00:00,000%20CRIT%20forged%1b[2J HTTP/1.1\r\nHost: x\r\nConnection: close\r\n"+login+"\r\n")
	dialog(t, "tcp", address, "G\x1b[2JET / HTTP/1.1\r\n2026-01-01 00:00:00,000 CRIT forged\r\n\r\n")
	r.end()
	log := r.read("supervisord.log")
	if strings.Contains(log, "\n2026-01-01") {
		t.Errorf("a line was forged")
	}
	if strings.ContainsRune(log, '\x1b') {
		t.Errorf("the log has an escape sequence")
	}
	if !strings.Contains(log, "forged") {
		t.Errorf("nothing was logged at all")
	}
}
