package rpc

import (
	"context"
	"errors"
	"math"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"

	"supervisord/internal/api"
)

type list = []any

// call calls a method and returns its result, or its fault, as text.
func call(t *testing.T, table *Table, method string, params ...any) string {
	t.Helper()
	r, err := table.Call(t.Context(), method, params)
	if err != nil {
		f, ok := errors.AsType[*api.Fault](err)
		if !ok {
			t.Fatalf("%s: %v", method, err)
		}
		return f.Text
	}
	return show(r)
}

const (
	twoStatuses = `[{name="a" group="g" status=80 description="OK"} {name="b" group="g" status=50 description="SPAWN_ERROR: g:b"}]`
	catInfo     = `{name="cat" group="cat" start=1700000000 stop=0 now=1700000062 state=20 statename="RUNNING" spawnerr="" exitstatus=0` +
		` logfile="/o" stdout_logfile="/o" stderr_logfile="/e" pid=42 description="pid 42, uptime 0:01:02" restarts=3 exitreason="exit status 1"}`
	aInfo = `{name="a" group="g" start=0 stop=0 now=1700000000 state=0 statename="STOPPED" spawnerr="" exitstatus=0` +
		` logfile="" stdout_logfile="" stderr_logfile="" pid=0 description="Not started"}`
)

