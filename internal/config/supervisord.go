package config

import (
	"fmt"
	"strings"

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
	s.Adopt = value(o, "adopt", false, boolean)
	s.AdoptDirectory = value(o, "adopt_directory", "", l.env.existingDirpath)
	s.AdoptOtherwise = value(o, "adopt_otherwise", LeaveOrphans, orphanPolicy)
	if o.has("user") {
		l.user = &s.User
	}
	settings := l.readEnvironment(o)
	l.shared = environment{values: map[string]string{}}.with(settings, l)
	s.Environment = l.shared.values
	for _, v := range settings {
		l.env.expansions.Set("ENV_"+v.name, v.value)
	}
	s.EnvironmentFiles = value(o, "environment_file", nil, l.environmentFiles)
	s.UserEnvironment = value(o, "user_environment", false, boolean)
}

// readEnvironment reads the environment of [supervisord].
func (l *loader) readEnvironment(o *options) []variable {
	const key = "environment"
	var host python.Dict
	host.Set("host_node_name", l.hostname)
	settings := o.environment(python.Scope{&l.common, &host, l.env.expansions})
	if l.problems.seen[place{o.section, key}] {
		l.problems.loseNames("")
	}
	return settings
}

// environment returns the settings of environment=, in which files are marked.
func (o *options) environment(scope python.Scope) []variable {
	const key = "environment"
	text, err := o.expandFiles(o.raw(key, ""), key, scope)
	if err != nil {
		o.fail(key, err)
		return nil
	}
	settings, err := parseEnvironment(text, o.files)
	if err != nil {
		o.fail(key, err)
	}
	return settings
}

// environmentFiles converts a list of files, each optional if a "-" stands in
// front.
func (l *loader) environmentFiles(text string) ([]EnvironmentFile, error) {
	names, err := listOfStrings(text)
	if err != nil {
		return nil, err
	}
	var files []EnvironmentFile
	for _, name := range names {
		path, optional := strings.CutPrefix(name, "-")
		if path = strip(path); path == "" {
			return nil, fmt.Errorf("not a list of files: %s", python.Repr(text))
		}
		files = append(files, EnvironmentFile{Path: l.fromHere(path), Optional: optional})
	}
	return files, nil
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
	if s.AdoptDirectory == "" {
		s.AdoptDirectory = strings.TrimSuffix(s.Pidfile, ".pid") + ".adopt"
	}
	s.AdoptDirectory = l.env.normalizePath(s.AdoptDirectory)
}
