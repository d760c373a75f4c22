package childlog

import (
	"io"
	"os"
	"runtime"
	"sync"
	"syscall"
	"time"

	"supervisord/internal/api"
	"supervisord/internal/logfile"
)

// Sink takes what a Pump finds in the output besides log lines. Its methods
// are called from the pump's goroutine and may block, which holds up the
// program that wrote the output, and only that. The slices are valid during
// the call.
type Sink interface {
	// Output gets every piece of output that is logged, if PumpOptions.Events
	// is set.
	Output(data []byte)
	// Captured gets what stood between capture tags.
	Captured(data []byte)
	// Listener gets the raw output of an event listener.
	Listener(data []byte)
}

// PumpOptions describe a Pump.
type PumpOptions struct {
	FD      int // the pipe, nonblocking; the Pump closes it
	Channel api.Channel
	Log     *Log
	// ProcessName stands in messages to the activity log and, with GroupName
	// and PID, in the records of a Format other than raw.
	ProcessName string
	GroupName   string
	PID         int
	Format      api.LogFormat
	StripANSI   bool
	// CaptureMaxBytes is the size of the capture buffer; 0 without capturing.
	CaptureMaxBytes int64
	Events          bool // call Sink.Output
	Listener        bool // call Sink.Listener
	Tail            bool // have LastWords
	Sink            Sink
	// Watch, if not nil, is given the output as it is logged.
	Watch func(ch api.Channel, p []byte)
	// Whole has output moved in such a way that whoever kills this process finds
	// each byte either in the pipe or in the log, where the log is a file that is
	// written as the output is. Heard, if not nil, is a file of its own that keeps
	// the output of a listener in the same way; HeardFrom is how much of what
	// stands there already was dealt with.
	Whole     bool
	Heard     *os.File // the Pump closes it
	HeardFrom int64
	// Spool, if not nil, is a file of its own by which the same is true of output
	// that is not logged as it is; see NeedsSpool.
	Spool *os.File // the Pump closes it
	// MainLog, if not nil, gets a copy of the output at debug level.
	MainLog func(level api.LogLevel, text string)
}

// NeedsSpool reports whether output that is to be moved as Whole says needs a
// Spool for that.
func (o *PumpOptions) NeedsSpool() bool {
	if !o.Whole || o.Listener {
		return false
	}
	logged := o.Log != nil && (o.Log.file != nil || o.Log.syslog != nil)
	changed := o.StripANSI || o.Format != api.FormatRaw || o.Log != nil && o.Log.file == nil
	return o.CaptureMaxBytes > 0 || logged && changed
}

// Pump moves the output of one pipe. It has a goroutine only while there is
// something to do, but for that of a listener, which is waited for with each
// event.
type Pump struct {
	fd    int
	watch *watch
	line  *line // instead of watch, for a listener
	out   *output
	ended chan struct{}
	serve func() // run, as a value that is made once

	// What run keeps to itself.
	eof   bool
	last  time.Time   // of the last read of a hot pipe
	quiet time.Time   // until when nothing may come before the line that is held is logged
	timer *time.Timer // calls wake; nil until needed
	heard bool        // what stood in the file of a listener, or in the spool, was dealt with
	grown bool        // the pipe was made as large as possible
	eager bool        // the pipe is not left to fill: it is too small
	looks int         // how often listen looks before it waits

	mu      sync.Mutex
	running bool
	again   bool     // run has to look again before it ends
	drained []func() // what Drain was given and was not called yet
	closing bool
	over    bool
	settled bool   // Settle was called and run is to hear of it
	keeps   bool   // run has left something in memory that Settle makes needless
	tail    *tail  // of the process that ended; nil before
	pausing func() // what Pause was given, until run has stopped
	paused  bool
}

const (
	// bufferSize is how much is read at once: twice what a pipe holds at first, as
	// that of a program that writes more is made larger. Reading half as often
	// saves a fifth of the processor time of a log of much.
	bufferSize = 128 << 10
	// headroom is the room in front of that for what the stripper holds back.
	// Its size keeps what is read aligned.
	headroom = 64

	// fullPipe is the least that a pipe of the initial size may hold when it is
	// full: the system fills pages with whole writes only.
	fullPipe = 32 << 10

	// A program that writes again within hotGap is one that writes much. Its
	// pipe is given fillTime before it is read again, so that it is read less
	// often and in larger pieces, and the program is not slowed down by waking
	// the daemon with every line.
	hotGap   = 3 * time.Millisecond
	fillTime = time.Millisecond

	// lineWait is for how long the rest of a line is waited for that is to be
	// logged as a whole. A prompt has none.
	lineWait = time.Second

	// mostLooks is how often the pipe of a listener is looked at before it is
	// waited for: for about as long as that would take.
	mostLooks = 32

	// unwatched is how often a pipe is read that the system has no means left
	// to watch.
	unwatched = 100 * time.Millisecond
)

