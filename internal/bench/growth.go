package main

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"time"
)

// sizes are the numbers of programs for which growth is measured.
var sizes = []int{1, 10, 100, 1000, 5000}

const (
	settle = 3 * time.Second  // until a daemon that was started is idle
	idle   = 10 * time.Second // how long it is watched then
)

// growthWorkload measures a daemon with n programs: its start, its memory, what
// it does while nothing happens, and how long status takes.
func growthWorkload(n int) workload {
	w := workload{
		name:    fmt.Sprintf("growth-%d", n),
		rounds:  2,
		measure: func(r *run) error { return growth(r, n) },
	}
	if n > 1000 {
		w.rounds = 1
	}
	switch n {
	case 1:
		w.limit = growthLimit
		fallthrough
	case 100, 1000:
		w.rows = growthRows(n)
	}
	return w
}

func growthRows(n int) []row {
	id := fmt.Sprint(n)
	programs := digits(float64(n)) + " programs"
	if n == 1 {
		programs = "1 program"
	}
	const server = "the HTTP server"
	rows := []row{
		{key: "rss" + id, title: "memory, idle, " + programs + ", RSS", unit: "MiB", limit: server, bound: memoryBound},
		{key: "pss" + id, title: "the same, PSS", unit: "MiB", limit: server, bound: memoryBound},
		{key: "loaded" + id, title: "the same after load, PSS", unit: "MiB", limit: server, bound: memoryBound},
		{key: "cpu" + id, title: "processor time while idle for 10 s, " + programs, unit: "ms", bound: idleBound},
		{key: "wake" + id, title: "wake-ups while idle for 10 s, " + programs, bound: idleBound},
	}
	return rows
}

const (
	memoryBound = "Go's runtime and heap: a few KiB for each program, which are its configuration and its state. A second after the last start the daemon gives back the garbage of the start and unmaps the pages of its own program, of which it then uses few; the HTTP server keeps them. Load maps them again, and its garbage stays until the runtime returns it."
	idleBound   = "Nothing: every deadline that there is has a timer, and without a listener that subscribes to ticks there is none; 0 says that no thread was woken."
)

func growth(r *run, n int) error {
	if r.quick && n > 1000 {
		return nil
	}
	p, err := growing(r, n)
	if err != nil {
		return err
	}
	defer p.kill()
	id, pid := fmt.Sprint(n), p.cmd.Process.Pid
	time.Sleep(settle)
	rss, pss, err := memory(pid)
	if err != nil {
		return err
	}
	r.put("rss"+id, rss)
	r.put("pss"+id, pss)
	before, err := active(pid)
	if err != nil {
		return err
	}
	time.Sleep(idle)
	after, err := active(pid)
	if err != nil {
		return err
	}
	r.put("cpu"+id, ms(after.cpu-before.cpu))
	r.put("wake"+id, after.wakeups-before.wakeups)
	took, err := p.status(r.impl, n)
	if err != nil {
		return err
	}
	r.put("growstatus"+id, ms(took))
	// The load is about the same amount of text for every n.
	if _, err := r.throughput(p.socket, getAll, 8, max(8, r.of(20000)/n), false); err != nil {
		return err
	}
	_, pss, err = memory(pid)
	r.put("loaded"+id, pss)
	return err
}

// growing starts a daemon and measures how long that takes.
func growing(r *run, n int) (*process, error) {
	p, err := r.begin(n)
	if err != nil {
		return nil, err
	}
	log, err := os.ReadFile(p.log)
	if err != nil || strings.Count(string(log), "entered RUNNING state") != n {
		p.kill()
		return nil, fmt.Errorf("check the start: not every program was started once: %w", err)
	}
	r.put("growstart"+fmt.Sprint(n), ms(p.ready.Sub(p.began)))
	return p, nil
}

// growthLimit is the memory of a server that does nothing.
func growthLimit(r *run) error {
	p, err := r.serve(stateAnswer)
	if err != nil {
		return err
	}
	defer p.kill()
	rss, pss, err := memory(p.cmd.Process.Pid)
	if err != nil {
		return err
	}
	if _, err := r.throughput(p.socket, getAll, 8, r.of(20000), false); err != nil {
		return err
	}
	_, loaded, err := memory(p.cmd.Process.Pid)
	for _, n := range []string{"1", "100", "1000"} {
		r.put("rss"+n, rss)
		r.put("pss"+n, pss)
		r.put("loaded"+n, loaded)
	}
	return err
}

// curves draws the pictures of growth into a directory and returns their names.
func (s *suite) curves(dir string) ([]string, error) {
	var names []string
	for _, c := range []struct{ name, key, title string }{
		{"start", "growstart", "start of the daemon until all programs run, ms"},
		{"memory", "rss", "memory, idle, RSS, MiB"},
		{"idle", "cpu", "processor time while idle for 10 s, ms"},
		{"status", "growstatus", "supervisorctl status, ms"},
	} {
		var drawn []curve
		for _, who := range []struct{ name, color string }{{theirs, "#c2410c"}, {ours, "#1d4ed8"}} {
			cv := curve{name: who.name, color: who.color}
			for _, n := range sizes {
				if v := s.found[c.key+fmt.Sprint(n)][who.name]; len(v) > 0 {
					cv.x, cv.y = append(cv.x, float64(n)), append(cv.y, v.median())
				}
			}
			drawn = append(drawn, cv)
		}
		name := "bench-" + c.name + ".svg"
		if err := os.WriteFile(filepath.Join(dir, name), []byte(plot(c.title, "programs", drawn)), 0o644); err != nil {
			return nil, err
		}
		names = append(names, name)
	}
	return names, nil
}
