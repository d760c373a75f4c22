package ctl

import (
	"fmt"
	"strings"
	"testing"

	"supervisord/internal/api"
)

// TestFaultWords checks what each action says for each fault, and the exit
// status, for a process that is named alone.
func TestFaultWords(t *testing.T) {
	codes := []api.FaultCode{api.Success, api.BadName, api.BadSignal, api.NoFile, api.NotExecutable, api.Failed,
		api.AbnormalTermination, api.SpawnError, api.AlreadyStarted, api.NotRunning, api.ShutdownState}
	want := map[string]map[api.FaultCode]string{
		"start x": {
			api.Success:             "0 x: started",
			api.BadName:             "1 x: ERROR (no such process)",
			api.NoFile:              "1 x: ERROR (no such file)",
			api.NotExecutable:       "1 x: ERROR (file is not executable)",
			api.AbnormalTermination: "7 x: ERROR (abnormal termination)",
			api.SpawnError:          "7 x: ERROR (spawn error)",
			api.AlreadyStarted:      "0 x: ERROR (already started)",
		},
		"stop x": {
			api.Success:    "0 x: stopped",
			api.BadName:    "1 x: ERROR (no such process)",
			api.BadSignal:  "1 x: ERROR (bad signal name)",
			api.Failed:     "1 FAILED: detail",
			api.NotRunning: "0 x: ERROR (not running)",
		},
		"signal HUP x": {
			api.Success:    "0 x: signalled",
			api.BadName:    "1 x: ERROR (no such process)",
			api.BadSignal:  "1 x: ERROR (bad signal name)",
			api.Failed:     "1 FAILED: detail",
			api.NotRunning: "7 x: ERROR (not running)",
		},
		"clear x": {
			api.Success: "0 x: cleared",
			api.BadName: "1 x: ERROR (no such process)",
			api.Failed:  "1 x: ERROR (failed)",
		},
	}
	var code api.FaultCode
	f := newFake(t, func(method string, _ []any) any {
		switch {
		case method == "supervisor.getVersion":
			return nil
		case code == api.Success:
			return true
		}
		return api.NewFault(code, "detail")
	})
	for line, words := range want {
		for _, next := range codes {
			f.set(func() { code = next })
			expected, ok := words[next]
			if !ok {
				expected = fmt.Sprintf("1 error: <class 'ValueError'>, Unknown result code %d for x", int(next))
			}
			got := f.settings.run(t, "", strings.Fields(line)...)
			if text := fmt.Sprintf("%d %s", got.Exit, strings.TrimSpace(got.Out)); text != expected {
				t.Errorf("%s with %v: %s, want %s", line, next, text, expected)
			}
		}
	}
}

// groupChanges is an answer of diffConfig.
var groupChanges = []any{
	groupChange("a", "changed", []any{settingChange("priority", "changed", "1", "2", false)},
		groupChange("p", "changed", []any{settingChange("umask", "added", "", "022", false),
			settingChange("directory", "removed", "/", "", false), settingChange("environment A", "changed", "", "", true)}),
		groupChange("q", "removed", []any{})),
	groupChange("b", "added", []any{}),
}

// groupChange returns a change of a group; without processes it can be one of a
// process, too.
func groupChange(name, change string, settings []any, processes ...any) []member {
	return []member{{"name", name}, {"change", change}, {"settings", settings}, {"processes", append([]any{}, processes...)}}
}

func settingChange(key, change, before, after string, hidden bool) []member {
	return []member{{"key", key}, {"change", change}, {"old", before}, {"new", after}, {"hidden", hidden}}
}

