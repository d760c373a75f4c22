package logfile

import (
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"testing"
	"time"

	"supervisord/internal/api"
)

func location(t *testing.T, name string) *time.Location {
	t.Helper()
	l, err := time.LoadLocation(name)
	if err != nil {
		t.Skip(err)
	}
	return l
}

func TestNext(t *testing.T) {
	const layout = "2006-01-02 15:04:05 -0700"
	tests := []struct {
		name, zone string
		p          api.Period
		t, want    string
	}{
		{"hour", "UTC", api.Hourly, "2026-03-01 11:59:59 +0000", "2026-03-01 12:00:00 +0000"},
		{"the hour itself", "UTC", api.Hourly, "2026-03-01 12:00:00 +0000", "2026-03-01 13:00:00 +0000"},
		{"before 1970", "UTC", api.Hourly, "1960-03-01 12:30:00 +0000", "1960-03-01 13:00:00 +0000"},
		{"half hours from UTC", "Asia/Kolkata", api.Hourly, "2026-03-01 12:10:00 +0530", "2026-03-01 13:00:00 +0530"},
		{"hour into summer", "Europe/Berlin", api.Hourly, "2026-03-29 01:30:00 +0100", "2026-03-29 03:00:00 +0200"},
		{"hour that comes twice", "Europe/Berlin", api.Hourly, "2026-10-25 02:30:00 +0200", "2026-10-25 02:00:00 +0100"},
		{"its second time", "Europe/Berlin", api.Hourly, "2026-10-25 02:30:00 +0100", "2026-10-25 03:00:00 +0100"},
		{"day", "UTC", api.Daily, "2026-02-28 23:59:59 +0000", "2026-03-01 00:00:00 +0000"},
		{"midnight itself", "UTC", api.Daily, "2026-12-31 00:00:00 +0000", "2027-01-01 00:00:00 +0000"},
		{"day into summer", "Europe/Berlin", api.Daily, "2026-03-29 01:30:00 +0100", "2026-03-30 00:00:00 +0200"},
		{"day into winter", "Europe/Berlin", api.Daily, "2026-10-25 00:00:00 +0200", "2026-10-26 00:00:00 +0100"},
		{"midnight that there is not", "America/Sao_Paulo", api.Daily, "2017-10-14 22:30:00 -0300", "2017-10-15 01:00:00 -0200"},
		{"just before it", "America/Sao_Paulo", api.Daily, "2017-10-14 23:30:00 -0300", "2017-10-15 01:00:00 -0200"},
		{"midnight that comes twice", "America/Havana", api.Daily, "2025-11-01 12:00:00 -0400", "2025-11-02 00:00:00 -0400"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			zone := location(t, tt.zone)
			at, err := time.ParseInLocation(layout, tt.t, zone)
			if err != nil {
				t.Fatal(err)
			}
			if got := next(tt.p, at.In(zone)).Format(layout); got != tt.want {
				t.Errorf("after %s comes %s, want %s", tt.t, got, tt.want)
			}
		})
	}
}

// Whatever the zone, the next boundary is later, and not later than the clocks
// can make it.
func TestNextGoesOn(t *testing.T) {
	for _, name := range []string{"UTC", "Europe/Berlin", "America/Sao_Paulo", "America/Havana", "Australia/Lord_Howe", "Pacific/Apia", "Asia/Beirut"} {
		zone := location(t, name)
		for p, longest := range map[api.Period]time.Duration{api.Hourly: time.Hour, api.Daily: 25 * time.Hour} {
			end := time.Date(2026, 1, 1, 0, 0, 0, 0, time.UTC)
			for at := time.Date(2008, 1, 1, 0, 7, 0, 0, time.UTC); at.Before(end); at = at.Add(longest * 5 / 7) {
				n := next(p, at.In(zone))
				if d := n.Sub(at); d <= 0 || d > longest {
					t.Fatalf("%s, %v: after %v comes %v", name, p, at.In(zone), n)
				}
			}
		}
	}
}

// clock is a clock that a test sets.
type clock struct{ t time.Time }

func (c *clock) now() time.Time { return c.t }

// write writes and gives the file the time of the clock, as that of its last
// write.
func (c *clock) write(t *testing.T, f *File, s string) {
	t.Helper()
	mustWrite(t, f, s)
	if err := os.Chtimes(f.path, c.t, c.t); err != nil {
		t.Fatal(err)
	}
}

