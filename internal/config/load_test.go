package config

import (
	"errors"
	"os"
	"path/filepath"
	"reflect"
	"slices"
	"strings"
	"testing"

	"supervisord/internal/api"
)

// writeFiles writes files below a new directory and returns it. The text of a
// file stands behind its name.
func writeFiles(t *testing.T, files ...string) string {
	t.Helper()
	dir := t.TempDir()
	for i := 0; i < len(files); i += 2 {
		path := filepath.Join(dir, files[i])
		if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
			t.Fatal(err)
		}
		writeFile(t, path, files[i+1])
	}
	return dir
}

func writeFile(tb testing.TB, path, text string) {
	tb.Helper()
	if err := os.WriteFile(path, []byte(text), 0o644); err != nil {
		tb.Fatal(err)
	}
}

// loadText loads a configuration with a minimal environment.
func loadText(t *testing.T, text string) (*Config, error) {
	t.Helper()
	dir := writeFiles(t, "s.conf", text)
	return Load(Options{File: filepath.Join(dir, "s.conf"), Environ: []string{"X=x"}, Hostname: "host"})
}

const (
	daemonSection  = "[supervisord]\n"
	programSection = daemonSection + "[program:p]\ncommand=c\n"
	inProgram      = " in section 'program:p' (file: 'FILE')"
)