// TestActions checks what actions call, say and return.
func TestActions(t *testing.T) {
	type answers map[string]any
	changes := func(added, changed, removed []any) []any { return []any{[]any{added, changed, removed}} }
	for _, test := range []struct {
		line    string
		answers answers
		out     string
		exit    int
		calls   string // those besides getVersion
	}{
		{line: "", out: ""},
		{line: "bogus x", out: "*** Unknown syntax: bogus x\n", exit: 1},
		{line: "start", out: "Error: start requires a process name\n" + helpStart + "\n", exit: 2},
		{line: "start g:*",
			answers: answers{"supervisor.startProcessGroup": []any{status("g", "a", api.Success), status("g", "g", api.SpawnError)}},
			out:     "g:a: started\ng: ERROR (spawn error)\n", exit: 7, calls: "supervisor.startProcessGroup[g true]"},
		{line: "start g:",
			answers: answers{"supervisor.startProcessGroup": api.NewFault(api.BadName, "g")},
			out:     "g: ERROR (no such group)\n", exit: 2, calls: "supervisor.startProcessGroup[g true]"},
		{line: "stop g:* x all",
			answers: answers{"supervisor.stopAllProcesses": []any{status("g", "a", api.NotRunning), status("x", "x", api.Success)}},
			out:     "g:a: ERROR (not running)\nx: stopped\n", calls: "supervisor.stopAllProcesses[true]"},
		{line: "restart x",
			answers: answers{"supervisor.stopProcess": true, "supervisor.startProcess": true},
			out:     "x: stopped\nx: started\n", calls: "supervisor.stopProcess[x true] supervisor.startProcess[x true]"},
		{line: "clear g:*",
			answers: answers{"supervisor.clearProcessLogs": api.NewFault(api.BadName, "g:*")},
			out:     "g:None: ERROR (no such process)\n", exit: 1, calls: "supervisor.clearProcessLogs[g:*]"},
		{line: "rotate", out: "Error: rotate requires a process name\n" + helpRotate + "\n", exit: 1},
		{line: "rotate x g:*",
			answers: answers{"supervisord.rotateProcessLogs": []any{described(status("g", "x", api.Success), "rotated"),
				described(status("g", "y", api.Success), "nothing to rotate"), status("g", "z", api.Failed)}},
			out: strings.Repeat("g:x: rotated\ng:y: nothing to rotate\ng:z: ERROR (failed)\n", 2), exit: 1,
			calls: "supervisord.rotateProcessLogs[x] supervisord.rotateProcessLogs[g:*]"},
		{line: "rotate x g:y",
			answers: answers{"supervisord.rotateProcessLogs": api.NewFault(api.BadName, "x")},
			out:     "x: ERROR (no such process)\ng:y: ERROR (no such process)\n", exit: 1,
			calls: "supervisord.rotateProcessLogs[x] supervisord.rotateProcessLogs[g:y]"},
		{line: "rotate g:*",
			answers: answers{"supervisord.rotateProcessLogs": api.NewFault(api.BadName, "g:*")},
			out:     "g: ERROR (no such group)\n", exit: 1, calls: "supervisord.rotateProcessLogs[g:*]"},
		{line: "rotate all x",
			answers: answers{"supervisord.rotateAllProcessLogs": []any{described(status("x", "x", api.Success), "rotated")}},
			out:     "x: rotated\n", calls: "supervisord.rotateAllProcessLogs[]"},
		{line: "mainrotate x", out: "Error: mainrotate accepts no arguments\n" + helpMainrotate + "\n", exit: 1},
		{line: "mainrotate", answers: answers{"supervisord.rotateLog": true},
			out: "supervisord: rotated\n", calls: "supervisord.rotateLog[]"},
		{line: "mainrotate", answers: answers{"supervisord.rotateLog": false},
			out: "supervisord: nothing to rotate\n", calls: "supervisord.rotateLog[]"},
		{line: "mainrotate", answers: answers{"supervisord.rotateLog": api.NewFault(api.NoFile)},
			out: "supervisord: ERROR (no log file)\n", exit: 1, calls: "supervisord.rotateLog[]"},
		{line: "diff", answers: answers{"supervisord.diffConfig": []any{}},
			out: "No config updates to processes\n", calls: "supervisord.diffConfig[]"},
		{line: "diff", answers: answers{"supervisord.diffConfig": groupChanges},
			out: "a: changed\n    - priority=1\n    + priority=2\n  a:p: changed\n    + umask=022\n    - directory=/\n    ! environment A\n" +
				"  a:q: removed\nb: added\n", exit: 1, calls: "supervisord.diffConfig[]"},
		{line: "diff b c", answers: answers{"supervisord.diffConfig": groupChanges},
			out: "b: added\n", exit: 1, calls: "supervisord.diffConfig[]"},
		{line: "diff c", answers: answers{"supervisord.diffConfig": groupChanges},
			out: "No config updates to processes\n", calls: "supervisord.diffConfig[]"},
		{line: "diff", answers: answers{"supervisord.diffConfig": api.NewFault(api.CantReread, "bad")},
			out: "ERROR: CANT_REREAD: bad\n", exit: 2, calls: "supervisord.diffConfig[]"},
		{line: "diff", answers: answers{"supervisord.diffConfig": api.NewFault(api.UnknownMethod)},
			out: "error: <class 'xmlrpc.client.Fault'>, <Fault 1: 'UNKNOWN_METHOD'>\n", exit: 2, calls: "supervisord.diffConfig[]"},
		{line: "reread",
			answers: answers{"supervisor.reloadConfig": changes([]any{"b"}, []any{"c"}, []any{"a"})},
			out:     "a: disappeared\nb: available\nc: changed\n", calls: "supervisor.reloadConfig[]"},
		{line: "reread",
			answers: answers{"supervisor.reloadConfig": api.NewFault(api.CantReread, "bad")},
			out:     "ERROR: CANT_REREAD: bad\n", exit: 1, calls: "supervisor.reloadConfig[]"},
		{line: "reread",
			answers: answers{"supervisor.reloadConfig": api.NewFault(api.ShutdownState)},
			out:     "ERROR: supervisor shutting down\n", exit: 1, calls: "supervisor.reloadConfig[]"},
		{line: "update",
			answers: answers{"supervisor.reloadConfig": api.NewFault(api.CantReread, "it's")},
			out:     "error: <class 'xmlrpc.client.Fault'>, <Fault 92: \"CANT_REREAD: it's\">\n", exit: 1,
			calls: "supervisor.reloadConfig[]"},
		{line: "update",
			answers: answers{
				"supervisor.reloadConfig":       changes([]any{"n"}, []any{"c"}, []any{"r", "bad"}),
				"supervisor.stopProcessGroup":   []any{status("bad", "x", api.Failed)},
				"supervisor.removeProcessGroup": true, "supervisor.addProcessGroup": true},
			out: "r: stopped\nr: has problems; not removing\nbad: stopped\nbad: has problems; not removing\n" +
				"c: stopped\nc: updated process group\nn: added process group\n", exit: 1,
			calls: "supervisor.reloadConfig[] supervisor.stopProcessGroup[r true] supervisor.stopProcessGroup[bad true] " +
				"supervisor.stopProcessGroup[c true] supervisor.removeProcessGroup[c] supervisor.addProcessGroup[c] supervisor.addProcessGroup[n]"},
		{line: "update n nope nope",
			answers: answers{
				"supervisor.reloadConfig":    changes([]any{"n", "m"}, []any{"c"}, []any{"r"}),
				"supervisor.addProcessGroup": true},
			out: "ERROR: no such group: nope\nn: added process group\n", exit: 1,
			calls: "supervisor.reloadConfig[] supervisor.getAllProcessInfo[] supervisor.addProcessGroup[n]"},
		{line: "add a b",
			answers: answers{"supervisor.addProcessGroup": api.NewFault(api.AlreadyAdded, "a")},
			out:     "ERROR: process group already active\nERROR: process group already active\n",
			calls:   "supervisor.addProcessGroup[a] supervisor.addProcessGroup[b]"},
		{line: "remove a",
			answers: answers{"supervisor.removeProcessGroup": api.NewFault(api.StillRunning, "a")},
			out:     "ERROR: process/group still running: a\n", exit: 1, calls: "supervisor.removeProcessGroup[a]"},
		{line: "remove a",
			answers: answers{"supervisor.removeProcessGroup": api.NewFault(api.ShutdownState)},
			out:     "error: <class 'xmlrpc.client.Fault'>, <Fault 6: 'SHUTDOWN_STATE'>\n", exit: 1,
			calls: "supervisor.removeProcessGroup[a]"},
		{line: "shutdown", answers: answers{"supervisor.shutdown": true}, out: "Shut down\n", calls: "supervisor.shutdown[]"},
		{line: "shutdown", answers: answers{"supervisor.shutdown": api.NewFault(api.ShutdownState)},
			out: "ERROR: already shutting down\n", calls: "supervisor.shutdown[]"},
		{line: "reload", answers: answers{"supervisor.restart": true}, out: "Restarted supervisord\n", calls: "supervisor.restart[]"},
		{line: "reload", answers: answers{"supervisor.restart": api.NewFault(api.ShutdownState)},
			out: "ERROR: already shutting down\n", exit: 1, calls: "supervisor.restart[]"},
		{line: "reload", answers: answers{"supervisor.restart": api.NewFault(api.CantReread, "bad")},
			out: "ERROR: CANT_REREAD: bad\n", exit: 1, calls: "supervisor.restart[]"},
		{line: "pid", answers: answers{"supervisor.getPID": 77}, out: "77\n", calls: "supervisor.getPID[]"},
		{line: "version", answers: answers{"supervisor.getSupervisorVersion": "4.3.0"}, out: "4.3.0\n",
			calls: "supervisor.getSupervisorVersion[]"},
		{line: "tail -5 x",
			answers: answers{"supervisor.readProcessStdoutLog": "hello"},
			out:     "hello\n", calls: "supervisor.readProcessStdoutLog[x -5 0]"},
		{line: "tail x STDERR",
			answers: answers{"supervisor.readProcessStderrLog": api.NewFault(api.NoFile)},
			out:     "x: ERROR (no log file)\n", exit: 1, calls: "supervisor.readProcessStderrLog[x -1600 0]"},
		{line: "maintail -1_0",
			answers: answers{"supervisor.readLog": "hello\n"},
			out:     "hello\n\n", calls: "supervisor.readLog[-10 0]"},
		{line: "tail -2147483649 x", out: "error: <class 'OverflowError'>, int exceeds XML-RPC limits\n", exit: 1},
		{line: "avail",
			answers: answers{"supervisor.getAllConfigInfo": []any{[]member{{"name", "a"}, {"group", "g"}, {"inuse", true},
				{"autostart", false}, {"group_prio", 1}, {"process_prio", 999}}}},
			out: "g:a                              in use    manual    1:999\n", calls: "supervisor.getAllConfigInfo[]"},
	} {
		f := newFake(t, func(method string, _ []any) any { return test.answers[method] })
		got := f.settings.run(t, "", test.line)
		if got.Out != test.out || got.Exit != test.exit || got.Err != "" {
			t.Errorf("%q: exit %d, stdout %q, stderr %q\nwant exit %d, stdout %q", test.line, got.Exit, got.Out, got.Err, test.exit, test.out)
		}
		var calls []string
		for _, call := range f.called() {
			if call != "supervisor.getVersion[]" {
				calls = append(calls, call)
			}
		}
		if joined := strings.Join(calls, " "); joined != test.calls {
			t.Errorf("%q calls %s\nwant %s", test.line, joined, test.calls)
		}
	}
}