// buffer is where output is read to.
type buffer [headroom + bufferSize]byte

// buffers holds buffers that no pump uses.
var buffers = sync.Pool{New: func() any { return new(buffer) }}

// Start starts a pump.
func Start(o PumpOptions) *Pump {
	p := newPump(o)
	p.wake()
	return p
}

func newPump(o PumpOptions) *Pump {
	p := &Pump{fd: o.FD, out: newOutput(o), ended: make(chan struct{})}
	p.serve = p.run
	if o.Listener {
		p.line, p.looks = newLine(o.FD), 1
	} else {
		p.watch = newWatch(o.FD, p.wake)
	}
	return p
}

// Drain says that the process exited. The pump logs what is in the pipe, then
// calls done once, from its own goroutine. Where another process still holds
// the pipe, the pump goes on afterwards until that one closes it.
func (p *Pump) Drain(done func()) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.over {
		go done()
		return
	}
	p.drained = append(p.drained, done)
	p.wakeLocked()
}

// Settle says that the process has started well.
func (p *Pump) Settle() {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.settled = true
	if p.running || p.keeps {
		p.wakeLocked()
	}
}

// LastWords returns the last lines of what the process wrote before it ended,
// if PumpOptions.Tail is set. They are there when Drain calls done. It may read
// the log file.
func (p *Pump) LastWords() string {
	p.mu.Lock()
	t := p.tail
	p.mu.Unlock()
	if t == nil {
		return ""
	}
	return t.text(p.out.o.Log)
}

// endTail keeps the last words of the process. What an orphan of it writes into
// the same pipe is not among them.
func (p *Pump) endTail() {
	t := p.out.tail
	if t == nil {
		return
	}
	p.out.tail = nil
	p.mu.Lock()
	p.tail = t
	p.mu.Unlock()
}

// Close ends the pump at once, after what is in the pipe was logged.
func (p *Pump) Close() {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.closing = true
	p.wakeLocked()
}

// Done is closed when the pump has ended and its descriptor is closed.
func (p *Pump) Done() <-chan struct{} { return p.ended }

// wake makes run look at the pipe.
func (p *Pump) wake() {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.wakeLocked()
}

func (p *Pump) wakeLocked() {
	switch {
	case p.over || p.paused:
	case p.running:
		p.again = true
		p.line.interrupt()
	default:
		p.running = true
		go p.serve()
	}
}

// run moves output and answers requests until there is nothing to do.
func (p *Pump) run() {
	p.hearAgain()
	for {
		p.mu.Lock()
		if p.pauseLocked() {
			p.mu.Unlock()
			return
		}
		if p.again {
			p.line.again()
		}
		drained, closing, settled := p.drained, p.closing, p.settled
		p.drained, p.again, p.settled = nil, false, false
		p.mu.Unlock()

		if settled {
			p.out.settle()
		}
		if drained != nil || closing {
			p.drain()
			p.endTail()
			for _, done := range drained {
				done()
			}
			p.eof = p.eof || closing
		}
		next := more
		switch {
		case p.eof:
		case p.line != nil:
			next = p.listen()
		default:
			next = p.step()
		}
		if p.eof {
			p.finish()
			return
		}
		if p.rest(next) {
			return
		}
	}
}

// next is what there is to do after a step.
type next int

const (
	more  next = iota // read again
	wait              // wait for output
	delay             // let the pipe fill
)

// rest ends run, unless there is more to do, and arranges for the next wake.
func (p *Pump) rest(n next) bool {
	p.mu.Lock()
	defer p.mu.Unlock()
	if n == more || p.again || p.pausing != nil {
		return false
	}
	p.running, p.keeps = false, p.out.keeps()
	if p.line != nil {
		p.wakeIn(unwatched)
	} else if n == delay {
		p.watch.disarm()
		p.wakeIn(fillTime)
	} else if !p.watch.arm() {
		p.wakeIn(unwatched)
	} else if p.out.holds() {
		p.wakeIn(time.Until(p.quiet))
	}
	return true
}

// wakeIn arranges for a wake later. p.mu is held.
func (p *Pump) wakeIn(d time.Duration) {
	if p.timer == nil {
		p.timer = time.AfterFunc(d, p.wake)
	} else {
		p.timer.Reset(d)
	}
}

// step reads once and moves on what there was.
func (p *Pump) step() next {
	n := p.move()
	switch {
	case n <= 0:
		p.last = time.Time{}
		if p.out.holds() && !time.Now().Before(p.quiet) {
			p.out.endRecord()
			p.out.commit()
		}
		return wait
	case n >= fullPipe:
		p.grow()
		return more
	case p.eager:
		return wait
	}
	now := time.Now()
	hot := now.Sub(p.last) < hotGap
	p.last = now
	if hot {
		return delay
	}
	return wait
}

