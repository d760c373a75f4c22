package config

import (
	"fmt"
	"os"
	"strings"

	"supervisord/internal/python"
)

// readFastCGIGroup reads an [fcgi-program:x] section that makes a group of its
// own (manual: Configuration File, [fcgi-program:x] section settings).
func (l *loader) readFastCGIGroup(section, name string) *Group {
	o := l.options(section)
	g := &Group{Name: o.name("", name), Kind: FastCGIGroup}
	g.Priority = value(o, "priority", 999, integer)
	settings := socketSettings{uid: value(o, "user", -1, userID)}
	settings.read(o)
	var program python.Dict
	program.Set("program_name", g.Name)
	o.scope = append(o.scope, &program)
	const key = "socket"
	url := o.text(key, "")
	if url == "" {
		o.failf(key, "[%s] section requires a \"socket\" line", section)
	} else {
		socket, err := l.parseSocket(url, &settings)
		if err != nil {
			o.failf(key, "%w in [%s] socket", err, section)
		}
		g.Socket = socket
	}
	return l.withProcesses(g, o)
}

// socketSettings are the options of an [fcgi-program:x] about its socket.
type socketSettings struct {
	uid                int // of the processes, -1 where not set
	backlog            int
	hasOwner, hasMode  bool
	ownerUID, ownerGID int
	mode               os.FileMode
}

func (s *socketSettings) read(o *options) {
	if o.has("socket_backlog") {
		s.backlog = value(o, "socket_backlog", 0, integer)
		if s.backlog < 1 || s.backlog > 65535 {
			o.failf("socket_backlog", "Invalid socket_backlog value %d", s.backlog)
		}
	}
	s.ownerUID, s.ownerGID = -1, -1
	if s.hasOwner = o.has("socket_owner"); s.hasOwner {
		owner := o.text("socket_owner", "")
		var err error
		if s.ownerUID, s.ownerGID, err = userAndGroup(owner); err != nil {
			o.failf("socket_owner", "Invalid socket_owner value %s", owner)
		}
	}
	if s.hasMode = o.has("socket_mode"); s.hasMode {
		mode := o.text("socket_mode", "")
		var err error
		if s.mode, err = octal(mode); err != nil {
			o.failf("socket_mode", "Invalid socket_mode value %s", mode)
		}
	}
}

// parseSocket makes a socket of its URL, unix://PATH or tcp://HOST:PORT. Two
// of the messages carry their format and its argument apart, as Supervisor's
// do.
func (l *loader) parseSocket(url string, s *socketSettings) (*Socket, error) {
	if path, ok := strings.CutPrefix(url, "unix://"); ok {
		if !strings.HasPrefix(path, "/") {
			return nil, fmt.Errorf("%s", python.ReprTuple("Unix socket path %s is not an absolute path", path))
		}
		return l.unixSocket(path, s)
	}
	if s.hasOwner || s.hasMode {
		return nil, fmt.Errorf("socket_owner and socket_mode params should only be used with a Unix domain socket")
	}
	address, ok := strings.CutPrefix(url, "tcp://")
	host, service, found := strings.Cut(address, ":")
	if !ok || !found || host == "" || strings.ContainsFunc(host, python.IsSpace) || !isNumber(service) {
		return nil, fmt.Errorf("%s", python.ReprTuple("Bad socket format %s", url))
	}
	port, err := portNumber(service)
	if err != nil {
		return nil, err
	}
	host = strings.ToLower(host)
	return &Socket{
		URL:      fmt.Sprintf("tcp://%s:%d", host, port),
		Host:     host,
		Port:     port,
		OwnerUID: -1,
		OwnerGID: -1,
		Backlog:  s.backlog,
	}, nil
}

func (l *loader) unixSocket(path string, s *socketSettings) (*Socket, error) {
	path = l.env.normalizePath(path)
	socket := &Socket{
		URL:      "unix://" + path,
		Unix:     true,
		Path:     path,
		Mode:     0o700,
		OwnerUID: s.ownerUID,
		OwnerGID: s.ownerGID,
		Backlog:  s.backlog,
	}
	if s.hasMode {
		socket.Mode = s.mode
	}
	if !s.hasOwner && s.uid >= 0 && s.uid != os.Getuid() {
		gid, err := primaryGroup(s.uid)
		if err != nil {
			return nil, err
		}
		socket.OwnerUID, socket.OwnerGID = s.uid, gid
	}
	return socket, nil
}

// isNumber reports whether text is all decimal digits, of any script.
func isNumber(text string) bool {
	for _, r := range text {
		if _, err := python.Int(string(r), 10); err != nil || python.IsSpace(r) {
			return false
		}
	}
	return text != ""
}
