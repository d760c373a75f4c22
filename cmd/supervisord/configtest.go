package main

import (
	"fmt"
	"io"
	"os"

	"supervisord/internal/config"
	"supervisord/internal/launch"
)

// configTest loads the configuration, prints every problem, one in each line,
// and returns the exit status: whether supervisord can be started with it. What
// depends on the machine, or on who asks, is printed as a warning. Nothing is
// opened, made or removed.
func configTest(flags flags, stdout, stderr io.Writer) int {
	cfg, problems := config.Check(config.Options{File: flags.file, Overrides: flags.overrides, Environ: os.Environ()})
	for _, problem := range problems {
		fmt.Fprintln(stderr, problem.Located())
	}
	if len(problems) > 0 {
		return exitUsage
	}
	for _, list := range [][]string{cfg.Criticals, cfg.Warnings, launch.WritableWarnings(cfg.Files), launch.Forecast(cfg), lockedOut(cfg)} {
		for _, warning := range list {
			fmt.Fprintln(stderr, "warning: "+warning)
		}
	}
	fmt.Fprintln(stdout, "OK: "+cfg.File)
	return exitOK
}

// lockedOut returns a warning for each server that lets nobody in.
func lockedOut(cfg *config.Config) (warnings []string) {
	for i := range cfg.Servers {
		if warning := uselessPassword(&cfg.Servers[i]); warning != "" {
			warnings = append(warnings, warning)
		}
	}
	return warnings
}
