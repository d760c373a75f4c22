package spawn

import (
	"os"
	"os/signal"
	"runtime"
	"sync"
	"syscall"
)

// Spawner starts, signals and reaps processes. Its methods may be called from
// any goroutine. There can be one at a time in a process: it reaps all children.
type Spawner struct {
	report func(Report)
	chld   chan os.Signal
	wake   chan struct{} // holds one token when requests wait or closed is set
	done   chan struct{}

	mu       sync.Mutex
	requests []request
	closed   bool

	// procs holds the processes that were started and not reaped. Only the
	// goroutine uses it.
	procs map[int]Token
	// adopted holds the processes that are no children, watch tells of their
	// end; it is nil until there is one.
	adopted map[int]Adopted
	watch   *exitWatch
}

// request is a Start, an Adopt, the end of what was adopted, or a Kill where all
// of these are nil.
type request struct {
	token Token
	spec  *Spec
	adopt *Adopted
	ended *ending
	pid   int
	group bool
	sig   syscall.Signal
}

// Running is a process that was started and not reaped.
type Running struct {
	Token Token
	PID   int
}

// New starts the spawner's goroutine. report is called from that goroutine,
// one report at a time; it must not call Close and should not block for long.
// The children that run already are reported on like those that are started
// here.
func New(report func(Report), running ...Running) *Spawner {
	s := &Spawner{
		report: report,
		// One pending signal is enough: each makes the goroutine reap all that
		// died, however many signals the kernel merged into it.
		chld:  make(chan os.Signal, 1),
		wake:  make(chan struct{}, 1),
		done:  make(chan struct{}),
		procs: make(map[int]Token), adopted: make(map[int]Adopted),
	}
	for _, r := range running {
		s.procs[r.PID] = r.Token
	}
	signal.Notify(s.chld, syscall.SIGCHLD)
	go s.run()
	return s
}

// Start asks for a process. It never blocks. The queue of requests has no
// length of its own: it holds what the caller has not been told the outcome
// of, which is at most one start per process and one signal per command.
func (s *Spawner) Start(token Token, spec *Spec) {
	s.enqueue(request{token: token, spec: spec})
}

// Kill sends a signal to a process that was started here, or to its process
// group. It never blocks. A process that was reaped already is not signalled.
func (s *Spawner) Kill(token Token, pid int, group bool, sig syscall.Signal) {
	s.enqueue(request{token: token, pid: pid, group: group, sig: sig})
}

// Close ends the goroutine and waits for its end. Requests that still wait are
// dropped, processes that run are left alone. It returns those: another Spawner
// can go on with them, and hears of those that end meanwhile, also of the end of
// those that are to be adopted again.
func (s *Spawner) Close() (running []Running, adopted []Adopted) {
	s.mu.Lock()
	s.closed = true
	s.requests = nil
	s.mu.Unlock()
	s.wakeUp()
	<-s.done
	for pid, token := range s.procs {
		running = append(running, Running{token, pid})
	}
	for pid, a := range s.adopted {
		s.watch.remove(pid)
		adopted = append(adopted, a)
	}
	if s.watch != nil {
		s.watch.close()
	}
	s.adopted, s.watch = nil, nil
	return running, adopted
}

func (s *Spawner) enqueue(r request) {
	s.mu.Lock()
	if !s.closed {
		s.requests = append(s.requests, r)
	}
	s.mu.Unlock()
	s.wakeUp()
}

func (s *Spawner) wakeUp() {
	select {
	case s.wake <- struct{}{}:
	default:
	}
}

// keptRequests is the size up to which a buffer for requests is used again.
const keptRequests = 1024

// take returns the requests that wait, in order, and whether Close was called.
// buf is used for those to come.
func (s *Spawner) take(buf []request) (requests []request, closed bool) {
	if cap(buf) > keptRequests {
		buf = nil
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	requests, s.requests = s.requests, buf[:0]
	return requests, s.closed
}

// run is the goroutine. It keeps its thread, so that all children have the
// same parent thread and a fork that takes long holds up no other goroutine's.
// The thread ends with it, as its signal mask is not that of others.
func (s *Spawner) run() {
	runtime.LockOSThread()
	unblockSignals()
	defer close(s.done)
	defer signal.Stop(s.chld)

	s.reap() // what died before this process became its parent
	var batch []request
	for {
		select {
		case <-s.chld:
			s.reap()
			continue
		case <-s.wake:
		}
		var closed bool
		if batch, closed = s.take(batch); closed {
			return
		}
		for i := range batch {
			s.perform(&batch[i])
			batch[i].spec = nil // for the garbage collector
			// A long row of starts must not hold up the news of a death.
			select {
			case <-s.chld:
				s.reap()
			default:
			}
		}
	}
}

func (s *Spawner) perform(r *request) {
	switch {
	case r.spec != nil:
		s.start(r.token, r.spec)
		return
	case r.adopt != nil:
		s.adopt(*r.adopt)
		return
	case r.ended != nil:
		s.ended(r.pid, r.ended)
		return
	}
	errno := syscall.ESRCH
	if token, ok := s.procs[r.pid]; ok && token == r.token {
		errno = kill(r.pid, r.group, r.sig)
	} else if a, ok := s.adopted[r.pid]; ok && a.Token == r.token {
		errno = killAdopted(a, r.group, r.sig)
	}
	s.report(Signaled{Token: r.token, PID: r.pid, Sig: r.sig, Errno: errno})
}

func kill(pid int, group bool, sig syscall.Signal) syscall.Errno {
	if group {
		pid = -pid
	}
	return errnoOf(syscall.Kill(pid, sig))
}

func (s *Spawner) start(token Token, spec *Spec) {
	pipes, errno := makePipes(spec.Pipes)
	if errno != 0 {
		s.report(Failed{Token: token, Step: StepPipe, Errno: errno})
		return
	}
	pid, errno := spec.fork(pipes.child)
	pipes.closeChild()
	if errno != 0 {
		pipes.closeParent()
		step := StepFork
		if errno == syscall.EMFILE || errno == syscall.ENFILE {
			step = StepPipe // fork itself makes a pipe, to learn the outcome
		}
		s.report(Failed{Token: token, Step: step, Errno: errno})
		return
	}
	s.procs[pid] = token
	if spec.Forked != nil {
		spec.Forked(pid)
	}
	s.report(Started{
		Token: token, PID: pid,
		Stdin: pipes.parent[0], Stdout: pipes.parent[1], Stderr: pipes.parent[2],
	})
}

// reap collects every process that died.
func (s *Spawner) reap() {
	for {
		var status syscall.WaitStatus
		pid, err := syscall.Wait4(-1, &status, syscall.WNOHANG, nil)
		if err == syscall.EINTR {
			continue
		}
		if err != nil || pid <= 0 {
			return // ECHILD: none is left; 0: none is dead
		}
		token, ok := s.procs[pid]
		if a, found := s.adopted[pid]; found {
			// It became a child when its parent had died.
			s.forget(a)
			s.report(Exited{Token: a.Token, PID: pid, Status: status})
			continue
		}
		if !ok {
			s.report(Orphan{PID: pid, Status: status})
			continue
		}
		delete(s.procs, pid)
		s.report(Exited{Token: token, PID: pid, Status: status})
	}
}

func errnoOf(err error) syscall.Errno {
	if err == nil {
		return 0
	}
	if errno, ok := err.(syscall.Errno); ok {
		return errno
	}
	return syscall.EINVAL
}
