package main

import (
	"fmt"
	"os"

	"supervisord/internal/applog"
	"supervisord/internal/config"
	"supervisord/internal/core"
	"supervisord/internal/daemon"
	"supervisord/internal/httpd"
	"supervisord/internal/launch"
	"supervisord/internal/notify"
	"supervisord/internal/upgrade"
)

// stateVersion is the version of the form that a state has. It changes when a
// program of before could not make sense of one, or would lose something that
// matters. A state of an older version that is still understood is one more
// file in testdata.
const stateVersion = 1

// state is everything that supervisord has, as plain data: what it writes down
// for a program that is to take its place.
type state struct {
	Version int
	// Build is the version of the program that wrote this, and Program the path
	// of its file.
	Build, Program string
	// File is the configuration file.
	File string
	// Config is the configuration without its groups, which are in the daemon's
	// state: there may be others by now than those that are loaded.
	Config  *config.Config
	Daemon  *daemon.State
	Log     applog.State
	Servers []serverState
	Notify  notify.State
	// Pidfile says that there is one.
	Pidfile bool
}

// serverState is a server of the configuration, in the same order.
type serverState struct {
	Listener launch.ListenerState
	Conns    []httpd.ConnState
}

// readState reads a state that a program before this one wrote.
func readState(f *os.File) (*state, error) {
	version, err := upgrade.ReadVersion(f)
	if err != nil {
		return nil, err
	}
	if version != stateVersion {
		return nil, fmt.Errorf("read state: version %d is not known; this program knows version %d", version, stateVersion)
	}
	s := new(state)
	if err := upgrade.Read(f, s); err != nil {
		return nil, err
	}
	if s.Config == nil || s.Daemon == nil || s.Daemon.Core == nil || len(s.Servers) != len(s.Config.Servers) {
		return nil, fmt.Errorf("read state: it is not complete")
	}
	return s, nil
}

// check says whether this program understands a state, and the configuration
// file.
func (s *state) check(load func() (*config.Config, error)) error {
	if _, err := core.Restore(core.Options{}, s.Daemon.Core); err != nil {
		return err
	}
	_, err := load()
	return err
}

// descriptors returns those that the state speaks of.
func (s *state) descriptors() []int {
	list := append(s.Daemon.Descriptors(), s.Log.Descriptors()...)
	for _, server := range s.Servers {
		list = append(list, server.Listener.FD)
		for i := range server.Conns {
			list = append(list, server.Conns[i].Descriptors()...)
		}
	}
	return list
}
