package main

import (
	"bufio"
	"bytes"
	"context"
	"fmt"
	"io"
	"net"
	"os/exec"
	"strconv"
	"strings"
	"time"

	"supervisord/internal/api"
	"supervisord/internal/rpcclient"
)

// callLimit is how long anything that is measured may take before the run is
// given up.
const callLimit = 2 * time.Minute

// request is a call as bytes.
func request(method string, params ...string) string {
	var b strings.Builder
	fmt.Fprintf(&b, "<?xml version='1.0'?>\n<methodCall>\n<methodName>%s</methodName>\n<params>\n", method)
	for _, p := range params {
		fmt.Fprintf(&b, "<param>\n<value>%s</value>\n</param>\n", p)
	}
	b.WriteString("</params>\n</methodCall>\n")
	return fmt.Sprintf("POST /RPC2 HTTP/1.1\r\nHost: bench\r\nContent-Type: text/xml\r\nContent-Length: %d\r\n\r\n%s", b.Len(), &b)
}

// The calls that are measured.
var (
	getState   = request("supervisor.getState")
	getAll     = request("supervisor.getAllProcessInfo")
	startAll   = request("supervisor.startAllProcesses", "<boolean>1</boolean>")
	remoteComm = request("supervisor.sendRemoteCommEvent", "<string>bench</string>", "<string>hello</string>")
)

// A conn is a connection to a daemon that does the least that a client must, so
// that little of what is measured is the client's.
type conn struct {
	net.Conn
	r *bufio.Reader
}

func dial(socket string) (*conn, error) {
	c, err := net.Dial("unix", socket)
	if err != nil {
		return nil, err
	}
	if err := c.SetDeadline(time.Now().Add(callLimit)); err != nil {
		return nil, err
	}
	return &conn{Conn: c, r: bufio.NewReaderSize(c, 64<<10)}, nil
}

// call sends a request and returns the body of the answer, which must not be a
// fault.
func (c *conn) call(request string) ([]byte, error) {
	if _, err := io.WriteString(c, request); err != nil {
		return nil, err
	}
	length := -1
	for first := true; ; first = false {
		line, err := c.r.ReadString('\n')
		if err != nil {
			return nil, fmt.Errorf("read answer: %w", err)
		}
		if line = strings.TrimSpace(line); line == "" {
			break
		}
		if first && !strings.Contains(line, " 200 ") {
			return nil, fmt.Errorf("read answer: status %q", line)
		}
		name, value, _ := strings.Cut(line, ":")
		if strings.EqualFold(name, "content-length") {
			if length, err = strconv.Atoi(strings.TrimSpace(value)); err != nil {
				return nil, err
			}
		}
	}
	if length < 0 {
		return nil, fmt.Errorf("read answer: no length")
	}
	body := make([]byte, length)
	if _, err := io.ReadFull(c.r, body); err != nil {
		return nil, err
	}
	text := string(body)
	if !strings.Contains(text, "<methodResponse>") || strings.Contains(text, "<fault>") {
		return nil, fmt.Errorf("read answer: %.300q", text)
	}
	return body, nil
}

// once makes one call on a connection of its own.
func once(socket, request string) ([]byte, error) {
	c, err := dial(socket)
	if err != nil {
		return nil, err
	}
	defer c.Close()
	return c.call(request)
}

// latency returns the median time of n calls in milliseconds, one after the
// other, each on a connection of its own.
func latency(socket, request string, n int) (float64, error) {
	times := make(samples, 0, n)
	for range n {
		begin := time.Now()
		if _, err := once(socket, request); err != nil {
			return 0, err
		}
		times = append(times, ms(time.Since(begin)))
	}
	return times.median(), nil
}

// throughput returns how many calls a second clients get through that share n
// calls. With keep they keep their connections. They are in a process of their
// own.
func (r *run) throughput(socket, request string, clients, n int, keep bool) (float64, error) {
	role := "call"
	if keep {
		role = "keep"
	}
	var errors bytes.Buffer
	child := exec.Command(r.tool("child"), role, socket, strconv.Itoa(clients), strconv.Itoa(n), request)
	child.Stderr = &errors
	begin, err := child.StdinPipe()
	if err != nil {
		return 0, err
	}
	ready, err := child.StdoutPipe()
	if err != nil {
		return 0, err
	}
	if err := child.Start(); err != nil {
		return 0, err
	}
	kill := time.AfterFunc(callLimit, func() { _ = child.Process.Kill() })
	defer kill.Stop()
	_, err = bufio.NewReader(ready).ReadString('\n')
	since := time.Now()
	begin.Close() // Wait tells of every error.
	if werr := child.Wait(); werr != nil {
		return 0, fmt.Errorf("make calls: %w: %s", werr, &errors)
	}
	return float64(n/clients*clients) / time.Since(since).Seconds(), err
}

// running returns the process ids of all processes, which must be n different
// ones that run.
func running(socket string, n int) (map[int]bool, error) {
	c, err := rpcclient.New(rpcclient.Options{ServerURL: "unix://" + socket})
	if err != nil {
		return nil, err
	}
	defer c.Close()
	infos, err := c.AllProcessInfo(context.Background())
	if err != nil {
		return nil, err
	}
	pids := make(map[int]bool)
	for _, p := range infos {
		if p.State != api.Running || !alive(p.PID) {
			return nil, fmt.Errorf("check %s: it is %s with process id %d", p.Name, p.StateName, p.PID)
		}
		pids[p.PID] = true
	}
	if len(pids) != n {
		return nil, fmt.Errorf("check processes: %d run, not %d", len(pids), n)
	}
	return pids, nil
}
