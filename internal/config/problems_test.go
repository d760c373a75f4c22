package config

import (
	"path/filepath"
	"strings"
	"testing"
)

// TestCheck finds everything that is wrong, once, where it stands, and nothing
// that would not be wrong without something else.
func TestCheck(t *testing.T) {
	dir := writeFiles(t,
		"s.conf", `[supervisord]
minfds=abc
logfile=/no/such/x
environment=A
user=nosuchuser
[include]
files=*.ini
[inet_http_server]
username=u
[group:g]
programs=p,nope,gone
priority=x
[program:p]
command=%(ENV_A)s %(nope)s
numprocs=3
autostart=maybe
environment=B=
directory=%(ENV_B)s
[program:q]
startsecs=1
  x
stdout_logfile=/no/such/x
[eventlistener:l]
command=c
`,
		"a.ini", "[program:q]\numask=9\n[program:r]\ncommand=c\nkillasgroup=0\n\nstopasgroup=1\n",
		"b.ini", "[program:half]\nstartsecs=1\nautostart true\n[program:whole]\ncommand=c\nautostart=x\n[program:gone]\n= x\n",
		"c.ini", "command=c\n")
	cfg, found := Check(Options{File: filepath.Join(dir, "s.conf"), Environ: []string{"X=x"}, Hostname: "host"})
	var got strings.Builder
	for _, e := range found {
		got.WriteString(strings.ReplaceAll(e.Located(), dir+"/", "") + "\n")
	}
	const want = `s.conf:2: [supervisord] minfds: invalid literal for int() with base 10: 'abc'
s.conf:3: [supervisord] logfile: The directory named as part of the path /no/such/x does not exist
s.conf:4: [supervisord] environment: Unexpected end of key/value pairs in value 'A'
s.conf:5: [supervisord] user: Invalid user name nosuchuser
s.conf:8: [inet_http_server]: Section [inet_http_server] contains incomplete authentication: If a username or a password is specified, both the username and password must be specified
s.conf:8: [inet_http_server] port: section [inet_http_server] has no port value
s.conf:12: [group:g] priority: invalid literal for int() with base 10: 'x'
s.conf:13: [program:p] process_name: %(process_num) must be present within process_name when numprocs > 1
s.conf:16: [program:p] autostart: not a valid boolean value: 'maybe'
s.conf:17: [program:p] environment: Unexpected end of key/value pairs in value 'B='
s.conf:19: [program:q] command: program section program:q does not specify a command
s.conf:20: [program:q] startsecs: invalid literal for int() with base 10: '1\nx'
s.conf:22: [program:q] stdout_logfile: The directory named as part of the path /no/such/x does not exist
s.conf:23: [eventlistener:l] events: [eventlistener:l] section requires an "events" line
a.ini:2: [program:q] umask: 9 can not be converted to an octal type
a.ini:5: [program:r] killasgroup: Cannot set stopasgroup=true and killasgroup=false
b.ini:3: not a section, an option or a comment: 'autostart true\n'
b.ini:8: not a section, an option or a comment: '= x\n'
c.ini:1: no section header stands before 'command=c\n'
`
	if got.String() != want || cfg != nil {
		t.Errorf("found\n%s\nwant\n%s", got.String(), want)
	}
}

func TestCheckFinds(t *testing.T) {
	for text, want := range map[string]string{
		"":                                       "s.conf: .ini file does not include supervisord section",
		"[supervisord]\n[include]\n":             "s.conf:2: [include]: .ini file has [include] section, but no files setting",
		"[supervisord]\nx":                       "s.conf:2: not a section, an option or a comment: 'x'",
		"[supervisord]\n[group:g]\nprograms=a,b": "s.conf:3: [group:g] programs: [group:g] names unknown program or fcgi-program a",
		"[DEFAULT]\nstartsecs=x\n[supervisord]\n[program:a]\ncommand=c": "s.conf:2: [program:a] startsecs: " +
			"invalid literal for int() with base 10: 'x'",
		"[supervisord]\n[program:a]\ncommand=c\nenvironment=A=\x1b[m\n": `s.conf:4: [program:a] environment: ` +
			"Unexpected end of key/value pairs in value 'A= [m'",
	} {
		dir := writeFiles(t, "s.conf", text)
		_, found := Check(Options{File: filepath.Join(dir, "s.conf"), Environ: []string{"X=x"}, Hostname: "host"})
		if len(found) == 0 {
			t.Errorf("%q: nothing is found", text)
		} else if got := strings.ReplaceAll(found[0].Located(), dir+"/", ""); got != want {
			t.Errorf("%q: %s\nwant %s", text, got, want)
		}
	}
}
