package adopt

import (
	"fmt"
	"syscall"

	"supervisord/internal/config"
)

// A Store is a place outside of this process where descriptors stay open when it
// is killed. The next supervisord receives them by name.
type Store interface {
	// Keep keeps copies of descriptors under a name.
	Keep(name string, fds ...int)
	// Drop closes what is kept under a name.
	Drop(name string)
}

// Stored are descriptors that a Store has kept from a previous life, by name,
// perhaps among others that have nothing to do with processes.
type Stored map[string][]int

// storedForm is the name of what is kept of a process, by its pid and the time of
// its start: so there are no two with one name, and whatever characters the name
// of a program has, a store takes it.
const storedForm = "supervisord-%d-%d"

func storedName(pid int, born uint64) string { return fmt.Sprintf(storedForm, pid, born) }

// StoredPerProcess returns how many descriptors of a process a store has to keep.
func StoredPerProcess(p *config.Process) int {
	if p.RedirectStderr {
		return 2
	}
	return 3
}

// isStored reports whether something has a name that storedName returns.
func isStored(name string) bool {
	var pid int
	var born uint64
	_, err := fmt.Sscanf(name, storedForm, &pid, &born)
	return err == nil && name == storedName(pid, born)
}

// Discard closes what was kept of processes and has the store do so, too. The
// store may be nil.
func (s Stored) Discard(store Store) {
	for name := range s {
		if !isStored(name) {
			continue
		}
		s.close(name)
		if store != nil {
			store.Drop(name)
		}
	}
}

// close closes what has a name.
func (s Stored) close(name string) {
	for _, fd := range s[name] {
		syscall.Close(fd)
	}
	delete(s, name)
}

// former takes the pidfd of a process out of what has a name, -1 if there is
// none.
func (s Stored) former(name string) int {
	for i, fd := range s[name] {
		if isPIDFD(fd) {
			s[name] = append(s[name][:i:i], s[name][i+1:]...)
			return fd
		}
	}
	return -1
}

// UseStore has a store keep, for each process, what only lives as long as
// somebody has it open: its pidfd, which knows how it ended, and the FIFOs of its
// output, with what it has written into them. It is called before anything else.
//
// The FIFOs of stored are not read: that they are open is enough for those that
// are opened by name to have in them what they had.
func (d *Directory) UseStore(store Store, stored Stored) { d.store, d.stored = store, stored }

// keep gives the store what is to survive of a process that runs.
func (p *Process) keep(pid int, born uint64) {
	if p.d.store == nil {
		return
	}
	var fds []int
	if fd := pidfdOf(pid); fd >= 0 {
		fds = append(fds, fd)
	}
	for channel := 1; channel <= 2; channel++ {
		// There is no standard error where it goes to standard output.
		if fd, err := p.openOwn(channel); err == nil {
			fds = append(fds, fd)
		}
	}
	if len(fds) > 0 {
		p.d.store.Keep(storedName(pid, born), fds...)
	}
	for _, fd := range fds {
		syscall.Close(fd)
	}
}

// drop has the store forget a process, if one ran at that status.
func (p *Process) drop(s Status) {
	if p.d.store != nil && s.PID != 0 {
		p.d.store.Drop(storedName(s.PID, s.Born))
	}
}
