package logfile

import (
	"time"

	"supervisord/internal/api"
)

// next returns the start of the first hour or day after t, by the clocks of t's
// location. It is always later than t.
func next(p api.Period, t time.Time) time.Time {
	if p == api.Hourly {
		// Hours are counted by what the clocks are ahead of UTC at t: one that
		// they show twice is two hours.
		_, offset := t.Zone()
		const hour = int64(time.Hour / time.Second)
		local := t.Unix() + int64(offset)
		local += hour - mod(local, hour)
		return time.Unix(local-int64(offset), 0).In(t.Location())
	}
	year, month, day := t.Date()
	midnight := time.Date(year, month, day+1, 0, 0, 0, 0, t.Location())
	if midnight.Day() == day {
		// The clocks skip that midnight.
		midnight = midnight.Add(time.Hour)
	}
	if !midnight.After(t) {
		// They skip the whole day.
		midnight = t.Add(day24)
	}
	return midnight
}

const day24 = 24 * time.Hour

// mod returns a modulo b, which is not negative.
func mod(a, b int64) int64 { return ((a % b) + b) % b }

// patience is how far away a due time may be. One that is farther was set when
// the clock was wrong. It is so long that a clock that is set back and forth by
// less than a period does not rotate a file more often than once in it.
func patience(p api.Period) time.Duration {
	if p == api.Hourly {
		return 2 * time.Hour
	}
	return 49 * time.Hour
}

// rotateIfOver rotates the file before the first write of an hour or day if
// there is something in it from an earlier one. When that fails the file grows
// on and it is tried again, as with rotateIfFull. f.mu is held.
func (f *File) rotateIfOver() {
	if f.o.Every == api.Never || f.open() != nil || !f.regular {
		return
	}
	now := f.now()
	if f.due.IsZero() || f.due.Sub(now) > patience(f.o.Every) {
		f.due = f.firstDue(now)
	}
	if now.Before(f.due) {
		return
	}
	if f.empty() {
		f.due = next(f.o.Every, now)
		return
	}
	f.tryRotate(now)
	if f.health.rotate == nil && f.empty() {
		f.due = next(f.o.Every, now)
	}
}

// firstDue returns when what is in the file is to be rotated: at the end of the
// hour or day in which it was written last. That is known across restarts.
func (f *File) firstDue(now time.Time) time.Time {
	info, err := f.f.Stat()
	if err != nil || info.Size() == 0 || info.ModTime().After(now) {
		return next(f.o.Every, now)
	}
	return next(f.o.Every, info.ModTime().In(now.Location()))
}

// empty reports whether there is nothing in the open file.
func (f *File) empty() bool {
	info, err := f.f.Stat()
	return err == nil && info.Size() == 0
}