// TestLoadErrors has a bad value for every option, and everything else that
// makes a configuration unusable. FILE stands for the file's name.
func TestLoadErrors(t *testing.T) {
	for _, c := range []struct {
		text         string
		section, key string
		want         string
	}{
		{"", "", "", ".ini file does not include supervisord section"},
		{"junk\n", "", "", "File contains no section headers.\nfile: 'FILE', line: 1\n'junk\\n'"},
		{"\ufeff[supervisord]\n", "", "", "File contains no section headers.\nfile: 'FILE', line: 1\n'\\ufeff[supervisord]\\n'"},
		{"[supervisord]\njunk\n=x\n", "", "", "Source contains parsing errors: 'FILE'\n\t[line  2]: 'junk\\n'\n\t[line  3]: '=x\\n'"},
		{"[s]\n\xff", "", "", "'utf-8' codec can't decode byte 0xff in position 4: invalid start byte"},

		{daemonSection + "minfds=abc", "supervisord", "minfds", "invalid literal for int() with base 10: 'abc'"},
		{programSection + "ready_timeout=-1", "program:p", "ready_timeout", "-1 is below lower bound (0)" + inProgram},
		{programSection + "ready_interval=0", "program:p", "ready_interval", "0 is below lower bound (1)" + inProgram},
		{programSection + "health_interval=0", "program:p", "health_interval", "0 is below lower bound (1)" + inProgram},
		{programSection + "health_timeout=0", "program:p", "health_timeout", "0 is below lower bound (1)" + inProgram},
		{programSection + "health_retries=0", "program:p", "health_retries", "0 is below lower bound (1)" + inProgram},
		{daemonSection + "minprocs=1.5", "supervisord", "minprocs", "invalid literal for int() with base 10: '1.5'"},
		{daemonSection + "directory=/no/such", "supervisord", "directory", "/no/such is not an existing directory"},
		{daemonSection + "umask=9", "supervisord", "umask", "9 can not be converted to an octal type"},
		{daemonSection + "logfile=/no/such/x", "supervisord", "logfile", "The directory named as part of the path /no/such/x does not exist"},
		{daemonSection + "logfile_maxbytes=1ZB", "supervisord", "logfile_maxbytes", "invalid literal for int() with base 10: '1zb'"},
		{daemonSection + "logfile_backups=x", "supervisord", "logfile_backups", "invalid literal for int() with base 10: 'x'"},
		{daemonSection + "logfile_compress=x", "supervisord", "logfile_compress", "not a valid boolean value: 'x'"},
		{daemonSection + "logfile_maxage=-1", "supervisord", "logfile_maxage", "-1 is below lower bound (0)"},
		{daemonSection + "logfile_rotate=weekly", "supervisord", "logfile_rotate", "invalid 'logfile_rotate' value 'weekly': it is one of never, hourly, daily"},
		{daemonSection + "logformat=raw", "supervisord", "logformat", "invalid 'logformat' value 'raw': it is one of text, json"},
		{daemonSection + "stdout_format=x", "supervisord", "stdout_format", "invalid 'stdout_format' value 'x': it is one of raw, text, json"},
		{daemonSection + "stderr_format=", "supervisord", "stderr_format", "invalid 'stderr_format' value '': it is one of raw, text, json"},
		{daemonSection + "loglevel=Loud", "supervisord", "loglevel", "bad logging level name 'Loud'"},
		{daemonSection + "pidfile=/no/such/x", "supervisord", "pidfile", "The directory named as part of the path /no/such/x does not exist"},
		{daemonSection + "nodaemon=maybe", "supervisord", "nodaemon", "not a valid boolean value: 'maybe'"},
		{daemonSection + "silent=", "supervisord", "silent", "not a valid boolean value: ''"},
		{daemonSection + "childlogdir=/no/such", "supervisord", "childlogdir", "/no/such is not an existing directory"},
		{daemonSection + "nocleanup=x", "supervisord", "nocleanup", "not a valid boolean value: 'x'"},
		{daemonSection + "strip_ansi=x", "supervisord", "strip_ansi", "not a valid boolean value: 'x'"},
		{daemonSection + "environment=A", "supervisord", "environment", "Unexpected end of key/value pairs in value 'A'"},
		{daemonSection + "environment=A='", "supervisord", "environment", "No closing quotation"},
		{daemonSection + "exit_on=true", "supervisord", "exit_on", "invalid 'exit_on' value 'true': it is one of never, fatal, exit"},
		{daemonSection + "user=nosuchuser", "supervisord", "user", "Invalid user name nosuchuser"},
		{daemonSection + "user=54321", "supervisord", "user", "Invalid user id 54321"},
		{daemonSection + "identifier=%(program_name)s", "supervisord", "identifier", "Format string '%(program_name)s' for " +
			"'supervisord.identifier' contains names ('program_name') which cannot be expanded. Available names: ENV_X, here"},
		{daemonSection + "environment=A=%(nope)s", "supervisord", "environment", "Format string 'A=%(nope)s' for " +
			"'environment' contains names ('nope') which cannot be expanded. Available names: ENV_X, here, host_node_name"},
		{daemonSection + "identifier=100%", "supervisord", "identifier",
			"Format string '100%' for 'supervisord.identifier' is badly formatted: incomplete format"},

		{daemonSection + "[include]\n", "include", "", ".ini file has [include] section, but no files setting"},
		{daemonSection + "[include]\nfiles=%(x)s", "include", "files", "Format string '%(x)s' for 'include.files' contains names ('x') " +
			"which cannot be expanded. Available names: ENV_X, here, host_node_name"},

		{daemonSection + "[rpcinterface:x]\n", "rpcinterface:x", "supervisor.rpcinterface_factory",
			"section [rpcinterface:x] does not specify a supervisor.rpcinterface_factory"},
		{daemonSection + "[rpcinterface:x]\nsupervisor.rpcinterface_factory=a.b:c", "rpcinterface:x", "supervisor.rpcinterface_factory",
			"a.b:c cannot be resolved within [rpcinterface:x]: plugins written in Python cannot be loaded"},
		{daemonSection + "[inet_http_server]\nport=1\n[rpcinterface:x]\nsupervisor.rpcinterface_factory=supervisor.rpcinterface:make_main_rpcinterface\nk=v",
			"rpcinterface:x", "", "Could not make x rpc interface"},

		{daemonSection + "[inet_http_server]\n", "inet_http_server", "port", "section [inet_http_server] has no port value"},
		{daemonSection + "[inet_http_server]\nport=x", "inet_http_server", "port", "not a valid port number: 'x' "},
		{daemonSection + "[inet_http_server]\nport=h:", "inet_http_server", "port", "no port number specified in ''"},
		{daemonSection + "[inet_http_server]\nport=h:0", "inet_http_server", "port", "0 is below lower bound (1)"},
		{daemonSection + "[inet_http_server]\nport=h:65536", "inet_http_server", "port", "65536 is above upper bound (65535)"},
		{daemonSection + "[inet_http_server]\nport=1\nusername=u", "inet_http_server", "", "Section [inet_http_server] contains incomplete " +
			"authentication: If a username or a password is specified, both the username and password must be specified"},
		{daemonSection + "[unix_http_server:x]\n", "unix_http_server:x", "file", "section [unix_http_server:x] has no file value"},
		{daemonSection + "[unix_http_server]\nfile=x\nchmod=8", "unix_http_server", "chmod", "Invalid chmod value 8"},
		{daemonSection + "[unix_http_server]\nfile=x\nchown=nosuch", "unix_http_server", "chown", "Invalid sockchown value nosuch"},

		{daemonSection + "[program:p]\n", "program:p", "command", "program section program:p does not specify a command" + inProgram},
		{daemonSection + "[program:a b]\ncommand=c", "program:a b", "", "Invalid name: 'a b' because of character: ' '"},
		{programSection + "process_name=a:b", "program:p", "process_name", "Invalid name: 'a:b' because of character: ':'" + inProgram},
		{programSection + "process_name=%(x)s", "program:p", "process_name", "Format string '%(x)s' for 'process_name' contains names ('x') which cannot be " +
			"expanded. Available names: ENV_X, group_name, here, host_node_name, numprocs, process_num, program_name" + inProgram},
		{programSection + "numprocs=2", "program:p", "process_name",
			"%(process_num) must be present within process_name when numprocs > 1" + inProgram},
		{programSection + "numprocs=x", "program:p", "numprocs", "invalid literal for int() with base 10: 'x'" + inProgram},
		{programSection + "numprocs=100001\nprocess_name=%(process_num)s", "program:p", "numprocs", "numprocs 100001 is more than 100000" + inProgram},
		{programSection + "numprocs_start=x", "program:p", "numprocs_start", "invalid literal for int() with base 10: 'x'" + inProgram},
		{programSection + "priority=x", "program:p", "priority", "invalid literal for int() with base 10: 'x'"},
		{programSection + "autostart=x", "program:p", "autostart", "not a valid boolean value: 'x'" + inProgram},
		{programSection + "autorestart=X", "program:p", "autorestart", "invalid 'autorestart' value 'x'" + inProgram},
		{programSection + "startsecs=x", "program:p", "startsecs", "invalid literal for int() with base 10: 'x'" + inProgram},
		{programSection + "startretries=x", "program:p", "startretries", "invalid literal for int() with base 10: 'x'" + inProgram},
		{programSection + "exitcodes=0,256", "program:p", "exitcodes", "not a valid list of exit codes: '0,256'" + inProgram},
		{programSection + "restart_delay=1s", "program:p", "restart_delay", "not a valid number: '1s'" + inProgram},
		{programSection + "restart_delay=-1", "program:p", "restart_delay", "-1 is below lower bound (0)" + inProgram},
		{programSection + "backoff_max=86400.5", "program:p", "backoff_max", "86400.5 is above upper bound (86400)" + inProgram},
		{programSection + "restart_delay=10\nbackoff_max=9.9", "program:p", "backoff_max",
			"backoff_max must not be less than restart_delay" + inProgram},
		{programSection + "backoff_factor=0.9", "program:p", "backoff_factor", "0.9 is below lower bound (1)" + inProgram},
		{programSection + "backoff_factor=inf", "program:p", "backoff_factor", "not a valid number: 'inf'" + inProgram},
		{programSection + "backoff_jitter=20%%", "program:p", "backoff_jitter", "not a valid number: '20%'" + inProgram},
		{programSection + "backoff_jitter=1.1", "program:p", "backoff_jitter", "1.1 is above upper bound (1)" + inProgram},
		{programSection + "exit_on=Fatality", "program:p", "exit_on",
			"invalid 'exit_on' value 'Fatality': it is one of never, fatal, exit" + inProgram},
		{programSection + "stopsignal=X", "program:p", "stopsignal", "value 'X' is not a valid signal name" + inProgram},
		{programSection + "stopwaitsecs=x", "program:p", "stopwaitsecs", "invalid literal for int() with base 10: 'x'" + inProgram},
		{programSection + "stopasgroup=x", "program:p", "stopasgroup", "not a valid boolean value: 'x'" + inProgram},
		{programSection + "killasgroup=x", "program:p", "killasgroup", "not a valid boolean value: 'x'" + inProgram},
		{programSection + "stopasgroup=1\nkillasgroup=0", "program:p", "killasgroup",
			"Cannot set stopasgroup=true and killasgroup=false" + inProgram},
		{programSection + "redirect_stderr=x", "program:p", "redirect_stderr", "not a valid boolean value: 'x'" + inProgram},
		{programSection + "user=nosuchuser", "program:p", "user", "Invalid user name nosuchuser" + inProgram},
		{programSection + "umask=x", "program:p", "umask", "x can not be converted to an octal type" + inProgram},
		{programSection + "environment=A=", "program:p", "environment", "Unexpected end of key/value pairs in value 'A='" + inProgram},
		{programSection + "stdout_logfile=/no/such/x", "program:p", "stdout_logfile",
			"The directory named as part of the path /no/such/x does not exist" + inProgram},
		{programSection + "stdout_logfile_maxbytes=x", "program:p", "stdout_logfile_maxbytes", "invalid literal for int() with base 10: 'x'" + inProgram},
		{programSection + "stdout_logfile_backups=x", "program:p", "stdout_logfile_backups", "invalid literal for int() with base 10: 'x'" + inProgram},
		{programSection + "stdout_logfile_compress=x", "program:p", "stdout_logfile_compress", "not a valid boolean value: 'x'" + inProgram},
		{programSection + "stdout_logfile_maxage=x", "program:p", "stdout_logfile_maxage", "invalid literal for int() with base 10: 'x'" + inProgram},
		{programSection + "stdout_logfile_rotate=1d", "program:p", "stdout_logfile_rotate",
			"invalid 'stdout_logfile_rotate' value '1d': it is one of never, hourly, daily" + inProgram},
		{programSection + "stderr_logfile_rotate=", "program:p", "stderr_logfile_rotate",
			"invalid 'stderr_logfile_rotate' value '': it is one of never, hourly, daily" + inProgram},
		{programSection + "stdout_format=xml", "program:p", "stdout_format", "invalid 'stdout_format' value 'xml': it is one of raw, text, json" + inProgram},
		{programSection + "stderr_format=1", "program:p", "stderr_format", "invalid 'stderr_format' value '1': it is one of raw, text, json" + inProgram},
		{programSection + "stdout_capture_maxbytes=x", "program:p", "stdout_capture_maxbytes", "invalid literal for int() with base 10: 'x'" + inProgram},
		{programSection + "stdout_events_enabled=x", "program:p", "stdout_events_enabled", "not a valid boolean value: 'x'" + inProgram},
		{programSection + "stdout_syslog=x", "program:p", "stdout_syslog", "not a valid boolean value: 'x'" + inProgram},
		{programSection + "stderr_logfile=%(x)s", "program:p", "stderr_logfile", "Format string '%(x)s' for 'program:p.stderr_logfile' contains names ('x') which " +
			"cannot be expanded. Available names: ENV_X, group_name, here, host_node_name, numprocs, process_num, program_name" + inProgram},
		{programSection + "stderr_logfile_maxage=-3", "program:p", "stderr_logfile_maxage", "-3 is below lower bound (0)" + inProgram},
		{programSection + "directory=%z", "program:p", "directory", "Format string '%z' for 'program:p.directory' is badly formatted: " +
			"unsupported format character 'z' (0x7a) at index 1" + inProgram},

		{daemonSection + "[group:g]\nprograms=nope", "group:g", "programs", "[group:g] names unknown program or fcgi-program nope"},
		{programSection + "[group:g]\nprograms=p,nope", "group:g", "programs", "[group:g] names unknown program or fcgi-program nope"},
		{programSection + "[fcgi-program:p]\n[group:g]\nprograms=p", "group:g", "programs",
			"[group:g] name p is ambiguous (exists as program and fcgi-program)"},
		{programSection + "[group:g h]\nprograms=p", "group:g h", "", "Invalid name: 'g h' because of character: ' '"},
		{programSection + "[group:g]\nprograms=p\npriority=x", "group:g", "priority", "invalid literal for int() with base 10: 'x'"},

		{daemonSection + "[eventlistener:l]\ncommand=c", "eventlistener:l", "events", "[eventlistener:l] section requires an \"events\" line"},
		{daemonSection + "[eventlistener:l]\ncommand=c\nevents=nope", "eventlistener:l", "events", "Unknown event type NOPE in [eventlistener:l] events"},
		{daemonSection + "[eventlistener:l]\ncommand=c\nevents=EVENT\nbuffer_size=0", "eventlistener:l", "buffer_size",
			"[eventlistener:l] section sets invalid buffer_size (0)"},
		{daemonSection + "[eventlistener:l]\ncommand=c\nevents=EVENT\nredirect_stderr=1", "eventlistener:l", "redirect_stderr",
			"[eventlistener:l] section sets redirect_stderr=true but this is not allowed because it will interfere with the eventlistener protocol"},
		{daemonSection + "[eventlistener:l]\ncommand=c\nevents=EVENT\nresult_handler=a:b", "eventlistener:l", "result_handler",
			"a:b cannot be resolved within [eventlistener:l]: plugins written in Python cannot be loaded"},

		{daemonSection + "[fcgi-program:f]\ncommand=c", "fcgi-program:f", "socket", "[fcgi-program:f] section requires a \"socket\" line"},
		{daemonSection + "[fcgi-program:f]\ncommand=c\nsocket=tcp://h", "fcgi-program:f", "socket",
			"('Bad socket format %s', 'tcp://h') in [fcgi-program:f] socket"},
		{daemonSection + "[fcgi-program:f]\ncommand=c\nsocket=unix://x", "fcgi-program:f", "socket",
			"('Unix socket path %s is not an absolute path', 'x') in [fcgi-program:f] socket"},
		{daemonSection + "[fcgi-program:f]\ncommand=c\nsocket=tcp://h:1\nsocket_mode=0700", "fcgi-program:f", "socket",
			"socket_owner and socket_mode params should only be used with a Unix domain socket in [fcgi-program:f] socket"},
		{daemonSection + "[fcgi-program:f]\ncommand=c\nsocket=unix:///x\nsocket_backlog=0", "fcgi-program:f", "socket_backlog", "Invalid socket_backlog value 0"},
		{daemonSection + "[fcgi-program:f]\ncommand=c\nsocket=unix:///x\nsocket_owner=nosuch", "fcgi-program:f", "socket_owner", "Invalid socket_owner value nosuch"},
		{daemonSection + "[fcgi-program:f]\ncommand=c\nsocket=unix:///x\nsocket_mode=8", "fcgi-program:f", "socket_mode", "Invalid socket_mode value 8"},
	} {
		_, err := loadText(t, c.text)
		var located *Error
		if !errors.As(err, &located) {
			t.Errorf("%q: error %v, want %s", c.text, err, c.want)
			continue
		}
		if got := strings.ReplaceAll(err.Error(), located.File, "FILE"); got != c.want || located.Section != c.section || located.Key != c.key {
			t.Errorf("%q: error [%s] %s: %s\nwant [%s] %s: %s", c.text, located.Section, located.Key, got, c.section, c.key, c.want)
		}
	}
}

