// Package syslog sends lines to the system log of this machine, as the library
// function of that name does: facility user, severity info, tagged with the
// name of the program. It connects when there is something to send and again
// after the system log was restarted, and never waits for it longer than a
// second: what it does not take until then is lost.
package syslog

import (
	"bytes"
	"errors"
	"net"
	"os"
	"path/filepath"
	"sync"
	"syscall"
	"time"
)

const (
	// priority is facility user, severity info.
	priority = "<14>"
	// MaxLine is the length at which a line is cut into several messages.
	MaxLine = 8 << 10
	// sendTimeout is how long a message may take.
	sendTimeout = time.Second
	// holdOff is how long nothing is sent after sending failed.
	holdOff = 2 * time.Second
)

// sockets are the places where system logs listen.
var sockets = []string{"/dev/log", "/var/run/syslog", "/var/run/log"}

// Writer sends lines. It is safe for use by any goroutine.
type Writer struct {
	ident   string
	sockets []string

	mu     sync.Mutex
	conn   net.Conn
	stream bool      // conn does not keep messages apart
	until  time.Time // nothing is sent before, because sending failed
	why    error     // with that
	buf    []byte    // reused
}

// New returns a Writer that tags its lines with the name of this program. It
// does not connect yet.
func New() *Writer {
	return &Writer{ident: filepath.Base(os.Args[0]), sockets: sockets}
}

// Send sends one line, which should not contain a newline.
func (w *Writer) Send(line []byte) error {
	w.mu.Lock()
	defer w.mu.Unlock()
	now := time.Now()
	if now.Before(w.until) {
		return w.why
	}
	for {
		piece := line[:min(len(line), MaxLine)]
		if err := w.send(now, piece); err != nil {
			w.until, w.why = time.Now().Add(holdOff), err
			return err
		}
		if line = line[len(piece):]; len(line) == 0 {
			return nil
		}
	}
}

// send sends one message. A connection that turns out to be dead is replaced
// once.
func (w *Writer) send(now time.Time, text []byte) error {
	w.buf = append(w.buf[:0], priority...)
	w.buf = now.AppendFormat(w.buf, time.Stamp)
	w.buf = append(w.buf, ' ')
	w.buf = append(w.buf, w.ident...)
	w.buf = append(w.buf, ": "...)
	w.buf = append(w.buf, text...)

	if w.conn != nil {
		err := w.write(now)
		if err == nil || errors.Is(err, os.ErrDeadlineExceeded) || errors.Is(err, syscall.EMSGSIZE) {
			return err
		}
		w.disconnect()
	}
	if err := w.connect(); err != nil {
		return err
	}
	if err := w.write(now); err != nil {
		w.disconnect()
		return err
	}
	return nil
}

// write writes w.buf to the connection.
func (w *Writer) write(now time.Time) error {
	msg := w.buf
	if w.stream {
		msg = append(msg, '\n')
	}
	w.conn.SetWriteDeadline(now.Add(sendTimeout))
	_, err := w.conn.Write(msg)
	return err
}

// connect connects to the first system log that answers.
func (w *Writer) connect() error {
	var first error
	for _, path := range w.sockets {
		for _, network := range []string{"unixgram", "unix"} {
			conn, err := net.Dial(network, path)
			if err == nil {
				w.conn, w.stream = conn, network == "unix"
				return nil
			}
			if first == nil {
				first = err
			}
		}
	}
	return first
}

// disconnect closes the connection, if there is one.
func (w *Writer) disconnect() {
	if w.conn != nil {
		w.conn.Close()
		w.conn = nil
	}
}

// Close closes the connection. A later Send connects again.
func (w *Writer) Close() error {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.disconnect()
	return nil
}

// Lines cuts text, from which newlines at the end are removed, into lines and
// calls send for each. A text without anything but newlines is one empty line.
func Lines(text []byte, send func(line []byte)) {
	text = bytes.TrimRight(text, "\n")
	for {
		line, rest, found := bytes.Cut(text, []byte{'\n'})
		send(line)
		if !found {
			return
		}
		text = rest
	}
}
