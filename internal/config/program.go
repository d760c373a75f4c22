package config

import (
	"cmp"
	"fmt"
	"slices"
	"strings"
	"syscall"
	"time"

	"supervisord/internal/api"
	"supervisord/internal/python"
)

// maxProcesses limits numprocs.
const maxProcesses = 100_000

// A programReader reads the processes of a [program:x], [eventlistener:x] or
// [fcgi-program:x] section.
type programReader struct {
	*options
	l *loader
	// own holds the names that come from the program's environment=.
	own python.Dict
	// base holds the names of the program, of its group and of the process.
	base python.Dict
	// template is the process without what differs from process to process.
	template Process
	// name is the process_name before its expansions.
	name string
}

func newProgramReader(l *loader, section, group string) *programReader {
	p := &programReader{l: l}
	p.options = l.options(section)
	p.where = fmt.Sprintf(" in section %s (file: %s)", python.Repr(section), python.Repr(p.file))
	_, name, _ := strings.Cut(section, ":")
	p.template.Program = p.options.name("", name)
	p.base.Set("here", l.here)
	p.base.Set("program_name", p.template.Program)
	p.base.Set("host_node_name", l.hostname)
	p.base.Set("group_name", group)
	p.scope = python.Scope{l.env.expansions, &p.base}
	return p
}

// read returns the processes in the order in which they are started (manual:
// Configuration File, [program:x] section settings).
func (p *programReader) read() []*Process {
	p.readTemplate()
	count := value(p.options, "numprocs", 1, integer)
	start := value(p.options, "numprocs_start", 0, integer)
	p.readSettings()
	p.readName(count)
	p.checkGroupSignals()
	p.checkPauses()
	if count > maxProcesses {
		p.failf("numprocs", "numprocs %d is more than %d", count, maxProcesses)
		count = 1
	}
	var processes []*Process
	p.scope = append(p.scope, &p.own)
	for n := start; n < start+count; n++ {
		p.base.SetInt("process_num", n)
		p.base.SetInt("numprocs", count)
		process := p.readProcess()
		if len(process.DependsOn) > 0 {
			p.l.dependents[process] = p.section
		}
		processes = append(processes, process)
		if p.problems.first() != nil {
			break // What is wrong with one is wrong with all, as a rule.
		}
	}
	if slices.ContainsFunc(processes, func(p *Process) bool { return p.ArgvSecrets != nil }) {
		p.warnf("For [%s], command has the content of a file, which every user can see as long as the process runs; "+
			"environment keeps it from others", p.section)
	}
	slices.SortStableFunc(processes, func(a, b *Process) int {
		return cmp.Or(cmp.Compare(a.Priority, b.Priority), cmp.Compare(a.Name, b.Name))
	})
	return processes
}

// readTemplate reads the first part of the settings that all processes of the
// program share.
func (p *programReader) readTemplate() {
	t, o := &p.template, p.options
	t.Priority = value(o, "priority", 999, integer)
	t.Autostart = value(o, "autostart", true, boolean)
	t.Autorestart = value(o, "autorestart", RestartUnexpected, restartPolicy)
	t.StartSecs = value(o, "startsecs", time.Second, seconds)
	t.StartRetries = value(o, "startretries", 3, integer)
	t.StopSignal = value(o, "stopsignal", syscall.SIGTERM, stopSignal)
	t.StopWaitSecs = value(o, "stopwaitsecs", 10*time.Second, seconds)
	t.StopAsGroup = value(o, "stopasgroup", false, boolean)
	t.KillAsGroup = value(o, "killasgroup", t.StopAsGroup, boolean)
	t.ExitCodes = value(o, "exitcodes", []int{0}, exitCodes)
	t.RestartDelay = value(o, "restart_delay", 0, pause)
	t.BackoffMax = value(o, "backoff_max", 0, pause)
	t.BackoffFactor = value(o, "backoff_factor", 0, backoffFactor)
	t.BackoffJitter = value(o, "backoff_jitter", 0, backoffJitter)
	t.ExitOn = value(o, "exit_on", p.l.config.Supervisord.ExitOn, exitOn)
	t.RedirectStderr = value(o, "redirect_stderr", false, boolean)
}

// readSettings reads the second part of the settings that all processes share.
func (p *programReader) readSettings() {
	t, o := &p.template, p.options
	t.Stdout.Format = p.l.config.Supervisord.StdoutFormat
	t.Stderr.Format = p.l.config.Supervisord.StderrFormat
	t.Stdout.CaptureMaxBytes = value(o, "stdout_capture_maxbytes", 0, byteSize)
	t.Stdout.EventsEnabled = value(o, "stdout_events_enabled", false, boolean)
	t.Stderr.CaptureMaxBytes = value(o, "stderr_capture_maxbytes", 0, byteSize)
	t.Stderr.EventsEnabled = value(o, "stderr_events_enabled", false, boolean)
	if t.ServerURL = o.text("serverurl", ""); strings.EqualFold(strip(t.ServerURL), "AUTO") {
		t.ServerURL = ""
	}
	t.UID = value(o, "user", -1, userID)
	t.GID = value(o, "group", -1, groupID)
	t.UserEnvironment = value(o, "user_environment", p.l.config.Supervisord.UserEnvironment, boolean)
	t.DependsOn = value(o, dependsOn, nil, dependencies)
	p.readProbes()
	t.Umask = -1
	if o.has("umask") {
		t.Umask = int(value(o, "umask", 0, umask))
	}
}

// readName reads the process_name, which must tell several processes apart.
func (p *programReader) readName(count int) {
	const key = "process_name"
	p.name = p.options.name(key, p.raw(key, "%(program_name)s"))
	if count > 1 && !strings.Contains(p.name, "%(process_num)") {
		p.failf(key, "%%(process_num) must be present within process_name when numprocs > 1")
	}
}