func TestStatus(t *testing.T) {
	f := newFake(t, someProcesses)
	const (
		cat = "cat                              RUNNING   pid 4242, uptime 0:00:07\n"
		a   = "grp:a                            STOPPED   Not started\n"
		b   = "grp:b                            FATAL     can't find command '/x'\n"
	)
	for _, test := range []struct {
		line, out string
		exit      int
	}{
		{"status", cat + a + b, 3},
		{"status cat", cat, 0},
		{"status grp:* cat", a + b + cat, 3},
		{"status nope", "nope: ERROR (no such process)\n", 4},
		{"status nope:*", "nope: ERROR (no such group)\n", 4},
		{"status nope cat", "nope: ERROR (no such process)\n" + cat, 4},
		{"status nope grp:a", "nope: ERROR (no such process)\n" + a, 3},
		{"status nope all", cat + a + b, 3},
	} {
		got := f.settings.run(t, "", strings.Fields(test.line)...)
		if got.Out != test.out || got.Exit != test.exit {
			t.Errorf("%s: exit %d\n%swant exit %d\n%s", test.line, got.Exit, got.Out, test.exit, test.out)
		}
	}
}

// TestStatusIsOneRoundTrip also checks that a daemon without multicall is
// asked in another way.
func TestStatusIsOneRoundTrip(t *testing.T) {
	f := newFake(t, nil)
	if got := f.settings.run(t, "", "status"); got.Exit != 0 || got.Out != "" {
		t.Errorf("status of nothing: %+v", got)
	}
	if calls := f.called(); len(calls) != 3 || !strings.HasPrefix(calls[0], "system.multicall") {
		t.Errorf("calls %v, want one multicall of two methods", calls)
	}
	old := newFake(t, func(method string, params []any) any {
		if method == "system.multicall" {
			return api.NewFault(api.UnknownMethod)
		}
		return someProcesses(method, params)
	})
	if got := old.settings.run(t, "", "status", "cat"); got.Exit != 0 || !strings.HasPrefix(got.Out, "cat ") {
		t.Errorf("without multicall: %+v", got)
	}
}

