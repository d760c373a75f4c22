package logfile

import (
	"os"
	"path/filepath"
	"testing"
)

// TestWatch: a follower sees what other programs do to the file that it
// follows, without anybody telling it.
func TestWatch(t *testing.T) {
	path := filepath.Join(t.TempDir(), "log")
	write := func(name, text string) {
		t.Helper()
		f, err := os.OpenFile(name, os.O_APPEND|os.O_CREATE|os.O_WRONLY, 0o600)
		if err != nil {
			t.Fatal(err)
		}
		if _, err := f.WriteString(text); err != nil {
			t.Fatal(err)
		}
		if err := f.Close(); err != nil {
			t.Fatal(err)
		}
	}
	write(path, "before\n")
	silent := make(chan struct{})
	changed, stop := Watch(path, func() <-chan struct{} { return silent })
	defer stop()
	f, err := Follow(path, changed, 1024)
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	expect := func(want string) {
		t.Helper()
		var got []byte
		buf := make([]byte, 100)
		for len(got) < len(want) {
			n, err := f.Read(t.Context(), buf)
			if err != nil {
				t.Fatal(err)
			}
			got = append(got, buf[:n]...)
		}
		if string(got) != want {
			t.Fatalf("got %q, want %q", got, want)
		}
	}
	expect("before\n")
	write(path, "more\n")
	expect("more\n")
	if err := os.Truncate(path, 0); err != nil {
		t.Fatal(err)
	}
	expect(TruncatedMark)
	write(path, "again\n")
	expect("again\n")

	if err := os.Rename(path, path+".old"); err != nil {
		t.Fatal(err)
	}
	write(path, "new file\n")
	expect("new file\n")
	write(path, "and more\n")
	expect("and more\n")

	write(path+".tmp", "moved here\n")
	if err := os.Rename(path+".tmp", path); err != nil {
		t.Fatal(err)
	}
	expect("moved here\n")
	if err := os.Remove(path); err != nil {
		t.Fatal(err)
	}
	write(path, "removed and made\n")
	expect("removed and made\n")
}

// TestWatchShares: followers of one file share a watch, and the last one ends
// the watcher.
func TestWatchShares(t *testing.T) {
	dir := t.TempDir()
	path := filepath.Join(dir, "log")
	if err := os.WriteFile(path, nil, 0o600); err != nil {
		t.Fatal(err)
	}
	none := func() <-chan struct{} { return nil }
	var stops []func()
	for i := range 3 {
		changed, stop := Watch(path, none)
		stops = append(stops, stop)
		c := changed()
		// Later on, events of the writes before may still be on their way.
		if again := changed(); i == 0 && again != c {
			t.Error("a second channel while the first is open")
		}
		if err := os.WriteFile(path, []byte("x"), 0o600); err != nil {
			t.Fatal(err)
		}
		<-c
	}
	theWatcher.mu.Lock()
	if len(theWatcher.paths) != 1 || len(theWatcher.users) != 2 {
		t.Errorf("%d paths, %d numbers", len(theWatcher.paths), len(theWatcher.users))
	}
	theWatcher.mu.Unlock()
	for _, stop := range stops {
		stop()
	}
	theWatcher.mu.Lock()
	if theWatcher.file != nil || len(theWatcher.paths) != 0 {
		t.Error("the watcher goes on")
	}
	theWatcher.mu.Unlock()

	for _, path := range []string{filepath.Join(dir, "none"), "/dev/null", dir} {
		changed, stop := Watch(path, none)
		if changed() != nil {
			t.Errorf("%s is watched", path)
		}
		stop()
	}
}
