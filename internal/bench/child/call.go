package main

import (
	"bytes"
	"fmt"
	"io"
	"os"
	"strconv"

	"golang.org/x/sys/unix"
)

// call makes count calls over clients connections, each with one call at a time.
// It does the least that clients must, in one thread that waits for all of them,
// so that little of what is measured is theirs. It says when it is ready, and
// begins at the end of its standard input. Unless keep is set each call has a
// connection of its own.
func call(socket, request string, clients, count int, keep bool) error {
	callers := make([]caller, clients)
	polled := make([]unix.PollFd, clients)
	for i := range callers {
		callers[i] = caller{socket: socket, request: []byte(request), left: count / clients, keep: keep, fd: -1}
		defer callers[i].close()
		if keep {
			if err := callers[i].dial(); err != nil {
				return err
			}
		}
	}
	if _, err := os.Stdout.WriteString("ready\n"); err != nil {
		return err
	}
	if _, err := io.Copy(io.Discard, os.Stdin); err != nil {
		return err
	}
	left := clients
	for i := range callers {
		if err := callers[i].send(); err != nil {
			return err
		}
		polled[i] = unix.PollFd{Fd: int32(callers[i].fd), Events: unix.POLLIN}
	}
	for left > 0 {
		if _, err := unix.Poll(polled, -1); err != nil && err != unix.EINTR {
			return os.NewSyscallError("poll", err)
		}
		for i := range polled {
			if polled[i].Revents == 0 {
				continue
			}
			more, err := callers[i].receive()
			if err != nil {
				return err
			}
			polled[i].Fd = int32(callers[i].fd)
			if !more {
				left--
				polled[i].Fd = -1
			}
		}
	}
	return nil
}

// A caller is a client.
type caller struct {
	socket  string
	request []byte
	left    int  // calls that were not answered
	keep    bool // its connection
	fd      int  // -1 without one
	buffer  []byte
	have    int // bytes of the answer that were read
	want    int // bytes that it has; -1 if that is not known yet
}

func (c *caller) dial() error {
	fd, err := unix.Socket(unix.AF_UNIX, unix.SOCK_STREAM, 0)
	if err != nil {
		return os.NewSyscallError("socket", err)
	}
	c.fd = fd
	return os.NewSyscallError("connect", unix.Connect(fd, &unix.SockaddrUnix{Name: c.socket}))
}

func (c *caller) close() {
	if c.fd >= 0 {
		_ = unix.Close(c.fd)
		c.fd = -1
	}
}

// send begins a call.
func (c *caller) send() error {
	if c.fd < 0 {
		if err := c.dial(); err != nil {
			return err
		}
	}
	if n, err := unix.Write(c.fd, c.request); err != nil || n < len(c.request) {
		return fmt.Errorf("write request: %d bytes: %w", n, err)
	}
	c.have, c.want = 0, -1
	return nil
}

// receive reads what there is of an answer, which must not be a fault, and begins
// the next call after its end. It reports whether there is more to come.
func (c *caller) receive() (more bool, err error) {
	if c.have == len(c.buffer) {
		c.buffer = append(c.buffer, make([]byte, max(4<<10, c.want-c.have))...)
	}
	n, err := unix.Read(c.fd, c.buffer[c.have:])
	if err != nil || n == 0 {
		return false, fmt.Errorf("read answer: %d bytes of %d: %w", c.have, c.want, err)
	}
	c.have += n
	if c.want < 0 {
		if c.want, err = answerSize(c.buffer[:c.have]); err != nil {
			return false, err
		}
	}
	if c.want < 0 || c.have < c.want {
		return true, nil
	}
	if !c.keep {
		c.close()
	}
	if c.left--; c.left == 0 {
		return false, nil
	}
	return true, c.send()
}

// answerSize returns how long the answer is that begins with data, -1 if that
// cannot be seen yet.
func answerSize(data []byte) (int, error) {
	header, body, found := bytes.Cut(data, []byte("\r\n\r\n"))
	if !found {
		return -1, nil
	}
	if !bytes.Contains(header, []byte(" 200 ")) {
		return 0, fmt.Errorf("read answer: %.300q", header)
	}
	_, rest, found := bytes.Cut(header, []byte("\r\nContent-Length: "))
	if !found {
		return 0, fmt.Errorf("read answer: no length in %.300q", header)
	}
	digits, _, _ := bytes.Cut(rest, []byte("\r\n"))
	length, err := strconv.Atoi(string(digits))
	if err != nil {
		return 0, err
	}
	// A fault has no parameters, and has ended before so many bytes.
	begin := min(100, length)
	if len(body) < begin {
		return -1, nil
	}
	if !bytes.Contains(body[:begin], []byte("<param>")) {
		return 0, fmt.Errorf("read answer: %.300q", body)
	}
	return len(header) + len("\r\n\r\n") + length, nil
}
