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
	r.put("replace", ms(gap))
	return survived(before, after)
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

// loseDaemon is how long a daemon with 200 programs is missed that is killed by
// SIGKILL and started again at once. The original starts all programs a second
// time beside those that were left.
func loseDaemon(r *run) error {
	n := r.of(200)
	p, err := r.begin(n, "adopt=true")
	if err != nil {
		return err
	}
	defer func() { p.kill() }()
	before, err := running(p.socket, n)
	if err != nil {
		return err
	}
	// The end of the start is looked for in the log.
	if err := os.Remove(p.log); err != nil {
		return err
	}
	begin := time.Now()
	if err := p.cmd.Process.Kill(); err != nil {
		return err
	}
	<-p.ended
	next, err := p.world.run(r.impl)
	if err != nil {
		return err
	}
	p = next
	if err := p.answers(); err != nil {
		return err
	}
	r.put("lostanswer", ms(time.Since(begin)))
	if r.who == theirs {
		if err := p.started(n); err != nil {
			return err
		}
		r.put("lost", ms(time.Since(begin)))
		_, err := running(p.socket, n)
		return err
	}
	var after map[int]bool
	err = p.until("the adoption", func() (bool, error) {
		after, err = running(p.socket, n)
		return err == nil, nil
	})
	if err != nil {
		return err
	}
	r.put("lost", ms(time.Since(begin)))
	return survived(before, after)
}

// survived checks that the processes are the same as before.
func survived(before, after map[int]bool) error {
	for pid := range before {
		if !after[pid] {
			return fmt.Errorf("check processes: %d does not run any more", pid)
		}
	}
	return nil
}