func TestUpcheck(t *testing.T) {
	for _, test := range []struct {
		line   string
		answer any
		out    string
		exit   int
	}{
		{"pid", "2.0", "Sorry, this version of supervisorctl expects to talk to a server with API version 3.0, but the remote version is 2.0.\n", 5},
		{"status", "2.0", "Sorry, this version of supervisorctl expects to talk to a server with API version 3.0, but the remote version is 2.0.\n", 4},
		{"start x", api.NewFault(api.UnknownMethod), "Sorry, supervisord responded but did not recognize the supervisor namespace commands that supervisorctl uses to control it.  Please check that the [rpcinterface:supervisor] section is enabled in the configuration file (see sample.conf).\n", 3},
		{"stop x", api.NewFault(api.ShutdownState), "error: <class 'xmlrpc.client.Fault'>, <Fault 6: 'SHUTDOWN_STATE'>\n", 1},
		{"status", api.NewFault(api.ShutdownState), "error: <class 'xmlrpc.client.Fault'>, <Fault 6: 'SHUTDOWN_STATE'>\n", 1},
	} {
		f := newFake(t, func(method string, _ []any) any {
			if method == "supervisor.getVersion" {
				return test.answer
			}
			return nil
		})
		if got := f.settings.run(t, "", strings.Fields(test.line)...); got.Out != test.out || got.Exit != test.exit {
			t.Errorf("%s: exit %d, %q; want %d, %q", test.line, got.Exit, got.Out, test.exit, test.out)
		}
	}
}

