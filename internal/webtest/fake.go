package webtest

import (
	"context"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"time"

	"supervisord/internal/api"
)

// A Supervisor pretends to supervise. What its processes do is what a test
// calls for; its logs are real files. All methods can be called from any
// goroutine.
type Supervisor struct {
	dir string

	mu        sync.Mutex
	changed   chan struct{}
	mood      api.Mood
	processes map[string]*api.ProcessInfo
	logs      map[string]*Log
	exitCodes map[string][]int
	nextPID   int
	// broken holds the faults of programs that cannot be started.
	broken map[string]*api.Fault
	calls  []string
	// hold, if not nil, keeps actions waiting until it is closed.
	hold                    chan struct{}
	added, altered, removed []string
	reloadFault             *api.Fault
}

// New returns a Supervisor without processes that keeps its logs in dir.
func New(dir string) *Supervisor {
	return &Supervisor{
		dir:       dir,
		changed:   make(chan struct{}),
		mood:      api.MoodRunning,
		processes: make(map[string]*api.ProcessInfo),
		logs:      make(map[string]*Log),
		exitCodes: make(map[string][]int),
		broken:    make(map[string]*api.Fault),
		nextPID:   4001,
	}
}

// Add adds processes that are stopped and were never started.
func (s *Supervisor) Add(namespecs ...string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	for _, name := range namespecs {
		group, process, _ := api.SplitNamespec(name)
		base := filepath.Join(s.dir, strings.NewReplacer("/", "_", ":", "_").Replace(name))
		s.processes[name] = &api.ProcessInfo{
			Name: process, Group: group, State: api.Stopped,
			StdoutLogfile: base + "-stdout.log", StderrLogfile: base + "-stderr.log",
		}
		s.logs[name+" stdout"] = NewLog(base + "-stdout.log")
		s.logs[name+" stderr"] = NewLog(base + "-stderr.log")
		s.exitCodes[name] = []int{0}
	}
	s.announce()
}

// Remove takes a process away.
func (s *Supervisor) Remove(name string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	delete(s.processes, name)
	s.announce()
}

// Log returns the log of a process's channel, "stdout" or "stderr", or with an
// empty name the activity log.
func (s *Supervisor) Log(name, channel string) *Log {
	s.mu.Lock()
	defer s.mu.Unlock()
	if name == "" {
		if s.logs[""] == nil {
			s.logs[""] = NewLog(filepath.Join(s.dir, "supervisord.log"))
		}
		return s.logs[""]
	}
	return s.logs[name+" "+channel]
}

// SetLog gives a channel of a process another log.
func (s *Supervisor) SetLog(name, channel string, l *Log) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.logs[name+" "+channel] = l
}

// Set changes a process.
func (s *Supervisor) Set(name string, change func(*api.ProcessInfo)) {
	s.mu.Lock()
	defer s.mu.Unlock()
	change(s.processes[name])
	s.announce()
}

// Run makes processes run since a while.
func (s *Supervisor) Run(since time.Duration, namespecs ...string) {
	for _, name := range namespecs {
		s.mu.Lock()
		pid := s.nextPID
		s.nextPID++
		s.mu.Unlock()
		s.Set(name, func(p *api.ProcessInfo) {
			p.State, p.PID, p.Start, p.SpawnErr = api.Running, pid, time.Now().Add(-since), ""
		})
	}
}

// Exit ends a process.
func (s *Supervisor) Exit(name string, status int, reason string) {
	s.Set(name, func(p *api.ProcessInfo) {
		p.State, p.PID, p.Stop, p.ExitStatus, p.ExitReason = api.Exited, 0, time.Now(), status, reason
	})
}

// Fail makes a process FATAL.
func (s *Supervisor) Fail(name, spawnErr string) {
	s.Set(name, func(p *api.ProcessInfo) {
		p.State, p.PID, p.Stop, p.SpawnErr = api.Fatal, 0, time.Now(), spawnErr
	})
}

// Break makes every start of a process fail; a nil fault repairs it.
func (s *Supervisor) Break(name string, fault *api.Fault) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.broken[name] = fault
}

// SetMood changes the mood.
func (s *Supervisor) SetMood(m api.Mood) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.mood = m
	s.announce()
}

// Hold keeps actions waiting until the function that it returns is called.
func (s *Supervisor) Hold() (release func()) {
	s.mu.Lock()
	defer s.mu.Unlock()
	hold := make(chan struct{})
	s.hold = hold
	return sync.OnceFunc(func() {
		s.mu.Lock()
		s.hold = nil
		s.mu.Unlock()
		close(hold)
	})
}

// Reloads sets what the next ReloadConfig finds.
func (s *Supervisor) Reloads(added, changed, removed []string, fault *api.Fault) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.added, s.altered, s.removed, s.reloadFault = added, changed, removed, fault
}

