// Command bench measures this project and the original implementation side by
// side and writes docs/benchmarks.md with its pictures. Timings are nowhere else
// asserted or compared; what every workload asserts is that it did its work.
//
// Load is made here, by goroutines that speak to the daemons as little as a
// client can; the programs that the daemons run are made from the package child,
// and the server that shows what a server costs that has nothing to do from the
// package server.
package main

import (
	"errors"
	"flag"
	"fmt"
	"os"
	"os/signal"
	"path/filepath"
	"regexp"
	"syscall"
)

func main() {
	bin := flag.String("bin", "bin", "`directory` with the programs of this project")
	tools := flag.String("tools", "bin/bench", "`directory` with child and server")
	reference := flag.String("reference", "/usr/bin", "`directory` with the programs of the original")
	docs := flag.String("docs", "", "`directory` to write benchmarks.md and the pictures to (default: print the table)")
	only := flag.String("only", "", "measure only workloads whose names match `regexp`")
	rounds := flag.Int("rounds", 3, "how often each contestant runs each workload")
	quick := flag.Bool("quick", false, "measure once, with a tenth of the work")
	flag.Parse()
	if err := measure(*bin, *tools, *reference, *docs, *only, *rounds, *quick); err != nil {
		fmt.Fprintln(os.Stderr, "bench:", err)
		os.Exit(1)
	}
}

// cleanUp waits for a signal to end, then ends what was started: the children,
// and theirs, which become children when those are gone.
func cleanUp(dir string) {
	stop := make(chan os.Signal, 1)
	signal.Notify(stop, syscall.SIGINT, syscall.SIGTERM)
	<-stop
	for {
		pids, err := children(os.Getpid())
		if err != nil || len(pids) == 0 {
			break
		}
		bury(pids)
	}
	if err := os.RemoveAll(dir); err != nil {
		fmt.Fprintln(os.Stderr, "bench:", err)
	}
	os.Exit(1)
}

func measure(bin, tools, reference, docs, only string, rounds int, quick bool) error {
	pattern, err := regexp.Compile(only)
	if err != nil {
		return err
	}
	if err := adopt(); err != nil {
		return err
	}
	dir, err := os.MkdirTemp("", "bench")
	if err != nil {
		return err
	}
	defer os.RemoveAll(dir)
	go cleanUp(dir)
	// The daemons run elsewhere.
	for _, path := range []*string{&bin, &tools, &reference} {
		if *path, err = filepath.Abs(*path); err != nil {
			return err
		}
	}
	if quick {
		rounds = 1
		if docs != "" {
			return errors.New("write the page: a quick run is too short for it")
		}
	}
	s := &suite{
		rounds: rounds, quick: quick, dir: dir, tools: tools, load: read("/proc/loadavg"),
		impls: map[string]implementation{
			ours:   {daemon: filepath.Join(bin, "supervisord"), ctl: filepath.Join(bin, "supervisorctl")},
			theirs: {daemon: filepath.Join(reference, "supervisord"), ctl: filepath.Join(reference, "supervisorctl")},
		},
		found:  make(map[string]map[string]samples),
		failed: make(map[string]string),
	}
	var chosen []workload
	for _, w := range workloads() {
		if pattern.MatchString(w.name) {
			chosen = append(chosen, w)
		}
	}
	s.all(chosen)
	if docs == "" {
		fmt.Print(s.report(chosen, nil))
		return nil
	}
	pictures, err := s.curves(filepath.Join(docs, "images"))
	if err != nil {
		return err
	}
	return os.WriteFile(filepath.Join(docs, "benchmarks.md"), []byte(s.report(chosen, pictures)), 0o644)
}
