//go:build !linux

package upgrade

import (
	"errors"
	"os"
	"syscall"
)

// Supported says whether a program can be put in the place of this one on this
// system.
const Supported = false

// Signals are those that are blocked while one program takes the place of the
// other.
var Signals []syscall.Signal

func memoryFile(string) (*os.File, error) { return nil, errors.ErrUnsupported }

// Exec is not done on this system.
func Exec(string, []string, *os.File, []int, func() []syscall.Signal) error {
	return errors.ErrUnsupported
}
