package httpd

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"strconv"
	"strings"
	"sync"
	"unicode"

	"supervisord/internal/api"
	"supervisord/internal/python"
	"supervisord/internal/rpc"
	"supervisord/internal/xmlrpc"
)

const (
	// maxBody is how many bytes a call may have.
	maxBody = 8 << 20
	// largeBody is the size from which on a body counts as large, and
	// maxLargeBodies how many of them are read at the same time.
	largeBody      = 64 << 10
	maxLargeBodies = 8
	// An answer that is longer than answerPiece is sent in pieces, so that the
	// memory for it does not grow with the number of processes. One that
	// describes 100 processes has about 110 KB.
	answerPiece = 256 << 10
	// keptBody and keptAnswer are the sizes up to which a buffer is kept for
	// the next call.
	keptBody   = 64 << 10
	keptAnswer = 2 * answerPiece
	// maxQuoted is how many bytes of a bad request get into the log.
	maxQuoted = 1024
)

// bodies and encoders are buffers for reuse.
var (
	bodies   = sync.Pool{New: func() any { return new(bytes.Buffer) }}
	encoders = sync.Pool{New: func() any { return new(xmlrpc.Encoder) }}
)

// serveRPC serves a method call.
func (s *Server) serveRPC(w http.ResponseWriter, r *http.Request) {
	if r.Method != http.MethodPost {
		writeError(w, http.StatusBadRequest)
		return
	}
	if crossSite(r) {
		s.o.Log(api.LevelWarn, "refused an XML-RPC request that a browser sent for another site")
		w.Header().Set("Connection", "close")
		writeError(w, http.StatusForbidden)
		return
	}
	method, params, status := s.readCall(w, r)
	if status == http.StatusOK {
		s.call(w, s.conns.track(r), method, params)
		return
	}
	if status != http.StatusBadRequest {
		w.Header().Set("Connection", "close")
	}
	writeError(w, status)
}

// readCall reads and decodes the body of a request. The status is that of the
// answer if it is not 200.
func (s *Server) readCall(w http.ResponseWriter, r *http.Request) (method string, params []any, status int) {
	switch {
	case r.ContentLength == 0 && r.Header.Get("Content-Length") == "":
		return "", nil, http.StatusLengthRequired
	case r.ContentLength > maxBody:
		return "", nil, http.StatusRequestEntityTooLarge
	case r.ContentLength > largeBody || r.ContentLength < 0:
		c := r.Context().Value(connKey{}).(*conn)
		s.conns.receive(c)
		if !s.conns.admit(c, r.Context().Done()) {
			panic(http.ErrAbortHandler)
		}
		defer s.conns.dismiss(c)
	}
	body := bodies.Get().(*bytes.Buffer)
	defer func() {
		if body.Cap() <= keptBody {
			body.Reset()
			bodies.Put(body)
		}
	}()
	if _, err := body.ReadFrom(http.MaxBytesReader(w, r.Body, maxBody)); err != nil {
		return "", nil, bodyStatus(err)
	}
	method, params, err := xmlrpc.DecodeCall(body.Bytes())
	if err != nil {
		why := "unmarshallable"
		if errors.Is(err, xmlrpc.ErrNoMethod) {
			why = "no method name"
		}
		s.o.Log(api.LevelError, "XML-RPC request data "+quote(body.Bytes())+" is invalid: "+why)
		return "", nil, http.StatusBadRequest
	}
	return method, params, http.StatusOK
}

// bodyStatus returns the status for a body that could not be read. If the
// client has gone there is none: the request is given up.
func bodyStatus(err error) int {
	if _, ok := errors.AsType[*http.MaxBytesError](err); ok {
		return http.StatusRequestEntityTooLarge
	}
	if ne, ok := errors.AsType[net.Error](err); ok && ne.Timeout() {
		return http.StatusRequestTimeout
	}
	if errors.Is(err, io.ErrUnexpectedEOF) || errors.Is(err, net.ErrClosed) {
		panic(http.ErrAbortHandler)
	}
	return http.StatusBadRequest
}

// quote returns the beginning of data as the log shows it, on one line.
func quote(data []byte) string {
	if len(data) > maxQuoted {
		return python.Repr(string(data[:maxQuoted])) + "..."
	}
	return python.Repr(string(data))
}

// oneLine returns text, which a client may have chosen, as the log shows it: it
// cannot make lines of its own there, nor control a terminal, nor be long.
func oneLine(text string) string {
	if len(text) <= maxQuoted && strings.IndexFunc(text, unicode.IsControl) < 0 {
		return text
	}
	return quote([]byte(text))
}

// call calls a method and writes its response.
func (s *Server) call(w http.ResponseWriter, ctx context.Context, method string, params []any) {
	s.trace(func() string { return "XML-RPC method called: " + oneLine(method) + "()" })
	result, err := s.o.Methods.Call(ctx, method, params)
	e := encoders.Get().(*xmlrpc.Encoder)
	defer func() {
		e.Reset()
		if e.Cap() <= keptAnswer {
			encoders.Put(e)
		}
	}()
	if err == nil {
		s.trace(func() string { return "XML-RPC method " + oneLine(method) + "() returned successfully" })
		writeResult(w, e, result)
		rpc.Release(result)
	} else {
		f, ok := errors.AsType[*api.Fault](err)
		if !ok {
			panic(http.ErrAbortHandler) // Nobody waits any more.
		}
		s.trace(func() string {
			return fmt.Sprintf("XML-RPC method %s() returned fault: [%d] %s", oneLine(method), f.Code, oneLine(f.Text))
		})
		e.Fault(int(f.Code), f.Text)
		writeHeader(w, e.Len())
	}
	// If writing fails the client has gone. The answer is flushed so that it
	// has been sent when the handler returns: the daemon may be about to end.
	_, _ = w.Write(e.Bytes())
	_ = http.NewResponseController(w).Flush()
}

// trace logs what is worth making only for a log that has everything.
func (s *Server) trace(text func() string) {
	if s.o.Traces {
		s.o.Log(api.LevelTrace, text())
	}
}

// writeResult writes the header of a response and leaves its end in e. The
// length must be known first: a long response is written twice, the first time
// to be counted.
func writeResult(w http.ResponseWriter, e *xmlrpc.Encoder, result rpc.Result) {
	spilled := 0
	e.Spill(answerPiece, func(b []byte) { spilled += len(b) })
	encode(e, result)
	writeHeader(w, spilled+e.Len())
	if spilled > 0 {
		e.Reset()
		e.Spill(answerPiece, func(b []byte) { _, _ = w.Write(b) })
		encode(e, result)
	}
}

func encode(e *xmlrpc.Encoder, result rpc.Result) {
	e.BeginResponse()
	result.Encode(e)
	e.EndResponse()
}

func writeHeader(w http.ResponseWriter, length int) {
	h := w.Header()
	h.Set("Content-Type", "text/xml")
	h.Set("Content-Length", strconv.Itoa(length))
}
