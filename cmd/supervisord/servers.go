package main

import (
	"context"
	"fmt"
	"net"
	"os"
	"os/signal"
	"syscall"
	"time"

	"supervisord/internal/api"
	"supervisord/internal/applog"
	"supervisord/internal/config"
	"supervisord/internal/daemon"
	"supervisord/internal/httpd"
	"supervisord/internal/launch"
	"supervisord/internal/rpc"
	"supervisord/internal/webui"
)

// version is that of the interface that is implemented, as getSupervisorVersion
// and -v report it.
const version = "4.3.0"

// closeTimeout is how long the end of supervisord waits for clients to take the
// last answers.
const closeTimeout = 2 * time.Second

// servers are the HTTP servers of a configuration.
type servers struct {
	config    *config.Config
	log       *applog.Logger
	http      *httpd.Server
	listeners []*launch.Listener
	ended     chan struct{}
	// carried are the connections of each listener that another program had, and
	// expected the answers that they wait for.
	carried  [][]httpd.ConnState
	expected map[uint64]httpd.Expectation
}

// newServers returns servers without sockets.
func newServers(cfg *config.Config, d *daemon.Daemon, log *applog.Logger) *servers {
	table := rpc.NewTable(d, version, cfg.RPCInterfaces)
	s := &servers{config: cfg, log: log, ended: make(chan struct{})}
	s.http = httpd.New(httpd.Options{
		Methods: table,
		Logs:    d,
		UI:      webui.New(webui.Options{Supervisor: d, Version: version, Describe: rpc.Describe}),
		Log:     log.Log,
		Traces:  log.Level() <= api.LevelTrace,
	})
	return s
}

// openServers opens the sockets. Nothing is served yet.
func openServers(cfg *config.Config, d *daemon.Daemon, log *applog.Logger) (*servers, error) {
	s := newServers(cfg, d, log)
	for i := range cfg.Servers {
		server := &cfg.Servers[i]
		l, err := launch.ListenHTTP(server, func(line string) { fmt.Fprintln(os.Stderr, line) })
		if err != nil {
			s.close()
			return nil, err
		}
		s.listeners = append(s.listeners, l)
		for _, name := range cfg.RPCInterfaces {
			log.Log(api.LevelInfo, fmt.Sprintf("RPC interface '%s' initialized", name))
		}
		if server.Username == "" {
			log.Log(api.LevelCritical, fmt.Sprintf("Server '%s' running without any HTTP authentication checking", server.Section))
		}
		logAll(log, api.LevelWarn, passwordWarnings(server, l.Addr()))
	}
	return s, nil
}

// resumeServers goes on with the sockets and connections that another program
// had. It is called before the daemon is run.
func resumeServers(cfg *config.Config, d *daemon.Daemon, log *applog.Logger, states []serverState) *servers {
	served := *cfg
	served.Servers = nil
	s := newServers(&served, d, log)
	s.expected = make(map[uint64]httpd.Expectation)
	for i := range cfg.Servers {
		l, err := launch.ResumeHTTP(&cfg.Servers[i], states[i].Listener)
		if err != nil {
			log.Log(api.LevelCritical, err.Error()) // The others go on.
			continue
		}
		served.Servers = append(served.Servers, cfg.Servers[i])
		s.listeners = append(s.listeners, l)
		s.carried = append(s.carried, states[i].Conns)
		for _, c := range states[i].Conns {
			if c.Call != nil && c.Call.Req != 0 {
				s.expected[c.Call.Req] = d.Expect(c.Call.Req)
			}
		}
	}
	return s
}

// expect returns what waits for an answer that is expected.
func (s *servers) expect(req uint64) httpd.Expectation { return s.expected[req] }

// states returns what another program needs to go on, in a pause. pending tells
// which requests the daemon has not answered.
func (s *servers) states(pending func(req uint64) bool) ([]serverState, error) {
	list := make([]serverState, len(s.listeners))
	for i, l := range s.listeners {
		var err error
		if list[i].Listener, err = l.State(); err != nil {
			return nil, fmt.Errorf("hand over the socket of %s: %w", s.config.Servers[i].Section, err)
		}
		list[i].Conns = s.http.Carried(l, pending)
	}
	return list, nil
}

// passwordWarnings says what is dangerous, or useless, about who is let in.
func passwordWarnings(server *config.Server, addr net.Addr) (warnings []string) {
	if tcp, ok := addr.(*net.TCPAddr); ok && server.Username == "" && !tcp.IP.IsLoopback() {
		warnings = append(warnings, fmt.Sprintf("Server '%s' can be reached from other machines at %s and asks for no password: "+
			"whoever can connect can control all programs", server.Section, addr))
	}
	if useless := uselessPassword(server); useless != "" {
		warnings = append(warnings, useless)
	}
	return warnings
}

// uselessPassword returns a warning about a password with which nobody is let
// in, or nothing.
func uselessPassword(server *config.Server) string {
	if err := authOf(server).Check(); err != nil {
		return fmt.Sprintf("Server '%s' lets nobody in: %v", server.Section, err)
	}
	return ""
}

func authOf(server *config.Server) httpd.Auth {
	return httpd.Auth{Username: server.Username, Password: server.Password}
}

// serve begins to serve.
func (s *servers) serve() {
	for i, l := range s.listeners {
		server := &s.config.Servers[i]
		var carried []httpd.ConnState
		if s.carried != nil {
			carried = s.carried[i]
		}
		go func() {
			if err := s.http.ServeOn(l, authOf(server), carried, s.expect); err != nil {
				s.log.Log(api.LevelError, fmt.Sprintf("server '%s' ended: %v", server.Section, err))
			}
		}()
		l.Keep(func() { s.restore(i) })
	}
	signals := make(chan os.Signal, 1)
	signal.Notify(signals, syscall.SIGUSR2)
	go s.restoreOnSignal(signals)
}

// restore puts the file of a socket back if it is missing.
func (s *servers) restore(i int) {
	server := &s.config.Servers[i]
	switch restored, err := s.listeners[i].Restore(); {
	case err != nil:
		s.log.Log(api.LevelError, fmt.Sprintf("the socket %s was removed and cannot be made again: %v; "+
			"SIGUSR2 tries once more", server.File, err))
	case restored:
		s.log.Log(api.LevelWarn, fmt.Sprintf("the socket %s was removed; it has been made again", server.File))
	}
}

// restoreOnSignal looks after the sockets at every SIGUSR2, for where the
// system does not tell that one was removed, or it could not be made again.
func (s *servers) restoreOnSignal(signals chan os.Signal) {
	defer signal.Stop(signals)
	for {
		select {
		case <-signals:
			for i := range s.listeners {
				s.restore(i)
			}
		case <-s.ended:
			return
		}
	}
}

// close ends the servers when the last answers were taken, and removes the
// files of their sockets.
func (s *servers) close() {
	ctx, cancel := context.WithTimeout(context.Background(), closeTimeout)
	defer cancel()
	close(s.ended)
	_ = s.http.Shutdown(ctx) // What is left is closed.
	for _, l := range s.listeners {
		l.Close()
		l.Remove()
	}
}
