package daemon

import (
	"syscall"

	"supervisord/internal/api"
	"supervisord/internal/applog"
	"supervisord/internal/config"
	"supervisord/internal/launch"
	"supervisord/internal/python"
)

// groupSocket is the listening socket of a FastCGI group. It is open while any
// process of the group uses it.
type groupSocket struct {
	config *config.Socket
	log    *applog.Logger
	fd     int // 0 while it is closed
	users  int
}

// acquire opens the socket for the first of its users.
func (s *groupSocket) acquire() error {
	if s.users == 0 && s.fd == 0 {
		s.log.Log(api.LevelInfo, "Creating socket "+s.config.URL)
		fd, err := launch.ListenFastCGI(s.config)
		if err != nil {
			return python.ValueErrorf("Could not create FastCGI socket %s: %v", s.config.URL, err)
		}
		s.fd = fd
	}
	s.users++
	return nil
}

// release closes the socket after the last of its users.
func (s *groupSocket) release() {
	s.users--
	if s.users == 0 {
		s.log.Log(api.LevelInfo, "Closing socket "+s.config.URL)
		syscall.Close(s.fd)
		s.fd = 0
	}
}

// CheckSockets opens and closes the sockets of the FastCGI groups, so that a
// bad one is found before anything is started.
//
// Those of which inUse reports that they are open already are left alone.
func CheckSockets(groups []*config.Group, inUse func(*config.Group) bool, log *applog.Logger) error {
	for _, g := range groups {
		if g.Kind != config.FastCGIGroup || inUse != nil && inUse(g) {
			continue
		}
		s := &groupSocket{config: g.Socket, log: log}
		if err := s.acquire(); err != nil {
			return err
		}
		s.release()
	}
	return nil
}
