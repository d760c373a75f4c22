package listenertest

import "strings"

// protocolPlays are about what listeners say, and listeners that misbehave.
var protocolPlays = []play{
	{
		name: "a rejected event comes again before the next",
		conf: `[eventlistener:ears]
command=@PUPPET
events=REMOTE_COMMUNICATION
startsecs=0
`,
		act: func(d *daemon, note func(...any)) {
			p := d.listener("ears")
			d.send("1", "2")
			note(p.event())
			p.fail()
			note(p.event())
			p.answer("MAYBE")
			p.ready()
			note(p.event())
			p.say("RESU")
			p.say("LT 2")
			p.say("\nO")
			p.say("KREA")
			p.say("DY\n")
			note(p.event())
		},
		want: `
0/0 REMOTE_COMMUNICATION "type:t\n1"
0/0 REMOTE_COMMUNICATION "type:t\n1"
0/0 REMOTE_COMMUNICATION "type:t\n1"
1/1 REMOTE_COMMUNICATION "type:t\n2"
log: ears: event was rejected
log: ears: event was rejected`,
	},
	{
		name: "a rejected event goes to whoever is ready",
		conf: `[eventlistener:ears]
command=@PUPPET
process_name=ears%(process_num)d
numprocs=2
events=REMOTE_COMMUNICATION
startsecs=0
`,
		act: func(d *daemon, note func(...any)) {
			a, b := d.listener("ears0"), d.listener("ears1")
			d.send("1")
			note("a ", a.event())
			a.answer("FAIL")
			note("b ", b.event())
			b.ok()
			a.ready()
			d.send("2")
			note("a ", a.event())
		},
		want: `
a 0/0 REMOTE_COMMUNICATION "type:t\n1"
b 0/0 REMOTE_COMMUNICATION "type:t\n1"
a 1/1 REMOTE_COMMUNICATION "type:t\n2"
log: ears0: event was rejected`,
	},
	{
		name:    "a rejected event concerns no other pool",
		differs: "it sends the event also to pools whose processes have the same priority",
		conf: `[eventlistener:ears]
command=@PUPPET
events=REMOTE_COMMUNICATION
startsecs=0
[eventlistener:other]
command=@PUPPET
events=REMOTE_COMMUNICATION
startsecs=0
`,
		act: func(d *daemon, note func(...any)) {
			ears, other := d.listener("ears"), d.listener("other")
			d.send("1", "2")
			note("ears ", ears.event())
			ears.fail()
			note("ears ", ears.event())
			for range 2 {
				note("other ", other.event())
				other.ok()
			}
		},
		want: `
ears 0/0 REMOTE_COMMUNICATION "type:t\n1"
ears 0/0 REMOTE_COMMUNICATION "type:t\n1"
other 0/0 REMOTE_COMMUNICATION "type:t\n1"
other 1/1 REMOTE_COMMUNICATION "type:t\n2"
log: ears: event was rejected`,
	},
	{
		name: "a listener that dies gives its event back",
		conf: `[eventlistener:ears]
command=@PUPPET
events=REMOTE_COMMUNICATION
startsecs=0
autorestart=true
`,
		act: func(d *daemon, note func(...any)) {
			p := d.listener("ears")
			d.send("1", "2")
			note(p.event())
			p.exit(1)
			p = d.listener("ears")
			note(p.event())
			p.say("RESULT 2\nO")
			p.exit(0)
			p = d.listener("ears")
			note(p.event())
			p.ok()
			note(p.event())
		},
		want: `
0/0 REMOTE_COMMUNICATION "type:t\n1"
0/0 REMOTE_COMMUNICATION "type:t\n1"
0/0 REMOTE_COMMUNICATION "type:t\n1"
1/1 REMOTE_COMMUNICATION "type:t\n2"
log: exited: ears (exit status 1; not expected)`,
	},
	{
		name: "a listener that says anything else is left alone",
		conf: `[eventlistener:early]
command=@PUPPET
priority=1
events=REMOTE_COMMUNICATION
startsecs=0
[eventlistener:idle]
command=@PUPPET
priority=2
events=REMOTE_COMMUNICATION
startsecs=0
[eventlistener:late]
command=@PUPPET
priority=3
events=REMOTE_COMMUNICATION
startsecs=0
`,
		act: func(d *daemon, note func(...any)) {
			const unknown = "has entered the UNKNOWN state"
			p := d.puppet("early")
			p.say("hello\n")
			d.waitLog("early: " + unknown)
			p = d.listener("idle")
			p.say("hello\n")
			d.waitLog("idle: " + unknown)
			p = d.listener("late")
			d.send("1", "2")
			note(p.event())
			p.say("hello\n")
			d.waitLog("late: " + unknown)

			// It is one again when it was started anew, and has missed nothing.
			for _, name := range []string{"early", "idle", "late"} {
				d.stopProgram(name)
				d.startProgram(name)
				p = d.listener(name)
				note(name, " ", p.event())
				p.ok()
				note(name, " ", p.event())
			}
		},
		want: `
0/0 REMOTE_COMMUNICATION "type:t\n1"
early 0/0 REMOTE_COMMUNICATION "type:t\n1"
early 1/1 REMOTE_COMMUNICATION "type:t\n2"
idle 0/0 REMOTE_COMMUNICATION "type:t\n1"
idle 1/1 REMOTE_COMMUNICATION "type:t\n2"
late 0/0 REMOTE_COMMUNICATION "type:t\n1"
late 1/1 REMOTE_COMMUNICATION "type:t\n2"
log: early: has entered the UNKNOWN state and will no longer receive events, this usually indicates the process violated the eventlistener protocol
log: idle: has entered the UNKNOWN state and will no longer receive events, this usually indicates the process violated the eventlistener protocol
log: late: bad result line: 'hello'
log: late: has entered the UNKNOWN state and will no longer receive events, this usually indicates the process violated the eventlistener protocol`,
	},
	{
		name: "a listener that closed its stdin is passed over",
		conf: `[eventlistener:ears]
command=@PUPPET
process_name=ears%(process_num)d
numprocs=2
events=REMOTE_COMMUNICATION
startsecs=0
autorestart=true
`,
		act: func(d *daemon, note func(...any)) {
			a, b := d.listener("ears0"), d.listener("ears1")
			a.stopListening()
			d.send("1", "2")
			note("b ", b.event())
			d.waitLog("epipe occurred while sending event 0 to listener ears0, listener state unchanged")
			b.ok()
			note("b ", b.event())
			a.exit(0)
			a = d.listener("ears0")
			d.send("3")
			note("a ", a.event())
		},
		want: `
b 0/0 REMOTE_COMMUNICATION "type:t\n1"
b 1/1 REMOTE_COMMUNICATION "type:t\n2"
a 2/2 REMOTE_COMMUNICATION "type:t\n3"`,
	},
	{
		name: "a listener that does not read holds nobody up",
		conf: `[eventlistener:deaf]
command=@PUPPET
events=REMOTE_COMMUNICATION
startsecs=0
[eventlistener:ears]
command=@PUPPET
events=REMOTE_COMMUNICATION
startsecs=0
`,
		act: func(d *daemon, note func(...any)) {
			deaf, ears := d.listener("deaf"), d.listener("ears")
			large := strings.Repeat("0123456789abcdef", 1<<16)
			d.send(large, "2", "3")
			note(ears.event().payload == "type:t\n"+large)
			ears.ok()
			note(ears.event())
			// It does read in the end.
			note(deaf.event().payload == "type:t\n"+large)
			deaf.ok()
			note(deaf.event())
		},
		want: `
true
1/1 REMOTE_COMMUNICATION "type:t\n2"
true
1/1 REMOTE_COMMUNICATION "type:t\n2"`,
	},
	{
		name: "the length counts characters",
		conf: `[eventlistener:ears]
command=@PUPPET
events=REMOTE_COMMUNICATION
startsecs=0
`,
		act: func(d *daemon, note func(...any)) {
			p := d.listener("ears")
			d.send("grüße", "你好", "😀", "")
			for range 4 {
				h := p.event()
				note(h.line, " ", h.payload)
				p.ok()
			}
		},
		want: `
ver:3.0 server:supervisor serial:0 pool:ears poolserial:0 eventname:REMOTE_COMMUNICATION len:12 type:t
grüße
ver:3.0 server:supervisor serial:1 pool:ears poolserial:1 eventname:REMOTE_COMMUNICATION len:9 type:t
你好
ver:3.0 server:supervisor serial:2 pool:ears poolserial:2 eventname:REMOTE_COMMUNICATION len:8 type:t
😀
ver:3.0 server:supervisor serial:3 pool:ears poolserial:3 eventname:REMOTE_COMMUNICATION len:7 type:t
`,
	},
	{
		name:    "with len_bytes the length counts bytes",
		differs: "it knows no len_bytes",
		conf: `[eventlistener:ears]
command=@PUPPET
events=REMOTE_COMMUNICATION
startsecs=0
len_bytes=true
`,
		act: func(d *daemon, note func(...any)) {
			p := d.listener("ears")
			p.countBytes = true
			d.send("grüße", "你好", "😀", "")
			for range 4 {
				h := p.event()
				note(h.header["len"], " ", h)
				p.ok()
			}
		},
		want: `
14 0/0 REMOTE_COMMUNICATION "type:t\ngrüße"
13 1/1 REMOTE_COMMUNICATION "type:t\n你好"
11 2/2 REMOTE_COMMUNICATION "type:t\n😀"
7 3/3 REMOTE_COMMUNICATION "type:t\n"`,
	},
}