func (p *programReader) checkGroupSignals() {
	if p.template.StopAsGroup && !p.template.KillAsGroup {
		p.failf("killasgroup", "Cannot set stopasgroup=true and killasgroup=false")
	}
}

func (p *programReader) checkPauses() {
	if t := &p.template; t.BackoffMax > 0 && t.BackoffMax < t.RestartDelay {
		p.failf("backoff_max", "backoff_max must not be less than restart_delay")
	}
}

// readProcess reads what one process has for itself, after process_num was
// set.
func (p *programReader) readProcess() *Process {
	process := p.template
	// The environment comes before what processes of a lower number brought.
	for _, name := range slices.Clone(p.own.Names()) {
		if p.l.env.expansions.Has(name) {
			p.own.Delete(name)
		}
	}
	scope := python.Scope{&p.base, p.l.env.expansions, &p.own}
	p.readEnvironment(&process, scope)
	process.Directory = p.text("directory", "")
	process.Stdout = p.readLog("stdout", process.Stdout, scope)
	process.Stderr = p.readLog("stderr", process.Stderr, scope)
	if process.RedirectStderr {
		if process.Stderr.File.Kind == LogPath {
			p.warnf("For [%s], redirect_stderr=true but stderr_logfile has also been set to a filename, "+
				"the filename has been ignored", p.section)
		}
		process.Stderr.File = LogFile{Kind: LogNone}
	}
	process.Ready.Probe = value(p.options, "ready", Probe{}, probe)
	process.Health.Probe = value(p.options, "health", Probe{}, probe)
	p.readCommand(&process)
	process.Name = p.expand("process_name", p.name, scope)
	return &process
}

// readEnvironment reads the environment of a process, on top of that of
// [supervisord], and makes its names known to other options.
func (p *programReader) readEnvironment(process *Process, scope python.Scope) {
	settings := p.options.environment(scope)
	if p.problems.seen[place{p.section, "environment"}] {
		p.problems.loseNames(p.section)
	}
	e := p.l.shared.with(settings, p.l)
	process.Environment, process.EnvironmentSecrets = e.values, e.secrets
	for _, v := range settings {
		p.own.Set("ENV_"+v.name, v.value)
	}
	process.EnvironmentFiles = value(p.options, "environment_file", p.l.config.Supervisord.EnvironmentFiles, p.l.environmentFiles)
}

func (p *programReader) readCommand(process *Process) {
	const key = "command"
	if !p.has(key) {
		p.failf(key, "program section %s does not specify a command", p.section)
		return
	}
	text, err := p.expandFiles(p.raw(key, ""), p.section+"."+key, p.scope)
	if err != nil {
		p.fail(key, err)
	}
	process.Command = p.files.show(text)
	words, err := split(text)
	switch {
	case err != nil:
		process.CommandError = fmt.Sprintf("can't parse command %s: %s", python.Repr(process.Command), err)
	case len(words) == 0:
		process.CommandError = "command is empty"
	case p.files.marked(words[0]):
		p.failf(key, "the program to run cannot be the content of a file")
	default:
		p.takeArgv(process, words)
	}
}

// takeArgv takes the words of a command, in which files are marked.
func (p *programReader) takeArgv(process *Process, words []string) {
	process.Argv = words
	for i, word := range words {
		if t := p.files.template(word, p.l.fromHere); t != nil {
			if process.ArgvSecrets == nil {
				process.ArgvSecrets = make(map[int]Template)
			}
			process.ArgvSecrets[i] = t
			words[i] = p.files.show(word)
		}
	}
}

// readLog reads the options of one channel that may differ from process to
// process.
func (p *programReader) readLog(channel string, log Log, scope python.Scope) Log {
	key, o := channel+"_logfile", p.options
	isSyslog := false
	if p.has(key) {
		// Expanded once for the section and once more for the process.
		log.File, isSyslog = p.logFile(key, p.expand(key, p.text(key, ""), scope))
	}
	log.Backups = value(o, key+"_backups", 10, integer)
	log.MaxBytes = value(o, key+"_maxbytes", 50<<20, byteSize)
	log.Compress = value(o, key+"_compress", false, boolean)
	log.MaxAge = value(o, key+"_maxage", 0, days)
	log.Rotate = value(o, key+"_rotate", api.Never, period(key+"_rotate"))
	log.Format = value(o, channel+"_format", log.Format, logFormat(channel+"_format"))
	log.Syslog = value(o, channel+"_syslog", false, boolean)
	if isSyslog {
		p.warnf("For [%s], %s=syslog but this is deprecated and will be removed.  "+
			"Use %s_syslog=true to enable syslog instead.", p.section, key, channel)
		log.Syslog = true
	}
	if log.File.Kind == LogAuto && log.MaxBytes == 0 {
		p.warnf("For [%s], AUTO logging used for %s without rollover, set maxbytes > 0 "+
			"to avoid filling up filesystem unintentionally", p.section, key)
	}
	return log
}

// logFile converts the name of a log file, of which some have a meaning.
func (p *programReader) logFile(key, text string) (file LogFile, isSyslog bool) {
	switch strings.ToLower(text) {
	case "none", "off":
		return LogFile{Kind: LogNone}, false
	case "auto":
		return LogFile{Kind: LogAuto}, false
	case "syslog":
		return LogFile{Kind: LogNone}, true
	}
	path, err := p.l.env.existingDirpath(text)
	if err != nil {
		p.fail(key, err)
	}
	return LogFile{Kind: LogPath, Path: path}, false
}

func (p *programReader) warnf(format string, args ...any) {
	p.l.config.Warnings = append(p.l.config.Warnings, fmt.Sprintf(format, args...))
}
