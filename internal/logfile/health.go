package logfile

import (
	"sync"
	"sync/atomic"
	"time"
)

// retryInterval is the time between attempts to write the backlog of a File
// that nobody writes to. The system does not tell when a disk has room again.
const retryInterval = time.Second

// health is what a File knows about its failures.
type health struct {
	// Guarded by File.mu.
	write  error       // why the file cannot be written; then there is a backlog
	rotate error       // why the file cannot be rotated; it grows meanwhile
	tried  time.Time   // when rotation was tried last
	lost   int64       // bytes lost in failures that nobody was told of yet
	timer  *time.Timer // tries again to write; nil while write is nil

	changed atomic.Bool // write or rotate became set or nil

	// mu serializes calls of tell. It is taken before File.mu.
	mu   sync.Mutex
	tell func(err error, lost int64)
	told bool // tell was called for the present failure
}

// set changes one of the two errors. File.mu is held.
func (h *health) set(field *error, err error) {
	if (*field == nil) != (err == nil) {
		h.changed.Store(true)
	}
	*field = err
}

// OnFailure sets the function that is told once when the file cannot be
// written or rotated, with the reason, and once when all is well again, with
// nil and the number of bytes that were lost meanwhile. It may be called from
// any goroutine and must not use the File.
func (f *File) OnFailure(tell func(err error, lost int64)) {
	f.health.mu.Lock()
	defer f.health.mu.Unlock()
	f.health.tell = tell
}

// report calls the function of OnFailure if there is something to tell. No lock
// of the File is held.
func (f *File) report() {
	h := &f.health
	if !h.changed.Load() {
		return
	}
	h.mu.Lock()
	defer h.mu.Unlock()
	f.mu.Lock()
	h.changed.Store(false)
	err, lost := h.write, h.lost
	if err == nil {
		err = h.rotate
	}
	if err == nil {
		h.lost = 0
	}
	f.mu.Unlock()
	if failing := err != nil; failing != h.told {
		h.told = failing
		if h.tell != nil {
			h.tell(err, lost)
		}
	}
}

// keep puts p, which could not be written because of err, into the backlog,
// and returns how much of it found room. f.mu is held.
func (f *File) keep(p []byte, err error) int {
	f.health.set(&f.health.write, err)
	if f.health.timer == nil {
		f.health.timer = time.AfterFunc(retryInterval, f.retry)
	}
	return f.backlog.add(p)
}

// flush writes the backlog; when that succeeds the failure is over. f.mu is
// held.
func (f *File) flush() error {
	for {
		n, err := f.append(f.backlog.data)
		f.backlog.drop(n)
		f.health.set(&f.health.write, err)
		if err != nil {
			return err
		}
		f.health.lost += f.backlog.lost
		f.backlog = f.backlog.next()
		if len(f.backlog.data) == 0 {
			break
		}
	}
	f.rotateIfFull()
	return nil
}

// retry writes the backlog of a File, which nobody may be writing to now.
func (f *File) retry() {
	f.mu.Lock()
	f.health.timer = nil
	if f.health.write != nil {
		f.retryLocked()
	}
	f.mu.Unlock()
	f.notice.send()
	f.report()
}

func (f *File) retryLocked() {
	closed := f.closed
	if f.flush() != nil {
		f.health.timer = time.AfterFunc(retryInterval, f.retry)
	}
	if closed {
		f.close()
	}
}
