package adopt

import (
	"fmt"
	"io"
	"os"
	"path/filepath"
	"sync"
	"syscall"
)

// MaxPayload is the size up to which the payload of an event in flight is kept.
const MaxPayload = 1 << 20

// Process is what the directory holds of one process. Its methods may be called
// from any goroutine.
type Process struct {
	d    *Directory
	name string
	key  string

	mu      sync.Mutex
	slot    int // 0 before the first start
	status  Status
	payload *os.File // of the event in flight
	heard   int64    // as in Answer.Heard
	kept    int      // the size of what payload holds, as in Answer.Size
}

// Process returns the part of the directory that belongs to a process. Nothing
// is written before its first start.
func (d *Directory) Process(name string) *Process {
	d.mu.Lock()
	defer d.mu.Unlock()
	p := &Process{d: d, name: name, key: key(name), slot: d.slots[name]}
	if p.slot == 0 {
		return p
	}
	slot := make([]byte, slotSize)
	if _, err := d.file.ReadAt(slot, p.at(0)); err != nil && err != io.EOF {
		return p
	}
	if r, err := parseRecord(slot); err == nil {
		p.status, p.kept, p.heard = r.Status, r.Answer.Size, r.Answer.Heard
	}
	return p
}

// path returns the path of a file of the process.
func (p *Process) path(end string) string { return filepath.Join(p.d.path, p.key+end) }

// Prepare writes the record of a start that is about to happen. Without it the
// process is started as if there were no directory.
func (p *Process) Prepare(id Identity) error {
	p.mu.Lock()
	defer p.mu.Unlock()
	id.Boot, id.Name = p.d.boot, p.name
	b, err := id.encode()
	if err != nil {
		return err
	}
	if p.slot == 0 {
		if p.slot, err = p.d.slotOf(p.name); err != nil {
			return err
		}
	}
	for _, end := range []string{heardEnd, ".1" + spoolEnd, ".2" + spoolEnd} {
		if err := os.Remove(p.path(end)); err != nil && !os.IsNotExist(err) {
			return err
		}
	}
	// A record is whole at any time: without a pid first, and with another
	// identity only then.
	p.drop(p.status)
	p.status.PID, p.status.Born = 0, 0
	p.writeStatus()
	p.d.write(b, p.at(identityAt))
	p.d.write(make([]byte, answerSize), p.at(answerAt))
	return nil
}

// Set changes the status. It writes nothing before the first start.
func (p *Process) Set(change func(*Status)) {
	p.mu.Lock()
	defer p.mu.Unlock()
	change(&p.status)
	p.writeStatus()
}

// Ended changes the status and notes that the process does not run any more, both
// in one: until then a successor would find it, and ask how it ended.
func (p *Process) Ended(change func(*Status)) {
	p.mu.Lock()
	defer p.mu.Unlock()
	before := p.status
	change(&p.status)
	p.status.PID, p.status.Born = 0, 0
	p.writeStatus()
	p.drop(before)
}

// Forked notes the pid of the process that was prepared.
func (p *Process) Forked(pid int) {
	born, _, err := bornOf(pid)
	if err != nil {
		return // It has no record then: it is found by its FIFOs.
	}
	p.Set(func(s *Status) { s.PID, s.Born = pid, born })
	p.keep(pid, born)
}

// SetAnswer notes how far a listener has come. The payload is that of an event
// in flight that was not noted before, else nil.
func (p *Process) SetAnswer(a Answer, payload []byte) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.slot == 0 {
		return
	}
	if payload != nil {
		p.kept = p.writePayload(payload)
		// Nothing is written to its standard input while this is its time.
		stamp(p.path(".0"))
	}
	if a.InFlight {
		a.Size = p.kept
	}
	p.d.write(a.encode(), p.at(answerAt))
}

