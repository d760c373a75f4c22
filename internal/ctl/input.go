package ctl

import (
	"bytes"
	"context"
	"errors"
	"io"
	"strings"

	"golang.org/x/sys/unix"
)

// maxLine is the length in bytes of the longest line that is read.
const maxLine = 1 << 20

var errLongLine = errors.New("read line: longer than 1 MiB")

// input reads a descriptor line by line, without ever reading more than it
// has to keep: what comes after a line stays for the next reader, whichever
// that is. A wait for input ends when its context does.
type input struct {
	fd  int
	buf []byte
	eof bool
}

func newInput(fd int) *input { return &input{fd: fd} }

// isTerminal reports whether the input is a terminal.
func (in *input) isTerminal() bool { return isTerminal(in.fd) }

// readLine returns the next line without its end. At the end of input a last
// line may lack one; after it the error is io.EOF.
func (in *input) readLine(ctx context.Context) (string, error) {
	for scanned := 0; ; {
		if i := bytes.IndexAny(in.buf[scanned:], "\r\n"); i >= 0 {
			line := string(in.buf[:scanned+i])
			in.skipLineEnd(scanned + i)
			return line, nil
		}
		scanned = len(in.buf)
		if scanned > maxLine {
			return "", errLongLine
		}
		if in.eof {
			line := string(in.buf)
			in.buf = nil
			if line == "" {
				in.eof = false // a terminal can go on after Ctrl-D
				return "", io.EOF
			}
			return line, nil
		}
		if err := in.fill(ctx); err != nil {
			return "", err
		}
	}
}

// skipLineEnd removes a line and its end, which is at index i: a newline, or a
// carriage return, as a terminal sends it while it translates nothing, or both.
func (in *input) skipLineEnd(i int) {
	if bytes.HasPrefix(in.buf[i:], []byte("\r\n")) {
		i++
	}
	in.buf = append(in.buf[:0], in.buf[i+1:]...)
}

// readKeys returns what is there up to and including the first line end, and
// waits if there is nothing. An editor that gets its keys so leaves what was
// typed ahead for whoever reads the next line.
func (in *input) readKeys(ctx context.Context, p []byte) (int, error) {
	for len(in.buf) == 0 {
		if in.eof {
			in.eof = false
			return 0, io.EOF
		}
		if err := in.fill(ctx); err != nil {
			return 0, err
		}
	}
	n := len(in.buf)
	if i := bytes.IndexAny(in.buf, "\r\n"); i >= 0 {
		n = i + 1
	}
	n = copy(p, in.buf[:n])
	in.buf = append(in.buf[:0], in.buf[n:]...)
	return n, nil
}

// fill waits for input and adds it to the buffer.
func (in *input) fill(ctx context.Context) error {
	if err := wait(ctx, in.fd); err != nil {
		return err
	}
	var p [4096]byte
	n, err := unix.Read(in.fd, p[:])
	switch {
	case err == unix.EINTR || err == unix.EAGAIN:
		return nil
	case err != nil || n <= 0:
		// A terminal that has gone away reads as an error: the end as well.
		in.eof = true
		return nil
	}
	in.buf = append(in.buf, p[:n]...)
	return nil
}

// wait returns when fd can be read or ctx ends.
func wait(ctx context.Context, fd int) error {
	if ctx.Err() != nil {
		return ctx.Err()
	}
	// Nothing is ever executed from here, so the pipe needs no protection.
	var wake [2]int
	if err := unix.Pipe(wake[:]); err != nil {
		return err
	}
	defer unix.Close(wake[0])
	written := make(chan struct{})
	stop := context.AfterFunc(ctx, func() {
		unix.Write(wake[1], []byte{0})
		close(written)
	})
	defer func() {
		if !stop() {
			<-written
		}
		unix.Close(wake[1])
	}()
	fds := []unix.PollFd{{Fd: int32(fd), Events: unix.POLLIN}, {Fd: int32(wake[0]), Events: unix.POLLIN}}
	for {
		_, err := unix.Poll(fds, -1)
		switch {
		case err == unix.EINTR:
			continue
		case err != nil:
			return err
		case fds[1].Revents != 0:
			return ctx.Err()
		}
		return nil
	}
}

// lineReader reads lines that are typed at a prompt.
type lineReader interface {
	// readLine shows the prompt and returns a line. The error is io.EOF at the
	// end of input, errInterrupted after Ctrl-C, and that of ctx when it ends.
	// A command is completed and kept in the history, an answer is not.
	readLine(ctx context.Context, prompt string, command bool) (string, error)
}

// errInterrupted is the error of a line that Ctrl-C was typed in.
var errInterrupted = errors.New("interrupted")

// plainReader reads lines as they come, for input that is no terminal.
type plainReader struct{ c *Controller }

func (r plainReader) readLine(ctx context.Context, prompt string, _ bool) (string, error) {
	r.c.out.WriteString(prompt)
	r.c.flush()
	ctx, release := catchSignals(ctx)
	line, err := r.c.in.readLine(ctx)
	return line, release(err)
}

// ask asks a question and returns the answer.
func (c *Controller) ask(ctx context.Context, question string) (string, error) {
	line, err := c.lineReader().readLine(ctx, question, false)
	if errors.Is(err, io.EOF) {
		return "", raise("EOFError", "EOF when reading a line")
	}
	return line, err
}

// lineReader returns the reader that suits the terminal, if there is one.
func (c *Controller) lineReader() lineReader {
	if c.lines == nil {
		c.lines = c.newLineReader()
	}
	return c.lines
}

// trimLineEnd removes a line end, which a pasted line may have kept.
func trimLineEnd(s string) string { return strings.TrimRight(s, "\r\n") }
