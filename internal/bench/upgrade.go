package main

import (
	"fmt"
	"os"
	"time"
)

// replaceDaemon is how long a daemon with 100 programs does not answer, or does
// not run them, while another version takes its place. One that cannot be
// upgraded has to be stopped and started.
func replaceDaemon(r *run) error {
	n := r.of(100)
	p, err := r.begin(n)
	if err != nil {
		return err
	}
	defer func() { p.kill() }()
	before, err := running(p.socket, n)
	if err != nil {
		return err
	}
	gap, err := upgraded(p)
	if err != nil {
		// It is the original that has no such method.
		return restarted(r, &p, n)
	}
	after, err := running(p.socket, n)
	if err != nil {
		return err
	}
	for pid := range before {
		if !after[pid] {
			return fmt.Errorf("check the upgrade: %d does not run any more", pid)
		}
	}
	r.put("replace", ms(gap))
	return nil
}

// upgraded upgrades a daemon and returns the longest time between two answers to
// a client that calls all the time.
func upgraded(p *process) (time.Duration, error) {
	done := make(chan error, 1)
	go func() {
		_, err := once(p.socket, request("supervisord.upgrade"))
		done <- err
	}()
	c, err := dial(p.socket)
	if err != nil {
		return 0, err
	}
	defer c.Close()
	longest, last := time.Duration(0), time.Now()
	for after := 0; after < 100; {
		if _, err := c.call(getState); err != nil {
			return 0, err
		}
		now := time.Now()
		longest, last = max(longest, now.Sub(last)), now
		if after > 0 {
			after++
			continue
		}
		select {
		case err := <-done:
			if err != nil {
				return 0, err
			}
			after++
		default:
		}
	}
	return longest, nil
}

// restarted ends a daemon and starts it again, and waits until all programs run.
func restarted(r *run, p **process, n int) error {
	w := (*p).world
	begin := time.Now()
	if err := (*p).terminate(); err != nil {
		return err
	}
	if err := os.Remove(w.log); err != nil {
		return err
	}
	next, err := w.run(r.impl)
	if err != nil {
		return err
	}
	*p = next
	if err := next.started(n); err != nil {
		return err
	}
	if err := next.answers(); err != nil {
		return err
	}
	r.put("replace", ms(time.Since(begin)))
	return nil
}
