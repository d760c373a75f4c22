package childlog

import "testing"

func TestOutput(t *testing.T) {
	tests := []struct {
		name   string
		o      PumpOptions
		mainly bool
		in     []string
		log    string
		sink   string
	}{
		{name: "events", o: PumpOptions{Events: true}, in: []string{"a\n", "b\n"}, log: "a\nb\n", sink: "output a\n|output b\n"},
		{name: "main log", mainly: true, in: []string{"a\n"}, log: "a\n", sink: "DEBG 'cat' stdout output:\na\n"},
		{name: "main log, not UTF-8", mainly: true, in: []string{"\xff\n"}, log: "\xff\n", sink: `DEBG 'cat' stdout output:` + "\n" + `Undecodable: b'\xff\n'`},
		{name: "capture", mainly: true, o: PumpOptions{CaptureMaxBytes: 100, Events: true},
			in: []string{"a<!--XSUPERVISOR:BEGIN-->m<!--XSUPERVISOR:END-->b"}, log: "ab",
			sink: "DEBG 'cat' stdout output:\na|output a|DEBG 'cat' stdout output:\nm|output m|captured m|DEBG 'cat' stdout emitted a comm event|DEBG 'cat' stdout output:\nb|output b"},
		{name: "unfinished capture", o: PumpOptions{CaptureMaxBytes: 100}, in: []string{"a<!--XSUPERVISOR:BEGIN-->m"}, log: "am"},
		{name: "unfinished tag", o: PumpOptions{CaptureMaxBytes: 100}, in: []string{"a<!--XSUP"}, log: "a<!--XSUP"},
		{name: "strip", o: PumpOptions{StripANSI: true, Events: true}, in: []string{"a\x1b", "[1mb\x1b[", "0mc\x1b"}, log: "abc\x1b",
			sink: "output a|output b|output c|output \x1b"},
		{name: "listener", mainly: true, o: PumpOptions{Listener: true, StripANSI: true}, in: []string{"READY\n\x1b[0m", "\x1b"}, log: "READY\n\x1b",
			sink: "DEBG 'cat' stdout output:\nb'READY\\n\\x1b[0m'|listener READY\n\x1b[0m|DEBG 'cat' stdout output:\nb'\\x1b'|listener \x1b"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			l, path := tempLog(t)
			var r recorder
			tt.o.Log, tt.o.Sink, tt.o.ProcessName = l, &r, "cat"
			if tt.mainly {
				tt.o.MainLog = r.log
			}
			out := newOutput(tt.o)
			for _, s := range tt.in {
				out.take([]byte("." + s))
			}
			out.end()
			if got := contents(t, path); got != tt.log {
				t.Errorf("log %q, want %q", got, tt.log)
			}
			if got := r.all(); got != tt.sink {
				t.Errorf("sink and activity log\n%q, want\n%q", got, tt.sink)
			}
		})
	}
}
