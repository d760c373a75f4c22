package logfile

import (
	"path/filepath"
	"sync"
	"time"

	"gopkg.in/natefinch/lumberjack.v2"
)

const (
	// nameInterval is the least time between two rotations of one path to
	// timestamped backups. Their names tell milliseconds, and a rename to the
	// name of an earlier one would lose that.
	nameInterval = 2 * time.Millisecond
	// millInterval is how often backups are looked at for their age, besides
	// at every rotation.
	millInterval = 24 * time.Hour
	// unlimitedMegabytes keeps lumberjack from rotating by itself.
	unlimitedMegabytes = 1 << 30
)

// roller renames, compresses and removes the timestamped backups of a path. It
// writes no log: File counts the bytes and writes them.
type roller struct {
	mu      sync.Mutex
	rotated time.Time
	l       *lumberjack.Logger
}

// rollerKey tells rollers apart. Two that differ in options may serve one path
// after a change of the configuration.
type rollerKey struct {
	path            string
	backups, maxAge int
	compress        bool
}

// rollers holds every roller that was needed. Each has a goroutine that never
// ends, so they are kept for the life of the process.
var rollers = struct {
	mu sync.Mutex
	m  map[rollerKey]*roller
}{m: map[rollerKey]*roller{}}

// rollerOf returns the roller of path.
func rollerOf(path string, o Options) *roller {
	key := rollerKey{filepath.Clean(path), max(o.Backups, 0), o.MaxAge, o.Compress}
	rollers.mu.Lock()
	defer rollers.mu.Unlock()
	r := rollers.m[key]
	if r == nil {
		r = &roller{l: &lumberjack.Logger{
			Filename:   key.path,
			MaxSize:    unlimitedMegabytes,
			MaxBackups: key.backups,
			MaxAge:     key.maxAge,
			Compress:   key.compress,
		}}
		rollers.m[key] = r
	}
	return r
}

// rotateTimestamped renames the file to a backup named after the time, in UTC,
// and opens a new one. When the last rotation was too recent it does nothing;
// the next write asks again. f.mu and the place's mutex are held, and the path
// is the open file.
func (f *File) rotateTimestamped(now time.Time) error {
	r := rollerOf(f.path, f.o)
	r.mu.Lock()
	defer r.mu.Unlock()
	if now.Sub(r.rotated) < nameInterval {
		return nil
	}
	err := r.l.Rotate()
	r.l.Close()
	// The name may tell any time up to this one.
	r.rotated = time.Now()
	if err != nil && f.current() {
		return err
	}
	f.milled = now
	return f.reopen()
}

// mill looks after old timestamped backups when that was not done for long:
// compression that an earlier life did not finish, and age. f.mu is held and
// the file is open.
func (f *File) mill() {
	if !f.regular || !f.o.timestamped() {
		return
	}
	now := time.Now()
	if !f.milled.IsZero() && now.Sub(f.milled) < millInterval {
		return
	}
	f.milled = now
	r := rollerOf(f.path, f.o)
	r.mu.Lock()
	defer r.mu.Unlock()
	// An empty write is how lumberjack is made to look after the backups. It
	// opens the file for that; what goes wrong there is no loss.
	_, _ = r.l.Write(nil)
	r.l.Close()
}
