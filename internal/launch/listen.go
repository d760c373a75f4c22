package launch

import (
	"errors"
	"net"
	"strconv"
	"strings"
	"syscall"

	"golang.org/x/sys/unix"

	"supervisord/internal/config"
)

// errInUse ends a daemon that finds another one at its address.
const errInUse refusal = "Another program is already listening on a port that one of our HTTP servers is" +
	" configured to use.  Shut this program down first before starting supervisord."

// ListenHTTP opens the socket of an HTTP server (manual: Configuration File,
// [unix_http_server] and [inet_http_server] section settings). notice gets
// lines for standard error. The error is the text that ends the daemon.
//
// The file of a UNIX socket is not removed when the listener is closed: see
// Listener.Remove.
func ListenHTTP(server *config.Server, notice func(string)) (*Listener, error) {
	l := &Listener{server: server}
	var err error
	if server.Family == config.Unix {
		l.current, l.file, err = listenUnix(server, notice)
	} else {
		l.current, err = listenInet(server.Host, server.Port)
	}
	if err != nil {
		return nil, listenError(err)
	}
	return l, nil
}

// listenInet listens on all IPv4 addresses where no host is given, as
// Supervisor does; IPv6 has to be asked for by an address like [::].
func listenInet(host string, port int) (net.Listener, error) {
	network := "tcp"
	if host == "" {
		network = "tcp4"
	}
	return net.Listen(network, net.JoinHostPort(strings.Trim(host, "[]"), strconv.Itoa(port)))
}

// listenError words why a server cannot listen.
func listenError(err error) error {
	const cannot = "Cannot open an HTTP server: socket.error reported "
	var own refusal
	var errno syscall.Errno
	var dns *net.DNSError
	switch {
	case errors.As(err, &own):
		return err
	case errors.Is(err, syscall.EADDRINUSE):
		return errInUse
	case errors.As(err, &errno):
		if name := unix.ErrnoName(errno); name != "" {
			return refusef("%serrno.%s (%d)", cannot, name, int(errno))
		}
		return refusef("%s%d", cannot, int(errno))
	case errors.As(err, &dns):
		// The numbers of getaddrinfo: EAI_AGAIN and EAI_NONAME.
		if dns.IsTemporary {
			return refusal(cannot + "-3")
		}
		return refusal(cannot + "-2")
	}
	return refusal(cannot + err.Error())
}
