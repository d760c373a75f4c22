package main

import (
	"fmt"
	"io"
	"os"
	"runtime/pprof"
)

// startProfile starts a profile of where the processor's time goes. The stop
// function ends it and prints the name of the file, which is kept.
func startProfile(stdout io.Writer) (stop func(), err error) {
	f, err := os.CreateTemp("", "supervisord-*.pprof")
	if err != nil {
		return nil, fmt.Errorf("create profile: %w", err)
	}
	if err := pprof.StartCPUProfile(f); err != nil {
		f.Close()
		os.Remove(f.Name())
		return nil, fmt.Errorf("start profile: %w", err)
	}
	return func() {
		pprof.StopCPUProfile()
		f.Close()
		fmt.Fprintf(stdout, "profile: %s\n", f.Name())
	}, nil
}