func TestLoadFileErrors(t *testing.T) {
	dir := t.TempDir()
	for file, want := range map[string]string{
		filepath.Join(dir, "none"): "could not find config file " + filepath.Join(dir, "none"),
		dir:                        "could not read config file " + dir,
		"":                         "could not find config file ",
		"/dev/zero":                "config file is larger than 67108864 bytes",
	} {
		if _, err := Load(Options{File: file}); err == nil || err.Error() != want {
			t.Errorf("Load(%q): error %v, want %s", file, err, want)
		}
	}
}

// TestIncludeErrors makes sure that an error names the file it is in.
func TestIncludeErrors(t *testing.T) {
	for _, c := range []struct{ included, want string }{
		{"[program:q]\ncommand=c\nstartsecs=x\n", "invalid literal for int() with base 10: 'x' in section 'program:q' (file: 'DIR/q.conf')"},
		{"junk\n", "File contains no section headers.\nfile: 'DIR/q.conf', line: 1\n'junk\\n'"},
		{"[s]\n\xe9\n", "'utf-8' codec can't decode byte 0xe9 in position 4: invalid continuation byte"},
	} {
		dir := writeFiles(t, "s.conf", programSection+"[include]\nfiles=*.conf", "q.conf", c.included)
		_, err := Load(Options{File: filepath.Join(dir, "s.conf")})
		var located *Error
		if !errors.As(err, &located) || strings.ReplaceAll(err.Error(), dir, "DIR") != c.want || located.File != filepath.Join(dir, "q.conf") {
			t.Errorf("%q: error %v, want %s", c.included, err, c.want)
		}
	}
}

