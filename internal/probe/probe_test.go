package probe

import (
	"context"
	"net"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"supervisord/internal/config"
)

func TestCheck(t *testing.T) {
	mux := http.NewServeMux()
	mux.HandleFunc("/gone", func(w http.ResponseWriter, r *http.Request) { w.WriteHeader(http.StatusNoContent) })
	mux.HandleFunc("/bad", func(w http.ResponseWriter, r *http.Request) { w.WriteHeader(http.StatusInternalServerError) })
	mux.HandleFunc("/ok", func(w http.ResponseWriter, r *http.Request) {})
	plainServer, secure := httptest.NewServer(mux), httptest.NewTLSServer(mux)
	defer plainServer.Close()
	defer secure.Close()
	path := filepath.Join(t.TempDir(), "s")
	listener, err := net.Listen("unix", path)
	if err != nil {
		t.Fatal(err)
	}
	defer listener.Close()
	closed, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	nobody := closed.Addr().String()
	closed.Close()
	for _, c := range []struct {
		kind    config.ProbeKind
		address string
		code    int
		want    string
	}{
		{config.ProbeTCP, strings.TrimPrefix(plainServer.URL, "http://"), 0, ""},
		{config.ProbeTCP, nobody, 0, "connection refused"},
		{config.ProbeUnix, path, 0, ""},
		{config.ProbeUnix, path + "x", 0, "no such file"},
		{config.ProbeHTTP, plainServer.URL + "/ok", 0, ""},
		{config.ProbeHTTP, plainServer.URL + "/gone", 0, ""},
		{config.ProbeHTTP, plainServer.URL + "/gone", 204, ""},
		{config.ProbeHTTP, plainServer.URL + "/ok", 204, "HTTP status 200"},
		{config.ProbeHTTP, plainServer.URL + "/bad", 0, "HTTP status 500"},
		{config.ProbeHTTP, plainServer.URL + "/bad", 500, ""},
		{config.ProbeHTTP, secure.URL + "/ok", 0, ""},
		{config.ProbeHTTP, "http://" + nobody, 0, "connection refused"},
		{config.ProbeExec, "", 0, "cannot be asked"},
	} {
		ctx, cancel := context.WithTimeout(context.Background(), time.Minute)
		err := Check(ctx, &config.Probe{Kind: c.kind, Address: c.address, Code: c.code})
		cancel()
		if c.want == "" && err != nil || c.want != "" && (err == nil || !strings.Contains(err.Error(), c.want)) {
			t.Errorf("%s %d: %v", c.address, c.code, err)
		}
	}
	// The listener takes connections and says nothing.
	silent, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer silent.Close()
	ctx, cancel := context.WithTimeout(context.Background(), 50*time.Millisecond)
	defer cancel()
	if err := Check(ctx, &config.Probe{Kind: config.ProbeHTTP, Address: "http://" + silent.Addr().String()}); err == nil || err.Error() != "timed out" {
		t.Errorf("a server that says nothing: %v", err)
	}
}

func TestMatcher(t *testing.T) {
	found := 0
	m, err := NewMatcher("^ready for .*s$", func() { found++ })
	if err != nil {
		t.Fatal(err)
	}
	for i, c := range []struct {
		channel int
		piece   string
		want    int
	}{
		{0, "ready", 0}, {1, " for business\n", 0}, {0, " for busines", 0}, {0, "s", 0}, {0, "\r\n", 1},
		{0, "x\nready for us\nready for them\n", 2}, {0, "ready for s\nready for ", 3}, {0, "s\n", 4},
		{1, strings.Repeat("x", 3*maxLine), 4}, {1, "\nready for us\n", 5},
	} {
		if m.Write(c.channel, []byte(c.piece)); found != c.want {
			t.Fatalf("piece %d: found %d, want %d", i, found, c.want)
		}
	}
	for _, held := range m.held {
		if cap(held) > 2*maxLine {
			t.Errorf("%d bytes are held", cap(held))
		}
	}
}

func TestSocket(t *testing.T) {
	s, err := Listen("test")
	if err != nil {
		t.Fatal(err)
	}
	messages := make(chan Message)
	accept, take := func(sender *Sender) bool { return sender.Belongs(os.Getpid(), os.Getuid()) }, func(m Message) { messages <- m }
	s.Serve(accept, take)
	conn, err := net.Dial("unixgram", s.Address)
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Close()
	for text, want := range map[string]Message{
		"READY=1":                      {Ready: true, Alive: true},
		"WATCHDOG=1\nX=1":              {Alive: true},
		"STATUS= a\x1bb \xff\nREADY=0": {HasStatus: true, Status: "a b"},
	} {
		// What is of no interest is passed over.
		for _, text := range []string{"", "MAINPID=1", text} {
			if _, err := conn.Write([]byte(text)); err != nil {
				t.Fatal(err)
			}
		}
		if got := <-messages; got != want {
			t.Errorf("%q: %+v", text, got)
		}
	}
	if err := s.Close(); err != nil {
		t.Fatal(err)
	}
	<-s.served
	if (&Sender{PID: os.Getppid(), UID: -2}).Belongs(os.Getpid(), 1) {
		t.Error("the parent belongs to its child")
	}
	if (&Sender{PID: -1}).Belongs(1, 0) {
		t.Error("nobody belongs to a process")
	}
}