// openAt opens a log with a clock.
func openAt(t *testing.T, c *clock, path string, o Options) *File {
	t.Helper()
	f := New(path, o)
	f.now = c.now
	if err := f.Open(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { f.Close() })
	return f
}

func TestRotationByTime(t *testing.T) {
	dir := t.TempDir()
	path := filepath.Join(dir, "log")
	c := &clock{time.Date(2026, 3, 1, 11, 58, 0, 0, time.Local)}
	f := openAt(t, c, path, Options{Backups: 3, MaxBytes: 8, Every: api.Hourly})
	c.write(t, f, "one ")
	c.t = c.t.Add(time.Minute)
	c.write(t, f, "two")
	wantFiles(t, dir, "log", "one two")
	// Rotation by size goes on beside it.
	c.write(t, f, ".")
	wantFiles(t, dir, "log", "", "log.1", "one two.")
	// An empty file is not rotated.
	c.t = c.t.Add(time.Hour)
	c.write(t, f, "three")
	wantFiles(t, dir, "log", "three", "log.1", "one two.")
	// A log that was idle for days is rotated once.
	c.t = c.t.Add(72 * time.Hour)
	c.write(t, f, "four")
	c.write(t, f, " 4")
	wantFiles(t, dir, "log", "four 4", "log.1", "three", "log.2", "one two.")
}

// Another life of the daemon knows from the file when that was written.
func TestRotationByTimeAfterRestart(t *testing.T) {
	for _, tt := range []struct {
		later time.Duration
		want  []string
	}{
		{30 * time.Minute, []string{"log", "onetwo"}},
		{90 * time.Minute, []string{"log", "two", "log.1", "one"}},
		{-5 * time.Hour, []string{"log", "onetwo"}},
	} {
		dir := t.TempDir()
		path := filepath.Join(dir, "log")
		c := &clock{time.Date(2026, 3, 1, 12, 15, 0, 0, time.Local)}
		c.write(t, openAt(t, c, path, Options{Backups: 3, Every: api.Hourly}), "one")
		c.t = c.t.Add(tt.later)
		c.write(t, openAt(t, c, path, Options{Backups: 3, Every: api.Hourly}), "two")
		wantFiles(t, dir, tt.want...)
	}
}

// A clock that is set back and forth rotates a file once for each time that it
// passes a boundary, and not at all by small steps.
func TestRotationByTimeWithClockJumps(t *testing.T) {
	dir := t.TempDir()
	path := filepath.Join(dir, "log")
	c := &clock{time.Date(2026, 3, 1, 12, 0, 1, 0, time.Local)}
	f := openAt(t, c, path, Options{Backups: 9, Every: api.Hourly})
	step := func(d time.Duration, backups int) {
		t.Helper()
		c.t = c.t.Add(d)
		c.write(t, f, ".")
		if n := len(files(t, dir)) - 1; n != backups {
			t.Fatalf("%d backups at %v, want %d", n, c.t, backups)
		}
	}
	step(0, 0)
	for range 50 { // back into the hour before, and forth
		step(-2*time.Second, 0)
		step(2*time.Second, 0)
	}
	step(24*365*time.Hour, 1)  // a year too far
	step(-24*365*time.Hour, 1) // and back
	step(30*time.Minute, 1)
	step(30*time.Minute, 2) // and it still rotates at the hour
}

func TestRotationByTimeTimestamped(t *testing.T) {
	dir := t.TempDir()
	path := filepath.Join(dir, "x.log")
	c := &clock{time.Now()}
	f := openAt(t, c, path, Options{MaxAge: 7, Every: api.Daily})
	c.write(t, f, "one")
	c.t = c.t.Add(25 * time.Hour)
	c.write(t, f, "two")
	got := files(t, dir)
	if len(got) != 2 || got["x.log"] != "two" {
		t.Fatalf("files %q", got)
	}
	for name, content := range got {
		if name != "x.log" && (content != "one" || !strings.HasPrefix(name, "x-20")) {
			t.Errorf("%s holds %q", name, content)
		}
	}
}