func TestIncludeMessages(t *testing.T) {
	dir := writeFiles(t, "s.conf", programSection+"[include]\nfiles=d/*.conf none*.conf d\n", "d/b.conf", "", "d/a.conf", "")
	cfg, err := Load(Options{File: filepath.Join(dir, "s.conf")})
	if err != nil {
		t.Fatal(err)
	}
	text := strings.ReplaceAll(strings.Join(append(cfg.Warnings, cfg.Infos...), "\n"), dir, "DIR")
	want := `No file matches via include "DIR/none*.conf"
Included extra file "DIR/d/a.conf" during parsing
Included extra file "DIR/d/b.conf" during parsing
Included extra file "DIR/d" during parsing`
	if text != want {
		t.Errorf("got\n%s\nwant\n%s", text, want)
	}
}

func TestProgramWarnings(t *testing.T) {
	cfg, err := loadText(t, daemonSection+`[program:p]
command=c
numprocs=2
process_name=%(process_num)d
stdout_logfile=SYSLOG
stderr_logfile_maxbytes=0
[program:q]
command=c
redirect_stderr=true
stderr_logfile=/tmp/x
`)
	if err != nil {
		t.Fatal(err)
	}
	syslog := "For [program:p], stdout_logfile=syslog but this is deprecated and will be removed.  " +
		"Use stdout_syslog=true to enable syslog instead."
	auto := "For [program:p], AUTO logging used for stderr_logfile without rollover, " +
		"set maxbytes > 0 to avoid filling up filesystem unintentionally"
	redirect := "For [program:q], redirect_stderr=true but stderr_logfile has also been set to a filename, the filename has been ignored"
	if want := []string{syslog, auto, syslog, auto, redirect}; !reflect.DeepEqual(cfg.Warnings, want) {
		t.Errorf("got\n%s\nwant\n%s", strings.Join(cfg.Warnings, "\n"), strings.Join(want, "\n"))
	}
}

