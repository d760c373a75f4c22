package syslog

import (
	"errors"
	"fmt"
	"net"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
)

// listen returns a system log and a Writer that sends to it.
func listen(t *testing.T) (*net.UnixConn, *Writer) {
	t.Helper()
	path := filepath.Join(t.TempDir(), "log")
	conn, err := net.ListenUnixgram("unixgram", &net.UnixAddr{Name: path, Net: "unixgram"})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { conn.Close() })
	w := New()
	w.ident, w.sockets = "supervisord", []string{path + ".none", path}
	t.Cleanup(func() { w.Close() })
	return conn, w
}

func receive(t *testing.T, conn *net.UnixConn) string {
	t.Helper()
	b := make([]byte, 64<<10)
	n, err := conn.Read(b)
	if err != nil {
		t.Fatal(err)
	}
	return string(b[:n])
}

func TestSend(t *testing.T) {
	conn, w := listen(t)
	if err := w.Send([]byte("cat a line")); err != nil {
		t.Fatal(err)
	}
	got := receive(t, conn)
	if !regexp.MustCompile(`^<14>[A-Z][a-z]{2} [ \d]\d \d\d:\d\d:\d\d supervisord: cat a line$`).MatchString(got) {
		t.Errorf("got %q", got)
	}
	if err := w.Send(nil); err != nil {
		t.Fatal(err)
	}
	if got := receive(t, conn); !strings.HasSuffix(got, "supervisord: ") {
		t.Errorf("an empty line is %q", got)
	}
}

func TestLongLine(t *testing.T) {
	conn, w := listen(t)
	line := strings.Repeat("x", MaxLine) + "rest"
	if err := w.Send([]byte(line)); err != nil {
		t.Fatal(err)
	}
	var got string
	for range 2 {
		_, text, _ := strings.Cut(receive(t, conn), ": ")
		got += text
	}
	if got != line {
		t.Errorf("got %d bytes", len(got))
	}
}

// A system log that was restarted is found again.
func TestReconnect(t *testing.T) {
	conn, w := listen(t)
	path := w.sockets[1]
	if err := w.Send([]byte("one")); err != nil {
		t.Fatal(err)
	}
	conn.Close()
	os.Remove(path)
	again, err := net.ListenUnixgram("unixgram", &net.UnixAddr{Name: path, Net: "unixgram"})
	if err != nil {
		t.Fatal(err)
	}
	defer again.Close()
	if err := w.Send([]byte("two")); err != nil {
		t.Fatal(err)
	}
	if got := receive(t, again); !strings.HasSuffix(got, ": two") {
		t.Errorf("got %q", got)
	}
}

func TestStream(t *testing.T) {
	path := filepath.Join(t.TempDir(), "log")
	l, err := net.Listen("unix", path)
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	w := New()
	w.sockets = []string{path}
	if err := w.Send([]byte("one")); err != nil {
		t.Fatal(err)
	}
	conn, err := l.Accept()
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Close()
	b := make([]byte, 100)
	if n, err := conn.Read(b); err != nil || !strings.HasSuffix(string(b[:n]), ": one\n") {
		t.Errorf("got %q, %v", b[:n], err)
	}
}

// A system log that takes nothing does not hold up anybody for ever.
func TestStuck(t *testing.T) {
	_, w := listen(t)
	var err error
	for i := 0; err == nil; i++ {
		err = w.Send(fmt.Appendf(nil, "%d", i))
	}
	if !os.IsTimeout(err) {
		t.Errorf("Send: %v", err)
	}
	if err := w.Send([]byte("x")); !os.IsTimeout(err) {
		t.Errorf("Send after that: %v", err)
	}
}

func TestNobodyListens(t *testing.T) {
	w := New()
	w.sockets = []string{filepath.Join(t.TempDir(), "log")}
	if err := w.Send([]byte("x")); !errors.Is(err, os.ErrNotExist) {
		t.Errorf("Send: %v", err)
	}
}

func TestQueue(t *testing.T) {
	conn, w := listen(t)
	q := NewQueue(w)
	q.Send([]byte("one"))
	q.Send([]byte("two"))
	for _, want := range []string{"one", "two"} {
		if got := receive(t, conn); !strings.HasSuffix(got, ": "+want) {
			t.Errorf("got %q", got)
		}
	}
	q.Close()
	q.Send([]byte("three"))
	q.Close()
}

// A full Queue drops lines and says so.
func TestQueueFull(t *testing.T) {
	q := &Queue{lines: make(chan []byte, 2), done: make(chan struct{})}
	for i := range 5 {
		q.Send(fmt.Appendf(nil, "%d", i))
	}
	if got := string(<-q.lines) + string(<-q.lines); got != "01" {
		t.Errorf("queued %q", got)
	}
	q.Send([]byte("5"))
	if got := string(<-q.lines) + "," + string(<-q.lines); got != "3 messages were lost,5" {
		t.Errorf("queued %q", got)
	}
}

func TestLines(t *testing.T) {
	for in, want := range map[string]string{
		"": "[]", "\n": "[]", "a": "[a]", "a\n": "[a]", "a\n\n": "[a]", "a\n\nb\n": "[a][][b]", "\na": "[][a]",
	} {
		var got string
		Lines([]byte(in), func(line []byte) { got += "[" + string(line) + "]" })
		if got != want {
			t.Errorf("%q: got %s, want %s", in, got, want)
		}
	}
}
