package listenertest

import "strings"

// typePlays are about the types of events and their payloads.
var typePlays = []play{
	{
		name: "every type of event",
		conf: `[eventlistener:ears]
command=@PUPPET
events=EVENT
buffer_size=1000
startsecs=0
[program:p]
command=@PUPPET
autostart=false
autorestart=false
startsecs=0
stdout_capture_maxbytes=1KB
stderr_capture_maxbytes=1KB
stdout_events_enabled=true
stderr_events_enabled=true
[program:fails]
command=/bin/false
autostart=false
startsecs=10
startretries=1
[program:q]
command=@PUPPET
autostart=false
startsecs=0
[group:g]
programs=q
`,
		act: func(d *daemon, note func(...any)) {
			ears := d.listener("ears")
			next := func(n int) {
				d.t.Helper()
				for n > 0 {
					h := ears.event()
					ears.ok()
					if !strings.HasPrefix(h.header["eventname"], "TICK") {
						_, text, _ := strings.Cut(h.String(), " ")
						note(text)
						n--
					}
				}
			}
			next(7)
			d.startProgram("p")
			p := d.puppet("p")
			next(2)
			p.say("said on the standard output\n")
			next(1)
			p.complain("complained on the standard error\n")
			next(1)
			p.say("<!--XSUPERVISOR:BEGIN-->told<!--XSUPERVISOR:END-->")
			next(2)
			p.complain("<!--XSUPERVISOR:BEGIN-->warned<!--XSUPERVISOR:END-->")
			next(2)
			p.exit(0)
			next(1)
			d.startProgram("p")
			next(2)
			d.stopProgram("p")
			next(2)
			if d.StartProcess(d.t.Context(), "fails", true) == nil {
				note("it started")
			}
			d.waitLog("gave up: fails")
			next(5)
			d.startProgram("g:q")
			next(2)
			d.stopProgram("g:q")
			next(2)
			d.must(d.RemoveProcessGroup(d.t.Context(), "g"))
			d.must(d.AddProcessGroup(d.t.Context(), "g"))
			next(2)
			d.send("data")
			next(1)
		},
		want: `
PROCESS_GROUP_ADDED "groupname:ears\n"
PROCESS_GROUP_ADDED "groupname:fails\n"
PROCESS_GROUP_ADDED "groupname:g\n"
PROCESS_GROUP_ADDED "groupname:p\n"
SUPERVISOR_STATE_CHANGE_RUNNING ""
PROCESS_STATE_STARTING "processname:ears groupname:ears from_state:STOPPED tries:0"
PROCESS_STATE_RUNNING "processname:ears groupname:ears from_state:STARTING pid:N"
PROCESS_STATE_STARTING "processname:p groupname:p from_state:STOPPED tries:0"
PROCESS_STATE_RUNNING "processname:p groupname:p from_state:STARTING pid:N"
PROCESS_LOG_STDOUT "processname:p groupname:p pid:N channel:stdout\nsaid on the standard output\n"
PROCESS_LOG_STDERR "processname:p groupname:p pid:N channel:stderr\ncomplained on the standard error\n"
PROCESS_LOG_STDOUT "processname:p groupname:p pid:N channel:stdout\ntold"
PROCESS_COMMUNICATION_STDOUT "processname:p groupname:p pid:N\ntold"
PROCESS_LOG_STDERR "processname:p groupname:p pid:N channel:stderr\nwarned"
PROCESS_COMMUNICATION_STDERR "processname:p groupname:p pid:N\nwarned"
PROCESS_STATE_EXITED "processname:p groupname:p from_state:RUNNING expected:1 pid:N"
PROCESS_STATE_STARTING "processname:p groupname:p from_state:EXITED tries:0"
PROCESS_STATE_RUNNING "processname:p groupname:p from_state:STARTING pid:N"
PROCESS_STATE_STOPPING "processname:p groupname:p from_state:RUNNING pid:N"
PROCESS_STATE_STOPPED "processname:p groupname:p from_state:STOPPING pid:N"
PROCESS_STATE_STARTING "processname:fails groupname:fails from_state:STOPPED tries:0"
PROCESS_STATE_BACKOFF "processname:fails groupname:fails from_state:STARTING tries:1"
PROCESS_STATE_STARTING "processname:fails groupname:fails from_state:BACKOFF tries:1"
PROCESS_STATE_BACKOFF "processname:fails groupname:fails from_state:STARTING tries:2"
PROCESS_STATE_FATAL "processname:fails groupname:fails from_state:BACKOFF"
PROCESS_STATE_STARTING "processname:q groupname:g from_state:STOPPED tries:0"
PROCESS_STATE_RUNNING "processname:q groupname:g from_state:STARTING pid:N"
PROCESS_STATE_STOPPING "processname:q groupname:g from_state:RUNNING pid:N"
PROCESS_STATE_STOPPED "processname:q groupname:g from_state:STOPPING pid:N"
PROCESS_GROUP_REMOVED "groupname:g\n"
PROCESS_GROUP_ADDED "groupname:g\n"
REMOTE_COMMUNICATION "type:t\ndata"
log: exited: fails (exit status 1; not expected)
log: exited: fails (exit status 1; not expected)`,
	},
	{
		name: "a tick every five seconds",
		conf: `[eventlistener:ears]
command=@PUPPET
events=TICK_5
startsecs=0
`,
		act: func(d *daemon, note func(...any)) {
			h := d.listener("ears").event()
			when := strings.TrimPrefix(h.payload, "when:")
			note(h.header["eventname"], " ", len(when), " ", strings.HasSuffix(when, "0") || strings.HasSuffix(when, "5"))
		},
		want: `TICK_5 10 true`,
	},
}
