package rpcclient

import (
	"context"
	"errors"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"path/filepath"
	"strings"
	"sync"
	"syscall"
	"testing"

	"supervisord/internal/api"
)

// answer is a methodResponse with the given value element's content.
func answer(value string) string {
	return "<?xml version='1.0'?>\n<methodResponse>\n<params>\n<param>\n<value>" + value + "</value>\n</param>\n</params>\n</methodResponse>\n"
}

const faultBody = `<?xml version='1.0'?>
<methodResponse>
<fault>
<value><struct>
<member>
<name>faultCode</name>
<value><int>10</int></value>
</member>
<member>
<name>faultString</name>
<value><string>BAD_NAME: nope</string></value>
</member>
</struct></value>
</fault>
</methodResponse>
`

// serve starts a server on a UNIX socket and returns a client for it.
func serve(t *testing.T, o Options, h http.HandlerFunc) *Client {
	t.Helper()
	socket := filepath.Join(t.TempDir(), "s")
	l, err := net.Listen("unix", socket)
	if err != nil {
		t.Fatal(err)
	}
	s := httptest.NewUnstartedServer(h)
	s.Listener.Close()
	s.Listener = l
	s.Start()
	t.Cleanup(s.Close)
	o.ServerURL = "unix://" + socket
	c, err := New(o)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(c.Close)
	return c
}

// body answers every request with the given text.
func body(text string) http.HandlerFunc {
	return func(w http.ResponseWriter, _ *http.Request) { io.WriteString(w, text) }
}

func TestCallOverTCP(t *testing.T) {
	s := httptest.NewServer(body(answer("<string>4.3.0</string>")))
	defer s.Close()
	c, err := New(Options{ServerURL: s.URL})
	if err != nil {
		t.Fatal(err)
	}
	defer c.Close()
	if v, err := c.SupervisorVersion(t.Context()); v != "4.3.0" || err != nil {
		t.Errorf("SupervisorVersion = %q, %v", v, err)
	}
}

func TestCallSendsArguments(t *testing.T) {
	var got, auth string
	c := serve(t, Options{Auth: true, Username: "u", Password: "p w"}, func(w http.ResponseWriter, r *http.Request) {
		b, _ := io.ReadAll(r.Body)
		got = r.Method + " " + r.URL.Path + " " + string(b)
		auth = r.Header.Get("Authorization")
		io.WriteString(w, answer("<boolean>1</boolean>"))
	})
	if err := c.StartProcess(t.Context(), "a&b", true); err != nil {
		t.Fatal(err)
	}
	for _, want := range []string{"POST /RPC2 ", "<methodName>supervisor.startProcess</methodName>",
		"<string>a&amp;b</string>", "<boolean>1</boolean>"} {
		if !strings.Contains(got, want) {
			t.Errorf("request %q lacks %q", got, want)
		}
	}
	if want := "Basic dTpwIHc="; auth != want {
		t.Errorf("Authorization %q, want %q", auth, want)
	}
}

func TestCallErrors(t *testing.T) {
	fault := serve(t, Options{}, body(faultBody))
	err := fault.StopProcess(t.Context(), "nope", true)
	if f, ok := errors.AsType[*api.Fault](err); !ok || f.Code != api.BadName || f.Text != "BAD_NAME: nope" {
		t.Errorf("fault: %v", err)
	}

	status := serve(t, Options{}, func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(401) })
	err = status.Shutdown(t.Context())
	if s, ok := errors.AsType[*StatusError](err); !ok || s.Code != 401 || s.Reason != "Unauthorized" {
		t.Errorf("status: %v", err)
	}

	garbage := serve(t, Options{}, body("<html>"))
	if _, err := garbage.PID(t.Context()); err == nil {
		t.Error("no error for an answer that is no XML-RPC")
	}

	missing, err := New(Options{ServerURL: "unix://" + filepath.Join(t.TempDir(), "none")})
	if err != nil {
		t.Fatal(err)
	}
	if _, err := missing.PID(t.Context()); !errors.Is(err, syscall.ENOENT) {
		t.Errorf("no socket: %v", err)
	}
	if _, err := New(Options{ServerURL: "ftp://x"}); !errors.Is(err, ErrScheme) {
		t.Errorf("bad scheme: %v", err)
	}
}