func TestOverrides(t *testing.T) {
	dir := writeFiles(t, "s.conf", daemonSection+"user=nosuchuser\nlogfile=a.log\nminfds=1\nloglevel=warn\n")
	var o Overrides
	for name, text := range map[string]string{
		"nodaemon": "", "silent": "", "nocleanup": "", "strip_ansi": "", "user": "0", "umask": "077", "directory": dir, "logfile": "syslog",
		"logfile_maxbytes": "3KB", "logfile_backups": "4", "loglevel": "debug", "pidfile": dir + "/../p", "identifier": "me",
		"childlogdir": dir, "minfds": "5", "minprocs": "6",
	} {
		if err := o.Set(name, text); err != nil {
			t.Fatal(err)
		}
	}
	cfg, err := Load(Options{File: filepath.Join(dir, "s.conf"), Overrides: o})
	if err != nil {
		t.Fatal(err)
	}
	want := Supervisord{
		Logfile: "syslog", LogfileMaxBytes: 3072, LogfileBackups: 4, LogFormat: api.FormatText, LogLevel: 10, Pidfile: filepath.Dir(dir) + "/p", Identifier: "me",
		ChildLogDir: dir, Directory: dir, Umask: 0o77, UID: 0, User: "0", MinFDs: 5, MinProcs: 6,
		NoDaemon: true, Silent: true, NoCleanup: true, StripANSI: true, AdoptDirectory: filepath.Dir(dir) + "/p.adopt", Environment: map[string]string{},
	}
	if !reflect.DeepEqual(cfg.Supervisord, want) {
		t.Errorf("got  %+v\nwant %+v", cfg.Supervisord, want)
	}
}