// Calls returns what was asked for since the last call, in order.
func (s *Supervisor) Calls() []string {
	s.mu.Lock()
	defer s.mu.Unlock()
	calls := s.calls
	s.calls = nil
	return calls
}

// announce tells that something changed. The caller holds mu.
func (s *Supervisor) announce() {
	close(s.changed)
	s.changed = make(chan struct{})
}

// begin notes an action and waits while actions are held.
func (s *Supervisor) begin(ctx context.Context, call string) error {
	s.mu.Lock()
	s.calls = append(s.calls, call)
	hold := s.hold
	s.mu.Unlock()
	if hold == nil {
		return nil
	}
	select {
	case <-hold:
		return nil
	case <-ctx.Done():
		return ctx.Err()
	}
}

// Identifier returns the name of this Supervisor.
func (s *Supervisor) Identifier() string { return "build-07" }

// PID returns the number of this process.
func (s *Supervisor) PID() int { return os.Getpid() }

// Mood returns the mood that was set.
func (s *Supervisor) Mood() api.Mood {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.mood
}

// ProcessInfo describes one process.
func (s *Supervisor) ProcessInfo(_ context.Context, name string) (api.ProcessInfo, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	p := s.processes[name]
	if p == nil {
		return api.ProcessInfo{}, api.NewFault(api.BadName, name)
	}
	info := *p
	info.Now = time.Now()
	return info, nil
}

// AllProcessInfo describes all processes.
func (s *Supervisor) AllProcessInfo(context.Context) ([]api.ProcessInfo, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	infos := make([]api.ProcessInfo, 0, len(s.processes))
	for _, p := range s.processes {
		info := *p
		info.Now = time.Now()
		infos = append(infos, info)
	}
	slices.SortFunc(infos, func(a, b api.ProcessInfo) int {
		return strings.Compare(a.Group+"\x00"+a.Name, b.Group+"\x00"+b.Name)
	})
	return infos, nil
}

// AllConfigInfo describes the configuration of all processes.
func (s *Supervisor) AllConfigInfo(context.Context) ([]api.ConfigInfo, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	var configs []api.ConfigInfo
	for name, p := range s.processes {
		configs = append(configs, api.ConfigInfo{Name: p.Name, Group: p.Group, InUse: true, Command: "/usr/bin/" + p.Name, ExitCodes: s.exitCodes[name]})
	}
	for _, group := range s.added {
		configs = append(configs, api.ConfigInfo{Name: group, Group: group, Command: "/usr/bin/" + group + " --new"})
	}
	return configs, nil
}

// StartProcess starts a process, unless it is broken.
func (s *Supervisor) StartProcess(ctx context.Context, name string, wait bool) error {
	info, err := s.ProcessInfo(ctx, name)
	if err != nil {
		return err
	}
	if info.State.IsRunning() {
		return api.NewFault(api.AlreadyStarted, name)
	}
	if err := s.begin(ctx, "start "+name); err != nil {
		return err
	}
	s.mu.Lock()
	fault := s.broken[name]
	s.mu.Unlock()
	if fault != nil {
		s.Fail(name, "can't find command '/usr/bin/"+info.Name+"'")
		return fault
	}
	s.Run(0, name)
	return nil
}

// StopProcess stops a process.
func (s *Supervisor) StopProcess(ctx context.Context, name string, wait bool) error {
	info, err := s.ProcessInfo(ctx, name)
	if err != nil {
		return err
	}
	if !info.State.IsRunning() && info.NextStart.IsZero() {
		return api.NewFault(api.NotRunning, name)
	}
	s.Set(name, func(p *api.ProcessInfo) { p.State, p.NextStart = api.Stopping, time.Time{} })
	if err := s.begin(ctx, "stop "+name); err != nil {
		return err
	}
	s.Set(name, func(p *api.ProcessInfo) {
		p.State, p.PID, p.Stop, p.ExitStatus, p.ExitReason = api.Stopped, 0, time.Now(), -1, "terminated by SIGTERM"
	})
	return nil
}

// each does something to all processes, or those of a group.
func (s *Supervisor) each(ctx context.Context, group string, do func(context.Context, string, bool) error) ([]api.ProcessStatus, error) {
	infos, err := s.AllProcessInfo(ctx)
	if err != nil {
		return nil, err
	}
	found := group == ""
	var statuses []api.ProcessStatus
	for _, info := range infos {
		if group != "" && info.Group != group {
			continue
		}
		found = true
		err := do(ctx, api.Namespec(info.Group, info.Name), true)
		if fault, ok := err.(*api.Fault); ok {
			if fault.Code != api.AlreadyStarted && fault.Code != api.NotRunning {
				statuses = append(statuses, api.FaultStatus(info.Group, info.Name, fault))
			}
			continue
		}
		if err != nil {
			return nil, err
		}
		statuses = append(statuses, api.OKStatus(info.Group, info.Name))
	}
	if !found {
		return nil, api.NewFault(api.BadName, group)
	}
	return statuses, nil
}

