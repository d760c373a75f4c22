package spawn

import (
	"syscall"
	"time"
)

// Adopted is a process that runs already and is no child of this one: it was
// started by an earlier life of the program.
type Adopted struct {
	Token Token
	// PID is that of the process.
	PID int
	// FD is a pidfd of the process, which belongs to the Spawner from now on, or
	// -1 if it has ended.
	FD int
}

// Adopt has processes watched and signalled like those that were started here.
// How they ended is told where the system knows it; else Exited.Unknown is set.
func (s *Spawner) Adopt(list ...Adopted) {
	for i := range list {
		s.enqueue(request{adopt: &list[i]})
	}
}

// adopt takes over a process.
func (s *Spawner) adopt(a Adopted) {
	if a.FD < 0 {
		s.report(Exited{Token: a.Token, PID: a.PID, Unknown: true})
		return
	}
	s.adopted[a.PID] = a
	if s.watch == nil {
		s.watch = newExitWatch(func(pid int, status syscall.WaitStatus, known bool) {
			s.enqueue(request{pid: pid, ended: &ending{status, known}})
		})
	}
	s.watch.add(a.PID, a.FD)
}

// ending is how an adopted process ended.
type ending struct {
	status syscall.WaitStatus
	known  bool
}

// ended reports the end of an adopted process. If it was reaped here after all,
// that has been done.
func (s *Spawner) ended(pid int, e *ending) {
	if a, found := s.adopted[pid]; found {
		s.forget(a)
		s.report(Exited{Token: a.Token, PID: pid, Status: e.status, Unknown: !e.known})
	}
}

// forget ends the watch of an adopted process.
func (s *Spawner) forget(a Adopted) {
	delete(s.adopted, a.PID)
	s.watch.remove(a.PID)
	syscall.Close(a.FD)
}

// killTime is how long the end of a process is waited for that was sent SIGKILL.
const killTime = 5 * time.Second

// Stop ends a process that no Spawner has adopted, and waits for that: with the
// signal, and with SIGKILL when patience is at an end. The pidfd is closed.
func (a Adopted) Stop(group bool, sig int, patience time.Duration) {
	defer a.Forget()
	if killAdopted(a, group, syscall.Signal(sig)) == 0 && !waitFor(a.FD, patience) {
		killAdopted(a, group, syscall.SIGKILL)
		waitFor(a.FD, killTime)
	}
}

// Forget closes the pidfd of a process that no Spawner has adopted.
func (a Adopted) Forget() { syscall.Close(a.FD) }