func TestOverrideErrors(t *testing.T) {
	var o Overrides
	for _, c := range []struct{ name, text, want string }{
		{"umask", "9", "9 can not be converted to an octal type"},
		{"directory", "/no/such", "/no/such is not an existing directory"},
		{"logfile", "/no/such/x", "The directory named as part of the path /no/such/x does not exist"},
		{"logfile_maxbytes", "1zb", "invalid literal for int() with base 10: '1zb'"},
		{"logfile_backups", "x", "invalid literal for int() with base 10: 'x'"},
		{"loglevel", "loud", "bad logging level name 'loud'"},
		{"pidfile", "/no/such/x", "The directory named as part of the path /no/such/x does not exist"},
		{"childlogdir", "/no/such", "/no/such is not an existing directory"},
		{"minfds", "x", "invalid literal for int() with base 10: 'x'"},
		{"minprocs", "", "invalid literal for int() with base 10: ''"},
		{"other", "", "no option is named other"},
	} {
		if err := o.Set(c.name, c.text); err == nil || err.Error() != c.want {
			t.Errorf("Set(%s, %q): error %v, want %s", c.name, c.text, err, c.want)
		}
	}
	if !reflect.DeepEqual(o, Overrides{}) {
		t.Errorf("a bad value was kept: %+v", o)
	}
}

