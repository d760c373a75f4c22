package main

import (
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"time"
)

// The contestants: the two implementations, and what the machine itself can do.
const (
	ours   = "this project"
	theirs = "the original"
	limit  = "limit"
)

// A row is one line of the report.
type row struct {
	key, title, unit string
	rate             bool   // more is better
	limit            string // what was measured as the limit
	bound            string // what the figure is limited by, as a sentence
}

// A workload measures the figures of some rows.
type workload struct {
	name   string
	rows   []row
	rounds int // at most; 0 for as many as the suite has
	// measure measures an implementation once, limit what the machine can do.
	measure, limit func(*run) error
}

// A suite is a run of all workloads.
type suite struct {
	rounds int
	quick  bool
	dir    string // for the daemons
	load   string // of the machine when the run began
	tools  string // the directory with child and server
	impls  map[string]implementation
	found  map[string]map[string]samples // by key of the row and contestant
	failed map[string]string             // why a contestant has no figures, by workload
	warmed bool                          // see warm
}

// A run is one turn of one contestant in one workload.
type run struct {
	*suite
	who  string
	impl implementation
	dir  string
}

// put records a figure.
func (r *run) put(key string, v float64) {
	if r.found[key] == nil {
		r.found[key] = make(map[string]samples)
	}
	r.found[key][r.who] = append(r.found[key][r.who], v)
}

// of returns n, or less in a quick run.
func (s *suite) of(n int) int {
	if s.quick {
		return max(1, n/10)
	}
	return n
}

// tool is the path of a program that was built for the suite.
func (s *suite) tool(name string) string { return filepath.Join(s.tools, name) }

// all runs workloads. Within each the contestants take turns, and the one that
// begins is another one in each round.
func (s *suite) all(workloads []workload) {
	for _, w := range workloads {
		rounds := s.rounds
		if w.rounds > 0 {
			rounds = min(rounds, w.rounds)
		}
		turns := []string{theirs, ours, limit}
		for round := range rounds {
			for i := range turns {
				s.turn(w, turns[(i+round)%len(turns)], round)
			}
		}
	}
}

// turn runs a workload once. A contestant that fails is not tried again.
func (s *suite) turn(w workload, who string, round int) {
	measure := w.measure
	if who == limit {
		measure = w.limit
	}
	id := w.name + ", " + who
	if measure == nil || s.failed[id] != "" {
		return
	}
	r := &run{suite: s, who: who, impl: s.impls[who], dir: filepath.Join(s.dir, strings.ReplaceAll(fmt.Sprintf("%s-%d-%s", w.name, round, who), " ", "-"))}
	begin := time.Now()
	err := os.Mkdir(r.dir, 0o755)
	if err == nil {
		err = measure(r)
	}
	if err != nil {
		s.failed[id] = err.Error()
		fmt.Fprintf(os.Stderr, "bench: %s: %v\n", id, err)
	}
	if err := empty(r.dir); err != nil {
		fmt.Fprintln(os.Stderr, "bench:", err)
	}
	fmt.Fprintf(os.Stderr, "%-40s %6.1f s\n", id, time.Since(begin).Seconds())
}

// empty gives back the space of the files in a directory. They are not removed
// before the end: for minutes after files were removed ext4 searches long for
// the inode of a new one, and whoever comes next would have to wait for it.
func empty(dir string) error {
	return filepath.WalkDir(dir, func(path string, d fs.DirEntry, err error) error {
		if err != nil || !d.Type().IsRegular() {
			return err
		}
		return os.Truncate(path, 0)
	})
}