// writePayload returns the size, or -1 if the payload could not be kept.
func (p *Process) writePayload(payload []byte) int {
	if len(payload) > MaxPayload {
		return -1
	}
	if p.payload == nil {
		f, err := p.d.open(p.key+payloadEnd, os.O_RDWR|os.O_CREATE)
		if err != nil {
			return -1
		}
		p.payload = f
	}
	if _, err := p.payload.WriteAt(payload, 0); err != nil {
		return -1
	}
	return len(payload)
}

// Remove forgets the process and what belongs to it.
func (p *Process) Remove() {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.payload != nil {
		p.payload.Close()
		p.payload = nil
	}
	for _, end := range ends {
		_ = os.Remove(p.path(end)) // mostly there is none
	}
	if p.slot == 0 {
		return
	}
	p.d.write(make([]byte, statusSize), p.at(statusAt))
	p.drop(p.status)
	p.d.mu.Lock()
	defer p.d.mu.Unlock()
	delete(p.d.slots, p.name)
	p.d.free = append(p.d.free, p.slot)
	p.slot = 0
}

// at returns the place of a part in the file. p.mu is held.
func (p *Process) at(part int64) int64 { return int64(p.slot)*slotSize + part }

// writeStatus writes the status. p.mu is held.
func (p *Process) writeStatus() {
	if p.slot != 0 {
		p.d.write(p.status.encode(), p.at(statusAt))
	}
}

// Pipe makes the FIFO of a channel, 0 for standard input, and returns the
// descriptors of both ends: that of the process, which is open for reading and
// writing, and that of supervisord. Both are close-on-exec; the latter does not
// block.
func (p *Process) Pipe(channel int) (child, parent int, err error) {
	path := p.path(fmt.Sprintf(".%d", channel))
	if err := os.Remove(path); err != nil && !os.IsNotExist(err) {
		return -1, -1, err
	}
	if err := syscall.Mkfifo(path, 0o600); err != nil {
		return -1, -1, &os.PathError{Op: "mkfifo", Path: path, Err: err}
	}
	child, err = syscall.Open(path, syscall.O_RDWR|syscall.O_CLOEXEC|syscall.O_NOFOLLOW|syscall.O_NOCTTY, 0)
	if err != nil {
		return -1, -1, &os.PathError{Op: "open", Path: path, Err: err}
	}
	parent, err = p.openOwn(channel)
	if err != nil {
		syscall.Close(child)
		return -1, -1, err
	}
	return child, parent, nil
}

// openOwn opens supervisord's end of a FIFO.
func (p *Process) openOwn(channel int) (int, error) {
	path := p.path(fmt.Sprintf(".%d", channel))
	flag := syscall.O_RDONLY
	if channel == 0 {
		flag = syscall.O_WRONLY
	}
	fd, err := syscall.Open(path, flag|syscall.O_CLOEXEC|syscall.O_NOFOLLOW|syscall.O_NONBLOCK|syscall.O_NOCTTY, 0)
	if err != nil {
		return -1, &os.PathError{Op: "open", Path: path, Err: err}
	}
	var stat syscall.Stat_t
	if err := syscall.Fstat(fd, &stat); err != nil || stat.Mode&syscall.S_IFMT != syscall.S_IFIFO {
		syscall.Close(fd)
		return -1, &os.PathError{Op: "open", Path: path, Err: syscall.EINVAL}
	}
	return fd, nil
}

// Heard opens the file for the output of a listener, which is empty after
// Prepare.
func (p *Process) Heard() (*os.File, error) {
	return p.d.open(p.key+heardEnd, os.O_RDWR|os.O_CREATE)
}

// HeardBytes returns how much of the output of a listener had been dealt with
// when p was made.
func (p *Process) HeardBytes() int64 { return p.heard }

// Spool opens the file for the output of a channel, 1 or 2, that is not logged
// as it is. Without create it is an error if there is none. There is none after
// Prepare.
func (p *Process) Spool(channel int, create bool) (*os.File, error) {
	flag := os.O_RDWR
	if create {
		flag |= os.O_CREATE
	}
	return p.d.open(fmt.Sprintf("%s.%d%s", p.key, channel, spoolEnd), flag)
}
