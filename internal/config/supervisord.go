package config

import (
	"supervisord/internal/api"
	"supervisord/internal/python"
)

// readSupervisord reads the [supervisord] section (manual: Configuration File,
// [supervisord] section settings).
func (l *loader) readSupervisord() {
	o := l.options("supervisord")
	s := &l.config.Supervisord
	s.MinFDs = value(o, "minfds", 1024, integer)
	s.MinProcs = value(o, "minprocs", 200, integer)
	s.Directory = value(o, "directory", "", l.env.existingDirectory)
	s.User = o.text("user", "")
	s.Umask = value(o, "umask", 0o022, umask)
	s.Logfile = value(o, "logfile", "supervisord.log", l.env.existingDirpath)
	s.LogfileMaxBytes = value(o, "logfile_maxbytes", 50<<20, byteSize)
	s.LogfileBackups = value(o, "logfile_backups", 10, integer)
	s.LogfileCompress = value(o, "logfile_compress", false, boolean)
	s.LogfileMaxAge = value(o, "logfile_maxage", 0, days)
	s.LogfileRotate = value(o, "logfile_rotate", api.Never, period("logfile_rotate"))
	s.LogFormat = value(o, "logformat", api.FormatText, oneOf("logformat", api.FormatText, api.FormatJSON))
	s.StdoutFormat = value(o, "stdout_format", api.FormatRaw, logFormat("stdout_format"))
	s.StderrFormat = value(o, "stderr_format", api.FormatRaw, logFormat("stderr_format"))
	s.LogLevel = value(o, "loglevel", api.LevelInfo, loggingLevel)
	s.Pidfile = value(o, "pidfile", "supervisord.pid", l.env.existingDirpath)
	s.Identifier = o.text("identifier", "supervisor")
	s.NoDaemon = value(o, "nodaemon", false, boolean)
	s.Silent = value(o, "silent", false, boolean)
	if s.ChildLogDir = value(o, "childlogdir", "", l.env.existingDirectory); !o.has("childlogdir") {
		s.ChildLogDir = l.env.tempDir()
	}
	s.NoCleanup = value(o, "nocleanup", false, boolean)
	s.StripANSI = value(o, "strip_ansi", false, boolean)
	s.CheckRestart = value(o, "check_before_restart", false, boolean)
	s.ExitOn = value(o, "exit_on", ExitOnNever, exitOn)
	if o.has("user") {
		l.user = &s.User
	}
	settings := l.readEnvironment(o)
	s.Environment = make(map[string]string, len(settings))
	for _, v := range settings {
		s.Environment[v.name] = v.value
		l.env.expansions.Set("ENV_"+v.name, v.value)
	}
}

// readEnvironment reads the environment of [supervisord].
func (l *loader) readEnvironment(o *options) []variable {
	const key = "environment"
	var host python.Dict
	host.Set("host_node_name", l.hostname)
	text := o.expand(key, o.raw(key, ""), python.Scope{&l.common, &host, l.env.expansions})
	settings, err := parseEnvironment(text)
	if err != nil {
		o.fail(key, err)
	}
	if l.problems.seen[place{o.section, key}] {
		l.problems.loseNames("")
	}
	return settings
}

// finishSupervisord works out what depends on both the file and the command
// line.
func (l *loader) finishSupervisord(o *Overrides) {
	s := &l.config.Supervisord
	o.apply(s)
	if o.User != nil {
		l.user = o.User
	}
	s.UID = -1
	if l.user != nil {
		uid, err := userID(*l.user)
		if err != nil {
			l.problems.add(&Error{File: l.file, Section: "supervisord", Key: "user", Text: err.Error()})
		}
		s.UID = uid
	}
	if s.Logfile != "syslog" {
		s.Logfile = l.env.normalizePath(s.Logfile)
	}
	s.Pidfile = l.env.normalizePath(s.Pidfile)
}