func TestCall(t *testing.T) {
	tests := []struct {
		method string
		params list
		want   string
		asked  string
	}{
		{"supervisor.getAPIVersion", nil, `"3.0"`, ""},
		{"supervisor.getVersion", nil, `"3.0"`, ""},
		{"supervisor.getSupervisorVersion", nil, `"9.9"`, ""},
		{"supervisor.getIdentification", nil, `"supervisor"`, ""},
		{"supervisor.getState", nil, `{statecode=1 statename="RUNNING"}`, ""},
		{"supervisor.getPID", nil, `7`, ""},
		{"supervisor.shutdown", nil, `true`, "shutdown"},
		{"supervisor.restart", nil, `true`, "restart"},
		{"supervisor.reloadConfig", nil, `[[["new"] [] ["old" "older"]]]`, "reload"},
		{"supervisor.addProcessGroup", list{"g"}, `true`, "add g"},
		{"supervisor.removeProcessGroup", list{"g"}, `true`, "remove g"},
		{"supervisor.getProcessInfo", list{"cat"}, catInfo, ""},
		{"supervisor.getProcessInfo", list{"nope"}, "BAD_NAME: nope", ""},
		{"supervisor.getProcessInfo", list{"g:*"}, "BAD_NAME: g:*", ""},
		{"supervisor.getAllProcessInfo", nil, "[" + catInfo + " " + aInfo + "]", ""},
		{"supervisor.getAllConfigInfo", nil, `[{autostart=false autorestart="unexpected" directory="none" uid="none" command="/bin/cat"` +
			` exitcodes=[0 2] group="cat" group_prio=0 inuse=false killasgroup=false name="cat" process_prio=0 redirect_stderr=false` +
			` startretries=0 startsecs=0 stdout_capture_maxbytes=0 stdout_events_enabled=false stdout_logfile="auto" stdout_logfile_backups=0` +
			` stdout_logfile_maxbytes=1048576 stdout_syslog=false stopsignal=0 stopwaitsecs=0 stderr_capture_maxbytes=0` +
			` stderr_events_enabled=false stderr_logfile="none" stderr_logfile_backups=0 stderr_logfile_maxbytes=0 stderr_syslog=false` +
			` serverurl="none"}]`, ""},

		{"supervisor.startProcess", list{"cat"}, "true", "start cat true"},
		{"supervisor.startProcess", list{"g:a", false}, "true", "start g:a false"},
		{"supervisor.startProcess", list{"cat", int64(0)}, "true", "start cat false"},
		{"supervisor.startProcess", list{"cat", "no"}, "true", "start cat true"},
		{"supervisor.startProcess", list{"cat", nil}, "true", "start cat false"},
		{"supervisor.startProcess", list{"g:*", false}, twoStatuses, "start group g false"},
		{"supervisor.startProcess", list{"g:"}, twoStatuses, "start group g true"},
		{"supervisor.startProcess", list{"nope:*"}, "BAD_NAME: nope:*", ""},
		{"supervisor.startProcessGroup", list{"g"}, twoStatuses, "start group g true"},
		{"supervisor.startProcessGroup", list{"nope"}, "BAD_NAME: nope", ""},
		{"supervisor.startAllProcesses", nil, twoStatuses, "start all true"},
		{"supervisor.startAllProcesses", list{false}, twoStatuses, "start all false"},
		{"supervisor.stopProcess", list{"cat"}, "true", "stop cat true"},
		{"supervisor.stopProcess", list{"g:*"}, twoStatuses, "stop group g true"},
		{"supervisor.stopProcess", list{"nope:*"}, "BAD_NAME: nope:*", ""},
		{"supervisor.stopProcessGroup", list{"g", false}, twoStatuses, "stop group g false"},
		{"supervisor.stopAllProcesses", list{true}, twoStatuses, "stop all true"},
		{"supervisor.signalProcess", list{"cat", "HUP"}, "true", "signal cat HUP"},
		{"supervisor.signalProcess", list{"cat", int64(9)}, "true", "signal cat 9"},
		{"supervisor.signalProcess", list{"cat", 28.5}, "true", "signal cat 28"},
		{"supervisor.signalProcess", list{"g:*", "HUP"}, twoStatuses, "signal group g HUP"},
		{"supervisor.signalProcess", list{"nope:*", "HUP"}, "BAD_NAME: nope:*", ""},
		{"supervisor.signalProcessGroup", list{"g", "HUP"}, twoStatuses, "signal group g HUP"},
		{"supervisor.signalAllProcesses", list{"15"}, twoStatuses, "signal all 15"},
		{"supervisor.sendProcessStdin", list{"cat", "é\n"}, "true", `stdin cat "é\n"`},
		{"supervisor.sendProcessStdin", list{"g:*", "x"}, "BAD_NAME: g:*", ""},
		{"supervisor.sendProcessStdin", list{"nope", int64(5)}, "INCORRECT_PARAMETERS: 5", ""},
		{"supervisor.sendProcessStdin", list{"cat", nil}, "INCORRECT_PARAMETERS", ""},
		{"supervisor.sendRemoteCommEvent", list{"kind", "data"}, "true", `event "kind" "data"`},
		{"supervisor.sendRemoteCommEvent", list{int64(1), nil}, "true", `event "1" "None"`},
		{"supervisor.clearLog", nil, "true", "clear log"},
		{"supervisor.clearProcessLogs", list{"cat"}, "true", "clear cat"},
		{"supervisor.clearProcessLog", list{"cat"}, "true", "clear cat"},
		{"supervisor.clearProcessLog", list{"cat:*"}, "BAD_NAME: cat:*", ""},
		{"supervisor.clearAllProcessLogs", nil, twoStatuses, "clear all"},

		{"supervisord.rotateLog", nil, "true", "rotate log"},
		{"supervisord.rotateProcessLogs", list{"cat"}, twoStatuses, "rotate cat"},
		{"supervisord.rotateProcessLogs", list{"nope"}, "BAD_NAME: nope", ""},
		{"supervisord.rotateProcessLogs", list{int64(1)}, "INCORRECT_PARAMETERS", ""},
		{"supervisord.rotateAllProcessLogs", nil, twoStatuses, "rotate all"},

		{"supervisord.diffConfig", nil, `[{name="g" change="changed" settings=[{key="environment A" change="added" old="" new="" hidden=true}]` +
			` processes=[{name="p" change="changed" settings=[{key="command" change="changed" old="a" new="b" hidden=false}]}]}]`, ""},

		{"supervisor.rotateLog", nil, "UNKNOWN_METHOD", ""},
		{"supervisor.nope", nil, "UNKNOWN_METHOD", ""},
		{"supervisor._update", list{"x"}, "UNKNOWN_METHOD", ""},
		{"getState", nil, "UNKNOWN_METHOD", ""},
		{"", nil, "UNKNOWN_METHOD", ""},
		{"supervisor.getState.x", nil, "UNKNOWN_METHOD", ""},
		{"supervisor.getState", list{"x"}, "INCORRECT_PARAMETERS", ""},
		{"supervisor.startProcess", nil, "INCORRECT_PARAMETERS", ""},
		{"supervisor.startProcess", list{"a", true, "x"}, "INCORRECT_PARAMETERS", ""},

		{"supervisor.getProcessInfo", list{int64(1)}, "INCORRECT_PARAMETERS", ""},
		{"supervisor.startProcess", list{list{}}, "INCORRECT_PARAMETERS", ""},
		{"supervisor.startProcessGroup", list{int64(1)}, "BAD_NAME: 1", ""},
		{"supervisor.addProcessGroup", list{1.5}, "BAD_NAME: 1.5", ""},
		{"supervisor.removeProcessGroup", list{true}, "BAD_NAME: True", ""},
		{"supervisor.removeProcessGroup", list{nil}, "BAD_NAME", ""},
		{"supervisor.removeProcessGroup", list{map[string]any{}}, "INCORRECT_PARAMETERS", ""},
		{"supervisor.signalProcess", list{"cat", nil}, "INCORRECT_PARAMETERS", ""},
		{"supervisor.sendRemoteCommEvent", list{list{}, "x"}, "INCORRECT_PARAMETERS", ""},
	}
	for _, tt := range tests {
		f := newFake()
		if got := call(t, NewTable(f, "9.9", []string{"supervisor"}), tt.method, tt.params...); got != tt.want {
			t.Errorf("%s%v:\ngot  %s\nwant %s", tt.method, tt.params, got, tt.want)
		}
		if asked := f.noted(); asked != tt.asked {
			t.Errorf("%s%v: asked for %q, want %q", tt.method, tt.params, asked, tt.asked)
		}
	}
}

