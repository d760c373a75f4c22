package main

import (
	"fmt"
	"os"
	"os/signal"
	"slices"
	"sync"
	"syscall"

	"supervisord/internal/api"
	"supervisord/internal/applog"
	"supervisord/internal/config"
	"supervisord/internal/daemon"
	"supervisord/internal/launch"
	"supervisord/internal/notify"
	"supervisord/internal/upgrade"
)

// serve loads the configuration and runs what it says, again and again as long
// as a restart is asked for.
func serve(flags flags) error {
	// Before anything reads the environment: it is not meant for the programs.
	notifier, notifyErr := notify.FromEnvironment()
	cfg, err := flags.load()
	if err != nil {
		return err
	}
	program, err := programPath()
	if err != nil {
		return fmt.Errorf("find own executable: %w", err)
	}
	background := launch.Detached()
	if !cfg.Supervisord.NoDaemon && background == nil {
		status, err := launch.Detach()
		if err != nil {
			return err
		}
		return exitStatus(status)
	}
	if err := launch.CloseOnExec(); err != nil {
		return err
	}
	if flags.profile {
		stop, err := startProfile(os.Stdout)
		if err != nil {
			return err
		}
		defer stop()
	}
	life := &life{
		load: flags.load, background: background, notifier: notifier, first: true, signals: notice(),
		program: program, file: flags.file, profiled: flags.profile,
	}
	if notifyErr != nil {
		life.warnings = []string{notifyErr.Error()}
	}
	restart, status, err := life.run(cfg)
	return life.goOn(cfg, restart, status, err)
}

// goOn takes what became of a run, and runs again as long as a restart is asked
// for.
func (l *life) goOn(cfg *config.Config, restart bool, status int, err error) error {
	for err == nil && restart {
		l.first = false
		next, failure := l.load()
		if failure != nil {
			lament(&cfg.Supervisord, failure)
			return failure
		}
		cfg = next
		restart, status, err = l.run(cfg)
	}
	if err != nil {
		return err
	}
	return exitStatus(status)
}

// notice returns a channel with the signals to supervisord. It stays in use to
// the very end: a signal that comes while supervisord starts, restarts or tidies
// up must not be its death.
func notice() chan os.Signal {
	signals := make(chan os.Signal, 16)
	signal.Notify(signals, noticed...)
	return signals
}

// lament writes to the activity log why supervisord ends in place of starting
// anew: a daemon has no terminal to say it on.
func lament(s *config.Supervisord, why error) {
	if log, err := openLog(s); err == nil {
		log.Log(api.LevelCritical, "cannot start anew: "+why.Error())
		log.Close()
	}
}

// life is what stays from one start of supervisord to the next.
type life struct {
	load       func() (*config.Config, error)
	background *launch.Daemon // nil in the foreground
	notifier   *notify.Notifier
	signals    chan os.Signal
	warnings   []string // for the activity log
	first      bool
	serial     uint64 // of the next event

	program  string // the file of this program
	file     string // the configuration file
	profiled bool
	// elsewhere is where signals go and undealt what had not been dealt with,
	// while another program takes the place of this one.
	elsewhere chan os.Signal
	undealt   []syscall.Signal
}

// run does everything from a configuration to the end of the last program. It
// reports whether supervisord is to start anew, or else its exit status.
func (l *life) run(cfg *config.Config) (restart bool, status int, err error) {
	s := &cfg.Supervisord
	if l.first && s.UID >= 0 {
		launch.ReserveThreads(launch.Threads) // while the limits of the user do not apply
	}
	critical, info, err := launch.DropPrivileges(s.UID)
	if err != nil {
		return false, 0, err
	}
	criticals, infos := cfg.Criticals, cfg.Infos
	if critical != "" {
		criticals = append(criticals[:len(criticals):len(criticals)], critical)
	}
	if info != "" {
		infos = append(infos[:len(infos):len(infos)], info)
	}
	if l.first {
		raised, err := launch.RaiseLimits(s.MinFDs, s.MinProcs)
		if err != nil {
			return false, 0, err
		}
		infos = append(infos[:len(infos):len(infos)], raised...)
	}
	go launch.ReserveDescriptors(cfg.Groups)
	log, err := openLog(s)
	if err != nil {
		return false, 0, err
	}
	defer log.Close()
	logAll(log, api.LevelCritical, criticals)
	logAll(log, api.LevelWarn, cfg.Warnings)
	logAll(log, api.LevelWarn, launch.WritableWarnings(cfg.Files))
	logAll(log, api.LevelWarn, l.warnings)
	l.warnings = nil
	logAll(log, api.LevelInfo, infos)
	heritage, err := l.inherit(cfg, log)
	if err != nil {
		return false, 0, err
	}
	defer heritage.close()
	if err := daemon.CheckSockets(cfg.Groups, heritage.has, log); err != nil {
		return false, 0, err
	}
	session := &session{life: l, config: cfg, log: log, heritage: heritage}
	session.daemon = daemon.New(session.daemonOptions())
	session.servers, err = openServers(cfg, session.daemon, log)
	if err != nil {
		return false, 0, err
	}
	defer session.servers.close()
	// Not before the sockets are open: the logs may be those of a supervisord
	// that runs and has them.
	if !s.NoCleanup {
		logAll(log, api.LevelWarn, launch.ClearChildLogs(s.ChildLogDir, s.Identifier, heritage.keepsLog))
	}
	session.daemon.CreateLogs()
	if l.first && l.background != nil {
		if err := l.background.Enter(s.Directory, s.Umask, log.Log); err != nil {
			return false, 0, err
		}
	}
	if pidfile, err := launch.WritePidfile(s.Pidfile); err != nil {
		log.Log(api.LevelCritical, err.Error())
	} else {
		session.pidfile = true
		defer pidfile.Remove()
		log.Log(api.LevelInfo, fmt.Sprintf("supervisord started with pid %d", os.Getpid()))
	}
	restart, status = session.run()
	return restart, status, nil
}