// listen waits for a listener to say something, and moves that on, or for
// something else to do.
//
// A listener that is asked one thing after the other may answer sooner than a
// goroutine that waits is woken. So the pipe is looked at a few times before, as
// often as long as that helps now and then.
func (p *Pump) listen() next {
	for range p.looks {
		if !p.silent() {
			p.looks = mostLooks
			return more
		}
		runtime.Gosched()
	}
	p.looks = max(p.looks-1, 1)
	if p.line.wait(p.silent) {
		return more
	}
	return wait
}

// silent reads once and reports whether there was nothing.
func (p *Pump) silent() bool { return p.move() == 0 && !p.eof }

// grow makes the pipe of a program that writes more than it holds larger.
func (p *Pump) grow() {
	p.watch.disarm()
	if !p.grown {
		p.grown = true
		p.eager = !growPipe(p.fd) || p.eager
	}
}

// move reads once and moves on what there was. It returns how much that was,
// and sets eof if there will never be more.
func (p *Pump) move() int {
	b := buffers.Get().(*buffer)
	defer buffers.Put(b)
	n, taken, err := p.fill(b)
	if err == syscall.EAGAIN {
		return 0
	}
	if n <= 0 {
		p.eof = true
		return 0
	}
	if !taken {
		p.out.take(b[headroom-1 : headroom+n])
		p.out.commit()
	}
	if p.out.holds() {
		p.quiet = time.Now().Add(lineWait)
	}
	return n
}

// fill takes bytes from the pipe. taken says that they have come to the log.
func (p *Pump) fill(b *buffer) (n int, taken bool, err error) {
	if p.out.o.Heard != nil {
		var at int64
		n, at, err = logfile.SpliceToEnd(p.fd, p.out.o.Heard, bufferSize, b[headroom:])
		if end := at + int64(n); at/maxHeard != end/maxHeard {
			logfile.Forget(p.out.o.Heard, end-keptHeard)
		}
		if n > 0 || err == nil || err == syscall.EAGAIN {
			return n, false, err
		}
	}
	if p.out.spool != nil {
		n, err = p.out.spool.fill(p.fd, b[headroom:])
		if n > 0 || err == nil || err == syscall.EAGAIN {
			return n, false, err
		}
	}
	if p.out.whole() {
		n, err = p.out.moveWhole(p.fd, b[headroom:])
		if err == nil || err == syscall.EAGAIN {
			return n, true, err
		}
	}
	n, err = read(p.fd, b[headroom:])
	return n, false, err
}

// maxHeard is how much of what a listener said may not have been dealt with when
// supervisord was killed. It is a listener: there is next to nothing.
const maxHeard = 1 << 20

// keptHeard is how much of what a listener said stays in its file. It is more
// than can wait to be dealt with.
const keptHeard = 8 * maxHeard

// hearAgain takes what a listener said to a former life that did not deal with
// it, or what that had not logged.
func (p *Pump) hearAgain() {
	if p.heard {
		return
	}
	p.heard = true
	if p.out.spool != nil {
		p.out.recover()
	}
	f := p.out.o.Heard
	if f == nil {
		return
	}
	said, err := io.ReadAll(io.NewSectionReader(f, p.out.o.HeardFrom, maxHeard))
	if err == nil && len(said) > 0 {
		p.out.take(append(make([]byte, 1, 1+len(said)), said...))
	}
}

// read is the system call, done again if a signal interrupts it.
func read(fd int, p []byte) (int, error) {
	for {
		n, err := syscall.Read(fd, p)
		if err != syscall.EINTR {
			return n, err
		}
	}
}

// drain moves on what is in the pipe now, and what was held back. It does not
// go on for ever when another process keeps writing: what the process wrote
// that exited is among the bytes that are there when drain begins.
func (p *Pump) drain() {
	left, err := pending(p.fd)
	if err != nil {
		left = 0
	}
	for left >= 0 && !p.eof {
		n := p.move()
		if n == 0 {
			break
		}
		left -= n
	}
	p.out.end()
}

// finish ends the pump.
func (p *Pump) finish() {
	p.out.end()
	p.endTail()
	p.mu.Lock()
	p.over = true
	drained := p.drained
	if p.timer != nil {
		p.timer.Stop()
	}
	pausing := p.pausing
	p.pausing = nil
	if p.line != nil {
		p.line.close()
	} else {
		p.watch.close()
	}
	for _, f := range []*os.File{p.out.o.Heard, p.out.o.Spool} {
		if f != nil {
			_ = f.Close()
		}
	}
	p.mu.Unlock()
	close(p.ended)
	for _, done := range drained {
		done()
	}
	if pausing != nil {
		pausing()
	}
}
