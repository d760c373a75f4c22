package launch

import (
	"crypto/rand"
	"errors"
	"io/fs"
	"os"
	"syscall"
)

// The random part of a temporary name: how long it is, of which characters, and
// how many names are tried. They are those of Python's tempfile module, by which
// people recognize the files.
const (
	tempLength   = 8
	tempAlphabet = "abcdefghijklmnopqrstuvwxyz0123456789_"
	tempAttempts = 10000
)

// createTemp creates a file that did not exist before, named by prefix, random
// characters and suffix. It never follows a link.
func createTemp(dir, prefix, suffix string, mode os.FileMode) (*os.File, error) {
	var err error
	for range tempAttempts {
		var f *os.File
		path := joinPath(dir, prefix+randomName()+suffix)
		f, err = os.OpenFile(path, os.O_RDWR|os.O_CREATE|os.O_EXCL|syscall.O_NOFOLLOW, mode)
		if !errors.Is(err, fs.ErrExist) {
			return f, err
		}
	}
	return nil, err
}

func randomName() string {
	name := make([]byte, 0, tempLength)
	var b [2 * tempLength]byte
	for {
		rand.Read(b[:]) // never fails
		for _, c := range b {
			// Six bits have values beyond the alphabet; drop those.
			if i := int(c & 63); i < len(tempAlphabet) {
				if name = append(name, tempAlphabet[i]); len(name) == tempLength {
					return string(name)
				}
			}
		}
	}
}
