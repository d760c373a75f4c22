package ctl

import (
	"context"
	"errors"
	"io"
	"os"

	"golang.org/x/sys/unix"
)

// askPassword asks for the name and the password that the daemon wants.
func (c *Controller) askPassword(ctx context.Context) error {
	username, err := c.ask(ctx, "Username:")
	if err != nil {
		return err
	}
	password, err := c.readPassword(ctx, "Password:")
	if err != nil {
		return err
	}
	c.output("")
	c.set.Username, c.set.Password = &username, &password
	c.disconnect()
	return nil
}

// readPassword reads a line from the terminal without showing it. Without a
// terminal it is read from standard input, after a warning.
func (c *Controller) readPassword(ctx context.Context, prompt string) (string, error) {
	c.flush()
	tty, err := os.OpenFile("/dev/tty", os.O_RDWR|unix.O_NOCTTY, 0)
	in, out := c.in, tty
	switch {
	case err == nil:
		defer tty.Close()
		in = newInput(int(tty.Fd()))
	case c.in.isTerminal():
		out = c.stderr
	default:
		c.warn("Warning: Password input may be echoed.")
		c.stderr.WriteString(prompt)
		return passwordLine(c.in.readLine(ctx))
	}
	restore, err := changeTermios(in.fd, func(t *unix.Termios) { t.Lflag &^= unix.ECHO })
	if err != nil {
		return "", err
	}
	defer restore()
	out.WriteString(prompt)
	defer out.WriteString("\n")
	return passwordLine(in.readLine(ctx))
}

func passwordLine(line string, err error) (string, error) {
	if errors.Is(err, io.EOF) {
		return "", raise("EOFError", "")
	}
	return line, err
}

// changeTermios changes the settings of a terminal and returns a function that
// restores them.
func changeTermios(fd int, change func(*unix.Termios)) (restore func(), err error) {
	before, err := unix.IoctlGetTermios(fd, getTermios)
	if err != nil {
		return nil, err
	}
	after := *before
	change(&after)
	if err := unix.IoctlSetTermios(fd, setTermios, &after); err != nil {
		return nil, err
	}
	return func() { unix.IoctlSetTermios(fd, setTermios, before) }, nil
}