func TestCallGivesUpWithContext(t *testing.T) {
	arrived, release := make(chan struct{}), make(chan struct{})
	c := serve(t, Options{}, func(http.ResponseWriter, *http.Request) {
		close(arrived)
		<-release
	})
	defer close(release)
	ctx, cancel := context.WithCancel(t.Context())
	go func() {
		<-arrived
		cancel()
	}()
	if err := c.Restart(ctx); !errors.Is(err, context.Canceled) {
		t.Errorf("error %v, want that of the context", err)
	}
}

func TestCallsDoNotWaitForEachOther(t *testing.T) {
	var arrived sync.WaitGroup
	arrived.Add(2)
	c := serve(t, Options{}, func(w http.ResponseWriter, _ *http.Request) {
		arrived.Done()
		arrived.Wait() // neither is answered before both are there
		io.WriteString(w, answer("<int>7</int>"))
	})
	var calls sync.WaitGroup
	for range 2 {
		calls.Go(func() {
			if pid, err := c.PID(t.Context()); pid != 7 || err != nil {
				t.Errorf("PID = %d, %v", pid, err)
			}
		})
	}
	calls.Wait()
}

func TestBadAnswerLeavesClientUsable(t *testing.T) {
	texts := []string{answer("<string>no number</string>"), answer("<int>7</int>")}
	c := serve(t, Options{}, func(w http.ResponseWriter, _ *http.Request) {
		io.WriteString(w, texts[0])
		texts = texts[1:]
	})
	if _, err := c.PID(t.Context()); err == nil {
		t.Error("a string is taken for a process id")
	}
	if pid, err := c.PID(t.Context()); pid != 7 || err != nil {
		t.Errorf("PID = %d, %v after a bad answer", pid, err)
	}
}

func TestLogIsBinarySafe(t *testing.T) {
	// As Supervisor sends it: nothing but & < > is escaped.
	raw := "red \x1b[31m NUL \x00 bad \xff\xfe mark \U000F0041 &lt;"
	c := serve(t, Options{}, body(answer("<string>"+raw+"</string>")))
	got, err := c.ReadProcessLog(t.Context(), "x", api.Stderr, -100, 0)
	want := "red \x1b[31m NUL \x00 bad \xff\xfe mark \U000F0041 <"
	if got != want || err != nil {
		t.Errorf("ReadProcessLog = %q, %v, want %q", got, err, want)
	}
	if got, err := c.SupervisorVersion(t.Context()); err != nil || strings.ContainsRune(got, '\x1b') {
		t.Errorf("text that is no log: %q, %v", got, err)
	}
}

func TestReloadConfig(t *testing.T) {
	list := func(names ...string) string {
		s := "<value><array><data>\n"
		for _, n := range names {
			s += "<value><string>" + n + "</string></value>\n"
		}
		return s + "</data></array></value>\n"
	}
	array := func(content string) string { return "<array><data>\n" + content + "</data></array>" }
	c := serve(t, Options{}, body(answer(array("<value>"+array(list("a", "b")+list()+list("c"))+"</value>\n"))))
	got, err := c.ReloadConfig(t.Context())
	if err != nil || strings.Join(got.Added, " ") != "a b" || len(got.Changed) != 0 || strings.Join(got.Removed, " ") != "c" {
		t.Errorf("ReloadConfig = %+v, %v", got, err)
	}
	short := serve(t, Options{}, body(answer(array("<value>"+array(list("a"))+"</value>\n"))))
	if _, err := short.ReloadConfig(t.Context()); err == nil {
		t.Error("no error for an answer with one list instead of three")
	}
}