func TestServerURL(t *testing.T) {
	const inet, second, unix = "[inet_http_server]\nport=9001\n", "[inet_http_server:x]\nport=[::1]:9002\n", "[unix_http_server]\nfile=/s\n"
	for text, want := range map[string]string{
		"":                   "",
		inet:                 "http://localhost:9001",
		inet + second:        "http://[::1]:9002",
		inet + unix + second: "unix:///s",
	} {
		cfg, err := loadText(t, daemonSection+text)
		if err != nil {
			t.Fatal(err)
		}
		if cfg.ServerURL != want {
			t.Errorf("%q: %s, want %s", text, cfg.ServerURL, want)
		}
	}
}

func TestHostname(t *testing.T) {
	cfg, err := loadText(t, "[supervisord]\nenvironment=H=%(host_node_name)s\n[program:p]\ncommand=%(host_node_name)s %(ENV_H)s\n")
	if err != nil {
		t.Fatal(err)
	}
	if got := cfg.Groups[0].Processes[0].Command; got != "host host" {
		t.Errorf("command %q", got)
	}
}

// TestDependencies has what depends_on can and cannot name.
func TestDependencies(t *testing.T) {
	const file = daemonSection + "[program:a]\ncommand=c\ndepends_on=%s\n[program:b]\ncommand=c\ndepends_on=\n" +
		"[program:n]\ncommand=c\nprocess_name=n%%(process_num)d\nnumprocs=2\n[group:g]\nprograms=n,m\n[program:m]\ncommand=c\n" +
		"[program:d]\ncommand=c\ndepends_on=a\n"
	for _, c := range []struct{ value, want, problem string }{
		{"b", "b", ""},
		{" b , n,", "g:n0 g:n1 b", ""},
		{"n", "g:n0 g:n1", ""},
		{"g", "g:n0 g:n1 g:m", ""},
		{"g:*", "g:n0 g:n1 g:m", ""},
		{"g:", "g:n0 g:n1 g:m", ""},
		{"g:n1", "g:n1", ""},
		{"m", "g:m", ""},
		{"%(host_node_name)s", "", "depends_on names unknown program, group or process 'host'"},
		{"g:n2", "", "depends_on names unknown program, group or process 'g:n2'"},
		{"n:*", "", "depends_on names unknown program, group or process 'n:*'"},
		{"a", "", "depends_on makes a cycle: a -> a"},
		{"b,d", "", "depends_on makes a cycle: a -> d -> a"},
	} {
		cfg, err := loadText(t, strings.ReplaceAll(strings.Replace(file, "%s", c.value, 1), "%%", "%"))
		if c.problem != "" {
			var located *Error
			if !errors.As(err, &located) || !strings.HasPrefix(located.Text, c.problem+" in section 'program:") ||
				located.Key != "depends_on" || !strings.HasPrefix(located.Section, "program:") {
				t.Errorf("%q: error %v", c.value, err)
			}
			continue
		}
		if err != nil {
			t.Errorf("%q: %v", c.value, err)
			continue
		}
		if got := sortedWords(covered(cfg, "a")); got != sortedWords(c.want) {
			t.Errorf("%q covers %q, want %q", c.value, got, c.want)
		}
	}
}