func TestNoDaemon(t *testing.T) {
	s := testSettings{ServerURL: "unix://" + t.TempDir() + "/s"}
	const missing = "error: <class 'FileNotFoundError'>, [Errno 2] No such file or directory\n"
	for _, test := range []struct {
		line, out string
		exit      int
	}{
		{"status", s.ServerURL + " no such file\n", 4},
		{"start x", s.ServerURL + " no such file\n", 7},
		{"fg x", s.ServerURL + " no such file\n", 7},
		{"reread", missing, 1},
		{"reload", missing, 1},
		{"shutdown", "ERROR: " + s.ServerURL + " no such file (already shut down?)\n", 1},
		{"open http://127.0.0.1:1", "http://127.0.0.1:1 refused connection\n", 0},
	} {
		got := s.run(t, "", strings.Fields(test.line)...)
		if got.Out != test.out || got.Exit != test.exit || got.Err != "" {
			t.Errorf("%s: %+v; want exit %d, %q", test.line, got, test.exit, test.out)
		}
	}
	refused := testSettings{ServerURL: "http://127.0.0.1:1"}
	if got := refused.run(t, "", "status"); got.Out != "http://127.0.0.1:1 refused connection\n" || got.Exit != 4 {
		t.Errorf("refused: %+v", got)
	}
	if got := refused.run(t, "", "stop", "x"); got.Exit != 4 {
		t.Errorf("refused: %+v", got)
	}
	bad := testSettings{ServerURL: "ftp://x"}
	if got := bad.run(t, "", "status"); got.Exit != 1 || got.Out != "error: <class 'ValueError'>, Unknown protocol for serverurl ftp://x\n" {
		t.Errorf("bad scheme: %+v", got)
	}
	for url, want := range map[string]string{
		"http://localhost:abc":       "Port could not be cast to integer value as 'abc'",
		"http://localhost:-1/x":      "Port could not be cast to integer value as '-1'",
		"http://u:p@localhost:99999": "Port out of range 0-65535",
		"http://[::1]:65536":         "Port out of range 0-65535",
	} {
		bad := testSettings{ServerURL: url}
		if got := bad.run(t, "", "status"); got.Exit != 1 || got.Out != "error: <class 'ValueError'>, "+want+"\n" {
			t.Errorf("%s: %+v", url, got)
		}
	}
}

