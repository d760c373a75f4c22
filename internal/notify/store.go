package notify

import (
	"fmt"
	"sync"
	"time"
)

// A Store gives the service manager descriptors to keep, until they are dropped
// or the service has ended. If this process ends before, the next one receives
// them. Its methods may be called from any goroutine.
type Store struct {
	limit int
	warn  func(error)

	keeping sync.Mutex // held while something is given away
	keeper  link
	dropper link // of the goroutine that tells

	mu      sync.Mutex
	dropped []string      // the names that the manager was not told yet
	telling chan struct{} // closed when there are none; nil where nobody tells
	deaf    bool          // the manager did not take the last message
}

// Store returns the store of the manager, or nil if there is none. Whether there
// is one is not always known: a manager without one forgets what it is given.
// Failures are passed to warn, the first of a row only, by any goroutine.
func (n *Notifier) Store(warn func(error)) *Store {
	if n.address == "" || n.storeless {
		return nil
	}
	return &Store{limit: n.storeLimit, warn: warn, keeper: link{address: n.address}, dropper: link{address: n.address}}
}

// Limit returns how many descriptors the manager keeps, 0 if that is not known.
func (s *Store) Limit() int { return s.limit }

// Keep has the manager keep copies of descriptors under a name, which several
// may share, and which is up to 255 characters of ASCII that can be printed,
// without a colon. It waits for the manager when that has a lot to do, but not
// again and again for one that does not answer.
func (s *Store) Keep(name string, fds ...int) {
	s.keeping.Lock()
	defer s.keeping.Unlock()
	// That somebody hangs up is no reason to forget a descriptor: it is how
	// processes end.
	s.say(&s.keeper, fds, "FDSTORE=1", "FDNAME="+name, "FDPOLL=0")
}

// Drop has the manager forget what it keeps under a name. It does not wait.
func (s *Store) Drop(name string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.dropped = append(s.dropped, name)
	if s.telling == nil {
		s.telling = make(chan struct{})
		go s.tell()
	}
}

// tell passes on the names that were dropped.
func (s *Store) tell() {
	for {
		s.mu.Lock()
		names := s.dropped
		s.dropped = nil
		if len(names) == 0 {
			close(s.telling)
			s.telling = nil
			s.mu.Unlock()
			return
		}
		s.mu.Unlock()
		for _, name := range names {
			s.say(&s.dropper, nil, "FDSTOREREMOVE=1", "FDNAME="+name)
		}
	}
}

// Settle waits until the manager was told of everything that was dropped.
func (s *Store) Settle() {
	s.mu.Lock()
	telling := s.telling
	s.mu.Unlock()
	if telling != nil {
		<-telling
	}
}

// say sends a message, and does not wait for a manager that did not take the one
// before. The first failure of a row is warned of.
func (s *Store) say(l *link, fds []int, assignments ...string) {
	s.mu.Lock()
	limit := sendTimeout
	if s.deaf {
		limit = time.Millisecond
	}
	s.mu.Unlock()
	err := l.pass(limit, fds, assignments...)
	s.mu.Lock()
	first := err != nil && !s.deaf
	s.deaf = err != nil
	s.mu.Unlock()
	if first {
		s.warn(fmt.Errorf("keep descriptors for the next supervisord: %w", err))
	}
}

// Close closes the connections to the manager, which goes on keeping what it
// has. Nothing is given to it afterwards.
func (s *Store) Close() {
	s.Settle()
	s.keeping.Lock()
	defer s.keeping.Unlock()
	s.keeper.close()
	s.dropper.close()
}
