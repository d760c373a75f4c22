package httpd

import (
	"bytes"
	"context"
	"net"
	"net/http"
	"time"

	"supervisord/internal/api"
	"supervisord/internal/xmlrpc"
)

const (
	// joined is the size up to which an answer is copied behind its header, which
	// is sent with it.
	joined = 16 << 10
	// keptQuick is the size up to which the buffer for that is kept.
	keptQuick = 4 << 10
)

// quick serves the method calls that come over a connection in the form in which
// programs send them, whole and alone, before net/http sees them: for a call
// that only asks for something, net/http is the greater part of the work. What
// is in the least unusual is left to it, with all that follows on the connection.
// Only UNIX sockets are served so, as no browser can reach them.
type quick struct {
	server *Server
	auth   *credentials
	conn   *conn
	call   call
	ctx    context.Context // with the ticket of the call
	header http.Header     // of the answer
	begun  bool            // the answer has
	out    []byte
	parts  [2][]byte
	unsent net.Buffers // of parts
}

// newQuick returns what serves a connection so, or nil.
func newQuick(s *Server, auth *credentials, c *conn) *quick {
	if _, ok := c.LocalAddr().(*net.UnixAddr); !ok {
		return nil
	}
	ticket := &api.Ticket{Changed: s.conns.look}
	return &quick{
		server: s, auth: auth, conn: c, call: call{ticket: ticket},
		ctx: api.WithTicket(s.ctx, ticket), header: make(http.Header),
	}
}

// serve serves a request if it can. If not it has done nothing.
func (q *quick) serve(request []byte) bool {
	body, authorization, ok := callOf(request)
	if !ok {
		return false
	}
	if q.auth != nil && !q.auth.allowAtOnce(&http.Request{Header: http.Header{"Authorization": {string(authorization)}}}) {
		return false
	}
	method, params, err := xmlrpc.DecodeCall(body)
	if err != nil || q.server.o.Methods.Waits(method, params) || !q.server.conns.enterQuick(q) {
		return false
	}
	defer q.server.conns.leave(q.conn)
	q.begun = false
	clear(q.header)
	q.server.call(q, q.ctx, method, params)
	return true
}

// Header returns the header of the answer.
func (q *quick) Header() http.Header { return q.header }

// WriteHeader does nothing: the header goes with the answer.
func (q *quick) WriteHeader(int) {}

// Write sends the answer, or the next piece of it.
func (q *quick) Write(p []byte) (int, error) {
	if q.begun {
		return q.conn.Write(p)
	}
	q.begun = true
	q.out = appendHeader(q.out[:0], q.header, time.Now())
	head := len(q.out)
	if len(p) > joined {
		q.parts = [...][]byte{q.out, p}
		q.unsent = q.parts[:]
		n, err := q.conn.writeAll(&q.unsent)
		return max(int(n)-head, 0), err
	}
	q.out = append(q.out, p...)
	n, err := q.conn.Write(q.out)
	if cap(q.out) > keptQuick {
		q.out = nil
	}
	return max(n-head, 0), err
}

// Flush does nothing: what was written was sent.
func (q *quick) Flush() {}

// appendHeader appends the header of the answer to a method call, in the order
// in which net/http sends it.
func appendHeader(b []byte, h http.Header, now time.Time) []byte {
	b = append(b, "HTTP/1.1 200 OK\r\nContent-Length: "...)
	b = append(b, h.Get("Content-Length")...)
	b = append(b, "\r\nContent-Type: "...)
	b = append(b, h.Get("Content-Type")...)
	b = append(b, "\r\nServer: "+serverName+"\r\nDate: "...)
	b = now.UTC().AppendFormat(b, http.TimeFormat)
	return append(b, "\r\n\r\n"...)
}

// callOf returns the body of a request, and the value of its Authorization
// header, if it is a method call that is all here, with nothing behind it and
// with no header that could make it mean something else.
func callOf(request []byte) (body, authorization []byte, ok bool) {
	rest, ok := bytes.CutPrefix(request, []byte("POST /RPC2 HTTP/1.1\r\n"))
	if !ok {
		return nil, nil, false
	}
	hosts, length := 0, -1
	for {
		line, after, found := bytes.Cut(rest, []byte("\r\n"))
		if !found {
			return nil, nil, false
		}
		rest = after
		if len(line) == 0 {
			break
		}
		name, value, found := bytes.Cut(line, []byte(": "))
		if !found || !plain(value) {
			return nil, nil, false
		}
		switch string(name) {
		case "Host":
			hosts++
			if !named(value) {
				return nil, nil, false
			}
		case "Content-Length":
			if length >= 0 {
				return nil, nil, false
			}
			if length = decimal(value); length < 0 {
				return nil, nil, false
			}
		case "Authorization":
			if authorization != nil {
				return nil, nil, false
			}
			authorization = value
		case "Connection":
			if !bytes.EqualFold(value, []byte("keep-alive")) {
				return nil, nil, false
			}
		case "Content-Type", "User-Agent", "Accept", "Accept-Encoding":
		default:
			return nil, nil, false
		}
	}
	if hosts != 1 || length <= 0 || length != len(rest) {
		return nil, nil, false
	}
	return rest, authorization, true
}

// plain reports whether the value of a header is made of visible characters with
// single spaces in between.
func plain(value []byte) bool {
	for _, c := range value {
		if c < ' ' || c > '~' {
			return false
		}
	}
	return len(value) > 0 && value[0] != ' ' && value[len(value)-1] != ' '
}

// named reports whether the value of a Host header is a name or an address.
func named(host []byte) bool {
	for _, c := range host {
		switch {
		case '0' <= c && c <= '9', 'a' <= c && c <= 'z', 'A' <= c && c <= 'Z':
		case bytes.IndexByte([]byte(".-_:[]"), c) >= 0:
		default:
			return false
		}
	}
	return true
}

// decimal returns the number that a few digits stand for, -1 for anything else.
func decimal(digits []byte) int {
	if len(digits) == 0 || len(digits) > 5 {
		return -1
	}
	n := 0
	for _, c := range digits {
		if c < '0' || c > '9' {
			return -1
		}
		n = 10*n + int(c-'0')
	}
	return n
}

// enterQuick notes that a request is being served that net/http does not see, as
// enter does. It waits for the next one as for the first.
func (s *conns) enterQuick(q *quick) bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	c := q.conn
	if !s.admitRequest(c) {
		return false
	}
	c.pausing.call = &q.call
	if !c.pausing.carried {
		c.pausing.carried, c.pausing.deadline = true, time.Time{}
		if !c.pausing.interrupted {
			_ = c.Conn.SetReadDeadline(time.Time{}) // It fails if the connection is closed.
		}
	}
	return true
}
