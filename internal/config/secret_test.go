package config

import (
	"path/filepath"
	"reflect"
	"strings"
	"testing"
)

// TestSecrets refers to files, which the configuration names and does not read.
func TestSecrets(t *testing.T) {
	dir := writeFiles(t, "s.conf", `[supervisord]
environment=TOKEN="%(FILE_/run/secrets/token)s",PLAIN=1,OLD=%(FILE_old)s
[program:p]
environment=PASS="user:%(FILE_/run/secrets/%(program_name)s)s!",OLD=none,SAME=%(ENV_PASS)s
command=run --token %(ENV_TOKEN)s '--x=%(FILE_~root/a b)s-%(FILE_c)s' %%(FILE_no)s
[program:q]
command=run
`)
	cfg, err := Load(Options{File: filepath.Join(dir, "s.conf"), Environ: []string{"ENV=x", "PASS=daemon"}, Hostname: "host"})
	if err != nil {
		t.Fatal(err)
	}
	p, q := cfg.Groups[0].Processes[0], cfg.Groups[1].Processes[0]
	const command = "run --token %(FILE_/run/secrets/token)s '--x=%(FILE_~root/a b)s-%(FILE_c)s' %(FILE_no)s"
	if p.Command != command {
		t.Errorf("command %s\nwant %s", p.Command, command)
	}
	token := Template{{File: "/run/secrets/token"}}
	for _, c := range []struct{ got, want any }{
		{p.Argv, []string{"run", "--token", "%(FILE_/run/secrets/token)s", "--x=%(FILE_~root/a b)s-%(FILE_c)s", "%(FILE_no)s"}},
		{p.ArgvSecrets, map[int]Template{2: token, 3: {{Text: "--x="}, {File: "/root/a b"}, {Text: "-"}, {File: dir + "/c"}}}},
		{p.Environment, map[string]string{"TOKEN": "%(FILE_/run/secrets/token)s", "PLAIN": "1", "OLD": "none",
			"PASS": "user:%(FILE_/run/secrets/p)s!", "SAME": "daemon"}},
		{p.EnvironmentSecrets, map[string]Template{"TOKEN": token, "PASS": {{Text: "user:"}, {File: "/run/secrets/p"}, {Text: "!"}}}},
		{q.Environment, map[string]string{"TOKEN": "%(FILE_/run/secrets/token)s", "PLAIN": "1", "OLD": "%(FILE_old)s"}},
		{q.EnvironmentSecrets, map[string]Template{"TOKEN": token, "OLD": {{File: dir + "/old"}}}},
		{q.ArgvSecrets, map[int]Template(nil)},
		{cfg.Warnings, []string{"For [program:p], command has the content of a file, which every user can see as long as the process runs; " +
			"environment keeps it from others"}},
	} {
		if !reflect.DeepEqual(c.got, c.want) {
			t.Errorf("%#v\nwant %#v", c.got, c.want)
		}
	}
}

