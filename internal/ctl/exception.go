package ctl

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"strings"
	"syscall"
	"unicode"
	"unicode/utf8"

	"supervisord/internal/api"
	"supervisord/internal/python"
	"supervisord/internal/rpcclient"
)

// exception is an error that Supervisor's client would raise as a Python
// exception of the given class.
type exception struct{ class, text string }

// Error returns the exception's text.
func (e *exception) Error() string { return e.text }

func raise(class, text string) error { return &exception{class, text} }

// outputException words an error that no action handles as Supervisor's client
// words an unexpected exception, less the place in its source.
func (c *Controller) outputException(err error) {
	class, text := describe(err)
	c.complain(fmt.Sprintf("error: <class '%s'>, %s", class, text))
}

// describe returns the class and the text of the exception that stands for err.
func describe(err error) (class, text string) {
	if e, ok := errors.AsType[*exception](err); ok {
		return e.class, e.text
	}
	if f, ok := errors.AsType[*api.Fault](err); ok {
		return "xmlrpc.client.Fault", faultText(f)
	}
	if s, ok := errors.AsType[*rpcclient.StatusError](err); ok {
		return "xmlrpc.client.ProtocolError",
			fmt.Sprintf("<ProtocolError for 127.0.0.1/RPC2: %d %s>", s.Code, s.Reason)
	}
	if _, ok := errors.AsType[*net.DNSError](err); ok {
		return "socket.gaierror", "[Errno -2] Name or service not known"
	}
	if errno, ok := errors.AsType[syscall.Errno](err); ok {
		return errnoClass(errno), fmt.Sprintf("[Errno %d] %s", int(errno), capitalise(errno.Error()))
	}
	switch {
	case errors.Is(err, io.EOF), errors.Is(err, io.ErrUnexpectedEOF):
		return "http.client.RemoteDisconnected", "Remote end closed connection without response"
	case errors.Is(err, context.Canceled):
		return "KeyboardInterrupt", ""
	}
	return "OSError", err.Error()
}

// faultText returns a fault as Python prints it.
func faultText(f *api.Fault) string {
	return fmt.Sprintf("<Fault %d: %s>", int(f.Code), python.Repr(f.Text))
}

// errnoClass returns the Python exception that stands for an error number.
func errnoClass(errno syscall.Errno) string {
	switch errno {
	case syscall.ECONNREFUSED:
		return "ConnectionRefusedError"
	case syscall.ECONNRESET:
		return "ConnectionResetError"
	case syscall.ECONNABORTED:
		return "ConnectionAbortedError"
	case syscall.EPIPE, syscall.ESHUTDOWN:
		return "BrokenPipeError"
	case syscall.ENOENT:
		return "FileNotFoundError"
	case syscall.EACCES, syscall.EPERM:
		return "PermissionError"
	case syscall.ENOTDIR:
		return "NotADirectoryError"
	case syscall.EISDIR:
		return "IsADirectoryError"
	case syscall.ETIMEDOUT:
		return "TimeoutError"
	case syscall.EAGAIN, syscall.EINPROGRESS:
		return "BlockingIOError"
	}
	return "OSError"
}

// capitalise returns s with its first letter in upper case, as the C library
// words errors.
func capitalise(s string) string {
	r, size := utf8.DecodeRuneInString(s)
	return string(unicode.ToUpper(r)) + strings.TrimPrefix(s, s[:size])
}
