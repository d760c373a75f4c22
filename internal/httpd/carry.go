package httpd

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"strconv"
	"time"

	"supervisord/internal/api"
	"supervisord/internal/logfile"
	"supervisord/internal/rpc"
	"supervisord/internal/xmlrpc"
)

// ConnState is a connection, as plain data, that another program can go on with.
type ConnState struct {
	FD int
	// Known says that an authorized request was made.
	Known  bool
	Call   *CallState   `json:",omitempty"` // nil if no answer is waited for
	Stream *StreamState `json:",omitempty"` // nil if no log is followed
}

// CallState is a method call that waits for an answer.
type CallState struct {
	api.Wait
	// Closes says that the connection ends with the answer, Old that the call
	// came by HTTP/1.0.
	Closes, Old bool
}

// StreamState is a log that is being followed.
type StreamState struct {
	// Name and Channel are those of a process. Main is the activity log.
	Name    string
	Channel api.Channel
	Main    bool
	// Chunked says that every piece is sent as a chunk.
	Chunked  bool
	Follower logfile.FollowerState
}

// Carried returns the connections of a listener that have come to rest in a
// pause, for a program that is to go on with them. The others end with this one.
func (s *Server) Carried(l net.Listener, pending func(req uint64) bool) (list []ConnState) {
	s.conns.mu.Lock()
	defer s.conns.mu.Unlock()
	now := time.Now()
	for c := range s.conns.all {
		carry, _ := c.settled(pending, now, now)
		fd := c.descriptor()
		if !carry || fd < 0 || c.pausing.listener == nil || c.pausing.listener.Listener != l {
			continue
		}
		state := ConnState{FD: fd, Known: c.known, Stream: c.pausing.stream}
		if call := c.pausing.call; call != nil && state.Stream == nil && !c.pausing.parked {
			wait, _ := call.ticket.Held()
			state.Call = &CallState{Wait: wait, Closes: call.closes, Old: call.old}
		}
		list = append(list, state)
	}
	return list
}

// Descriptors returns the descriptors of a connection.
func (c *ConnState) Descriptors() []int {
	if c.Stream != nil {
		return []int{c.FD, c.Stream.Follower.FD}
	}
	return []int{c.FD}
}

// An Expectation waits for the answer to a method call.
type Expectation func(ctx context.Context) ([]api.ProcessStatus, error)

// adopt goes on with connections that another program has had. Their
// descriptors are the Server's from now on.
func (s *Server) adopt(server *http.Server, l *listener, states []ConnState, expect func(req uint64) Expectation) {
	for _, state := range states {
		c, err := s.connOf(l, &state)
		if err != nil {
			s.o.Log(api.LevelWarn, "a connection was lost: "+err.Error())
			continue
		}
		switch {
		case state.Stream != nil:
			go s.resumeStream(c, *state.Stream)
		case state.Call != nil:
			var answer Expectation
			if state.Call.Req != 0 {
				answer = expect(state.Call.Req)
			}
			go s.resumeCall(server, c, *state.Call, answer)
		default:
			go serveOne(server, c)
		}
	}
}

// connOf makes a connection of a descriptor.
func (s *Server) connOf(l *listener, state *ConnState) (*conn, error) {
	file := os.NewFile(uintptr(state.FD), "connection")
	defer file.Close()
	nc, err := net.FileConn(file)
	if err != nil {
		return nil, err
	}
	c := &conn{Conn: nc, conns: s.conns, known: state.Known, from: origin(nc.RemoteAddr())}
	c.pausing.listener, c.pausing.carried = l, true
	if state.Stream == nil {
		c.quick = newQuick(s, l.auth, c)
	}
	s.conns.mu.Lock()
	defer s.conns.mu.Unlock()
	s.conns.include(c)
	return c, nil
}

// serveOne has a connection served on which the next request is waited for.
func serveOne(server *http.Server, c *conn) { _ = server.Serve(&single{c}) } // It ends at once.

// single is a listener with one connection.
type single struct{ conn *conn }

func (l *single) Accept() (net.Conn, error) {
	if l.conn == nil {
		return nil, net.ErrClosed
	}
	c := l.conn
	l.conn = nil
	return c, nil
}

func (l *single) Close() error { return nil }

func (l *single) Addr() net.Addr { return &net.UnixAddr{Name: "carried", Net: "unix"} }

// resumeCall answers a method call that another program was asked.
func (s *Server) resumeCall(server *http.Server, c *conn, state CallState, answer Expectation) {
	ticket := &api.Ticket{Changed: s.conns.look}
	release := ticket.Hold(state.Wait)
	s.conns.mu.Lock()
	c.pausing.fresh.Store(false)
	c.pausing.call = &call{ticket: ticket, closes: state.Closes, old: state.Old}
	s.conns.mu.Unlock()
	if !s.conns.enter(c) {
		c.Close()
		return
	}
	var outcomes []api.ProcessStatus
	var err error
	if answer != nil {
		outcomes, err = answer(s.ctx)
	}
	release()
	fault, isFault := errors.AsType[*api.Fault](err)
	if err == nil || isFault {
		err = writeAnswer(c, state, rpc.Answer(state.List, outcomes), fault)
	}
	s.conns.leave(c)
	if err != nil || state.Closes || state.Old {
		c.Close()
		return
	}
	s.conns.idle(c)
	s.conns.mu.Lock()
	c.pausing.carried = true
	s.conns.mu.Unlock()
	serveOne(server, c)
}

