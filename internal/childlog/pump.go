package childlog

import (
	"errors"
	"os"
	"sync"
	"syscall"
	"time"

	"supervisord/internal/api"
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
	// ProcessName stands in messages to the activity log.
	ProcessName string
	StripANSI   bool
	// CaptureMaxBytes is the size of the capture buffer; 0 without capturing.
	CaptureMaxBytes int64
	Events          bool // call Sink.Output
	Listener        bool // call Sink.Listener
	Sink            Sink
	// MainLog, if not nil, gets a copy of the output at debug level.
	MainLog func(level api.LogLevel, text string)
}

// Pump moves the output of one pipe.
type Pump struct {
	pipe  *os.File
	conn  syscall.RawConn
	out   *output
	ended chan struct{}

	// The result of a read, for the callback of conn. They belong to the
	// goroutine.
	buf *buffer // nil while there is nothing in it
	n   int
	eof bool

	mu      sync.Mutex
	drained []func() // what Drain was given and was not called yet
	closing bool
	over    bool // the goroutine answers no requests any more
}

// bufferSize is how much is read at once: as much as a pipe holds. In front of
// it there is room for what the stripper holds back, of a size that keeps what
// is read aligned.
const (
	bufferSize = 64 << 10
	headroom   = 64
)

// buffer is where output is read to.
type buffer [headroom + bufferSize]byte

// buffers holds buffers that no pump uses. A pump has one only while it moves
// output.
var buffers = sync.Pool{New: func() any { return new(buffer) }}

// Start starts a pump.
func Start(o PumpOptions) *Pump {
	p := &Pump{
		pipe:  os.NewFile(uintptr(o.FD), o.ProcessName+" "+o.Channel.String()),
		out:   newOutput(o),
		ended: make(chan struct{}),
	}
	conn, err := p.pipe.SyscallConn()
	if err != nil {
		// Only a nil or closed file has no connection.
		panic("childlog: " + err.Error())
	}
	p.conn = conn
	go p.run()
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
	p.interrupt()
}

// Close ends the pump at once, after what is in the pipe was logged.
func (p *Pump) Close() {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.over {
		return
	}
	p.closing = true
	p.interrupt()
}

// Done is closed when the pump has ended and its descriptor is closed.
func (p *Pump) Done() <-chan struct{} { return p.ended }

// interrupt ends the wait for output. p.mu is held.
func (p *Pump) interrupt() { _ = p.pipe.SetReadDeadline(time.Unix(1, 0)) }

// run is the pump's goroutine.
func (p *Pump) run() {
	read := p.tryRead
	for !p.eof {
		err := p.conn.Read(read)
		switch {
		case errors.Is(err, os.ErrDeadlineExceeded):
			p.answer()
		case err != nil:
			p.eof = true
		default:
			p.move()
		}
	}
	p.finish()
}

// tryRead reads what is in the pipe and reports whether there was anything,
// the end included.
func (p *Pump) tryRead(fd uintptr) bool {
	b := buffers.Get().(*buffer)
	n, err := read(int(fd), b[headroom:])
	if err == syscall.EAGAIN {
		buffers.Put(b)
		return false
	}
	p.buf, p.n = b, n
	p.eof = n <= 0
	return true
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

// move moves on what was read.
func (p *Pump) move() {
	if p.n > 0 {
		p.out.take(p.buf[headroom-1 : headroom+p.n])
	}
	buffers.Put(p.buf)
	p.buf = nil
}

// answer does what Drain and Close ask for.
func (p *Pump) answer() {
	p.mu.Lock()
	drained, closing := p.drained, p.closing
	p.drained = nil
	_ = p.pipe.SetReadDeadline(time.Time{})
	p.mu.Unlock()

	_ = p.conn.Control(p.drain)
	p.out.end()
	for _, done := range drained {
		done()
	}
	if closing {
		p.eof = true
	}
}

// drain moves on what is in the pipe now. It does not go on for ever when
// another process keeps writing: what the process wrote that exited is among
// the bytes that are there when drain begins.
func (p *Pump) drain(fd uintptr) {
	left, err := pending(int(fd))
	if err != nil {
		left = 1 << 20 // the most that a pipe holds by default limits
	}
	for left >= 0 && !p.eof && p.tryRead(fd) {
		left -= p.n
		p.move()
	}
}

// finish ends the pump.
func (p *Pump) finish() {
	p.out.end()
	_ = p.pipe.Close()
	p.mu.Lock()
	p.over = true
	drained := p.drained
	p.mu.Unlock()
	close(p.ended)
	for _, done := range drained {
		done()
	}
}