func sortedWords(text string) string {
	words := strings.Fields(text)
	slices.Sort(words)
	return strings.Join(words, " ")
}

// covered names the processes that a process depends on.
func covered(cfg *Config, name string) string {
	var names []string
	for _, g := range cfg.Groups {
		for _, p := range g.Processes {
			for _, q := range cfg.Groups {
				for _, r := range q.Processes {
					for i := range p.DependsOn {
						if p.Name == name && p.DependsOn[i].Covers(q.Name, r) {
							names = append(names, api.Namespec(q.Name, r.Name))
						}
					}
				}
			}
		}
	}
	return strings.Join(names, " ")
}

// TestProbes has what ready and health can and cannot be.
func TestProbes(t *testing.T) {
	for _, c := range []struct {
		value string
		want  Probe
		bad   string
	}{
		{"notify", Probe{Kind: ProbeNotify}, ""},
		{"tcp:localhost:80", Probe{Kind: ProbeTCP, Address: "localhost:80"}, ""},
		{"tcp:[::1]:80", Probe{Kind: ProbeTCP, Address: "[::1]:80"}, ""},
		{"tcp:80", Probe{}, "missing port"},
		{"tcp::80", Probe{}, "no host"},
		{"tcp:h:0", Probe{}, "below lower bound"},
		{"unix:/run/x", Probe{Kind: ProbeUnix, Address: "/run/x"}, ""},
		{"unix:x", Probe{}, "must be absolute"},
		{"http://h/a=b", Probe{Kind: ProbeHTTP, Address: "http://h/a=b"}, ""},
		{"http:http://h:80/=204", Probe{Kind: ProbeHTTP, Address: "http://h:80/", Code: 204}, ""},
		{"https://h/?x=204=200", Probe{Kind: ProbeHTTP, Address: "https://h/?x=204", Code: 200}, ""},
		{"http:h", Probe{}, "must begin with http://"},
		{"exec:a 'b c'", Probe{Kind: ProbeExec, Address: "a 'b c'", Argv: []string{"a", "b c"}}, ""},
		{"exec:'", Probe{}, "No closing quotation"},
		{"log:^a.*b$", Probe{Kind: ProbeLog, Address: "^a.*b$"}, ""},
		{"log:(", Probe{}, "missing closing )"},
		{"log:", Probe{}, "it is notify"},
		{"maybe", Probe{}, "it is notify"},
	} {
		for _, key := range []string{"ready", "health"} {
			cfg, err := loadText(t, programSection+key+"="+c.value+"\n")
			if c.bad != "" {
				var located *Error
				if !errors.As(err, &located) || !strings.Contains(located.Text, c.bad) || located.Key != key {
					t.Errorf("%s=%s: error %v", key, c.value, err)
				}
				continue
			}
			if err != nil {
				t.Errorf("%s=%s: %v", key, c.value, err)
				continue
			}
			p := cfg.Groups[0].Processes[0]
			got := map[string]Probe{"ready": p.Ready.Probe, "health": p.Health.Probe}[key]
			c.want.Text = c.value
			if !reflect.DeepEqual(got, c.want) {
				t.Errorf("%s=%s: %+v", key, c.value, got)
			}
		}
	}
}