func TestMulticall(t *testing.T) {
	var got string
	c := serve(t, Options{}, func(w http.ResponseWriter, r *http.Request) {
		b, _ := io.ReadAll(r.Body)
		got = string(b)
		failed := "<struct>\n<member>\n<name>faultCode</name>\n<value><int>70</int></value>\n</member>\n" +
			"<member>\n<name>faultString</name>\n<value><string>NOT_RUNNING</string></value>\n</member>\n</struct>"
		info := "<struct>\n<member>\n<name>name</name>\n<value><string>x</string></value>\n</member>\n" +
			"<member>\n<name>added</name>\n<value><array><data>\n<value/></data></array></value>\n</member>\n" +
			"<member>\n<name>pid</name>\n<value><int>9</int></value>\n</member>\n</struct>"
		io.WriteString(w, answer("<array><data>\n<value><string>3.0</string></value>\n<value>"+failed+
			"</value>\n<value>"+info+"</value>\n</data></array>"))
	})
	var version string
	var info ProcessInfo
	first := Request{Method: "supervisor.getVersion", Result: &version}
	second := Request{Method: "supervisor.stopProcess", Args: []any{"x", false}}
	third := Request{Method: "supervisor.getProcessInfo", Args: []any{"x"}, Result: &info}
	if err := c.Multicall(t.Context(), &first, &second, &third); err != nil {
		t.Fatal(err)
	}
	if version != "3.0" || first.Err != nil {
		t.Errorf("first result %q, %v", version, first.Err)
	}
	if f, ok := errors.AsType[*api.Fault](second.Err); !ok || f.Code != api.NotRunning {
		t.Errorf("second result %v", second.Err)
	}
	if info.Name != "x" || info.PID != 9 || third.Err != nil {
		t.Errorf("third result %+v, %v", info, third.Err)
	}
	if !strings.Contains(got, "<name>methodName</name><value><string>supervisor.stopProcess</string></value>") {
		t.Errorf("request %s", got)
	}
	if err := c.Multicall(t.Context(), &first); err == nil {
		t.Error("no error for three results of one call")
	}
}

func TestFollow(t *testing.T) {
	shown := make(chan struct{})
	c := serve(t, Options{}, func(w http.ResponseWriter, r *http.Request) {
		if r.URL.Path != "/logtail/g:a/b/stderr" {
			http.Error(w, "", http.StatusNotFound)
			return
		}
		io.WriteString(w, "first\x00")
		w.(http.Flusher).Flush()
		<-shown // the first part arrives before the second is written
		io.WriteString(w, "second")
	})
	stream, err := c.Follow(t.Context(), ProcessLogPath("g:a/b", api.Stderr))
	if err != nil {
		t.Fatal(err)
	}
	defer stream.Close()
	buf := make([]byte, 100)
	n, err := stream.Read(buf)
	if string(buf[:n]) != "first\x00" || err != nil {
		t.Fatalf("first read %q, %v", buf[:n], err)
	}
	close(shown)
	rest, err := io.ReadAll(stream)
	if string(rest) != "second" || err != nil {
		t.Errorf("rest %q, %v", rest, err)
	}
	_, err = c.Follow(t.Context(), ProcessLogPath("nope", api.Stdout))
	if s, ok := errors.AsType[*StatusError](err); !ok || s.Code != 404 {
		t.Errorf("unknown process: %v", err)
	}
}

func TestSendProcessStdin(t *testing.T) {
	for _, test := range []struct{ data, want string }{
		{"naïve\n", "<string>naïve&#xA;</string>"},
		{"\x1b[A\x00", "<base64>G1tBAA==</base64>"},
		{"\xff", "<base64>/w==</base64>"},
	} {
		var got string
		c := serve(t, Options{}, func(w http.ResponseWriter, r *http.Request) {
			b, _ := io.ReadAll(r.Body)
			got = string(b)
			io.WriteString(w, answer("<boolean>1</boolean>"))
		})
		if err := c.SendProcessStdin(t.Context(), "x", []byte(test.data)); err != nil {
			t.Fatal(err)
		}
		if !strings.Contains(got, test.want) {
			t.Errorf("%q is sent as %s", test.data, got)
		}
	}
}

func TestAddress(t *testing.T) {
	for _, test := range []struct{ url, network, address string }{
		{"unix:///run/s.sock", "unix", "/run/s.sock"},
		{"http://localhost:9001", "tcp", "localhost:9001"},
		{"http://localhost", "tcp", "localhost:80"},
		{"http://[::1]:9001/x", "tcp", "[::1]:9001"},
		{"unix://", "", ""},
		{"http://", "", ""},
		{"http://a b", "", ""},
		{"https://localhost", "", ""},
		{"localhost:9001", "", ""},
	} {
		network, address, err := Address(test.url)
		if network != test.network || address != test.address || (err != nil) != (test.network == "") {
			t.Errorf("Address(%q) = %q, %q, %v", test.url, network, address, err)
		}
	}
}
