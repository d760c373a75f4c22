package childlog

import (
	"os"
	"runtime"
	"sync"
	"syscall"

	"golang.org/x/sys/unix"
)

// watch tells when there is something to read from a pipe.
//
// The pipe is known to epoll only while somebody waits for it. For a pipe that
// epoll knows every write has a cost for the process that writes, also when
// nobody is to be woken: about a tenth of the cost of writing a line, and
// several times that until the daemon, woken once, gets a processor.
type watch struct {
	fd    int
	key   int32
	ready func()
	in    *poller // the one that knows fd, or nil
}

// newWatch returns a watch of fd, which it closes in the end. ready is called
// from another goroutine, once after each arm, and must not block. The methods
// are not called at the same time.
func newWatch(fd int, ready func()) *watch { return &watch{fd: fd, ready: ready} }

// arm asks for one call of ready, when there is something to read. It reports
// false if the system refuses that.
func (w *watch) arm() bool {
	if w.in != nil {
		return w.in.control(unix.EPOLL_CTL_MOD, w)
	}
	p := currentPoller()
	if p == nil {
		return false
	}
	p.add(w)
	if !p.control(unix.EPOLL_CTL_ADD, w) {
		p.remove(w)
		return false
	}
	w.in = p
	return true
}

// disarm takes arm back. A call of ready may still be on its way.
func (w *watch) disarm() {
	if w.in != nil {
		w.in.control(unix.EPOLL_CTL_DEL, w)
		w.in.remove(w)
		w.in = nil
	}
}

// close ends the watch and closes the descriptor.
func (w *watch) close() {
	w.disarm()
	_ = syscall.Close(w.fd)
}

// poller waits for all watches, in one thread. Its epoll descriptor is not
// given to the runtime's own poller: a nested one makes each write to a pipe
// that is ready more expensive.
type poller struct {
	fd int

	mu      sync.Mutex
	watches map[int32]*watch
	next    int32
}

// shared is the poller of this process, once there was something to watch.
var shared struct {
	mu sync.Mutex
	p  *poller
}

// currentPoller returns the poller, or nil if the system does not provide one.
func currentPoller() *poller {
	shared.mu.Lock()
	defer shared.mu.Unlock()
	if shared.p == nil {
		fd, err := unix.EpollCreate1(unix.EPOLL_CLOEXEC)
		if err != nil {
			return nil
		}
		shared.p = &poller{fd: fd, watches: map[int32]*watch{}}
		go shared.p.run()
	}
	return shared.p
}

// add gives the watch a key that no other has.
func (p *poller) add(w *watch) {
	p.mu.Lock()
	defer p.mu.Unlock()
	for p.watches[p.next] != nil {
		p.next++
	}
	w.key = p.next
	p.next++
	p.watches[w.key] = w
}

// remove forgets a watch. What is still reported for its key is ignored.
func (p *poller) remove(w *watch) {
	p.mu.Lock()
	defer p.mu.Unlock()
	delete(p.watches, w.key)
}

// control changes what epoll knows of a watch.
func (p *poller) control(op int, w *watch) bool {
	event := unix.EpollEvent{Events: unix.EPOLLIN | unix.EPOLLONESHOT, Fd: w.key}
	return unix.EpollCtl(p.fd, op, w.fd, &event) == nil
}

// run calls the watches that are ready, for ever.
func (p *poller) run() {
	var events [128]unix.EpollEvent
	for {
		n, err := unix.EpollWait(p.fd, events[:], -1)
		if err != nil && err != unix.EINTR {
			// The descriptor is ours alone; there is no other reason to fail.
			panic("childlog: " + os.NewSyscallError("epoll_wait", err).Error())
		}
		for _, e := range events[:max(n, 0)] {
			if ready := p.readyOf(e.Fd); ready != nil {
				ready()
			}
		}
		// The goroutines that were just started wait for the processor of this
		// one. It would keep it in the call that follows.
		runtime.Gosched()
	}
}

// readyOf returns the function to call for a key.
func (p *poller) readyOf(key int32) func() {
	p.mu.Lock()
	defer p.mu.Unlock()
	if w := p.watches[key]; w != nil {
		return w.ready
	}
	return nil
}

// growPipe makes room for more in a pipe and reports whether that succeeded.
// The system limits what all pipes of a user who is not privileged may hold
// together.
func growPipe(fd int) bool {
	size := 256 << 10
	if os.Geteuid() == 0 {
		size = 1 << 20
	}
	_, err := unix.FcntlInt(uintptr(fd), unix.F_SETPIPE_SZ, size)
	return err == nil
}

// pending returns how many bytes are in a pipe.
func pending(fd int) (int, error) { return unix.IoctlGetInt(fd, unix.TIOCINQ) }
