package main

import (
	"fmt"
	"os"
	"os/signal"
	"syscall"

	"supervisord/internal/api"
	"supervisord/internal/applog"
	"supervisord/internal/config"
	"supervisord/internal/daemon"
	"supervisord/internal/launch"
	"supervisord/internal/notify"
)

// serve loads the configuration and runs what it says, again and again as long
// as a restart is asked for.
func serve(flags flags) error {
	// Before anything reads the environment: it is not meant for the programs.
	notifier, notifyErr := notify.FromEnvironment()
	load := func() (*config.Config, error) {
		return config.Load(config.Options{File: flags.file, Overrides: flags.overrides, Environ: os.Environ()})
	}
	cfg, err := load()
	if err != nil {
		return err
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
	launch.ReserveThreads(launch.Threads)
	if flags.profile {
		stop, err := startProfile(os.Stdout)
		if err != nil {
			return err
		}
		defer stop()
	}
	life := &life{load: load, background: background, notifier: notifier, first: true, signals: notice()}
	if notifyErr != nil {
		life.warnings = []string{notifyErr.Error()}
	}
	for {
		restart, status, err := life.run(cfg)
		if err != nil {
			return err
		}
		if !restart {
			return exitStatus(status)
		}
		life.first = false
		next, err := load()
		if err != nil {
			lament(&cfg.Supervisord, err)
			return err
		}
		cfg = next
	}
}

// notice returns a channel with the signals to supervisord. It stays in use to
// the very end: a signal that comes while supervisord starts, restarts or tidies
// up must not be its death.
func notice() <-chan os.Signal {
	signals := make(chan os.Signal, 16)
	signal.Notify(signals, syscall.SIGTERM, syscall.SIGINT, syscall.SIGQUIT, syscall.SIGHUP, syscall.SIGUSR2)
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
	signals    <-chan os.Signal
	warnings   []string // for the activity log
	first      bool
	serial     uint64 // of the next event
}

// run does everything from a configuration to the end of the last program. It
// reports whether supervisord is to start anew, or else its exit status.
func (l *life) run(cfg *config.Config) (restart bool, status int, err error) {
	s := &cfg.Supervisord
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
	if err := daemon.CheckSockets(cfg.Groups, log); err != nil {
		return false, 0, err
	}
	d := daemon.New(daemon.Options{Config: cfg, Log: log, Load: l.load, Signals: l.signals, Serial: l.serial})
	servers, err := openServers(cfg, d, log)
	if err != nil {
		return false, 0, err
	}
	defer servers.close()
	// Not before the sockets are open: the logs may be those of a supervisord
	// that runs and has them.
	if !s.NoCleanup {
		logAll(log, api.LevelWarn, launch.ClearChildLogs(s.ChildLogDir, s.Identifier))
	}
	d.CreateLogs()
	if l.first && l.background != nil {
		if err := l.background.Enter(s.Directory, s.Umask, log.Log); err != nil {
			return false, 0, err
		}
	}
	if pidfile, err := launch.WritePidfile(s.Pidfile); err != nil {
		log.Log(api.LevelCritical, err.Error())
	} else {
		defer pidfile.Remove()
		log.Log(api.LevelInfo, fmt.Sprintf("supervisord started with pid %d", os.Getpid()))
	}
	if l.first {
		logAll(log, api.LevelWarn, leftovers(cfg))
	}
	servers.serve()
	if l.first && l.background != nil {
		l.background.Ready()
	}
	stop := l.notifier.Follow(d, func(err error) { log.Log(api.LevelWarn, err.Error()) })
	defer stop()
	restart = d.Run()
	l.serial = d.Serial()
	return restart, d.ExitStatus(), nil
}

// maxLeftovers is how many processes of an earlier supervisord are reported one
// by one.
const maxLeftovers = 100

// leftovers says which processes of an earlier supervisord go on running.
func leftovers(cfg *config.Config) []string {
	found := launch.Leftovers(cfg)
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
	log, err := applog.Open(applog.Options{
		Level: s.LogLevel, Path: s.Logfile,
		MaxBytes: s.LogfileMaxBytes, Backups: s.LogfileBackups,
		Compress: s.LogfileCompress, MaxAge: s.LogfileMaxAge, Every: s.LogfileRotate,
		JSON: s.LogFormat == api.FormatJSON, Stdout: s.NoDaemon && !s.Silent,
	})
	if err != nil {
		return nil, fmt.Errorf("cannot open the log file %s: %w", s.Logfile, err)
	}
	return log, nil
}

func logAll(log *applog.Logger, level api.LogLevel, texts []string) {
	for _, text := range texts {
		log.Log(level, text)
	}
}