// writeAnswer writes the response to a method call as net/http does.
func writeAnswer(w io.Writer, state CallState, result rpc.Result, fault *api.Fault) error {
	var e xmlrpc.Encoder
	if fault != nil {
		e.Fault(int(fault.Code), fault.Text)
	} else {
		encode(&e, result)
	}
	protocol, connection := "1.1", ""
	if state.Old {
		protocol = "1.0"
	}
	if state.Closes || state.Old {
		connection = "Connection: close\r\n"
	}
	_, err := fmt.Fprintf(w, "HTTP/%s 200 OK\r\nContent-Length: %d\r\nContent-Type: text/xml\r\nServer: %s\r\nDate: %s\r\n%s\r\n%s",
		protocol, e.Len(), serverName, time.Now().UTC().Format(http.TimeFormat), connection, e.Bytes())
	return err
}

// look lets those look again who wait for connections to come to rest.
func (s *conns) look() {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.pause.wake()
}

// resumeStream goes on with a log that another program sent.
func (s *Server) resumeStream(c *conn, state StreamState) {
	defer c.Close()
	s.conns.mu.Lock()
	c.pausing.fresh.Store(false)
	s.conns.mu.Unlock()
	if !s.conns.enter(c) {
		return
	}
	defer s.conns.leave(c)
	ctx, cancel := context.WithCancel(s.ctx)
	defer cancel()
	go func() {
		defer cancel()
		// What a client says who is being answered is of no interest; its end is.
		_, _ = io.Copy(io.Discard, c)
	}()
	source := s.o.Logs.MainLog()
	if !state.Main {
		var err error
		if source, err = s.o.Logs.ProcessLog(ctx, state.Name, state.Channel); err != nil {
			return
		}
	}
	changed, stop := logfile.Watch(source.Path(), source.Changed)
	defer stop()
	f := logfile.ResumeFollower(source.Path(), changed, state.Follower)
	defer f.Close()
	w := &chunks{c, state.Chunked}
	s.stream(ctx, w, c, f, state)
	w.end()
}

// stream sends what a follower finds until the client goes away or there is an
// error. In a pause it rests.
func (s *Server) stream(ctx context.Context, w io.Writer, c *conn, f *logfile.Follower, state StreamState) {
	s.conns.setFollowing(c, true)
	defer s.conns.setFollowing(c, false)
	buf := make([]byte, tailBuffer)
	for ctx.Err() == nil {
		until, done := s.conns.untilPause(ctx)
		err := copyStream(until, w, f, buf)
		done()
		if err != nil || ctx.Err() != nil {
			return
		}
		state.Follower = f.State()
		s.conns.restStream(ctx, c, &state)
	}
}

// copyStream sends what a follower finds until ctx ends.
func copyStream(ctx context.Context, w io.Writer, f *logfile.Follower, buf []byte) error {
	for {
		n, err := f.Read(ctx, buf)
		if err != nil {
			if ctx.Err() != nil {
				return nil
			}
			return err
		}
		if _, err := w.Write(buf[:n]); err != nil {
			return err
		}
	}
}

// setFollowing notes whether a log is being followed on a connection.
func (s *conns) setFollowing(c *conn, following bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	c.pausing.following = following
}

// restStream waits for the end of a pause.
func (s *conns) restStream(ctx context.Context, c *conn, state *StreamState) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if !s.pause.begun {
		return
	}
	c.pausing.stream = state
	s.pause.wake()
	ended := s.pause.ended
	s.mu.Unlock()
	select {
	case <-ended:
	case <-ctx.Done():
	}
	s.mu.Lock()
	c.pausing.stream = nil
}

// chunks writes the pieces of an answer as net/http does that flushes after each.
type chunks struct {
	w       io.Writer
	chunked bool
}

func (c *chunks) Write(p []byte) (int, error) {
	if !c.chunked {
		return c.w.Write(p)
	}
	b := make([]byte, 0, len(p)+16)
	b = strconv.AppendInt(b, int64(len(p)), 16)
	b = append(b, "\r\n"...)
	b = append(b, p...)
	b = append(b, "\r\n"...)
	if _, err := c.w.Write(b); err != nil {
		return 0, err
	}
	return len(p), nil
}

// end says that nothing follows.
func (c *chunks) end() {
	if c.chunked {
		_, _ = io.WriteString(c.w, "0\r\n\r\n") // If this fails nobody wants to know.
	}
}

// flusher writes and flushes.
type flusher struct {
	w       io.Writer
	control *http.ResponseController
}

func (f *flusher) Write(p []byte) (int, error) {
	n, err := f.w.Write(p)
	if err == nil {
		err = f.control.Flush()
	}
	return n, err
}
