//go:build !linux

package launch

import "supervisord/internal/config"

// A Leftover is a process of an earlier supervisord that goes on running.
type Leftover struct {
	PID      int
	Namespec string
}

// Leftovers would look for such processes, if this system showed the
// environment of processes in files.
func Leftovers(*config.Config) []Leftover { return nil }
