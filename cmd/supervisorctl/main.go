// Supervisorctl controls the programs that a supervisord runs, from the
// command line or from a shell of its own.
package main

import (
	"context"
	"fmt"
	"os"

	"supervisord/internal/ctl"
)

func main() { os.Exit(run(os.Args)) }

func run(args []string) int {
	s, words, err := placeholder(args[1:])
	if err != nil {
		fmt.Fprintf(os.Stderr, "Error: %v\nFor help, use %s -h\n", err, args[0])
		return 2
	}
	c := ctl.New(s, os.Stdin, os.Stdout, os.Stderr)
	ctx := context.Background()
	if len(words) > 0 {
		if _, err := c.Do(ctx, join(words)); err != nil {
			return 130
		}
		return int(c.ExitStatus())
	}
	if err := c.Shell(ctx); err != nil {
		fmt.Fprintln(os.Stderr, "supervisorctl:", err)
		return 1
	}
	return 0
}