func TestAuthentication(t *testing.T) {
	f := newFake(t, someProcesses)
	f.set(func() { f.user, f.password = "u", "pw" })
	if got := f.settings.run(t, "", "status", "cat"); got.Out != "Server requires authentication\n" || got.Exit != 1 {
		t.Errorf("without a password: %+v", got)
	}
	user, password := "u", "pw"
	known := f.settings
	known.Username = &user
	if got := known.run(t, "", "status", "cat"); got.Exit != 1 {
		t.Errorf("with half of it: %+v", got)
	}
	known.Password = &password
	if got := known.run(t, "", "status", "cat"); got.Exit != 0 {
		t.Errorf("with a password: %+v", got)
	}
}

func TestShellWithoutTerminal(t *testing.T) {
	f := newFake(t, func(method string, params []any) any {
		if method == "supervisor.shutdown" {
			return true
		}
		return someProcesses(method, params)
	})
	f.settings.Interactive = true
	const table = "cat                              RUNNING   pid 4242, uptime 0:00:07\n" +
		"grp:a                            STOPPED   Not started\n" +
		"grp:b                            FATAL     can't find command '/x'\n"
	for _, test := range []struct{ input, out string }{
		{"", "supervisor> \n"},
		{"\npid cat\nbogus", "supervisor> supervisor> 4242\nsupervisor> *** Unknown syntax: bogus\nsupervisor> \n"},
		{"quit\npid cat\n", "supervisor> \n"},
		{"exit", "supervisor> \n"},
		{"EOF\n", "supervisor> \n"},
		{"shutdown\nn\nshutdown\nYes\n", "supervisor> Really shut the remote supervisord process down y/N? " +
			"supervisor> Really shut the remote supervisord process down y/N? Shut down\nsupervisor> \n"},
		{"reload\n", "supervisor> Really restart the remote supervisord process y/N? error: <class 'EOFError'>, EOF when reading a line\nsupervisor> \n"},
	} {
		got := f.settings.run(t, test.input)
		if got.Out != table+test.out || got.Exit != 0 {
			t.Errorf("input %q: exit %d\n%s\nwant\n%s", test.input, got.Exit, got.Out, table+test.out)
		}
	}
}
