package listenertest

import (
	"crypto/sha256"
	"fmt"
	"strings"
)

const (
	begin = "<!--XSUPERVISOR:BEGIN-->"
	end   = "<!--XSUPERVISOR:END-->"
)

// sayLogged writes to standard output and waits until the daemon has read it.
func (p *puppet) sayLogged(text string) {
	p.t.Helper()
	p.say(text)
	p.d.waitLog("'" + p.name + "' stdout output:")
}

// outputPlays are about events that are made of output. The Python
// implementation looks at nothing that is not longer than a tag.
var outputPlays = []play{
	{
		name: "capture over many writes on both channels",
		conf: `[eventlistener:ears]
command=@PUPPET
events=PROCESS_COMMUNICATION
startsecs=0
[program:p]
command=@PUPPET
startsecs=0
stdout_capture_maxbytes=1MB
stderr_capture_maxbytes=1MB
stdout_logfile=@DIR/p.out
stderr_logfile=@DIR/p.err
`,
		act: func(d *daemon, note func(...any)) {
			ears, p := d.listener("ears"), d.puppet("p")
			d.waitRunning("p")
			for piece := range strings.SplitSeq("out before|<!-|-XSUPERVISOR:BEG|IN-->ca|p<!--XSUPERVISOR:EN|D!|tured|<|!--XSUPERVISOR:END-->after: a text that is longer than a tag\n", "|") {
				p.say(piece)
				p.complain(strings.ReplaceAll(strings.ToUpper(piece), "OUT", "ERR"))
			}
			heard := []string{ears.event().String()}
			ears.ok()
			heard = append(heard, ears.event().String())
			// Which of the two comes first is nobody's promise.
			if strings.Contains(heard[0], "STDERR") {
				heard[0], heard[1] = heard[1], heard[0]
			}
			note(heard[0][4:])
			note(heard[1][4:])
			p.exit(0)
			d.waitLog("exited: p")
			note(d.read("p.out"), d.read("p.err"))
		},
		want: `
PROCESS_COMMUNICATION_STDOUT "processname:p groupname:p pid:N\ncap<!--XSUPERVISOR:END!tured"
PROCESS_COMMUNICATION_STDERR "processname:p groupname:p pid:N\nCAP<!--XSUPERVISOR:END!TURED"
out beforeafter: a text that is longer than a tag
ERR BEFOREAFTER: A TEXT THAT IS LONGER THAN A TAG
`,
	},
	{
		name: "capture keeps the newest bytes",
		conf: `[eventlistener:ears]
command=@PUPPET
events=PROCESS_COMMUNICATION
startsecs=0
[program:p]
command=@PUPPET
startsecs=0
stdout_capture_maxbytes=70
`,
		act: func(d *daemon, note func(...any)) {
			ears, p := d.listener("ears"), d.puppet("p")
			d.waitRunning("p")
			p.say("before it: " + begin)
			for _, word := range []string{"the first thirty bytes of them.", "the second thirty bytes, too...", "the third thirty bytes, the end"} {
				p.sayLogged(word)
			}
			p.say(end + " and more")
			note(ears.event())
		},
		want: `0/0 PROCESS_COMMUNICATION_STDOUT "processname:p groupname:p pid:N\nthe second thirty bytes, too...the third thirty bytes, the end"`,
	},
	{
		name: "what is said last is told before the exit",
		conf: `[eventlistener:ears]
command=@PUPPET
events=PROCESS_COMMUNICATION,PROCESS_STATE_EXITED,PROCESS_LOG
startsecs=0
[program:p]
command=@PUPPET
startsecs=0
autorestart=false
stdout_capture_maxbytes=1KB
stderr_capture_maxbytes=1KB
stdout_events_enabled=true
`,
		act: func(d *daemon, note func(...any)) {
			ears, p := d.listener("ears"), d.puppet("p")
			d.waitRunning("p")
			p.say(begin + "last words" + end + "bye, and see you again later\n")
			p.exit(3)
			for range 4 {
				note(ears.event())
				ears.ok()
			}
		},
		want: `
0/0 PROCESS_LOG_STDOUT "processname:p groupname:p pid:N channel:stdout\nlast words"
1/1 PROCESS_COMMUNICATION_STDOUT "processname:p groupname:p pid:N\nlast words"
2/2 PROCESS_LOG_STDOUT "processname:p groupname:p pid:N channel:stdout\nbye, and see you again later\n"
3/3 PROCESS_STATE_EXITED "processname:p groupname:p from_state:RUNNING expected:0 pid:N"
log: exited: p (exit status 3; not expected)`,
	},
	{
		name:    "a message that is not finished goes to the log",
		differs: "it loses it",
		conf: `[eventlistener:ears]
command=@PUPPET
events=PROCESS_COMMUNICATION,PROCESS_STATE_EXITED
startsecs=0
[program:p]
command=@PUPPET
startsecs=0
autorestart=false
stdout_capture_maxbytes=1KB
stdout_logfile=@DIR/p.out
`,
		act: func(d *daemon, note func(...any)) {
			ears, p := d.listener("ears"), d.puppet("p")
			d.waitRunning("p")
			p.say("before it: " + begin + "never ended <!--XSUPERVISOR:E")
			p.exit(0)
			note(ears.event())
			note(d.read("p.out"))
		},
		want: `
0/0 PROCESS_STATE_EXITED "processname:p groupname:p from_state:RUNNING expected:1 pid:N"
before it: never ended <!--XSUPERVISOR:E`,
	},
	{
		name: "huge lines arrive in pieces that are all there",
		conf: `[eventlistener:ears]
command=@PUPPET
events=PROCESS_LOG
buffer_size=1000
startsecs=0
[program:p]
command=@PUPPET
startsecs=0
stdout_events_enabled=true
`,
		act: func(d *daemon, note func(...any)) {
			ears, p := d.listener("ears"), d.puppet("p")
			d.waitRunning("p")
			line := strings.Repeat("0123456789", 50_000) + "\n"
			p.say(line)
			var text string
			for len(text) < len(line) {
				h := ears.event()
				ears.ok()
				head, data, _ := strings.Cut(h.payload, "\n")
				if want := "processname:p groupname:p pid:N channel:stdout"; anyPID.ReplaceAllString(head, "pid:N") != want {
					note(head)
				}
				text += data
			}
			note(fmt.Sprintf("%x", sha256.Sum256([]byte(text))) == fmt.Sprintf("%x", sha256.Sum256([]byte(line))))
		},
		want: `true`,
	},
	{
		name: "output that is no text",
		conf: `[eventlistener:ears]
command=@PUPPET
events=PROCESS_LOG,PROCESS_COMMUNICATION
startsecs=0
[program:p]
command=@PUPPET
startsecs=0
stdout_events_enabled=true
stdout_capture_maxbytes=1KB
`,
		act: func(d *daemon, note func(...any)) {
			ears, p := d.listener("ears"), d.puppet("p")
			d.waitRunning("p")
			for _, text := range []string{"grüße, liebe Freunde in der Ferne\n", "a\xffb' and more text that is no text\n", begin + "\xfe\"" + end} {
				p.say(text)
				note(ears.event())
				ears.ok()
			}
			note(ears.event())
		},
		want: `
0/0 PROCESS_LOG_STDOUT "processname:p groupname:p pid:N channel:stdout\ngrüße, liebe Freunde in der Ferne\n"
1/1 PROCESS_LOG_STDOUT "processname:p groupname:p pid:N channel:stdout\nUndecodable: b\"a\\xffb' and more text that is no text\\n\""
2/2 PROCESS_LOG_STDOUT "processname:p groupname:p pid:N channel:stdout\nUndecodable: b'\\xfe\"'"
3/3 PROCESS_COMMUNICATION_STDOUT "processname:p groupname:p pid:N\nUndecodable: b'\\xfe\"'"`,
	},
}