// Two Files of one path, as two programs have that share a log, rotate it once.
func TestRotationByTimeOfSharedPath(t *testing.T) {
	dir := t.TempDir()
	path := filepath.Join(dir, "log")
	c := &clock{time.Date(2026, 3, 1, 12, 15, 0, 0, time.Local)}
	o := Options{Backups: 3, Every: api.Hourly}
	a, b := openAt(t, c, path, o), openAt(t, c, path, o)
	c.write(t, a, "a")
	c.write(t, b, "b")
	c.t = c.t.Add(time.Hour)
	c.write(t, a, "A")
	c.write(t, b, "B")
	wantFiles(t, dir, "log", "AB", "log.1", "ab")
}

func TestRotationByTimeLeavesDevicesAlone(t *testing.T) {
	c := &clock{time.Date(2026, 3, 1, 12, 15, 0, 0, time.Local)}
	f := openAt(t, c, "/dev/null", Options{Backups: 3, Every: api.Hourly})
	mustWrite(t, f, "a")
	c.t = c.t.Add(2 * time.Hour)
	mustWrite(t, f, "b")
	if rotated, err := f.Rotate(); rotated || err != nil {
		t.Errorf("rotated %v, %v", rotated, err)
	}
}

func TestRotate(t *testing.T) {
	for _, tt := range []struct {
		name string
		o    Options
		want []string
	}{
		{"numbered", Options{Backups: 2}, []string{"log", "", "log.1", "two", "log.2", "one"}},
		{"none kept", Options{}, []string{"log", ""}},
	} {
		t.Run(tt.name, func(t *testing.T) {
			dir := t.TempDir()
			f := mustOpen(t, filepath.Join(dir, "log"), tt.o)
			for _, s := range []string{"one", "two", ""} {
				if s != "" {
					mustWrite(t, f, s)
				}
				if rotated, err := f.Rotate(); rotated != (s != "") || err != nil {
					t.Errorf("after %q: rotated %v, %v", s, rotated, err)
				}
			}
			wantFiles(t, dir, tt.want...)
		})
	}
}

// The log of a program that does not run is rotated too, and none is made.
func TestRotateClosed(t *testing.T) {
	dir := t.TempDir()
	f := New(filepath.Join(dir, "log"), Options{Backups: 2})
	if rotated, err := f.Rotate(); rotated || err != nil {
		t.Errorf("without a file: %v, %v", rotated, err)
	}
	mustWrite(t, f, "one")
	f.Close()
	if rotated, err := f.Rotate(); !rotated || err != nil {
		t.Errorf("closed: %v, %v", rotated, err)
	}
	wantFiles(t, dir, "log", "", "log.1", "one")
	if f.f != nil {
		t.Error("the file is open")
	}
}

func TestRotateFails(t *testing.T) {
	dir := t.TempDir()
	path := filepath.Join(dir, "log")
	f := mustOpen(t, path, Options{Backups: 1})
	mustWrite(t, f, "one")
	if err := os.MkdirAll(filepath.Join(path+".1", "x"), 0o777); err != nil {
		t.Fatal(err)
	}
	if rotated, err := f.Rotate(); rotated || err == nil {
		t.Errorf("rotated %v, %v", rotated, err)
	}
	if err := os.RemoveAll(path + ".1"); err != nil {
		t.Fatal(err)
	}
	if rotated, err := f.Rotate(); !rotated || err != nil {
		t.Errorf("rotated %v, %v", rotated, err)
	}
}

// A follower sees everything through rotations that were asked for.
func TestFollowThroughRotate(t *testing.T) {
	f := mustOpen(t, filepath.Join(t.TempDir(), "log"), Options{Backups: 20})
	fo, err := Follow(f.Path(), f.Changed, 0)
	if err != nil {
		t.Fatal(err)
	}
	defer fo.Close()
	var want, got strings.Builder
	for i := range 10 {
		s := strconv.Itoa(i) + "\n"
		want.WriteString(s)
		mustWrite(t, f, s)
		if _, err := f.Rotate(); err != nil {
			t.Fatal(err)
		}
	}
	mustWrite(t, f, "end\n")
	want.WriteString("end\n")
	buf := make([]byte, 100)
	for got.Len() < want.Len() {
		n, err := fo.Read(t.Context(), buf)
		if err != nil {
			t.Fatal(err)
		}
		got.Write(buf[:n])
	}
	if got.String() != want.String() {
		t.Errorf("followed %q", got.String())
	}
}
