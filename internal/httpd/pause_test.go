package httpd

import (
	"context"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"supervisord/internal/logfile"
)

// TestSettle: what began long before a pause is waited for, if it stops for a
// pause, until it has come to rest.
func TestSettle(t *testing.T) {
	tests := []struct {
		name string
		// begin has the server do something for the client that the client can make
		// it wait for; go on lets it come to rest, and rested tells whether it has.
		begin  func(s *pipeServer, c *client)
		goOn   func(s *pipeServer, c *client)
		rested func(c *conn) bool
	}{
		{
			"a log that is followed",
			func(s *pipeServer, c *client) {
				c.send(get("/follow"))
				c.until("\r\n\r\n")
			},
			func(s *pipeServer, c *client) { go c.rest() },
			func(c *conn) bool { return c.pausing.stream != nil },
		},
		{
			"the answer to a call",
			func(s *pipeServer, c *client) { c.send(post("/RPC2", callXML("large", ""))) },
			func(s *pipeServer, c *client) { go c.rest() },
			func(c *conn) bool { return c.pausing.parked },
		},
		{
			"a call that takes a while",
			func(s *pipeServer, c *client) { c.send(post("/RPC2", callXML("wait", ""))) },
			func(s *pipeServer, c *client) {
				close(s.methods.hold)
				go c.rest()
			},
			func(c *conn) bool { return c.pausing.parked },
		},
	}
	for _, tt := range tests {
		inBubble(t, Auth{}, 0, func(t *testing.T, s *pipeServer) {
			path := filepath.Join(t.TempDir(), "log")
			if err := os.WriteFile(path, []byte(strings.Repeat("x", tailStart)), 0o644); err != nil {
				t.Fatal(err)
			}
			// A file that is watched is not for the time of synctest.
			s.o.UI = http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
				f, err := logfile.Follow(path, func() <-chan struct{} { return nil }, tailStart)
				if err != nil {
					t.Error(err)
					return
				}
				defer f.Close()
				control := http.NewResponseController(w)
				_ = control.Flush()
				s.stream(r.Context(), &flusher{w, control}, r.Context().Value(connKey{}).(*conn), f, StreamState{})
			})
			c := s.dial()
			tt.begin(s, c)
			time.Sleep(writeTimeout / 2)
			s.Pause()
			defer s.Resume()
			settled := make(chan struct{})
			go func() {
				defer close(settled)
				s.Settle(context.Background(), func(uint64) bool { return true })
			}()
			synctest.Wait()
			select {
			case <-settled:
				t.Errorf("%s was not waited for", tt.name)
			default:
			}
			tt.goOn(s, c)
			<-settled
			s.conns.mu.Lock()
			defer s.conns.mu.Unlock()
			if len(s.conns.all) != 1 {
				t.Fatalf("%s: %d connections", tt.name, len(s.conns.all))
			}
			for c := range s.conns.all {
				if !tt.rested(c) {
					t.Errorf("%s has not come to rest", tt.name)
				}
			}
		})
	}
}

// TestSettleWithout: what does not come to rest is not waited for longer than a
// pause has patience, and not at all if it does not stop for one and is old.
func TestSettleWithout(t *testing.T) {
	for name, tt := range map[string]struct {
		sent string
		age  time.Duration
		want time.Duration
	}{
		"a page that is old":       {get("/events"), time.Hour, 0},
		"a page":                   {get("/events"), patience / 4, patience * 3 / 4},
		"half a header":            {"GET / HTTP/1.1\r\nHost", patience / 4, patience * 3 / 4},
		"half of an old header":    {"GET / HTTP/1.1\r\nHost", 2 * patience, 0},
		"an answer nobody reads":   {post("/RPC2", callXML("large", "")), writeTimeout / 2, patience},
		"nothing, but a while ago": {"", headerTimeout / 2, 0},
	} {
		inBubble(t, Auth{}, 0, func(t *testing.T, s *pipeServer) {
			c := s.dial()
			time.Sleep(patience / 2) // The connection is older than the request.
			c.send(tt.sent)
			time.Sleep(tt.age)
			s.Pause()
			defer s.Resume()
			start := time.Now()
			s.Settle(context.Background(), func(uint64) bool { return true })
			if took := time.Since(start); took != tt.want {
				t.Errorf("%s: took %v, want %v", name, took, tt.want)
			}
		})
	}
}
