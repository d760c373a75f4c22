//go:build !linux

package logfile

import (
	"errors"
	"os"
)

// ErrNoSplice says that a file cannot take bytes from a pipe.
var ErrNoSplice = errors.New("bytes cannot be moved into the file as one")

// Splice would move bytes from a pipe into the file in one call of the system.
func (f *File) Splice(int, int, []byte) (int, error) { return 0, ErrNoSplice }

// SpliceToEnd would do so with any file.
func SpliceToEnd(int, *os.File, int, []byte) (int, int64, error) { return 0, 0, ErrNoSplice }

// Forget would give back room that a file takes.
func Forget(*os.File, int64) {}
