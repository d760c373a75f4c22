// Package probe finds out whether a process does its work: it connects to a
// socket, gets a page, looks for a line in what the process writes, or takes
// the messages that the process sends in the protocol of sd_notify(3). What is
// to be run for that is left to the daemon, as only the spawner forks.
//
// Nothing here decides anything, and nothing waits without a limit.
package probe

import (
	"bufio"
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"net"
	"net/url"
	"os"
	"strconv"
	"strings"
	"syscall"

	"supervisord/internal/config"
)

// Check probes a process once, by a connection. The error says in a few words
// why the probe failed.
func Check(ctx context.Context, p *config.Probe) error {
	switch p.Kind {
	case config.ProbeTCP:
		return connect(ctx, "tcp", p.Address)
	case config.ProbeUnix:
		return connect(ctx, "unix", p.Address)
	case config.ProbeHTTP:
		return get(ctx, p.Address, p.Code)
	case config.NoProbe, config.ProbeNotify, config.ProbeExec, config.ProbeLog:
	}
	return fmt.Errorf("%s cannot be asked by a connection", p.Text)
}

func connect(ctx context.Context, network, address string) error {
	conn, err := new(net.Dialer).DialContext(ctx, network, address)
	if err != nil {
		return plain(err)
	}
	return conn.Close()
}

// maxStatusLine is how much of an answer is read.
const maxStatusLine = 4 << 10

// get gets a page with the least of HTTP and looks at the status: it must be
// code, or one from 200 to 299 if that is 0. A certificate is not verified: the
// connection is to this machine, whose certificate has another name.
func get(ctx context.Context, address string, code int) error {
	u, err := url.Parse(address)
	if err != nil {
		return err
	}
	port := u.Port()
	if port == "" {
		port = map[string]string{"http": "80", "https": "443"}[u.Scheme]
	}
	conn, err := new(net.Dialer).DialContext(ctx, "tcp", net.JoinHostPort(u.Hostname(), port))
	if err != nil {
		return plain(err)
	}
	defer conn.Close()
	if deadline, ok := ctx.Deadline(); ok {
		if err := conn.SetDeadline(deadline); err != nil {
			return plain(err)
		}
	}
	if u.Scheme == "https" {
		conn = tls.Client(conn, &tls.Config{ServerName: u.Hostname(), InsecureSkipVerify: true})
	}
	request := "GET " + u.RequestURI() + " HTTP/1.0\r\nHost: " + u.Host + "\r\nUser-Agent: supervisord\r\n" +
		"Accept: */*\r\nConnection: close\r\n\r\n"
	if _, err := conn.Write([]byte(request)); err != nil {
		return plain(err)
	}
	line, err := bufio.NewReaderSize(conn, maxStatusLine).ReadSlice('\n')
	if err != nil {
		return plain(err)
	}
	fields := strings.Fields(string(line))
	if len(fields) < 2 || !strings.HasPrefix(fields[0], "HTTP/") {
		return errors.New("the answer is not HTTP")
	}
	status, err := strconv.Atoi(fields[1])
	switch {
	case err != nil:
		return errors.New("the answer is not HTTP")
	case code == 0 && (status < 200 || status > 299), code != 0 && status != code:
		return fmt.Errorf("HTTP status %d", status)
	}
	return nil
}

// plain takes from an error what is of interest to somebody who knows where
// the connection was to go.
func plain(err error) error {
	if errors.Is(err, os.ErrDeadlineExceeded) || errors.Is(err, context.DeadlineExceeded) {
		return errors.New("timed out")
	}
	if op := (*net.OpError)(nil); errors.As(err, &op) && op.Timeout() {
		return errors.New("timed out")
	}
	if errno := syscall.Errno(0); errors.As(err, &errno) {
		return errno
	}
	return err
}