// prepare does what must be done before anything is started. A client need not
// wait for it: it took a quarter of the time to the first answer.
func (s *session) prepare() {
	launch.ReserveThreads(launch.Threads)
	if s.life.first {
		logAll(s.log, api.LevelWarn, leftovers(s.config, s.heritage))
	}
	if s.heritage.directory != nil {
		daemon.Refuse(s.heritage.found.Strangers, s.config.Supervisord.AdoptOtherwise, s.log)
	}
}

// session is a configuration that is being run.
type session struct {
	life     *life
	config   *config.Config
	log      *applog.Logger
	daemon   *daemon.Daemon
	servers  *servers
	pidfile  bool // there is one
	heritage *heritage

	busy      sync.Mutex // held by an upgrade
	following func()     // ends what tells the service manager
}

func (s *session) daemonOptions() daemon.Options {
	o := daemon.Options{
		Config: s.config, Log: s.log, Load: s.life.load, Signals: s.life.signals, Serial: s.life.serial,
		Prepare: s.prepare,
		Adopt:   s.heritage.directory, Adopted: s.heritage.found.Survivors,
	}
	if upgrade.Supported {
		o.Upgrade = s.upgrade
	}
	return o
}

// run serves until the last program has ended.
func (s *session) run() (restart bool, status int) {
	s.servers.serve()
	if s.life.first && s.life.background != nil {
		s.life.background.Ready()
	}
	s.follow()
	restart = s.daemon.Run()
	s.heritage.clear()
	s.busy.Lock() // for good
	s.following()
	s.life.serial = s.daemon.Serial()
	return restart, s.daemon.ExitStatus()
}

// follow tells the service manager what becomes of the daemon.
func (s *session) follow() {
	s.following = s.life.notifier.Follow(s.daemon, func(err error) { s.log.Log(api.LevelWarn, err.Error()) })
}

// maxLeftovers is how many processes of an earlier supervisord are reported one
// by one.
const maxLeftovers = 100

// leftovers says which processes of an earlier supervisord go on running.
func leftovers(cfg *config.Config, h *heritage) []string {
	found := slices.DeleteFunc(launch.Leftovers(cfg), func(p launch.Leftover) bool { return h.knows(p.PID) })
	var texts []string
	for _, p := range found[:min(len(found), maxLeftovers)] {
		texts = append(texts, fmt.Sprintf("a process of '%s' from an earlier supervisord is still running with pid %d; "+
			"it is not supervised", p.Namespec, p.PID))
	}
	if more := len(found) - len(texts); more > 0 {
		texts = append(texts, fmt.Sprintf("%d more processes of an earlier supervisord are still running", more))
	}
	return texts
}

func openLog(s *config.Supervisord) (*applog.Logger, error) {
	log, err := applog.Open(logOptions(s))
	if err != nil {
		return nil, fmt.Errorf("cannot open the log file %s: %w", s.Logfile, err)
	}
	return log, nil
}

func logOptions(s *config.Supervisord) applog.Options {
	return applog.Options{
		Level: s.LogLevel, Path: s.Logfile,
		MaxBytes: s.LogfileMaxBytes, Backups: s.LogfileBackups,
		Compress: s.LogfileCompress, MaxAge: s.LogfileMaxAge, Every: s.LogfileRotate,
		JSON: s.LogFormat == api.FormatJSON, Stdout: s.NoDaemon && !s.Silent,
	}
}

func logAll(log *applog.Logger, level api.LogLevel, texts []string) {
	for _, text := range texts {
		log.Log(level, text)
	}
}
