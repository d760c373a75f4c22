package difftest

import (
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"syscall"
	"time"
)

const (
	// pollInterval is how often a side looks whether its daemon is at rest.
	// The original has to be asked to do at once what it would do with its
	// next tick.
	pollInterval = 60 * time.Millisecond
	// quiet is how many times in a row nothing may have changed.
	quiet = 3
	// patience is how long a daemon may take to come to rest.
	patience = 30 * time.Second
)

// A side is one implementation that carries out a plan.
type side struct {
	plan    *plan
	dir     string
	command []string // of the daemon, without its configuration
	puppet  string   // the program

	caller  *caller
	stage   *stage
	cmd     *exec.Cmd
	ended   chan struct{} // closed when the daemon has ended
	born    time.Time     // when the daemon made its socket
	curtain string        // when its end began, as the log writes it
	pending sync.WaitGroup

	results []any // by step
}

// newSide makes the directory of a side, which must not exist, and starts its
// daemon.
func newSide(p *plan, dir string, command []string, puppet string) (*side, error) {
	s := &side{plan: p, dir: dir, command: command, puppet: puppet, results: make([]any, len(p.steps))}
	for _, sub := range []string{"", "child", "logs", "work"} {
		if err := os.Mkdir(filepath.Join(dir, sub), 0o755); err != nil {
			return nil, fmt.Errorf("make side: %w", err)
		}
	}
	for name, f := range map[string]struct {
		text string
		mode os.FileMode
	}{"plain": {"no program\n", 0o644}, "garbage": {"\x00\x01\x02", 0o755}, "orphan": {"#!/no/such/interpreter\n", 0o755}} {
		if err := os.WriteFile(filepath.Join(dir, name), []byte(f.text), f.mode); err != nil {
			return nil, fmt.Errorf("make side: %w", err)
		}
	}
	if err := s.configure(p.world.String()); err != nil {
		return nil, err
	}
	var err error
	if s.stage, err = openStage(filepath.Join(dir, "stage"), p.script); err != nil {
		return nil, err
	}
	s.caller = newCaller(filepath.Join(dir, "sock"))
	if err := s.start(); err != nil {
		s.stage.close()
		return nil, err
	}
	return s, nil
}

// configure writes the configuration file.
func (s *side) configure(text string) error {
	user := "nobody"
	if os.Getuid() != 0 {
		user = fmt.Sprint(os.Getuid())
	}
	text = strings.NewReplacer("{dir}", s.dir, "{puppet}", s.puppet, "{user}", user).Replace(text)
	if err := os.WriteFile(filepath.Join(s.dir, "conf"), []byte(text), 0o644); err != nil {
		return fmt.Errorf("write configuration: %w", err)
	}
	return nil
}

// start starts the daemon and waits until it answers.
func (s *side) start() error {
	out, err := os.Create(filepath.Join(s.dir, "out"))
	if err != nil {
		return fmt.Errorf("start daemon: %w", err)
	}
	defer out.Close()
	args := append(slices.Clone(s.command[1:]), "-n", "-c", filepath.Join(s.dir, "conf"))
	s.cmd = exec.Command(s.command[0], args...)
	s.cmd.Dir = s.dir
	s.cmd.Env = []string{"PATH=/usr/bin:/bin", "HOME=/", "LANG=C.UTF-8", "PUPPET_SOCKET=" + filepath.Join(s.dir, "stage")}
	s.cmd.Stdout, s.cmd.Stderr = out, out
	s.cmd.SysProcAttr = &syscall.SysProcAttr{Setsid: true}
	if err := s.cmd.Start(); err != nil {
		return fmt.Errorf("start daemon: %w", err)
	}
	s.ended = make(chan struct{})
	go func() {
		_ = s.cmd.Wait()
		close(s.ended)
	}()
	if err := s.awaitAnswer(); err != nil {
		return err
	}
	s.born = s.birth()
	return nil
}

func (s *side) awaitAnswer() error {
	for range int(patience / pollInterval) {
		if v, err := s.caller.call("supervisor.getState"); err == nil {
			if _, isFault := v.(fault); !isFault {
				return nil
			}
		}
		select {
		case <-s.ended:
			return errors.New("the daemon ended")
		case <-time.After(pollInterval):
		}
	}
	return errors.New("the daemon does not answer")
}