func TestReadLogs(t *testing.T) {
	f := newFake()
	dir := t.TempDir()
	f.logs = map[string]string{"main": filepath.Join(dir, "main"), "cat/stdout": filepath.Join(dir, "out"), "cat/stderr": filepath.Join(dir, "gone")}
	for name, text := range map[string]string{"main": "main log\xff", "out": "0123456789"} {
		if err := os.WriteFile(filepath.Join(dir, name), []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	table := NewTable(f, "", []string{"supervisor"})
	gone := "NO_FILE: " + f.logs["cat/stderr"]
	tests := []struct {
		method string
		params list
		want   string
	}{
		{"supervisor.readLog", list{int64(0), int64(4)}, `"main"`},
		{"supervisor.readMainLog", list{int64(5), int64(0)}, `"log\xff"`},
		{"supervisor.readLog", list{true, "3"}, `"ain"`},
		{"supervisor.readLog", list{0.9, 2.0}, `"ma"`},
		{"supervisor.readLog", list{int64(-4), int64(0)}, `"log\xff"`},
		{"supervisor.readLog", list{int64(-4), int64(4)}, "BAD_ARGUMENTS"},
		{"supervisor.readLog", list{int64(0), int64(-1)}, "BAD_ARGUMENTS"},
		{"supervisor.readLog", list{"a", int64(1)}, "INCORRECT_PARAMETERS"},
		{"supervisor.readLog", list{nil, int64(1)}, "INCORRECT_PARAMETERS"},
		{"supervisor.readLog", list{math.Inf(1), int64(1)}, "INCORRECT_PARAMETERS"},
		{"supervisor.readLog", list{math.NaN(), int64(1)}, "INCORRECT_PARAMETERS"},
		{"supervisor.readProcessLog", list{"cat", int64(2), int64(3)}, `"234"`},
		{"supervisor.readProcessStdoutLog", list{"cat", int64(8), int64(30)}, `"89"`},
		{"supervisor.readProcessStdoutLog", list{"cat", int64(math.MaxInt64), int64(1)}, `""`},
		{"supervisor.readProcessStdoutLog", list{"nope", "a", int64(3)}, "BAD_NAME: nope"},
		{"supervisor.readProcessStdoutLog", list{"cat:*", int64(0), int64(3)}, "BAD_NAME: cat:*"},
		{"supervisor.readProcessStderrLog", list{"cat", int64(0), int64(0)}, gone},
		{"supervisor.readProcessStderrLog", list{"g:a", "a", int64(0)}, "NO_FILE"},
		{"supervisor.tailProcessLog", list{"cat", int64(0), int64(100)}, `["0123456789" 10 false]`},
		{"supervisor.tailProcessStdoutLog", list{"cat", int64(0), int64(3)}, `["789" 10 true]`},
		{"supervisor.tailProcessStdoutLog", list{"cat", int64(10), int64(3)}, `["" 10 false]`},
		{"supervisor.tailProcessStdoutLog", list{"cat", "x", int64(3)}, "INCORRECT_PARAMETERS"},
		{"supervisor.tailProcessStderrLog", list{"cat", "x", int64(3)}, `["" 0 false]`},
		{"supervisor.tailProcessStderrLog", list{"g:a", int64(0), int64(3)}, `["" 0 false]`},
		{"supervisor.tailProcessStderrLog", list{"nope", int64(0), int64(3)}, "BAD_NAME: nope"},
	}
	for _, tt := range tests {
		if got := call(t, table, tt.method, tt.params...); got != tt.want {
			t.Errorf("%s%v: got %s, want %s", tt.method, tt.params, got, tt.want)
		}
	}
}

func TestShutdownState(t *testing.T) {
	f := newFake()
	f.mood = api.MoodShutdown
	table := NewTable(f, "", []string{"supervisor"})
	for _, name := range table.Names() {
		m := table.Method(name)
		params := make(list, len(m.Params))
		for i, p := range m.Params {
			params[i] = map[string]any{"string": "cat", "int": int64(0), "boolean": true, "array": list{}}[p.Type]
		}
		got := call(t, table, name, params...) == "SHUTDOWN_STATE"
		want := !strings.HasPrefix(name, "system.") && name != "supervisor.sendRemoteCommEvent"
		if got != want {
			t.Errorf("%s: refused during a shutdown: %v, want %v", name, got, want)
		}
		if len(m.Params) > 0 && m.required() > 0 && call(t, table, name) != "INCORRECT_PARAMETERS" {
			t.Errorf("%s: the number of arguments is not checked first", name)
		}
	}
}

func TestMulticall(t *testing.T) {
	m := func(name any, params ...any) any { return map[string]any{"methodName": name, "params": params} }
	tests := []struct {
		calls any
		want  string
	}{
		{list{}, "[]"},
		{list{m("supervisor.getPID"), m("supervisor.nope"), m("supervisor.getProcessInfo", "zz"), m("supervisor.getPID", int64(1)), m("")},
			`[7 {faultCode=1 faultString="UNKNOWN_METHOD"} {faultCode=10 faultString="BAD_NAME: zz"}` +
				` {faultCode=2 faultString="INCORRECT_PARAMETERS"} {faultCode=1 faultString="UNKNOWN_METHOD"}]`},
		{list{m("system.multicall", list{})}, `[{faultCode=2 faultString="INCORRECT_PARAMETERS: Recursive system.multicall forbidden"}]`},
		{list{map[string]any{}, map[string]any{"methodName": "supervisor.getPID", "extra": true}},
			`[{faultCode=2 faultString="INCORRECT_PARAMETERS: No methodName"} 7]`},
		{list{m(int64(5)), map[string]any{"methodName": "supervisor.getPID", "params": nil}, map[string]any{"methodName": "supervisor.getPID", "params": "x"}},
			`[{faultCode=2 faultString="INCORRECT_PARAMETERS"} {faultCode=2 faultString="INCORRECT_PARAMETERS"} {faultCode=2 faultString="INCORRECT_PARAMETERS"}]`},
		{list{m("supervisor.startProcess", "g:*"), m("system.methodSignature", "supervisor.getState")}, "[" + twoStatuses + ` ["struct"]]`},
		{"x", "INCORRECT_PARAMETERS"},
		{list{int64(5)}, "INCORRECT_PARAMETERS"},
		{make(list, maxCalls+1), "INCORRECT_PARAMETERS"},
	}
	for _, tt := range tests {
		if got := call(t, NewTable(newFake(), "", []string{"supervisor"}), "system.multicall", tt.calls); got != tt.want {
			t.Errorf("%v:\ngot  %s\nwant %s", tt.calls, got, tt.want)
		}
	}
}

// TestMulticallLimit: a small request cannot ask for an endless answer.
func TestMulticallLimit(t *testing.T) {
	f := newFake()
	f.infos = make([]api.ProcessInfo, 1000)
	calls := make(list, maxCalls)
	for i := range calls {
		calls[i] = map[string]any{"methodName": "supervisor.getAllProcessInfo"}
	}
	r, err := NewTable(f, "", []string{"supervisor"}).Call(t.Context(), "system.multicall", list{calls})
	if err != nil {
		t.Fatal(err)
	}
	results := r.(arrayResult)
	if len(results) != maxCalls {
		t.Fatalf("%d results", len(results))
	}
	if last, ok := results[maxCalls-1].(faultResult); !ok || last.Code != api.Failed {
		t.Errorf("last result: %v", show(results[maxCalls-1]))
	}
}

func TestWaiting(t *testing.T) {
	f := newFake()
	f.hold = make(chan struct{})
	table := NewTable(f, "", []string{"supervisor"})
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	multicall := list{list{map[string]any{"methodName": "supervisor.startProcess", "params": list{"cat"}}}}
	for method, params := range map[string]list{
		"supervisor.startProcess": {"cat"}, "supervisor.stopProcess": {"cat", true}, "system.multicall": multicall,
	} {
		if _, err := table.Call(ctx, method, params); !errors.Is(err, context.Canceled) {
			t.Errorf("%s: %v for a client that has gone", method, err)
		}
	}
	if _, err := table.Call(ctx, "supervisor.startProcess", list{"cat", false}); err != nil {
		t.Errorf("a call that does not wait: %v", err)
	}
	close(f.hold)
	if got := call(t, table, "supervisor.startProcess", "cat"); got != "true" {
		t.Error(got)
	}
}

// TestOtherErrors: a client sees every error as a fault.
func TestOtherErrors(t *testing.T) {
	f := newFake()
	f.err = errors.New("open x: permission denied")
	if got := call(t, NewTable(f, "", []string{"supervisor"}), "supervisor.clearLog"); got != "FAILED: open x: permission denied" {
		t.Error(got)
	}
}

func TestHelp(t *testing.T) {
	table := NewTable(newFake(), "", []string{"supervisor"})
	names := table.Names()
	if !slices.IsSorted(names) || len(names) != 46 {
		t.Errorf("%d names: %q", len(names), names)
	}
	tag := regexp.MustCompile(`(?m)^@(param|return) (\w+) (\w+) \S`)
	for _, name := range names {
		help := call(t, table, "system.methodHelp", name)
		m := table.Method(name)
		var want []string
		for _, p := range m.Params {
			want = append(want, p.Type+" "+p.Name)
		}
		want = append(want, m.Returns.Type+" result")
		var got []string
		for _, s := range tag.FindAllStringSubmatch(m.Help(), -1) {
			got = append(got, s[2]+" "+s[3])
		}
		if !slices.Equal(got, want) || !strings.Contains(help, strings.SplitN(m.About, "\n", 2)[0]) {
			t.Errorf("%s: tags %q, want %q", name, got, want)
		}
		if sig := call(t, table, "system.methodSignature", name); sig != show(namesResult(m.Signature())) {
			t.Errorf("%s: signature %s", name, sig)
		}
	}
	for _, name := range []any{"supervisor.nope", "getState", "", int64(1), list{}} {
		for _, method := range []string{"system.methodHelp", "system.methodSignature"} {
			if got := call(t, table, method, name); got != "SIGNATURE_UNSUPPORTED" {
				t.Errorf("%s(%v): %s", method, name, got)
			}
		}
	}
	if got := call(t, table, "system.methodSignature", "supervisor.tailProcessLog"); got != `["array" "string" "int" "int"]` {
		t.Error(got)
	}
	if got := call(t, table, "system.listMethods"); got != show(namesResult(names)) {
		t.Error(got)
	}
}

func TestDescribe(t *testing.T) {
	local := time.Local
	time.Local = time.FixedZone("", 2*3600)
	defer func() { time.Local = local }()
	stop := time.Date(2026, 12, 5, 13, 12, 30, 0, time.UTC)
	running := func(d time.Duration) api.ProcessInfo {
		return api.ProcessInfo{State: api.Running, PID: 42, Start: start.Add(700 * time.Millisecond), Now: start.Add(d)}
	}
	tests := []struct {
		info api.ProcessInfo
		want string
	}{
		{running(0), "pid 42, uptime 0:00:00"},
		{running(-time.Hour), "pid 42, uptime 0:00:00"},
		{running(37*time.Minute + 58*time.Second), "pid 42, uptime 0:37:58"},
		{running(23*time.Hour + 59*time.Minute + 59*time.Second + 999*time.Millisecond), "pid 42, uptime 23:59:59"},
		{running(24 * time.Hour), "pid 42, uptime 1 day, 0:00:00"},
		{running(1000*24*time.Hour + 3661*time.Second), "pid 42, uptime 1000 days, 1:01:01"},
		{api.ProcessInfo{State: api.Stopped, Start: start, Stop: stop}, "Dec 05 03:12 PM"},
		{api.ProcessInfo{State: api.Exited, Start: start, Stop: stop.Add(10 * time.Hour)}, "Dec 06 01:12 AM"},
		{api.ProcessInfo{State: api.Stopped, Start: start}, "Jan 01 02:00 AM"},
		{api.ProcessInfo{State: api.Stopped}, "Not started"},
		{api.ProcessInfo{State: api.Fatal, SpawnErr: "can't find command 'x'"}, "can't find command 'x'"},
		{api.ProcessInfo{State: api.Backoff, Name: "web"}, `unknown error (try "tail web")`},
		{api.ProcessInfo{State: api.Backoff, SpawnErr: "no", Now: start, NextStart: start.Add(9001 * time.Millisecond)},
			"no, restart in 0:00:10"},
		{api.ProcessInfo{State: api.Exited, Start: start, Stop: stop, Now: stop, NextStart: stop.Add(90 * time.Second)},
			"Dec 05 03:12 PM, restart in 0:01:30"},
		{api.ProcessInfo{State: api.Exited, Start: start, Stop: stop, Now: stop, NextStart: stop.Add(-time.Hour)},
			"Dec 05 03:12 PM, restart in 0:00:00"},
		{api.ProcessInfo{State: api.Starting, Start: start}, ""},
		{api.ProcessInfo{State: api.Stopping, Start: start}, ""},
		{api.ProcessInfo{State: api.Unknown}, ""},
	}
	for _, tt := range tests {
		if got := Describe(tt.info); got != tt.want {
			t.Errorf("%v: got %q, want %q", tt.info.State, got, tt.want)
		}
	}
}

func TestSecondsFitAnInt(t *testing.T) {
	for in, want := range map[int64]int64{0: 0, 1: 1, math.MaxInt32 + 1: math.MaxInt32, -1 << 40: math.MinInt32} {
		if got := seconds(time.Unix(in, 0)); got != want {
			t.Errorf("%d: got %d", in, got)
		}
	}
}

// A result that was released gives its memory to the next, which is whole, and
// one that was not keeps what it has.
func TestRelease(t *testing.T) {
	f := newFake()
	table := NewTable(f, "9.9", []string{"supervisor"})
	all := func() Result {
		t.Helper()
		r, err := table.Call(t.Context(), "supervisor.getAllProcessInfo", nil)
		if err != nil {
			t.Fatal(err)
		}
		return r
	}
	kept := all()
	for range 100 {
		f.infos = f.infos[:1]
		one := all()
		if got, want := show(one), "["+catInfo+"]"; got != want {
			t.Fatalf("got %s, want %s", got, want)
		}
		Release(one)
		f.infos = f.infos[:2]
		two := all()
		if got, want := show(two), "["+catInfo+" "+aInfo+"]"; got != want {
			t.Fatalf("got %s, want %s", got, want)
		}
		Release(two)
	}
	if got, want := show(kept), "["+catInfo+" "+aInfo+"]"; got != want {
		t.Errorf("the first result is now %s", got)
	}
	Release(boolResult(true)) // It has nothing to give.
}
