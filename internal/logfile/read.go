package logfile

import (
	"errors"
	"io"
	"math"
	"os"
	"syscall"
)

// Errors of Read. Their texts are the names of the faults that clients see.
var (
	// ErrBadArguments says that offset and length do not go together.
	ErrBadArguments = errors.New("BAD_ARGUMENTS")
	// ErrFailed says that the file cannot be read.
	ErrFailed = errors.New("FAILED")
)

// MaxRead is the most that Read and Tail return. A request for more than that
// fails instead of taking the memory of the whole machine.
const MaxRead = 256 << 20

// Read returns bytes of a file by the rules of readLog and readProcessLog
// (manual: XML-RPC API): a negative offset counts from the end, length 0 means
// up to the end. The error is ErrBadArguments or ErrFailed.
func Read(path string, offset, length int64) ([]byte, error) {
	f, size, err := openRead(path)
	if err != nil {
		return nil, ErrFailed
	}
	defer f.Close()
	switch {
	case offset < 0 && length != 0, length < 0:
		return nil, ErrBadArguments
	case offset < 0:
		length = -max(offset, -math.MaxInt64)
		offset = max(size-length, 0)
	case length == 0:
		length = max(size-offset, 0)
	}
	data, err := section(f, size, offset, length)
	if err != nil {
		return nil, ErrFailed
	}
	return data, nil
}

// Tail returns bytes of a file by the rules of tailProcessLog (manual: XML-RPC
// API): data, the size of the file and whether data was left out. A file that
// cannot be read gives no data, the offset that was given and false.
func Tail(path string, offset, length int64) (data []byte, newOffset int64, overflow bool) {
	f, size, err := openRead(path)
	if err != nil {
		return nil, offset, false
	}
	defer f.Close()

	start := offset
	if size > saturatingAdd(start, length) {
		overflow = true
		start = size - 1
	}
	if saturatingAdd(start, length) > size {
		if start > size-1 {
			length = 0
		}
		start = size - length
	}
	data, err = section(f, size, max(start, 0), max(length, 0))
	if err != nil {
		return nil, offset, false
	}
	return data, size, overflow
}

// openRead opens a file and returns its size. What cannot be sought in fails;
// what is not a regular file and can, such as /dev/null, counts as empty.
func openRead(path string) (*os.File, int64, error) {
	f, err := os.OpenFile(path, os.O_RDONLY|syscall.O_NONBLOCK|syscall.O_NOCTTY, 0)
	if err != nil {
		return nil, 0, err
	}
	info, err := f.Stat()
	if err == nil && info.IsDir() {
		err = syscall.EISDIR
	}
	if err == nil {
		_, err = f.Seek(0, io.SeekStart)
	}
	if err != nil {
		f.Close()
		return nil, 0, err
	}
	if !info.Mode().IsRegular() {
		return f, 0, nil
	}
	return f, info.Size(), nil
}

// section returns length bytes at offset, or what there is of them in a file
// of that size.
func section(f *os.File, size, offset, length int64) ([]byte, error) {
	length = min(length, max(size-offset, 0))
	if length > MaxRead {
		return nil, syscall.EFBIG
	}
	data := make([]byte, length)
	n, err := f.ReadAt(data, offset)
	if err == io.EOF {
		err = nil
	}
	return data[:n], err
}

// saturatingAdd returns a+b, or the nearest number that there is.
func saturatingAdd(a, b int64) int64 {
	switch {
	case b > 0 && a > math.MaxInt64-b:
		return math.MaxInt64
	case b < 0 && a < math.MinInt64-b:
		return math.MinInt64
	}
	return a + b
}
