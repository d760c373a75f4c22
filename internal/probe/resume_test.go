package probe

import (
	"net"
	"os"
	"syscall"
	"testing"
)

// TestResume has another socket go on where a paused one was. Who is connected
// notices nothing, and no message is lost.
func TestResume(t *testing.T) {
	s, err := Listen("resume")
	if err != nil {
		t.Fatal(err)
	}
	conn, err := net.Dial("unixgram", s.Address)
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Close()
	messages := make(chan Message, 1)
	accept, take := func(sender *Sender) bool { return sender.Belongs(os.Getpid(), os.Getuid()) }, func(m Message) { messages <- m }
	<-s.Pause() // Nobody listens yet.
	if s.Paused() {
		t.Error("what was not served is paused")
	}
	s.Serve(accept, take)
	for range 3 {
		<-s.Pause()
		if _, err := conn.Write([]byte("STATUS=while nobody listens")); err != nil {
			t.Fatal(err)
		}
		if len(messages) > 0 || !s.Paused() {
			t.Error("the socket is not paused")
		}
		// A program that is executed has the descriptor.
		fd, err := syscall.Dup(s.FD())
		if err != nil {
			t.Fatal(err)
		}
		next, err := Resume(fd, s.Address)
		if err != nil {
			t.Fatal(err)
		}
		if err := s.Close(); err != nil {
			t.Fatal(err)
		}
		s = next
		s.Serve(accept, take)
		if m := <-messages; m.Status != "while nobody listens" {
			t.Errorf("%+v", m)
		}
	}
	if err := s.Close(); err != nil {
		t.Fatal(err)
	}
	if _, err := Resume(-1, "x"); err == nil {
		t.Error("no descriptor is a socket")
	}
}
