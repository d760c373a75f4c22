package childlog

import (
	"regexp"
	"strings"
	"testing"

	"supervisord/internal/api"
	"supervisord/internal/logfile"
)

// times are what records begin with.
var times = regexp.MustCompile(`\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z`)

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
		{name: "records", o: PumpOptions{Format: api.FormatText, Events: true}, in: []string{"a\nb", "c\nd"},
			log: "T g:cat stdout | a\nT g:cat stdout | bc\nT g:cat stdout + d\n", sink: "output a\nb|output c\nd"},
		{name: "records of JSON", o: PumpOptions{Format: api.FormatJSON, Channel: api.Stderr, PID: 7}, in: []string{"a\tb\nc"},
			log: `{"time":"T","name":"cat","group":"g","stream":"stderr","pid":7,"message":"a\tb"}` + "\n" +
				`{"time":"T","name":"cat","group":"g","stream":"stderr","pid":7,"message":"c","partial":true}` + "\n"},
		{name: "records after stripping and capturing", o: PumpOptions{Format: api.FormatText, StripANSI: true, CaptureMaxBytes: 100},
			in:  []string{"a\x1b[1m<!--XSUPERVISOR:BEGIN-->m\n<!--XSUPERVISOR:END-->b\n\x1b"},
			log: "T g:cat stdout | ab\nT g:cat stdout + \x1b\n", sink: "captured m\n"},
		{name: "records of a listener", o: PumpOptions{Format: api.FormatText, Listener: true}, in: []string{"READY\n"},
			log: "T g:cat stdout | READY\n", sink: "listener READY\n"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			l, path := tempLog(t)
			var r recorder
			tt.o.GroupName = "g"
			tt.o.Log, tt.o.Sink, tt.o.ProcessName = l, &r, "cat"
			if tt.mainly {
				tt.o.MainLog = r.log
			}
			out := newOutput(tt.o)
			for _, s := range tt.in {
				out.take([]byte("." + s))
			}
			out.end()
			if got := times.ReplaceAllString(contents(t, path), "T"); got != tt.log {
				t.Errorf("log %q, want %q", got, tt.log)
			}
			if got := r.all(); got != tt.sink {
				t.Errorf("sink and activity log\n%q, want\n%q", got, tt.sink)
			}
		})
	}
}

// No records are made where there is no file for them, and syslog is sent lines
// as they came.
func TestRecordsOfNoFile(t *testing.T) {
	var sent []string
	l := NewLog(LogOptions{})
	l.syslog = &lineSender{tag: "cat", send: func(line []byte) error {
		sent = append(sent, string(line))
		return nil
	}}
	for _, path := range []string{"", t.TempDir() + "/log"} {
		if path != "" {
			l.file = logfile.New(path, logfile.Options{})
			defer l.Close()
		}
		sent = nil
		out := newOutput(PumpOptions{Log: l, Format: api.FormatJSON})
		out.take([]byte(".one\ntw"))
		if out.holds() != (path != "") {
			t.Errorf("file %q: the beginning of a record is held: %v", path, out.holds())
		}
		out.take([]byte(".o\n"))
		out.end()
		if got := strings.Join(sent, "|"); got != "cat one|cat two" {
			t.Errorf("file %q: sent %q", path, got)
		}
	}
}
