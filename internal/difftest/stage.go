package difftest

import (
	"encoding/json"
	"fmt"
	"net"
	"os"
	"sync"
	"syscall"
)

// A stage is where the puppets of one side appear. They connect to it when they
// are started.
type stage struct {
	listener net.Listener
	script   func(process string, nth int) []order // of a puppet that appears
	wait     sync.WaitGroup

	mu      sync.Mutex
	puppets map[string][]*puppet // by group:process, in the order of their starts
	active  int                  // how often anything was reported
	curtain bool                 // events are not recorded any more
}

// A puppet is one run of a program on a stage.
type puppet struct {
	hello hello
	conn  net.Conn
	done  chan struct{} // receives for every order that was obeyed
	gone  chan struct{} // closed at the end of the connection

	// Guarded by the mutex of the stage.
	ready   bool // it has followed its script
	signals []string
	stdin   string
	events  []event
}

// An event is what a listener was sent.
type event struct{ header, payload string }

// These mirror the messages of the puppet command.
type (
	order struct {
		Op      string   `json:"op"`
		N       int      `json:"n"`
		Text    string   `json:"text"`
		Signal  int      `json:"signal"`
		Answers []string `json:"answers"`
	}
	report struct {
		Hello                          *hello
		Done                           bool
		Signal, Stdin, Header, Payload string
	}
	hello struct {
		Group, Process string
		PID            int
		Child          bool
		Args           []string
		Dir            string
		Umask          string
		UID            int
		Leader         bool
		Env            []string
		Files          []string
	}
)

// openStage begins to listen at the path.
func openStage(path string, script func(process string, nth int) []order) (*stage, error) {
	l, err := net.Listen("unix", path)
	if err != nil {
		return nil, fmt.Errorf("open stage: %w", err)
	}
	if err := os.Chmod(path, 0o777); err != nil {
		return nil, fmt.Errorf("open stage: %w", err)
	}
	s := &stage{listener: l, script: script, puppets: make(map[string][]*puppet)}
	s.wait.Go(func() {
		for {
			conn, err := l.Accept()
			if err != nil {
				return
			}
			s.wait.Go(func() { s.play(conn) })
		}
	})
	return s, nil
}

// close ends all puppets.
func (s *stage) close() {
	s.listener.Close()
	s.mu.Lock()
	for _, list := range s.puppets {
		for _, p := range list {
			p.conn.Close()
		}
	}
	s.mu.Unlock()
	s.wait.Wait()
}

// play follows one puppet from its first report to its end.
func (s *stage) play(conn net.Conn) {
	defer conn.Close()
	reports := json.NewDecoder(conn)
	var first report
	if reports.Decode(&first) != nil || first.Hello == nil {
		return
	}
	p := &puppet{hello: *first.Hello, conn: conn, done: make(chan struct{}, 1), gone: make(chan struct{})}
	defer close(p.gone)
	name := p.hello.Group + ":" + p.hello.Process
	if p.hello.Child {
		name += " child"
	}
	s.mu.Lock()
	nth := len(s.puppets[name])
	s.puppets[name] = append(s.puppets[name], p)
	s.active++
	s.mu.Unlock()
	s.wait.Go(func() {
		for _, o := range s.script(name, nth) {
			p.obey(o)
		}
		s.mu.Lock()
		p.ready = true
		s.mu.Unlock()
	})
	for {
		var r report
		if reports.Decode(&r) != nil {
			return
		}
		if r.Done {
			p.done <- struct{}{}
			continue
		}
		s.mu.Lock()
		s.active++
		switch {
		case r.Signal != "":
			p.signals = append(p.signals, r.Signal)
		case r.Stdin != "":
			p.stdin += r.Stdin
		case r.Header != "" && !s.curtain:
			p.events = append(p.events, event{r.Header, r.Payload})
		}
		s.mu.Unlock()
	}
}

// obey gives an order and waits until it is carried out or the puppet is gone.
// It reports which.
func (p *puppet) obey(o order) string {
	line, _ := json.Marshal(o)
	if _, err := p.conn.Write(append(line, '\n')); err != nil {
		return "gone"
	}
	select {
	case <-p.done:
		return "done"
	case <-p.gone:
		return "gone"
	}
}

func (p *puppet) alive() bool {
	select {
	case <-p.gone:
		return false
	default:
		return true
	}
}

// find returns the puppet of a process that lives, nil if there is none.
func (s *stage) find(process string) *puppet {
	s.mu.Lock()
	defer s.mu.Unlock()
	list := s.puppets[process]
	for i := len(list) - 1; i >= 0; i-- {
		if list[i].alive() {
			return list[i]
		}
	}
	return nil
}

// tell gives an order to the puppet of a process.
func (s *stage) tell(process string, o order) string {
	p := s.find(process)
	if p == nil {
		return "nobody"
	}
	return p.obey(o)
}

// kill sends a signal to the puppet of a process.
func (s *stage) kill(process string, sig syscall.Signal) string {
	p := s.find(process)
	if p == nil {
		return "nobody"
	}
	p.obey(order{Op: "flush"})
	if err := syscall.Kill(p.hello.PID, sig); err != nil {
		return err.Error()
	}
	return "killed"
}

// isReady reports whether the puppet with the pid has followed its script, and
// no other puppet of the process lives.
func (s *stage) isReady(process string, pid int) bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	ready := false
	for _, p := range s.puppets[process] {
		if p.alive() {
			if p.hello.PID != pid || !p.ready {
				return false
			}
			ready = true
		}
	}
	return ready
}

// activity counts what the puppets reported.
func (s *stage) activity() int {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.active
}

// fall ends the recording of events.
func (s *stage) fall() {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.curtain = true
}

// living lists the processes whose puppets live.
func (s *stage) living() []string {
	s.mu.Lock()
	defer s.mu.Unlock()
	var list []string
	for name, puppets := range s.puppets {
		for _, p := range puppets {
			if p.alive() {
				list = append(list, name)
			}
		}
	}
	return list
}
