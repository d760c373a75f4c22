package config

import (
	"strings"

	"supervisord/internal/python"
)

// readServers reads the sections of HTTP servers, in the order inet, unix.
func (l *loader) readServers() []Server {
	var servers []Server
	for _, kind := range []struct {
		prefix string
		read   func(*options, *Server)
	}{
		{"inet_http_server", l.readInetServer},
		{"unix_http_server", l.readUnixServer},
	} {
		for _, section := range l.sections() {
			if !strings.HasPrefix(section, kind.prefix) {
				continue
			}
			o := l.options(section)
			s := Server{Section: section, OwnerUID: -1, OwnerGID: -1}
			kind.read(o, &s)
			servers = append(servers, s)
		}
	}
	return servers
}

// readInetServer reads an [inet_http_server] section (manual: Configuration
// File, [inet_http_server] section settings).
func (l *loader) readInetServer(o *options, s *Server) {
	s.Family = Inet
	// Only the environment can be referred to here.
	o.scope = o.scope[:1]
	readCredentials(o, s)
	if !o.has("port") {
		o.failf("port", "section [%s] has no port value", o.section)
	}
	var err error
	if s.Host, s.Port, err = inetAddress(o.text("port", "")); err != nil {
		o.fail("port", err)
	}
}

// readUnixServer reads a [unix_http_server] section (manual: Configuration
// File, [unix_http_server] section settings).
func (l *loader) readUnixServer(o *options, s *Server) {
	s.Family = Unix
	if !o.has("file") {
		o.failf("file", "section [%s] has no file value", o.section)
	}
	s.File = l.env.normalizePath(strip(o.text("file", "")))
	o.scope = o.scope[:1]
	readCredentials(o, s)
	if o.has("chown") {
		owner := o.text("chown", "")
		var err error
		if s.OwnerUID, s.OwnerGID, err = userAndGroup(owner); err != nil {
			o.failf("chown", "Invalid sockchown value %s", owner)
		}
	}
	s.Mode = 0o700
	if o.has("chmod") {
		mode := o.text("chmod", "")
		var err error
		if s.Mode, err = octal(mode); err != nil {
			o.failf("chmod", "Invalid chmod value %s", mode)
		}
	}
}

// readCredentials reads the user name and the password, which only make sense
// together.
func readCredentials(o *options, s *Server) {
	s.Username = o.text("username", "")
	s.Password = o.text("password", "")
	if o.has("username") != o.has("password") {
		o.fail("", python.ValueErrorf("Section [%s] contains incomplete authentication: If a username or a password is specified, "+
			"both the username and password must be specified", o.section))
	}
}

func isIPv6(host string) bool { return strings.Contains(host, ":") }
