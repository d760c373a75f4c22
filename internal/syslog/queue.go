package syslog

import (
	"strconv"
	"sync"
)

// maxQueue limits the lines that wait in a Queue.
const maxQueue = 1024

// Queue sends lines without ever keeping the caller waiting. Lines that come
// while it is full are dropped; their number is sent when there is room again.
type Queue struct {
	w     *Writer
	lines chan []byte
	done  chan struct{}

	mu      sync.Mutex
	closed  bool
	dropped int
}

// NewQueue returns a Queue that sends through w.
func NewQueue(w *Writer) *Queue {
	q := &Queue{w: w, lines: make(chan []byte, maxQueue), done: make(chan struct{})}
	go q.run()
	return q
}

// Send sends a line, later. The Queue keeps the slice.
func (q *Queue) Send(line []byte) {
	q.mu.Lock()
	defer q.mu.Unlock()
	if q.closed {
		return
	}
	if q.dropped > 0 {
		select {
		case q.lines <- []byte(strconv.Itoa(q.dropped) + " messages were lost"):
			q.dropped = 0
		default:
		}
	}
	select {
	case q.lines <- line:
	default:
		q.dropped++
	}
}

// Close sends what waits, as far as the system log takes it, and ends the
// Queue.
func (q *Queue) Close() {
	q.mu.Lock()
	if !q.closed {
		q.closed = true
		close(q.lines)
	}
	q.mu.Unlock()
	<-q.done
}

func (q *Queue) run() {
	defer close(q.done)
	for line := range q.lines {
		// There is nowhere else to complain.
		_ = q.w.Send(line)
	}
	q.w.Close()
}
