package main

import (
	"fmt"
	"strings"

	"supervisord/internal/adopt"
	"supervisord/internal/api"
	"supervisord/internal/applog"
	"supervisord/internal/config"
	"supervisord/internal/notify"
)

// heritage is what a supervisord that was killed has left to this one, and where
// this one keeps what it may leave itself. It is empty without adopt=true.
type heritage struct {
	directory *adopt.Directory // nil without adopt=true
	store     *notify.Store    // nil where the service manager has none
	found     *adopt.Findings
	log       *applog.Logger
}

// inherit takes the directory for adoption, and what the service manager has
// kept, and looks at what is there.
func (l *life) inherit(cfg *config.Config, log *applog.Logger) (*heritage, error) {
	h := &heritage{found: &adopt.Findings{}, log: log}
	stored := adopt.Stored(l.notifier.Received())
	s := &cfg.Supervisord
	if !s.Adopt {
		if len(stored) > 0 {
			h.openStore(l.notifier)
			stored.Discard(h.deposit())
		}
		return h, nil
	}
	h.openStore(l.notifier)
	h.warnOfLimit(cfg)
	var err error
	h.directory, err = adopt.Open(s.AdoptDirectory, func(err error) { log.Log(api.LevelError, err.Error()) })
	if err != nil {
		return nil, err
	}
	h.directory.UseStore(h.deposit(), stored)
	l.serial = max(l.serial, h.directory.Serial())
	h.found = h.directory.Examine(cfg)
	if n := h.found.Damaged; n > 0 {
		log.Log(api.LevelWarn, fmt.Sprintf("%d records in %s cannot be read; their processes are not adopted", n, s.AdoptDirectory))
	}
	return h, nil
}

// takeDirectory goes on with the directory of the program whose place this one
// has taken. Without it everything goes on, but a successor could adopt nothing.
func takeDirectory(cfg *config.Config, n *notify.Notifier, log *applog.Logger) *heritage {
	h := &heritage{found: &adopt.Findings{}, log: log}
	if !cfg.Supervisord.Adopt {
		return h
	}
	report := func(err error) { log.Log(api.LevelError, err.Error()) }
	var err error
	if h.directory, err = adopt.Open(cfg.Supervisord.AdoptDirectory, report); err != nil {
		report(err)
		return h
	}
	h.openStore(n)
	h.directory.UseStore(h.deposit(), nil)
	h.directory.Recall()
	return h
}

// openStore opens the store of the service manager, if that has one.
func (h *heritage) openStore(n *notify.Notifier) {
	h.store = n.Store(func(err error) { h.log.Log(api.LevelWarn, err.Error()) })
}

// deposit returns the store for a directory.
func (h *heritage) deposit() adopt.Store {
	if h.store == nil {
		return nil
	}
	return h.store
}

// warnOfLimit says if the service manager keeps too little for all processes.
func (h *heritage) warnOfLimit(cfg *config.Config) {
	if h.store == nil || h.store.Limit() == 0 {
		return
	}
	need := 0
	for _, g := range cfg.Groups {
		for _, p := range g.Processes {
			need += adopt.StoredPerProcess(p)
		}
	}
	if limit := h.store.Limit(); need > limit {
		h.log.Log(api.LevelWarn, fmt.Sprintf("the service manager keeps %d descriptors, and the processes have %d for it; "+
			"of the others the last output is lost if they end while there is no supervisord (FileDescriptorStoreMax)", limit, need))
	}
}

// has reports whether processes of a group run already.
func (h *heritage) has(g *config.Group) bool {
	for _, p := range g.Processes {
		name := api.Namespec(g.Name, p.Name)
		for _, s := range h.found.Survivors {
			if s.Name == name && s.PIDFD >= 0 {
				return true
			}
		}
		for _, s := range h.found.Strangers {
			if s.Name == name {
				return true
			}
		}
	}
	return false
}

// keepsLog reports whether a file is an automatic log, or a backup of one, of a
// process that is taken back.
func (h *heritage) keepsLog(path string) bool {
	for _, s := range h.found.Survivors {
		for _, log := range s.Logs {
			if log != "" && strings.HasPrefix(path, log) {
				return true
			}
		}
	}
	return false
}

// knows reports whether a process is one that was examined.
func (h *heritage) knows(pid int) bool {
	for _, s := range h.found.Survivors {
		if s.PID == pid {
			return true
		}
	}
	for _, s := range h.found.Strangers {
		if s.PID == pid {
			return true
		}
	}
	return false
}

// settle waits until the service manager knows what it need not keep any more.
func (h *heritage) settle() {
	if h.store != nil {
		h.store.Settle()
	}
}

// clear forgets everything: no process is left.
func (h *heritage) clear() {
	if h.directory == nil {
		return
	}
	if err := h.directory.Clear(); err != nil {
		h.log.Log(api.LevelError, "cannot empty the directory for adoption: "+err.Error())
	}
}

// close gives the directory back. What is in it stays, if it was not cleared.
func (h *heritage) close() {
	if h.store != nil {
		h.store.Close()
	}
	if h.directory != nil {
		h.directory.Close()
	}
}
