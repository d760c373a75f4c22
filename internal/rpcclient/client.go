// Package rpcclient calls supervisord's XML-RPC interface, over TCP and over
// UNIX sockets, and follows its logs over HTTP.
//
// A Client may be used by several goroutines at once; calls do not wait for
// each other. Every method takes a context and gives up when it ends. What the
// server refuses comes back as a typed error: *api.Fault for a fault of the
// method, *StatusError for an answer that is not 200; everything else is an
// error of the connection, in which errors.Is finds the syscall.Errno.
//
// It works with Supervisor's own daemon as well as with this one: bytes that
// XML cannot carry, which that daemon sends as they are, are made harmless
// before an answer is parsed. github.com/kolo/xmlrpc encodes the values, and
// decodes those that our own reader refuses; its client, which loses the types of
// errors, is not used.
package rpcclient

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/url"
	"strings"
	"syscall"
	"time"

	"github.com/kolo/xmlrpc"

	"supervisord/internal/api"
)

// maxResponse is the size in bytes of the largest answer that is read. The
// longest real ones are log files.
const maxResponse = 512 << 20

// idleTimeout is how long an unused connection is kept open.
const idleTimeout = 30 * time.Second

// Options are the settings of a Client.
type Options struct {
	// ServerURL is "http://host:port" or "unix:///path/of/socket".
	ServerURL string
	// Auth is whether Username and Password are sent.
	Auth               bool
	Username, Password string
}

// Client calls one supervisord.
type Client struct {
	opts Options
	// base is the scheme and host of the requests. For a UNIX socket the host
	// is localhost, which the socket does not care about.
	base string
	http http.Client
	tr   *http.Transport
}

// StatusError is the error of a request that the server answered with another
// HTTP status than 200.
type StatusError struct {
	Code int
	// Reason is the reason phrase that the server sent.
	Reason string
}

// Error returns the status as one line.
func (e *StatusError) Error() string {
	return fmt.Sprintf("server answered %d %s", e.Code, e.Reason)
}

// ErrScheme is the error for a server URL that is neither http nor unix.
var ErrScheme = errors.New("unknown protocol")

// New returns a client for the daemon at o.ServerURL. It does not connect yet.
func New(o Options) (*Client, error) {
	network, address, err := Address(o.ServerURL)
	if err != nil {
		return nil, err
	}
	c := &Client{opts: o, base: "http://localhost"}
	if network == "tcp" {
		c.base = "http://" + address
	}
	var dialer net.Dialer
	c.tr = &http.Transport{
		DialContext: func(ctx context.Context, _, _ string) (net.Conn, error) {
			return dialer.DialContext(ctx, network, address)
		},
		DisableCompression: true,
		IdleConnTimeout:    idleTimeout,
	}
	c.http.Transport = c.tr
	c.http.CheckRedirect = func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }
	return c, nil
}

// Address returns the network and the address at which the daemon with the
// given server URL listens.
func Address(serverURL string) (network, address string, err error) {
	if socket, ok := strings.CutPrefix(serverURL, "unix://"); ok {
		if socket == "" {
			return "", "", fmt.Errorf("connect to %s: %w", serverURL, syscall.EINVAL)
		}
		return "unix", socket, nil
	}
	if !strings.HasPrefix(serverURL, "http://") {
		return "", "", fmt.Errorf("connect to %s: %w", serverURL, ErrScheme)
	}
	u, err := url.Parse(serverURL)
	if err != nil {
		return "", "", fmt.Errorf("parse server URL: %w", err)
	}
	if u.Hostname() == "" {
		return "", "", fmt.Errorf("connect to %s: no host name", serverURL)
	}
	port := u.Port()
	if port == "" {
		port = "80"
	}
	address = net.JoinHostPort(u.Hostname(), port)
	if _, _, err := net.SplitHostPort(address); err != nil {
		return "", "", fmt.Errorf("connect to %s: %w", serverURL, err)
	}
	return "tcp", address, nil
}

// Close closes the connections that are not in use. The client can be used
// again afterwards; it then connects anew.
func (c *Client) Close() { c.tr.CloseIdleConnections() }

// ServerURL returns the URL that the client was made for.
func (c *Client) ServerURL() string { return c.opts.ServerURL }

// Call calls a method and stores its result where result points to, which must
// fit the type that the method returns: see the typed methods of Client. A nil
// result is not looked at.
func (c *Client) Call(ctx context.Context, method string, result any, args ...any) error {
	body, err := c.roundTrip(ctx, method, args)
	if err != nil {
		return err
	}
	return decode(replaceForbidden(body), result)
}

// callText is Call for a method that returns the content of a log. The string
// is what the log holds, byte for byte, except that XML makes every line end a
// newline.
func (c *Client) callText(ctx context.Context, method string, args ...any) (string, error) {
	body, err := c.roundTrip(ctx, method, args)
	if err != nil {
		return "", err
	}
	var text string
	if err := decode(markForbidden(body), &text); err != nil {
		return "", err
	}
	return restoreMarked(text), nil
}

// roundTrip sends a call and returns the body of the answer.
func (c *Client) roundTrip(ctx context.Context, method string, args []any) ([]byte, error) {
	req, err := xmlrpc.NewRequest(c.base+"/RPC2", method, args)
	if err != nil {
		return nil, fmt.Errorf("encode call of %s: %w", method, err)
	}
	resp, err := c.do(req.WithContext(ctx))
	if err != nil {
		return nil, err
	}
	defer resp.Body.Close()
	// Room for all of a long answer at once spares copying it while it grows.
	length := min(max(resp.ContentLength, 0), maxResponse)
	body := bytes.NewBuffer(make([]byte, 0, length+bytes.MinRead))
	if _, err := body.ReadFrom(io.LimitReader(resp.Body, maxResponse+1)); err != nil {
		return nil, fmt.Errorf("read answer of %s: %w", method, err)
	}
	if body.Len() > maxResponse {
		return nil, fmt.Errorf("read answer of %s: longer than %d bytes", method, maxResponse)
	}
	return body.Bytes(), nil
}

// do sends a request and returns the answer if its status is 200.
func (c *Client) do(req *http.Request) (*http.Response, error) {
	if c.opts.Auth {
		req.SetBasicAuth(c.opts.Username, c.opts.Password)
	}
	req.Header.Set("User-Agent", "supervisorctl")
	resp, err := c.http.Do(req)
	if err != nil {
		// The URL that url.Error adds is not the one that was asked for.
		if ue, ok := errors.AsType[*url.Error](err); ok {
			err = ue.Err
		}
		return nil, err
	}
	if resp.StatusCode != http.StatusOK {
		resp.Body.Close()
		_, reason, _ := strings.Cut(resp.Status, " ")
		return nil, &StatusError{Code: resp.StatusCode, Reason: reason}
	}
	return resp, nil
}

// Follow opens the stream of a log: path is that of the HTTP interface, made
// by ProcessLogPath or MainLogPath. The stream ends when the daemon ends or
// ctx does; the caller closes it.
func (c *Client) Follow(ctx context.Context, logPath string) (io.ReadCloser, error) {
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, c.base+logPath, nil)
	if err != nil {
		return nil, fmt.Errorf("follow %s: %w", logPath, err)
	}
	resp, err := c.do(req)
	if err != nil {
		return nil, err
	}
	return resp.Body, nil
}

// MainLogPath is the path of the daemon's own log for Follow.
const MainLogPath = "/mainlogtail"

// ProcessLogPath returns the path of a process's log for Follow.
func ProcessLogPath(name string, channel api.Channel) string {
	return "/logtail/" + url.PathEscape(name) + "/" + channel.String()
}