func TestSecretErrors(t *testing.T) {
	const (
		plain     = "the content of a file is expanded by %(FILE_PATH)s only, where PATH is known"
		notHere   = "the content of a file can be used in environment and command only"
		unknown   = "contains names ('%s') which cannot be expanded. Available names: ENV_X, group_name, here, host_node_name, numprocs, process_num, program_name"
		knownLess = "contains names ('%s') which cannot be expanded. Available names: ENV_X, group_name, here, host_node_name, program_name"
	)
	names := func(format, name string) string { return strings.ReplaceAll(format, "%s", name) }
	for _, c := range []struct{ text, key, want string }{
		{programSection + "environment=A=%(FILE_x)10s", "environment", plain + inProgram},
		{programSection + "environment=A=%(FILE_x)", "environment", plain + inProgram},
		{programSection + "environment=A=%(FILE_x)s,B=%(ENV_nope)s", "environment",
			"Format string 'A=%(FILE_x)s,B=%(ENV_nope)s' for 'environment' " + names(unknown, "ENV_nope") + inProgram},
		{programSection + "environment=A=%(FILE_x)s,B", "environment", "Unexpected end of key/value pairs in value 'A=%(FILE_x)s,B'" + inProgram},
		{programSection + "environment=%(FILE_x)s=A", "environment", "the name of a variable cannot be the content of a file" + inProgram},
		{programSection + "environment=A=%(FILE_)s", "environment",
			"Format string 'A=%(FILE_)s' for 'environment' " + names(unknown, "FILE_") + inProgram},
		{programSection + "directory=%(FILE_x)s", "directory",
			"Format string '%(FILE_x)s' for 'program:p.directory' " + names(unknown, "FILE_x") + inProgram},
		{programSection + "environment=A=%(FILE_x)s\ndirectory=/%(ENV_A)s", "directory", notHere + inProgram},
		{programSection + "environment=A=%(FILE_x)s\nprocess_name=%(ENV_A)s", "process_name", notHere + inProgram},
		{programSection + "environment=A=%(FILE_x)s\nstdout_logfile=/%(ENV_A)s", "stdout_logfile", notHere + inProgram},
		{daemonSection + "environment=A=%(FILE_x)s\n[program:p]\ncommand=c %(FILE_%(ENV_A)s)s", "command", plain + inProgram},
		{daemonSection + "environment=A=%(FILE_x)s\n[inet_http_server]\nport=1\nusername=u\npassword=%(ENV_A)s", "password", notHere},
		{daemonSection + "[program:p]\ncommand=%(FILE_x)s/run", "command", "the program to run cannot be the content of a file" + inProgram},
		{programSection + "priority=%(FILE_x)s", "priority", "Format string '%(FILE_x)s' for 'program:p.priority' " +
			"contains names ('FILE_x') which cannot be expanded. Available names: ENV_X, here"},
		{programSection + "autostart=%(FILE_x)s", "autostart", "Format string '%(FILE_x)s' for 'program:p.autostart' " + names(knownLess, "FILE_x") + inProgram},
		{programSection + "environment_file=a,,b", "environment_file", "not a list of files: 'a,,b'" + inProgram},
		{programSection + "environment_file=- ", "environment_file", "not a list of files: '-'" + inProgram},
		{programSection + "user_environment=x", "user_environment", "not a valid boolean value: 'x'" + inProgram},
		{programSection + "group=nosuchgroup", "group", "Invalid group name nosuchgroup" + inProgram},
		{programSection + "group=54321", "group", "Invalid group id 54321" + inProgram},
		{daemonSection + "environment_file=,", "environment_file", "not a list of files: ','"},
		{daemonSection + "user_environment=x", "user_environment", "not a valid boolean value: 'x'"},
	} {
		_, err := loadText(t, c.text)
		e, ok := err.(*Error)
		if !ok {
			t.Errorf("%q: error %v", c.text, err)
			continue
		}
		if got := strings.ReplaceAll(e.Text, e.File, "FILE"); got != c.want || e.Key != c.key {
			t.Errorf("%q: error of %s: %s\nwant %s: %s", c.text, e.Key, got, c.key, c.want)
		}
	}
}

// TestSecretInBadCommand makes sure that marks are not shown.
func TestSecretInBadCommand(t *testing.T) {
	cfg, err := loadText(t, daemonSection+"[program:p]\ncommand=c '%(FILE_x)s")
	if err != nil {
		t.Fatal(err)
	}
	const want = `can't parse command "c '%(FILE_x)s": No closing quotation`
	if got := cfg.Groups[0].Processes[0].CommandError; got != want {
		t.Errorf("%s, want %s", got, want)
	}
}

// TestEnvironmentFiles has files of programs that have some, or take those of
// [supervisord].
func TestEnvironmentFiles(t *testing.T) {
	dir := writeFiles(t, "s.conf", daemonSection+"environment_file=-%(here)s/all.env\nuser_environment=true\n"+
		"[program:a]\ncommand=c\n"+
		"[program:b]\ncommand=c\nenvironment_file=/etc/%(program_name)s.env, - b*.env,~root/x\nuser_environment=false\ngroup=0\n"+
		"[program:c]\ncommand=c\nenvironment_file=\n")
	cfg, err := Load(Options{File: filepath.Join(dir, "s.conf")})
	if err != nil {
		t.Fatal(err)
	}
	for i, want := range []Process{
		{EnvironmentFiles: []EnvironmentFile{{dir + "/all.env", true}}, UserEnvironment: true, GID: -1},
		{EnvironmentFiles: []EnvironmentFile{{"/etc/b.env", false}, {dir + "/b*.env", true}, {"/root/x", false}}, GID: 0},
		{UserEnvironment: true, GID: -1},
	} {
		p := cfg.Groups[i].Processes[0]
		if !reflect.DeepEqual(p.EnvironmentFiles, want.EnvironmentFiles) || p.UserEnvironment != want.UserEnvironment || p.GID != want.GID {
			t.Errorf("%s: %v %v %d, want %v %v %d", p.Name, p.EnvironmentFiles, p.UserEnvironment, p.GID,
				want.EnvironmentFiles, want.UserEnvironment, want.GID)
		}
	}
}