// StartGroup starts the processes of a group.
func (s *Supervisor) StartGroup(ctx context.Context, group string, wait bool) ([]api.ProcessStatus, error) {
	return s.each(ctx, group, s.StartProcess)
}

// StartAll starts all processes.
func (s *Supervisor) StartAll(ctx context.Context, wait bool) ([]api.ProcessStatus, error) {
	return s.each(ctx, "", s.StartProcess)
}

// StopGroup stops the processes of a group.
func (s *Supervisor) StopGroup(ctx context.Context, group string, wait bool) ([]api.ProcessStatus, error) {
	return s.each(ctx, group, s.StopProcess)
}

// StopAll stops all processes.
func (s *Supervisor) StopAll(ctx context.Context, wait bool) ([]api.ProcessStatus, error) {
	return s.each(ctx, "", s.StopProcess)
}

// ReloadConfig returns what Reloads has set.
func (s *Supervisor) ReloadConfig(context.Context) (added, changed, removed []string, err error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.reloadFault != nil {
		return nil, nil, nil, s.reloadFault
	}
	return s.added, s.altered, s.removed, nil
}

// AddGroup adds a group with one process, which runs.
func (s *Supervisor) AddGroup(ctx context.Context, group string) error {
	if err := s.begin(ctx, "add "+group); err != nil {
		return err
	}
	s.Add(group)
	s.Run(0, group)
	return nil
}

// RemoveGroup removes the processes of a group.
func (s *Supervisor) RemoveGroup(ctx context.Context, group string) error {
	if err := s.begin(ctx, "remove "+group); err != nil {
		return err
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	for name, p := range s.processes {
		if p.Group == group {
			delete(s.processes, name)
		}
	}
	s.announce()
	return nil
}

// MainLog returns the activity log.
func (s *Supervisor) MainLog() api.LogSource { return s.Log("", "") }

// ProcessLog returns the log of a channel of a process.
func (s *Supervisor) ProcessLog(_ context.Context, name string, channel api.Channel) (api.LogSource, error) {
	if l := s.Log(name, channel.String()); l != nil {
		return l, nil
	}
	return nil, api.NewFault(api.BadName, name)
}

// ClearProcessLogs empties the logs of a process.
func (s *Supervisor) ClearProcessLogs(ctx context.Context, name string) error {
	if _, err := s.ProcessInfo(ctx, name); err != nil {
		return err
	}
	s.mu.Lock()
	s.calls = append(s.calls, "clear "+name)
	s.mu.Unlock()
	if err := s.Log(name, "stdout").Clear(); err != nil {
		return api.NewFault(api.Failed, name)
	}
	return s.Log(name, "stderr").Clear()
}

// Changed returns a channel that is closed at the next change.
func (s *Supervisor) Changed() <-chan struct{} {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.changed
}

// A Log is a log file that tests write.
type Log struct {
	path string

	mu      sync.Mutex
	changed chan struct{}
}

// NewLog returns the log at path, which need not exist.
func NewLog(path string) *Log {
	return &Log{path: path, changed: make(chan struct{})}
}

// Path returns the path of the file.
func (l *Log) Path() string { return l.path }

// Changed returns a channel that is closed at the next change.
func (l *Log) Changed() <-chan struct{} {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.changed
}

// Append adds text to the file.
func (l *Log) Append(text string) error {
	return l.change(func() error {
		f, err := os.OpenFile(l.path, os.O_WRONLY|os.O_CREATE|os.O_APPEND, 0o644)
		if err != nil {
			return err
		}
		defer f.Close()
		_, err = f.WriteString(text)
		return err
	})
}

// Rotate renames the file, and a new one takes its place.
func (l *Log) Rotate() error {
	return l.change(func() error {
		if err := os.Rename(l.path, l.path+".1"); err != nil {
			return err
		}
		return os.WriteFile(l.path, nil, 0o644)
	})
}

// Clear removes the file and makes a new one.
func (l *Log) Clear() error {
	return l.change(func() error {
		if err := os.Remove(l.path); err != nil && !os.IsNotExist(err) {
			return err
		}
		return os.WriteFile(l.path, nil, 0o644)
	})
}

// change changes the file and tells those who wait for it.
func (l *Log) change(do func() error) error {
	l.mu.Lock()
	defer l.mu.Unlock()
	err := do()
	close(l.changed)
	l.changed = make(chan struct{})
	return err
}
