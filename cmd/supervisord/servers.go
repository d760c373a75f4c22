package main

import (
	"context"
	"fmt"
	"net"
	"os"
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
	listeners []net.Listener
}

// openServers opens the sockets. Nothing is served yet.
func openServers(cfg *config.Config, d *daemon.Daemon, log *applog.Logger) (*servers, error) {
	table := rpc.NewTable(d, version, cfg.RPCInterfaces)
	s := &servers{config: cfg, log: log}
	s.http = httpd.New(httpd.Options{
		Methods: table,
		Logs:    d,
		UI:      webui.New(webui.Options{Supervisor: d, Version: version, Describe: rpc.Describe}),
		Log:     log.Log,
	})
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
	}
	return s, nil
}

// serve begins to serve.
func (s *servers) serve() {
	for i, l := range s.listeners {
		server := &s.config.Servers[i]
		go func() {
			if err := s.http.Serve(l, httpd.Auth{Username: server.Username, Password: server.Password}); err != nil {
				s.log.Log(api.LevelError, fmt.Sprintf("server '%s' ended: %v", server.Section, err))
			}
		}()
	}
}

// close ends the servers when the last answers were taken, and removes the
// files of their sockets.
func (s *servers) close() {
	ctx, cancel := context.WithTimeout(context.Background(), closeTimeout)
	defer cancel()
	_ = s.http.Shutdown(ctx) // What is left is closed.
	for i, l := range s.listeners {
		l.Close()
		if server := &s.config.Servers[i]; server.Family == config.Unix {
			launch.RemoveSocket(server)
		}
	}
}