// run carries out the plan.
func (s *side) run() {
	for i, st := range s.plan.steps {
		if st.kind == "begin" {
			s.pending.Go(func() { s.results[i] = s.call(st) })
			continue
		}
		s.results[i] = s.do(st)
	}
	s.pending.Wait()
}

// close ends everything that is left.
func (s *side) close() {
	select {
	case <-s.ended:
	default:
		_ = s.cmd.Process.Kill()
		<-s.ended
	}
	s.stage.close()
	s.pending.Wait()
	s.caller.http.CloseIdleConnections()
}

// do carries out a step and returns what came of it.
func (s *side) do(st step) any {
	switch st.kind {
	case "call":
		return s.call(st)
	case "join":
		s.pending.Wait()
	case "tell":
		return s.stage.tell(st.target, st.order)
	case "kill":
		return s.stage.kill(st.target, syscall.Signal(st.n))
	case "signal":
		_ = s.cmd.Process.Signal(syscall.Signal(st.n))
	case "settle":
		return s.settle("", "")
	case "await":
		return s.settle(st.target, st.text)
	case "curtain":
		s.stage.fall()
		s.curtain = time.Now().Format("2006-01-02 15:04:05,000")
	case "config":
		if err := s.configure(st.text); err != nil {
			return err.Error()
		}
	case "rename":
		return s.rename()
	case "update":
		return s.update()
	case "reborn":
		return s.reborn()
	case "ending":
		return s.ending()
	case "end":
		return s.end()
	}
	return nil
}

func (s *side) call(st step) any {
	method := st.method
	if !strings.Contains(method, ".") {
		method = "supervisor." + method
	}
	if strings.Contains(method, ".clear") {
		s.clearStopped(st.args)
	}
	v, err := s.caller.call(method, st.args...)
	if err != nil {
		return "no answer"
	}
	if list, ok := v.([]any); ok && waits(method, st.args) {
		// Outcomes come in the order in which they are known.
		slices.SortFunc(list, func(a, b any) int { return strings.Compare(fmt.Sprint(a), fmt.Sprint(b)) })
	}
	return v
}

// clearStopped empties the logs of the processes that a call is going to clear
// and that do not run. The original forgets them.
func (s *side) clearStopped(args []any) {
	var list []any
	if len(args) > 0 {
		v, _ := s.caller.call("supervisor.getProcessInfo", args...)
		list = []any{v}
	} else {
		v, _ := s.caller.call("supervisor.getAllProcessInfo")
		list, _ = v.([]any)
	}
	for _, v := range list {
		if m, ok := v.(map[string]any); ok && m["pid"] == 0 {
			_ = os.Truncate(fmt.Sprint(m["stdout_logfile"]), 0)
			_ = os.Truncate(fmt.Sprint(m["stderr_logfile"]), 0)
		}
	}
}

// waits reports whether a method returns the outcomes for several processes.
func waits(method string, args []any) bool {
	if !strings.Contains(method, ".start") && !strings.Contains(method, ".stop") {
		return false
	}
	for _, a := range args {
		if a == false {
			return false
		}
	}
	return true
}

// A snapshot is what has to stay the same for a daemon to be at rest.
type snapshot struct {
	processes string
	activity  int
}

// settle waits until the daemon is at rest, or until the process, if one is
// given, is in the state and its puppet, if it has one, ready. It returns the
// processes that never came to rest.
func (s *side) settle(process, state string) any {
	var last snapshot
	same, unrest := 0, ""
	deadline := time.Now().Add(patience)
	for time.Now().Before(deadline) {
		v, err := s.caller.call("supervisor.getAllProcessInfo")
		list, ok := v.([]any)
		if err != nil || !ok {
			return nil // the daemon is ending
		}
		now := snapshot{activity: s.stage.activity()}
		unrest = ""
		for _, e := range list {
			m := e.(map[string]any)
			name := fmt.Sprintf("%s:%s", m["group"], m["name"])
			pid, _ := m["pid"].(int)
			reached := m["statename"] == state && (state == "BACKOFF" || s.stage.isReady(name, pid))
			if name == process && reached {
				return nil
			}
			now.processes += fmt.Sprintln(name, m["statename"], m["pid"], m["start"])
			if !s.atRest(name, m["statename"], pid) {
				unrest += fmt.Sprintln(name, m["statename"])
			}
		}
		if now == last && unrest == "" {
			if same++; same == quiet {
				return nil
			}
		} else {
			same = 0
		}
		last = now
		select {
		case <-s.ended:
			return nil
		case <-time.After(pollInterval):
		}
	}
	return "never at rest: " + unrest
}

