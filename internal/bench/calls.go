package main

import (
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"time"
)

// calls measures the calls of clients to a daemon with 100 programs.
func calls(r *run) error {
	p, err := r.begin(100)
	if err != nil {
		return err
	}
	defer p.kill()
	if err := measureCalls(r, p); err != nil {
		return err
	}
	for range 3 {
		took, err := p.status(r.impl, 100)
		if err != nil {
			return err
		}
		r.put("status", ms(took))
	}
	// The limit answers with the same bytes.
	body, err := once(p.socket, getAll)
	if err == nil && r.who == ours {
		err = os.WriteFile(r.sample(), body, 0o644)
	}
	return err
}

// sample is the file with an answer to getAllProcessInfo.
func (s *suite) sample() string { return filepath.Join(s.dir, "sample") }

// measureCalls measures small calls and large ones.
func measureCalls(r *run, p *process) error {
	if err := measureCall(r, p.socket, getState, "state", r.of(1000), r.of(8000)); err != nil {
		return err
	}
	return measureCall(r, p.socket, getAll, "info", r.of(200), r.of(1600))
}

func measureCall(r *run, socket, request, key string, alone, together int) error {
	took, err := latency(socket, request, alone)
	if err != nil {
		return err
	}
	r.put(key, took)
	rate, err := r.throughput(socket, request, 8, together, false)
	if err == nil {
		r.put(key+"rate", rate)
	}
	return err
}

// callsLimit asks a server that does nothing for answers of the same size.
func callsLimit(r *run) error {
	sample, err := os.ReadFile(r.sample())
	if err != nil {
		return nil // The first round has no sample yet.
	}
	for _, c := range []struct {
		answer          []byte
		request, key    string
		alone, together int
	}{
		{stateAnswer, getState, "state", r.of(1000), r.of(8000)},
		{sample, getAll, "info", r.of(200), r.of(1600)},
	} {
		if err := callLimited(r, c.answer, c.request, c.key, c.alone, c.together); err != nil {
			return err
		}
	}
	return nil
}

func callLimited(r *run, answer []byte, request, key string, alone, together int) error {
	p, err := r.serve(answer)
	if err != nil {
		return err
	}
	defer os.Remove(p.socket)
	defer p.kill()
	if err := measureCall(r, p.socket, request, key, alone, together); err != nil || key == "state" {
		return err
	}
	for range 3 {
		begin := time.Now()
		if out, err := exec.Command(r.tool("child"), "ask", p.socket).CombinedOutput(); err != nil {
			return fmt.Errorf("run child: %w: %s", err, out)
		}
		r.put("status", ms(time.Since(begin)))
	}
	return nil
}

const (
	// eventClients is how many clients send events at once.
	eventClients = 8
	// eventTimes is how often that is measured, as it depends on when which
	// process is woken.
	eventTimes = 5
)

// events measures how many events a second go from clients to a listener, after
// a first time that finds everything cold.
func events(r *run) error {
	n := r.of(8000)
	path, lines, closeIt, err := r.fifo("stamps")
	if err != nil {
		return err
	}
	defer closeIt()
	w, err := newWorld(r.dir, 1, fmt.Sprintf("[eventlistener:l]\ncommand=%s listen %s %d\n"+
		"events=REMOTE_COMMUNICATION\nbuffer_size=%d\nstartsecs=0\n", r.tool("child"), path, n, n+1))
	if err != nil {
		return err
	}
	p, err := w.run(r.impl)
	if err != nil {
		return err
	}
	defer p.kill()
	if err := p.started(1); err != nil {
		return err
	}
	if err := p.answers(); err != nil {
		return err
	}
	for i := range 1 + eventTimes {
		begin := time.Now()
		rate, err := r.throughput(p.socket, remoteComm, eventClients, n, true)
		if err != nil {
			return err
		}
		at, _, err := readStamp(lines)
		if err != nil {
			return err
		}
		if i > 0 {
			r.put("events", float64(n)/at.Sub(begin).Seconds())
			r.put("eventcalls", rate)
		}
	}
	return nil
}

func eventsLimit(r *run) error {
	p, err := r.serve(stateAnswer)
	if err != nil {
		return err
	}
	defer p.kill()
	rate, err := r.throughput(p.socket, remoteComm, eventClients, r.of(8000), true)
	r.put("events", rate)
	r.put("eventcalls", rate)
	return err
}
