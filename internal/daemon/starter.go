package daemon

import (
	"errors"
	"os"
	"strconv"
	"sync"
	"time"

	"supervisord/internal/api"
	"supervisord/internal/config"
	"supervisord/internal/core"
	"supervisord/internal/launch"
	"supervisord/internal/spawn"
)

// starter prepares processes for the spawner, in the order in which they are
// to be started. It looks files up and opens logs, which may take time.
type starter struct {
	daemon *Daemon
	env    []string

	mu     sync.Mutex
	wake   *sync.Cond
	queue  []job
	closed bool
}

// job is a process to start. It holds what may be read outside the daemon's
// goroutine.
type job struct {
	token  spawn.Token
	id     core.ProcID
	gen    core.Gen
	group  *config.Group
	config *config.Process
	child  *child // for its logs, which never change
	stdin  int
	notify string // the address for messages; empty for none
}

func newStarter(d *Daemon) *starter {
	s := &starter{daemon: d, env: os.Environ()}
	s.wake = sync.NewCond(&s.mu)
	go s.run()
	return s
}

// start queues a process. It never blocks.
func (s *starter) start(c *child, gen core.Gen) {
	j := job{token: tokenOf(c.id, gen), id: c.id, gen: gen, group: c.group, config: c.config, child: c}
	if c.socket != nil {
		j.stdin = c.socket.fd
	}
	if c.notify != nil {
		j.notify = c.notify.Address
	}
	s.mu.Lock()
	s.queue = append(s.queue, j)
	s.mu.Unlock()
	s.wake.Signal()
}

// close ends the starter. What is queued is dropped, but what Options.Prepare has
// begun is done.
func (s *starter) close() {
	s.mu.Lock()
	s.closed = true
	s.mu.Unlock()
	s.wake.Signal()
	<-s.daemon.prepared
}

func (s *starter) run() {
	if prepare := s.daemon.options.Prepare; prepare != nil {
		prepare()
	}
	close(s.daemon.prepared)
	for {
		s.mu.Lock()
		for len(s.queue) == 0 && !s.closed {
			s.wake.Wait()
		}
		jobs := s.queue
		s.queue = nil
		closed := s.closed
		s.mu.Unlock()
		if closed {
			return
		}
		for _, j := range jobs {
			s.prepare(j)
		}
	}
}

// prepare makes everything ready for a process and has it started.
func (s *starter) prepare(j job) {
	filled, err := launch.Fill(j.config)
	if err != nil {
		s.fail(j, err)
		return
	}
	for _, warning := range filled.Warnings {
		s.daemon.log.Log(api.LevelWarn, warning)
	}
	file, err := resolve(j.config, filled.Environment)
	if err != nil {
		s.fail(j, err)
		return
	}
	spec, err := s.spec(j, file, &filled)
	if err != nil {
		s.fail(j, err)
		return
	}
	j.child.logs[api.Stdout].Open()
	if !j.config.RedirectStderr {
		j.child.logs[api.Stderr].Open()
	}
	launch.Touch(file, j.config.Directory)
	s.daemon.keepStart(j, spec)
	s.daemon.spawner.Start(j.token, spec)
}

// fail tells the daemon that a process cannot be started.
func (s *starter) fail(j job, why error) {
	s.daemon.post(query(func(d *Daemon) {
		delete(d.pause.handed, j.token)
		if c := d.children[j.id]; c != nil && c.gen == j.gen {
			d.spawnFailed(c, j.gen, why.Error())
		}
	}))
}

func (s *starter) spec(j job, file string, filled *launch.Filled) (*spawn.Spec, error) {
	serverURL := j.config.ServerURL
	if serverURL == "" {
		serverURL = s.daemon.options.Config.ServerURL
	}
	var watchdog time.Duration
	if j.config.Health.Kind == config.ProbeNotify {
		watchdog = j.config.Health.Interval
	}
	spec := &spawn.Spec{
		Path: file,
		Argv: filled.Argv,
		Env: launch.ChildEnv(s.env, launch.ChildVars{
			ServerURL: serverURL, ProcessName: j.config.Name, GroupName: j.group.Name,
			Environment: filled.Environment, NotifySocket: j.notify, Watchdog: watchdog,
		}),
		Dir:   j.config.Directory,
		Umask: j.config.Umask,
		Pipes: spawn.Pipes{StdinFD: j.stdin, MergeStderr: j.config.RedirectStderr},
	}
	if j.config.UID >= 0 {
		spec.Credential, spec.UserName, spec.UserError = launch.ChildCredential(j.config.UID)
	}
	if j.config.GID >= 0 && spec.UserError == "" {
		var err error
		if spec.Credential, err = launch.WithGroup(spec.Credential, j.config.GID); err != nil {
			return nil, err
		}
		if spec.UserName == "" {
			spec.UserName = strconv.Itoa(os.Geteuid())
		}
	}
	return spec, nil
}

// resolve finds the file that a process with an environment executes. The error
// is a *launch.CommandError.
func resolve(p *config.Process, environment map[string]string) (string, error) {
	if p.CommandError != "" {
		return "", &launch.CommandError{Text: p.CommandError}
	}
	return launch.Resolve(p.Argv, launch.CommandPath(environment))
}

// refusal returns the fault of a request to start a process whose command
// cannot be executed, nil if it can, or if it is not known: then the start fails.
func refusal(p *config.Process) *api.Fault {
	filled, err := launch.Fill(p)
	if err != nil {
		return nil
	}
	_, err = resolve(p, filled.Environment)
	var bad *launch.CommandError
	switch {
	case err == nil:
		return nil
	case errors.As(err, &bad) && bad.NotFound:
		return api.NewFault(api.NoFile, bad.Text)
	default:
		return api.NewFault(api.NotExecutable, err.Error())
	}
}