// atRest reports whether a process is in a state that it can stay in, and its
// puppet as far as it is.
func (s *side) atRest(name string, state any, pid int) bool {
	switch state {
	case "RUNNING":
		return s.stage.isReady(name, pid)
	case "STOPPED", "EXITED", "FATAL":
		return s.stage.find(name) == nil
	}
	return false
}

// rename renames the log files, as logrotate does.
func (s *side) rename() any {
	files, _ := filepath.Glob(filepath.Join(s.dir, "logs", "*"))
	for _, f := range append(files, filepath.Join(s.dir, "supervisord.log")) {
		if !strings.HasSuffix(f, ".old") {
			_ = os.Rename(f, f+".old")
		}
	}
	return nil
}

// update does what supervisorctl's update does.
func (s *side) update() any {
	var results []any
	call := func(method string, args ...any) any {
		v := s.call(step{method: method, args: args})
		results = append(results, v)
		return v
	}
	outer, ok := call("reloadConfig").([]any)
	if !ok {
		return results
	}
	lists := outer[0].([]any)
	for _, g := range lists[2].([]any) {
		call("stopProcessGroup", g)
		call("removeProcessGroup", g)
	}
	for _, g := range lists[1].([]any) {
		call("stopProcessGroup", g)
		call("removeProcessGroup", g)
		call("addProcessGroup", g)
	}
	for _, g := range lists[0].([]any) {
		call("addProcessGroup", g)
	}
	return results
}

// reborn waits until the daemon has started anew.
func (s *side) reborn() any {
	for range int(patience / pollInterval) {
		if born := s.birth(); !born.IsZero() && !born.Equal(s.born) {
			s.born = born
			if err := s.awaitAnswer(); err != nil {
				return err.Error()
			}
			return "reborn"
		}
		select {
		case <-s.ended:
			return "ended"
		case <-time.After(pollInterval):
		}
	}
	return "the daemon does not start anew"
}

// birth returns when the daemon made its socket.
func (s *side) birth() time.Time {
	info, err := os.Stat(filepath.Join(s.dir, "sock"))
	if err != nil {
		return time.Time{}
	}
	return info.ModTime()
}

// ending waits until the daemon is shutting down.
func (s *side) ending() any {
	for range int(patience / pollInterval) {
		if v, err := s.caller.call("supervisor.getState"); err != nil {
			return nil
		} else if _, isFault := v.(fault); isFault {
			return nil
		}
		time.Sleep(pollInterval)
	}
	return "the daemon does not shut down"
}

// end waits until the daemon has ended.
func (s *side) end() any {
	select {
	case <-s.ended:
	case <-time.After(patience):
		return "the daemon does not end"
	}
	// The puppets that were reaped are gone, but we may not have been told yet.
	var living []string
	for range 10 {
		living = s.stage.living()
		if !slices.ContainsFunc(living, func(name string) bool { return !strings.HasSuffix(name, " child") }) {
			break
		}
		time.Sleep(pollInterval)
	}
	slices.Sort(living)
	return fmt.Sprintf("status %d, left behind: %q", s.cmd.ProcessState.ExitCode(), living)
}

// files returns the names and contents of what is in the directory.
func (s *side) files() map[string]string {
	files := make(map[string]string)
	_ = filepath.WalkDir(s.dir, func(path string, d os.DirEntry, err error) error {
		if err == nil && d.Type().IsRegular() {
			data, _ := os.ReadFile(path)
			name, _ := filepath.Rel(s.dir, path)
			files[name] = string(data)
		} else if err == nil && !d.IsDir() {
			name, _ := filepath.Rel(s.dir, path)
			files[name] = d.Type().String()
		}
		return nil
	})
	return files
}
