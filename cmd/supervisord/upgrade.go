package main

import (
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"os"
	"os/signal"
	"path/filepath"
	"slices"
	"strings"
	"syscall"
	"time"

	"supervisord/internal/api"
	"supervisord/internal/applog"
	"supervisord/internal/config"
	"supervisord/internal/core"
	"supervisord/internal/daemon"
	"supervisord/internal/launch"
	"supervisord/internal/notify"
	"supervisord/internal/upgrade"
)

const (
	// verdictTimeout is how long the new program may think, and restTimeout how
	// long it may take until nothing is half done.
	verdictTimeout = 30 * time.Second
	restTimeout    = 20 * time.Second
)

// upgrade has the program on disk take the place of this one, if it understands
// what it is told. It returns only if that fails; then everything goes on.
func (s *session) upgrade(ctx context.Context) error {
	if !s.busy.TryLock() {
		return errors.New("an upgrade is under way")
	}
	defer s.busy.Unlock()
	if s.life.profiled {
		return errors.New("a profile of this run is being written, which would end")
	}
	if err := s.consult(ctx); err != nil {
		return fmt.Errorf("%s: %w", s.life.program, err)
	}
	return s.replace(ctx)
}

// consult asks the program on disk whether it understands the state and the
// configuration.
func (s *session) consult(ctx context.Context) error {
	ctx, cancel := context.WithTimeout(ctx, verdictTimeout)
	defer cancel()
	trial, err := s.daemon.Trial(ctx)
	if err != nil {
		return err
	}
	file, err := upgrade.Write(s.state(trial, make([]serverState, len(s.servers.listeners)), applog.State{}))
	if err != nil {
		return err
	}
	defer file.Close()
	prefix := rand.Text()
	answer, err := s.daemon.Ask(ctx, s.life.program, os.Args, upgrade.CheckEnv(prefix), file)
	if err != nil {
		return err
	}
	if _, ok := upgrade.Agrees(answer, prefix); !ok {
		return fmt.Errorf("it does not know how to take over; it said %q", answer)
	}
	return nil
}

// replace brings everything to rest and executes the program on disk. If it
// returns, everything goes on.
func (s *session) replace(ctx context.Context) error {
	ctx, cancel := context.WithTimeout(ctx, restTimeout)
	defer cancel()
	s.following()
	if err := s.life.notifier.Reloading(); err != nil {
		s.log.Log(api.LevelWarn, err.Error())
	}
	defer s.follow()
	s.servers.http.Pause()
	defer s.servers.http.Resume()
	s.servers.http.Settle(ctx, func(uint64) bool { return true })
	frozen, err := s.daemon.Freeze(ctx)
	if err != nil {
		return err
	}
	defer frozen.Thaw()
	unanswered := make(map[uint64]bool)
	for _, r := range frozen.Core.Requests {
		unanswered[uint64(r.Req)] = true
	}
	pending := func(req uint64) bool { return unanswered[req] }
	s.servers.http.Settle(ctx, pending)
	servers, err := s.servers.states(pending)
	if err != nil {
		return err
	}
	s.heritage.settle()
	log := s.log.Freeze()
	defer s.log.Thaw()
	state := s.state(frozen, servers, log)
	file, err := upgrade.Write(state)
	if err != nil {
		return err
	}
	defer file.Close()
	defer s.life.lookAgain()
	return upgrade.Exec(s.life.program, os.Args, file, state.descriptors(), s.life.lastSignals)
}

// state is what the program on disk needs to know.
func (s *session) state(d *daemon.State, servers []serverState, log applog.State) *state {
	cfg := *s.servers.config
	cfg.Groups = nil
	return &state{
		Version: stateVersion, Build: build, Program: s.life.program, File: s.life.file,
		Config: &cfg, Daemon: d, Log: log, Servers: servers, Notify: s.life.notifier.State(), Pidfile: s.pidfile,
	}
}

// lastSignals returns the signals that nobody has dealt with. From here on they
// go elsewhere; none may be delivered meanwhile.
func (l *life) lastSignals() (list []syscall.Signal) {
	l.elsewhere = make(chan os.Signal, cap(l.signals))
	signal.Notify(l.elsewhere, noticed...)
	signal.Stop(l.signals) // It returns when all that were delivered are in the channel.
	for len(l.signals) > 0 {
		list = append(list, (<-l.signals).(syscall.Signal))
	}
	for len(l.elsewhere) > 0 {
		<-l.elsewhere // It was in the other, too.
	}
	l.undealt = list
	return list
}

