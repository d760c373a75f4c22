package config

import (
	"fmt"
	"net"
	"net/url"
	"regexp"
	"strconv"
	"strings"
	"time"

	"supervisord/internal/python"
)

// ProbeKind tells how to find out how a process is doing.
type ProbeKind int

// The kinds of probes.
const (
	NoProbe ProbeKind = iota
	// ProbeNotify waits for messages in the protocol of sd_notify(3).
	ProbeNotify
	// ProbeTCP and ProbeUnix connect to Probe.Address.
	ProbeTCP
	ProbeUnix
	// ProbeHTTP gets Probe.Address, a URL.
	ProbeHTTP
	// ProbeExec runs Probe.Argv, which must exit with 0.
	ProbeExec
	// ProbeLog waits for a line of output that Probe.Address, a regular
	// expression, matches.
	ProbeLog
)

// Probe is a value of ready or health (additions).
type Probe struct {
	Kind ProbeKind
	// Text is the value as it was written, after expansion.
	Text    string
	Address string
	// Code is the status that a ProbeHTTP expects; 0 for any from 200 to 299.
	Code int
	Argv []string
}

// IsPassive reports whether the process gives the sign by itself, so that
// nobody has to ask.
func (p *Probe) IsPassive() bool { return p.Kind == ProbeNotify || p.Kind == ProbeLog }

// Readiness says when a process counts as ready.
type Readiness struct {
	Probe
	// Timeout is how long the process may take; 0 for ever.
	Timeout time.Duration
	// Interval is the pause between two attempts.
	Interval time.Duration
}

// Health says how to tell that a process that is ready works.
type Health struct {
	Probe
	Interval time.Duration // the pause between two checks
	Timeout  time.Duration // of one check
	Retries  int           // how many checks in a row must fail
}

// replaces reports whether the settings are the same.
func (r *Readiness) replaces(active *Readiness) bool {
	return r.Text == active.Text && r.Timeout == active.Timeout && r.Interval == active.Interval
}

// replaces reports whether the settings are the same.
func (h *Health) replaces(active *Health) bool {
	return h.Text == active.Text && h.Interval == active.Interval && h.Timeout == active.Timeout && h.Retries == active.Retries
}

// readProbes reads what the processes of a program share of their probes.
func (p *programReader) readProbes() {
	t, o := &p.template, p.options
	t.Ready.Timeout = value(o, "ready_timeout", time.Minute, notNegative)
	t.Ready.Interval = value(o, "ready_interval", time.Second, positive)
	t.Health.Interval = value(o, "health_interval", 10*time.Second, positive)
	t.Health.Timeout = value(o, "health_timeout", 5*time.Second, positive)
	t.Health.Retries = value(o, "health_retries", 3, count)
}

// probe converts the value of ready or health.
func probe(text string) (Probe, error) {
	kind, rest, found := strings.Cut(text, ":")
	p := Probe{Text: text, Address: rest}
	var err error
	switch {
	case text == "notify":
		p.Kind = ProbeNotify
	case !found || rest == "":
		err = fmt.Errorf("it is notify, tcp:HOST:PORT, unix:PATH, http:URL, exec:COMMAND or log:REGEX")
	case kind == "tcp":
		p.Kind = ProbeTCP
		err = checkHostPort(rest)
	case kind == "unix":
		p.Kind = ProbeUnix
		if rest[0] != '/' && rest[0] != '@' {
			err = fmt.Errorf("the path of a socket must be absolute")
		}
	case kind == "http" || kind == "https":
		p.Kind = ProbeHTTP
		p.Address, p.Code, err = probeURL(kind, rest)
	case kind == "exec":
		p.Kind = ProbeExec
		if p.Argv, err = split(rest); err == nil && len(p.Argv) == 0 {
			err = fmt.Errorf("command is empty")
		}
	case kind == "log":
		p.Kind = ProbeLog
		_, err = regexp.Compile(rest)
	default:
		err = fmt.Errorf("it is notify, tcp:HOST:PORT, unix:PATH, http:URL, exec:COMMAND or log:REGEX")
	}
	if err != nil {
		return Probe{}, fmt.Errorf("not a valid probe: %s: %w", python.Repr(text), err)
	}
	return p, nil
}

func checkHostPort(text string) error {
	host, port, err := net.SplitHostPort(text)
	if err != nil {
		return err
	}
	if host == "" {
		return fmt.Errorf("no host")
	}
	_, err = portNumber(port)
	return err
}

// probeURL takes apart URL=CODE. The URL may stand behind "http:", or begin
// with it.
func probeURL(scheme, rest string) (address string, code int, err error) {
	if i := len(rest) - len("=200"); i > 0 && rest[i] == '=' {
		if n, err := strconv.Atoi(rest[i+1:]); err == nil && n >= 100 {
			rest, code = rest[:i], n
		}
	}
	if strings.HasPrefix(rest, "//") {
		rest = scheme + ":" + rest
	}
	u, err := url.Parse(rest)
	if err != nil {
		return "", 0, err
	}
	if u.Scheme != "http" && u.Scheme != "https" || u.Hostname() == "" {
		return "", 0, fmt.Errorf("the URL must begin with http:// or https:// and a host")
	}
	return u.String(), code, nil
}

// notNegative converts seconds from 0 on.
func notNegative(text string) (time.Duration, error) {
	d, err := seconds(text)
	if err == nil && d < 0 {
		err = fmt.Errorf("%d is below lower bound (0)", d/time.Second)
	}
	return d, err
}

// positive converts seconds from 1 on.
func positive(text string) (time.Duration, error) {
	d, err := seconds(text)
	if err == nil && d < time.Second {
		err = fmt.Errorf("%d is below lower bound (1)", d/time.Second)
	}
	return d, err
}

// count converts a number from 1 on.
func count(text string) (int, error) {
	n, err := integer(text)
	if err == nil && n < 1 {
		err = fmt.Errorf("%d is below lower bound (1)", n)
	}
	return n, err
}
