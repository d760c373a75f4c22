package config

import (
	"strings"
	"testing"
)

func loadGroups(t *testing.T, text string) []*Group {
	t.Helper()
	cfg, err := loadText(t, daemonSection+text)
	if err != nil {
		t.Fatal(err)
	}
	return cfg.Groups
}

func names(groups []*Group) string {
	var list []string
	for _, g := range groups {
		list = append(list, g.Name)
	}
	return strings.Join(list, " ")
}

func TestDiff(t *testing.T) {
	const p = "[program:p]\ncommand=c\n"
	for _, c := range []struct{ active, loaded, added, changed, removed string }{
		{p, p, "", "", ""},
		{"", p, "p", "", ""},
		{p, "", "", "", "p"},
		{p, p + "[program:q]\ncommand=c\n", "q", "", ""},
		{p, "[program:q]\ncommand=c\n", "q", "", "p"},
		{p, p + "priority=1", "", "p", ""},
		{p, p + "command=d", "", "p", ""},
		{p, p + "directory=/", "", "p", ""},
		{p, p + "umask=0", "", "p", ""},
		{p, p + "autostart=0", "", "p", ""},
		{p, p + "autorestart=0", "", "p", ""},
		{p, p + "startsecs=2", "", "p", ""},
		{p, p + "startretries=2", "", "p", ""},
		{p, p + "exitcodes=0,0", "", "p", ""},
		{p, p + "exit_on=fatal", "", "p", ""},
		{p, p + "restart_delay=1", "", "p", ""},
		{p, p + "backoff_max=1", "", "p", ""},
		{p, p + "backoff_factor=1", "", "p", ""},
		{p, p + "backoff_jitter=1", "", "p", ""},
		{p, p + "exit_on=never", "", "", ""},
		{p, p + "stopsignal=1", "", "p", ""},
		{p, p + "stopwaitsecs=1", "", "p", ""},
		{p, p + "stopasgroup=1", "", "p", ""},
		{p, p + "killasgroup=1", "", "p", ""},
		{p, p + "user=root", "", "p", ""},
		{p, p + "redirect_stderr=1", "", "p", ""},
		{p, p + "environment=A=1", "", "p", ""},
		{p, p + "environment=A=%(FILE_x)s", "", "p", ""},
		{p + "environment=A='%%(FILE_x)s'", p + "environment=A='%(FILE_x)s'", "", "p", ""},
		{"[program:p]\ncommand=c %%(FILE_x)s", "[program:p]\ncommand=c %(FILE_x)s", "", "p", ""},
		{p, p + "environment_file=a", "", "p", ""},
		{p + "environment_file=a", p + "environment_file=-a", "", "p", ""},
		{p, p + "user_environment=true", "", "p", ""},
		{p, p + "group=root", "", "p", ""},
		{p, p + "serverurl=x", "", "p", ""},
		{p, p + "serverurl=auto", "", "", ""},
		{p, p + "process_name=x", "", "p", ""},
		{p, p + "numprocs=2\nprocess_name=p%(process_num)s", "", "p", ""},
		{p, p + "stdout_logfile_maxbytes=1", "", "p", ""},
		{p, p + "stdout_logfile_backups=1", "", "p", ""},
		{p, p + "stdout_logfile_compress=1", "", "p", ""},
		{p, p + "stdout_logfile_maxage=1", "", "p", ""},
		{p, p + "stdout_logfile_rotate=hourly", "", "p", ""},
		{p, p + "stdout_format=text", "", "p", ""},
		{p, p + "stderr_format=raw", "", "", ""},
		{p, p + "stdout_capture_maxbytes=1", "", "p", ""},
		{p, p + "stdout_events_enabled=1", "", "p", ""},
		{p, p + "stdout_syslog=1", "", "p", ""},
		{p, p + "stderr_logfile=NONE", "", "p", ""},
		{p, p + "stdout_logfile=/tmp/x", "", "p", ""},
		{p + "stdout_logfile=/tmp/x", p, "", "", ""},
		{p + "stdout_logfile=NONE", p, "", "", ""},
		{p + "stdout_logfile=/tmp/x", p + "stdout_logfile=/tmp/y", "", "p", ""},
		{p + "unknown=1", p + "unknown=2", "", "", ""},
		{p, p + "[group:g]\nprograms=p", "g", "", "p"},
		{p, "[eventlistener:p]\ncommand=c\npriority=999\nevents=EVENT", "", "p", ""},
		{"[eventlistener:l]\ncommand=c\nevents=TICK_5,EVENT", "[eventlistener:l]\ncommand=c\nevents=EVENT,TICK_5,EVENT", "", "", ""},
		{"[eventlistener:l]\ncommand=c\nevents=TICK_5", "[eventlistener:l]\ncommand=c\nevents=EVENT", "", "l", ""},
		{"[eventlistener:l]\ncommand=c\nevents=EVENT", "[eventlistener:l]\ncommand=c\nevents=EVENT\nbuffer_size=2", "", "l", ""},
		{p, "[fcgi-program:p]\ncommand=c\nsocket=tcp://h:1", "", "p", ""},
		{"[fcgi-program:f]\ncommand=c\nsocket=tcp://h:1", "[fcgi-program:f]\ncommand=c\nsocket=tcp://h:2", "", "f", ""},
		{"[fcgi-program:f]\ncommand=c\nsocket=tcp://h:1", "[fcgi-program:f]\ncommand=c\nsocket=tcp://H:1\nsocket_backlog=9", "", "", ""},
	} {
		added, changed, removed := Diff(loadGroups(t, c.active), loadGroups(t, c.loaded))
		if names(added) != c.added || names(changed) != c.changed || names(removed) != c.removed {
			t.Errorf("from %q to %q: added %q, changed %q, removed %q\nwant %q, %q, %q", c.active, c.loaded,
				names(added), names(changed), names(removed), c.added, c.changed, c.removed)
		}
	}
}
