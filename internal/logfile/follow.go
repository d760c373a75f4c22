package logfile

import (
	"context"
	"io"
	"os"
)

// TruncatedMark is what a Follower's reader sees where the file was cut off.
const TruncatedMark = "==> File truncated <==\n"

// Follower reads a log file as it grows, through rotation, truncation,
// clearing and replacement. It is for one goroutine at a time.
//
// It finishes the file that it has open before it goes on to the next one, and
// finds every backup that was made in between as long as that exists under its
// first name or number. It holds nobody up: a Follower that is not read only
// misses backups that are removed meanwhile.
type Follower struct {
	path    string
	changed func() <-chan struct{}
	f       *os.File
	offset  int64  // of the next byte in f
	mark    string // what is left to give of TruncatedMark
}

// Follow returns a Follower that starts back bytes before the end of the file,
// or at its start if it is shorter. changed is asked before every read for the
// channel to wait on.
func Follow(path string, changed func() <-chan struct{}, back int64) (*Follower, error) {
	f, size, err := openRead(path)
	if err != nil {
		return nil, err
	}
	fo := &Follower{path: path, changed: changed, f: f}
	if size >= back {
		fo.offset = size - back
	}
	return fo, nil
}

// Read fills p with the next bytes of the log, waiting for them if there are
// none. Where the file was truncated it gives TruncatedMark. It returns ctx's
// error when ctx ends first.
func (f *Follower) Read(ctx context.Context, p []byte) (int, error) {
	if len(p) == 0 {
		return 0, nil
	}
	for {
		if err := ctx.Err(); err != nil {
			return 0, err
		}
		changed := f.changed()
		n, err := f.next(p)
		if n > 0 || err != nil {
			return n, err
		}
		select {
		case <-changed:
		case <-ctx.Done():
		}
	}
}

// Close releases the file.
func (f *Follower) Close() error { return f.f.Close() }

// next reads what there is now: from the open file, and at its end from the
// file that came after it.
func (f *Follower) next(p []byte) (int, error) {
	for {
		n, err := f.read(p)
		if n > 0 || err != nil {
			return n, err
		}
		successor := successor(f.path, f.f)
		if successor == nil {
			return f.truncation(p)
		}
		// The file is complete now, and was perhaps not when it was read.
		n, err = f.read(p)
		if n > 0 || err != nil {
			successor.Close()
			return n, err
		}
		f.f.Close()
		f.f, f.offset = successor, 0
	}
}

// read reads from the open file. At its end it returns 0 and no error.
func (f *Follower) read(p []byte) (int, error) {
	if f.mark != "" {
		return f.readMark(p), nil
	}
	n, err := f.f.ReadAt(p, f.offset)
	f.offset += int64(n)
	if err == io.EOF {
		err = nil
	}
	return n, err
}

// readMark reads what is left of the mark.
func (f *Follower) readMark(p []byte) int {
	n := copy(p, f.mark)
	f.mark = f.mark[n:]
	return n
}

// truncation reads the mark if the open file has become shorter than what was
// read of it, and starts again from its beginning.
func (f *Follower) truncation(p []byte) (int, error) {
	info, err := f.f.Stat()
	if err != nil || !info.Mode().IsRegular() || info.Size() >= f.offset {
		return 0, err
	}
	f.offset, f.mark = 0, TruncatedMark
	return f.readMark(p), nil
}

// FollowerState is where a Follower is, as plain data.
type FollowerState struct {
	FD     int
	Offset int64
	Mark   string `json:",omitempty"`
}

// State returns where the Follower is. The descriptor stays its own.
func (f *Follower) State() FollowerState {
	return FollowerState{FD: descriptorOf(f.f), Offset: f.offset, Mark: f.mark}
}

// ResumeFollower returns a Follower that goes on where another one was. The
// descriptor is the Follower's from now on.
func ResumeFollower(path string, changed func() <-chan struct{}, s FollowerState) *Follower {
	return &Follower{path: path, changed: changed, f: os.NewFile(uintptr(s.FD), path), offset: s.Offset, mark: s.Mark}
}
