package rpc

import (
	"context"
	"fmt"
	"strings"
	"sync"
	"time"

	"supervisord/internal/api"
)

// fake is a Supervisor that writes down what it was asked to do.
type fake struct {
	mu    sync.Mutex
	calls []string

	mood api.Mood
	// err is what every method that may fail returns.
	err error
	// hold, if not nil, keeps methods that wait until it is closed.
	hold  chan struct{}
	infos []api.ProcessInfo
	logs  map[string]string // paths by "name/channel", "main" for the main log
}

var start = time.Unix(1_700_000_000, 0)

func newFake() *fake {
	return &fake{mood: api.MoodRunning, infos: []api.ProcessInfo{
		{Name: "cat", Group: "cat", Start: start, Now: start.Add(62 * time.Second), State: api.Running, PID: 42,
			StdoutLogfile: "/o", StderrLogfile: "/e", Restarts: 3, ExitReason: "exit status 1"},
		{Name: "a", Group: "g", Now: start, State: api.Stopped},
	}}
}

func (f *fake) note(format string, args ...any) error {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.calls = append(f.calls, fmt.Sprintf(format, args...))
	return f.err
}

func (f *fake) noted() string {
	f.mu.Lock()
	defer f.mu.Unlock()
	defer func() { f.calls = nil }()
	return strings.Join(f.calls, "; ")
}

func (f *fake) list(format string, args ...any) ([]api.ProcessStatus, error) {
	if err := f.note(format, args...); err != nil {
		return nil, err
	}
	return []api.ProcessStatus{api.OKStatus("g", "a"), api.FaultStatus("g", "b", api.NewFault(api.SpawnError, "g:b"))}, nil
}

func (f *fake) known(name string) error {
	group, process, _ := api.SplitNamespec(name)
	for _, p := range f.infos {
		if p.Group == group && p.Name == process {
			return nil
		}
	}
	return api.NewFault(api.BadName, name)
}

func (f *fake) wait(ctx context.Context, wait bool) error {
	if !wait || f.hold == nil {
		return nil
	}
	select {
	case <-f.hold:
		return nil
	case <-ctx.Done():
		return ctx.Err()
	}
}

func (f *fake) Identifier() string { return "supervisor" }
func (f *fake) PID() int           { return 7 }
func (f *fake) Mood() api.Mood     { return f.mood }

func (f *fake) ProcessInfo(_ context.Context, name string) (api.ProcessInfo, error) {
	for _, p := range f.infos {
		if api.Namespec(p.Group, p.Name) == name {
			return p, nil
		}
	}
	return api.ProcessInfo{}, api.NewFault(api.BadName, name)
}

func (f *fake) AppendProcessInfo(_ context.Context, list []api.ProcessInfo) ([]api.ProcessInfo, error) {
	return append(list, f.infos...), f.err
}

func (f *fake) AllConfigInfo(context.Context) ([]api.ConfigInfo, error) {
	return []api.ConfigInfo{{Name: "cat", Group: "cat", Command: "/bin/cat", Autorestart: "unexpected", UID: -1, ExitCodes: []int{0, 2},
		Stdout: api.ChannelConfigInfo{Logfile: "auto", LogfileMaxBytes: 1 << 20}, Stderr: api.ChannelConfigInfo{Logfile: "none"}}}, f.err
}

func (f *fake) StartProcess(ctx context.Context, name string, wait bool) error {
	if err := f.note("start %s %v", name, wait); err != nil {
		return err
	}
	return f.wait(ctx, wait)
}

func (f *fake) StartGroup(ctx context.Context, group string, wait bool) ([]api.ProcessStatus, error) {
	if group == "nope" {
		return nil, api.NewFault(api.BadName, group)
	}
	return f.list("start group %s %v", group, wait)
}

func (f *fake) StartAll(ctx context.Context, wait bool) ([]api.ProcessStatus, error) {
	return f.list("start all %v", wait)
}

func (f *fake) StopProcess(ctx context.Context, name string, wait bool) error {
	if err := f.note("stop %s %v", name, wait); err != nil {
		return err
	}
	return f.wait(ctx, wait)
}

func (f *fake) StopGroup(ctx context.Context, group string, wait bool) ([]api.ProcessStatus, error) {
	if group == "nope" {
		return nil, api.NewFault(api.BadName, group)
	}
	return f.list("stop group %s %v", group, wait)
}

func (f *fake) StopAll(ctx context.Context, wait bool) ([]api.ProcessStatus, error) {
	return f.list("stop all %v", wait)
}

func (f *fake) SignalProcess(_ context.Context, name, signal string) error {
	return f.note("signal %s %s", name, signal)
}

