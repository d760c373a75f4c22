package listenertest

// poolPlays are about the distribution of events to listeners.
var poolPlays = []play{
	{
		name: "a pool shares its events",
		conf: `[eventlistener:ears]
command=@PUPPET
process_name=ears%(process_num)d
numprocs=2
events=REMOTE_COMMUNICATION
startsecs=0
`,
		act: func(d *daemon, note func(...any)) {
			a, b := d.listener("ears0"), d.listener("ears1")
			d.send("1", "2", "3", "4")
			note("a ", a.event())
			note("b ", b.event())
			b.ok()
			note("b ", b.event())
			a.ok()
			note("a ", a.event())
			b.ok()
			a.ok()
			d.send("5")
			note("a ", a.event())
		},
		want: `
a 0/0 REMOTE_COMMUNICATION "type:t\n1"
b 1/1 REMOTE_COMMUNICATION "type:t\n2"
b 2/2 REMOTE_COMMUNICATION "type:t\n3"
a 3/3 REMOTE_COMMUNICATION "type:t\n4"
a 4/4 REMOTE_COMMUNICATION "type:t\n5"`,
	},
	{
		name: "each pool gets what it subscribes to",
		conf: `[eventlistener:all]
command=@PUPPET
events=REMOTE_COMMUNICATION,PROCESS_GROUP
startsecs=0
[eventlistener:some]
command=@PUPPET
events=REMOTE_COMMUNICATION
startsecs=0
[eventlistener:none]
command=@PUPPET
events=PROCESS_STATE_FATAL,TICK_3600
startsecs=0
[program:p]
command=@PUPPET
autostart=false
`,
		act: func(d *daemon, note func(...any)) {
			all, some := d.listener("all"), d.listener("some")
			// It hears of its own group, too.
			for range 4 {
				note("all ", all.event())
				all.ok()
			}
			d.send("1")
			d.must(d.RemoveProcessGroup(d.t.Context(), "p"))
			d.send("2")
			d.must(d.AddProcessGroup(d.t.Context(), "p"))
			for range 4 {
				note("all ", all.event())
				all.ok()
			}
			for range 2 {
				note("some ", some.event())
				some.ok()
			}
		},
		want: `
all 0/0 PROCESS_GROUP_ADDED "groupname:all\n"
all 1/1 PROCESS_GROUP_ADDED "groupname:none\n"
all 2/2 PROCESS_GROUP_ADDED "groupname:some\n"
all 3/3 PROCESS_GROUP_ADDED "groupname:p\n"
all 4/4 REMOTE_COMMUNICATION "type:t\n1"
all 5/5 PROCESS_GROUP_REMOVED "groupname:p\n"
all 6/6 REMOTE_COMMUNICATION "type:t\n2"
all 7/7 PROCESS_GROUP_ADDED "groupname:p\n"
some 4/0 REMOTE_COMMUNICATION "type:t\n1"
some 6/1 REMOTE_COMMUNICATION "type:t\n2"`,
	},
	{
		name: "a full buffer loses its oldest events",
		conf: `[eventlistener:ears]
command=@PUPPET
events=REMOTE_COMMUNICATION
buffer_size=2
startsecs=0
`,
		act: func(d *daemon, note func(...any)) {
			p := d.listener("ears")
			d.send("1")
			note(p.event())
			d.send("2", "3", "4", "5")
			p.ok()
			note(p.event())
			p.ok()
			note(p.event())
			p.ok()
			d.send("6")
			note(p.event())
		},
		want: `
0/0 REMOTE_COMMUNICATION "type:t\n1"
3/3 REMOTE_COMMUNICATION "type:t\n4"
4/4 REMOTE_COMMUNICATION "type:t\n5"
5/5 REMOTE_COMMUNICATION "type:t\n6"
log: pool ears event buffer overflowed, discarding event 1
log: pool ears event buffer overflowed, discarding event 2`,
	},
	{
		name: "a rejected event takes the place of the oldest in a full buffer",
		conf: `[eventlistener:ears]
command=@PUPPET
events=REMOTE_COMMUNICATION
buffer_size=2
startsecs=0
`,
		act: func(d *daemon, note func(...any)) {
			p := d.listener("ears")
			d.send("1")
			note(p.event())
			d.send("2", "3")
			p.fail()
			note(p.event())
			p.ok()
			note(p.event())
		},
		want: `
0/0 REMOTE_COMMUNICATION "type:t\n1"
0/0 REMOTE_COMMUNICATION "type:t\n1"
2/2 REMOTE_COMMUNICATION "type:t\n3"
log: ears: event was rejected
log: pool ears event buffer overflowed, discarding event 1`,
	},
	{
		name: "events wait for a listener that is not ready, not running or not there",
		conf: `[eventlistener:ears]
command=@PUPPET
events=REMOTE_COMMUNICATION
startsecs=0
autorestart=false
`,
		act: func(d *daemon, note func(...any)) {
			p := d.puppet("ears")
			d.waitRunning("ears")
			d.send("1")
			p.ready()
			note(p.event())
			p.answer("OK")
			p.heard("ACKNOWLEDGED")
			d.send("2")
			p.exit(0)
			d.waitLog("exited: ears")
			d.send("3")
			d.startProgram("ears")
			p = d.listener("ears")
			note(p.event())
			d.stopProgram("ears")
			d.send("4")
			d.startProgram("ears")
			p = d.listener("ears")
			for range 3 {
				note(p.event())
				p.ok()
			}
		},
		want: `
0/0 REMOTE_COMMUNICATION "type:t\n1"
1/1 REMOTE_COMMUNICATION "type:t\n2"
1/1 REMOTE_COMMUNICATION "type:t\n2"
2/2 REMOTE_COMMUNICATION "type:t\n3"
3/3 REMOTE_COMMUNICATION "type:t\n4"`,
	},
}
