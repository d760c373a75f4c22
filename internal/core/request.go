package core

import (
	"slices"

	"supervisord/internal/api"
)

// request is a command that is not answered yet, because it waits for
// processes. A list request collects the outcome for each of them.
type request struct {
	req     Req
	name    string // the process as the client named it, if it is one
	list    bool
	pending int
	// statuses are the outcomes that were known at once, later those that were
	// waited for, in the order of the processes.
	statuses []api.ProcessStatus
	later    []api.ProcessStatus
}

// waitKind tells what a waiter waits for.
type waitKind uint8

const (
	waitSpawned waitKind = iota // a start was confirmed
	waitRunning                 // a start succeeded
	waitStopped                 // the process is stopped
	waitSignal                  // a signal was sent
	waitKilled                  // the stop signal was sent
)

// waiter is the part of a request that concerns one process.
type waiter struct {
	request *request
	kind    waitKind
	name    string // the namespec as the client wrote it
	slot    int    // in request.later
}

// answer answers a command. Clients hear it after everything else that the step
// does, so that they find in the log what they were told.
func (c *Core) answer(req Req, r Reply) {
	if req != 0 {
		c.answers = append(c.answers, Effect{Kind: Answer, Req: req, Reply: &r})
	}
}

// wait makes a request wait for a process.
func (c *Core) wait(rq *request, p *process, kind waitKind, name string) {
	w := waiter{request: rq, kind: kind, name: name, slot: len(rq.later)}
	rq.pending++
	rq.later = append(rq.later, api.ProcessStatus{})
	p.waiters = append(p.waiters, w)
}

// submit answers the request if it waits for nothing, and keeps it otherwise.
func (c *Core) submit(rq *request) {
	if rq.pending > 0 {
		if rq.req != 0 {
			c.requests[rq.req] = rq
		}
		return
	}
	if rq.list {
		c.answer(rq.req, Reply{Statuses: append(rq.statuses, rq.later...)})
	}
}

// cancel forgets a request: its client has gone.
func (c *Core) cancel(req Req) {
	rq := c.requests[req]
	if rq == nil {
		return
	}
	delete(c.requests, req)
	rq.req = 0
	for _, p := range c.procs {
		p.dropWaiters(rq)
	}
}

func (p *process) dropWaiters(rq *request) {
	kept := p.waiters[:0]
	for _, w := range p.waiters {
		if w.request != rq {
			kept = append(kept, w)
		}
	}
	clear(p.waiters[len(kept):])
	p.waiters = kept
}

// resolve answers the waiters of a process whose outcome its state decides.
func (c *Core) resolve(p *process) {
	if len(p.waiters) == 0 {
		return
	}
	kept := p.waiters[:0]
	var done []waiter
	var faults []*api.Fault
	for _, w := range p.waiters {
		if fault, decided := p.outcome(w); decided {
			done = append(done, w)
			faults = append(faults, fault)
		} else {
			kept = append(kept, w)
		}
	}
	clear(p.waiters[len(kept):])
	p.waiters = kept
	for i, w := range done {
		c.conclude(p, w, faults[i])
	}
}

// outcome tells whether the state of the process decides what the waiter waits
// for, and with which fault.
func (p *process) outcome(w waiter) (fault *api.Fault, decided bool) {
	switch w.kind {
	case waitSpawned, waitRunning:
		switch {
		case p.order.waiting && !p.links.doomed:
			return nil, false
		case p.order.waiting:
			return api.NewFault(api.AbnormalTermination, w.name), true
		case p.spawnErr != "":
			return api.NewFault(api.SpawnError, w.name), true
		case p.state != api.Starting && p.state != api.Running:
			return api.NewFault(api.AbnormalTermination, w.name), true
		case w.kind == waitSpawned:
			return nil, p.pid != 0
		default:
			return nil, p.state == api.Running && p.isFound()
		}
	case waitStopped, waitKilled: // stopSent decides too
		if p.state == api.Unknown {
			return api.NewFault(api.Failed, p.problem), true
		}
		return nil, p.state.IsStopped()
	case waitSignal: // answerSignal decides
	}
	return nil, false
}

// conclude records the outcome of a waiter and answers its request if it was
// the last.
func (c *Core) conclude(p *process, w waiter, fault *api.Fault) {
	rq := w.request
	if !rq.list {
		delete(c.requests, rq.req)
		c.answer(rq.req, Reply{Fault: fault})
		return
	}
	rq.later[w.slot] = p.status(fault)
	rq.pending--
	if rq.pending == 0 {
		delete(c.requests, rq.req)
		c.submit(rq)
	}
}

// abandon answers the waiters of a process that is removed.
func (c *Core) abandon(p *process) {
	waiters := p.waiters
	p.waiters = nil
	for _, w := range waiters {
		c.conclude(p, w, api.NewFault(api.BadName, w.name))
	}
}

// stopSent answers the clients that asked for a stop without waiting for it.
func (c *Core) stopSent(p *process) {
	for {
		i := slices.IndexFunc(p.waiters, func(w waiter) bool { return w.kind == waitKilled })
		if i < 0 {
			return
		}
		w := p.waiters[i]
		p.waiters = slices.Delete(p.waiters, i, i+1)
		c.conclude(p, w, nil)
	}
}

// answerSignal answers the client that asked for a signal.
func (c *Core) answerSignal(p *process, req Req, fault *api.Fault) {
	rq := c.requests[req]
	if rq == nil {
		return
	}
	for i, w := range p.waiters {
		if w.request == rq && w.kind == waitSignal {
			p.waiters = append(p.waiters[:i], p.waiters[i+1:]...)
			c.conclude(p, w, fault)
			return
		}
	}
}

// status is the element of a list answer for a process.
func (p *process) status(fault *api.Fault) api.ProcessStatus {
	if fault != nil {
		return api.FaultStatus(p.group.config.Name, p.config.Name, fault)
	}
	return api.OKStatus(p.group.config.Name, p.config.Name)
}

// namespec is the name by which clients know the process.
func (p *process) namespec() string {
	return api.Namespec(p.group.config.Name, p.config.Name)
}