// lookAgain takes lastSignals back.
func (l *life) lookAgain() {
	if l.elsewhere == nil {
		return
	}
	signal.Notify(l.signals, noticed...)
	signal.Stop(l.elsewhere)
	for _, sig := range l.undealt {
		l.give(sig)
	}
	for len(l.elsewhere) > 0 {
		l.give(<-l.elsewhere)
	}
	l.elsewhere, l.undealt = nil, nil
}

// give puts a signal where the daemon finds it, if there is room: who sends so
// many has said enough.
func (l *life) give(sig os.Signal) {
	select {
	case l.signals <- sig:
	default:
	}
}

// programPath returns the path by which this program was started, if it still
// leads there: it may be a link that leads to another version one day.
func programPath() (string, error) {
	if path, err := launch.Resolve(os.Args[:1], launch.CommandPath(nil)); err == nil {
		named, err := os.Stat(path)
		self, selfErr := os.Stat("/proc/self/exe")
		if err == nil && selfErr == nil && os.SameFile(named, self) {
			return filepath.Abs(path)
		}
	}
	return os.Executable()
}

// answer says whether this program understands the state on its standard input,
// and the configuration, and returns its exit status.
func answer(prefix string, args []string) int {
	say := func(text string) { _, _ = os.Stdout.WriteString(text + "\n") } // Nobody else listens.
	flags, err := parseFlags(args[0], args[1:])
	if err != nil {
		say(err.Error())
		return exitUsage
	}
	s, err := readState(os.Stdin)
	if err == nil {
		flags.file = s.File
		err = s.check(flags.load)
	}
	if err != nil {
		say(strings.TrimSpace(err.Error()))
		return exitUsage
	}
	say(upgrade.Answer(prefix, build))
	return exitOK
}

// takeOver goes on where the program before this one was.
func takeOver(flags flags, h *upgrade.Handover) error {
	s, err := readState(h.State)
	if err == nil {
		_, err = core.Restore(core.Options{}, s.Daemon.Core)
	}
	if err != nil {
		// It was asked, and said that it could. What was before it knows how.
		return errors.Join(err, h.GiveBack())
	}
	flags.file = s.File
	life := &life{
		load: flags.load, notifier: notify.Resume(s.Notify), signals: notice(),
		program: s.Program, file: s.File, profiled: flags.profile,
	}
	for _, sig := range h.Signals {
		life.give(sig)
	}
	restart, status, err := life.resume(s, h)
	return life.goOn(s.Config, restart, status, err)
}

// resume does everything from a state to the end of the last program, as run
// does.
func (l *life) resume(s *state, h *upgrade.Handover) (restart bool, status int, err error) {
	log, err := applog.Resume(logOptions(&s.Config.Supervisord), s.Log)
	if err != nil {
		return false, 0, err
	}
	defer log.Close()
	session := &session{life: l, config: s.Config, log: log, pidfile: s.Pidfile, heritage: takeDirectory(s.Config, l.notifier, log)}
	defer session.heritage.close()
	session.daemon, err = daemon.Resume(session.daemonOptions(), s.Daemon)
	if err != nil {
		return false, 0, err
	}
	session.servers = resumeServers(s.Config, session.daemon, log, s.Servers)
	defer session.servers.close()
	if s.Pidfile {
		defer launch.ResumePidfile(s.Config.Supervisord.Pidfile).Remove()
	}
	h.Close()
	if err := launch.CloseOnExec(); err != nil {
		log.Log(api.LevelWarn, "the programs may inherit files: "+err.Error())
	}
	if _, err := launch.RaiseLimits(s.Config.Supervisord.MinFDs, s.Config.Supervisord.MinProcs); err != nil {
		log.Log(api.LevelWarn, err.Error())
	}
	log.Log(api.LevelInfo, fmt.Sprintf("supervisord was upgraded from %s to %s and goes on with pid %d", s.Build, build, os.Getpid()))
	restart, status = session.run()
	return restart, status, nil
}

// load reads the configuration.
func (f *flags) load() (*config.Config, error) {
	return config.Load(config.Options{File: f.file, Overrides: f.overrides, Environ: os.Environ()})
}

// noticed are the signals to supervisord.
var noticed = slices.Concat(
	[]os.Signal{syscall.SIGTERM, syscall.SIGINT, syscall.SIGQUIT, syscall.SIGHUP, syscall.SIGUSR2},
	upgradeSignals(),
)

func upgradeSignals() []os.Signal {
	if !upgrade.Supported {
		return nil
	}
	return []os.Signal{syscall.SIGUSR1}
}