func (f *fake) SignalGroup(_ context.Context, group, signal string) ([]api.ProcessStatus, error) {
	if group == "nope" {
		return nil, api.NewFault(api.BadName, group)
	}
	return f.list("signal group %s %s", group, signal)
}

func (f *fake) SignalAll(_ context.Context, signal string) ([]api.ProcessStatus, error) {
	return f.list("signal all %s", signal)
}

func (f *fake) SendProcessStdin(_ context.Context, name string, data []byte) error {
	return f.note("stdin %s %q", name, data)
}

func (f *fake) SendRemoteCommEvent(_ context.Context, kind, data string) error {
	return f.note("event %q %q", kind, data)
}

func (f *fake) Shutdown(context.Context) error { return f.note("shutdown") }
func (f *fake) Upgrade(context.Context) error  { return f.note("upgrade") }

func (f *fake) Restart(context.Context) error { return f.note("restart") }

func (f *fake) ReloadConfig(context.Context) (added, changed, removed []string, err error) {
	return []string{"new"}, nil, []string{"old", "older"}, f.note("reload")
}

func (f *fake) AddGroup(_ context.Context, group string) error    { return f.note("add %s", group) }
func (f *fake) RemoveGroup(_ context.Context, group string) error { return f.note("remove %s", group) }

func (f *fake) MainLog() api.LogSource             { return source(f.logs["main"]) }
func (f *fake) ClearMainLog(context.Context) error { return f.note("clear log") }
func (f *fake) ClearProcessLogs(_ context.Context, name string) error {
	return f.note("clear %s", name)
}

func (f *fake) ProcessLog(_ context.Context, name string, channel api.Channel) (api.LogSource, error) {
	if err := f.known(name); err != nil {
		return nil, err
	}
	return source(f.logs[name+"/"+channel.String()]), nil
}

func (f *fake) ClearAllProcessLogs(context.Context) ([]api.ProcessStatus, error) {
	return f.list("clear all")
}

func (f *fake) DiffConfig(context.Context) ([]api.GroupChange, error) {
	command := []api.SettingChange{{Key: "command", Change: api.ChangeChanged, Old: "a", New: "b"}}
	secret := []api.SettingChange{{Key: "environment A", Change: api.ChangeAdded, Hidden: true}}
	return []api.GroupChange{{Name: "g", Change: api.ChangeChanged, Settings: secret,
		Processes: []api.ProcessChange{{Name: "p", Change: api.ChangeChanged, Settings: command}}}}, f.err
}

func (f *fake) RotateMainLog(context.Context) (bool, error) { return true, f.note("rotate log") }

func (f *fake) RotateProcessLogs(_ context.Context, name string) ([]api.ProcessStatus, error) {
	if err := f.known(name); err != nil {
		return nil, err
	}
	return f.list("rotate %s", name)
}

func (f *fake) RotateAllProcessLogs(context.Context) ([]api.ProcessStatus, error) {
	return f.list("rotate all")
}

func (f *fake) Changed() <-chan struct{} { return nil }

// source is a log that nobody writes.
type source string

func (s source) Path() string             { return string(s) }
func (s source) Changed() <-chan struct{} { return nil }

// tree is an Encoder that builds a value for comparison. Structs become lists
// of "name=value", so that their order counts.
type tree struct{ stack [][]string }

func (t *tree) add(s string) {
	top := len(t.stack) - 1
	if n := len(t.stack[top]) - 1; n >= 0 && strings.HasSuffix(t.stack[top][n], "=") {
		t.stack[top][n] += s
		return
	}
	t.stack[top] = append(t.stack[top], s)
}

func (t *tree) Bool(v bool)      { t.add(fmt.Sprint(v)) }
func (t *tree) Double(v float64) { t.add(fmt.Sprint(v)) }

func (t *tree) Int(v int64)     { t.add(fmt.Sprint(v)) }
func (t *tree) String(v string) { t.add(fmt.Sprintf("%q", v)) }
func (t *tree) Text(v []byte)   { t.add(fmt.Sprintf("%q", v)) }
func (t *tree) BeginArray()     { t.stack = append(t.stack, nil) }
func (t *tree) EndArray()       { t.pop("[", "]") }
func (t *tree) BeginStruct()    { t.stack = append(t.stack, nil) }
func (t *tree) EndStruct()      { t.pop("{", "}") }
func (t *tree) Member(n string) {
	top := len(t.stack) - 1
	t.stack[top] = append(t.stack[top], n+"=")
}

func (t *tree) pop(open, end string) {
	top := t.stack[len(t.stack)-1]
	t.stack = t.stack[:len(t.stack)-1]
	t.add(open + strings.Join(top, " ") + end)
}

// show returns a result as text.
func show(r Result) string {
	t := tree{stack: make([][]string, 1)}
	r.Encode(&t)
	return strings.Join(t.stack[0], " ")
}
