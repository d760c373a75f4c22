package main

import (
	"net"
	"strings"
	"testing"

	"supervisord/internal/config"
)

// TestPasswordWarnings: a port for other machines without a password is warned
// about, and nothing that is meant.
func TestPasswordWarnings(t *testing.T) {
	unix := &net.UnixAddr{Name: "/run/supervisor.sock", Net: "unix"}
	tcp := func(host string) net.Addr { return &net.TCPAddr{IP: net.ParseIP(host), Port: 9001} }
	for _, test := range []struct {
		addr               net.Addr
		username, password string
		want               string // in the warning; empty for none
	}{
		{tcp("0.0.0.0"), "", "", "at 0.0.0.0:9001 and asks for no password"},
		{tcp("::"), "", "", "at [::]:9001 and asks for no password"},
		{tcp("192.0.2.1"), "", "", "whoever can connect can control all programs"},
		{tcp("127.0.0.1"), "", "", ""},
		{tcp("::1"), "", "", ""},
		{unix, "", "", ""},
		{tcp("0.0.0.0"), "user", "pass", ""},
		{tcp("127.0.0.1"), "user", "{BCRYPT}nonsense", "lets nobody in"},
	} {
		server := &config.Server{Section: "inet_http_server", Username: test.username, Password: test.password}
		got := strings.Join(passwordWarnings(server, test.addr), "\n")
		if (test.want == "") != (got == "") || !strings.Contains(got, test.want) {
			t.Errorf("%s, user %q: warning %q, want %q", test.addr, test.username, got, test.want)
		}
	}
}
