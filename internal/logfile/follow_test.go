package logfile

import (
	"bytes"
	"context"
	"crypto/sha256"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"sync"
	"testing"
	"time"
)

func mustFollow(t *testing.T, f *File, back int64) *Follower {
	t.Helper()
	fo, err := Follow(f.Path(), f.Changed, back)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { fo.Close() })
	return fo
}

// readAll returns everything that can be read without waiting.
func readAll(t *testing.T, f *Follower) string {
	t.Helper()
	var all []byte
	p := make([]byte, 7)
	for {
		n, err := f.next(p)
		if err != nil {
			t.Fatal(err)
		}
		if n == 0 {
			return string(all)
		}
		all = append(all, p[:n]...)
	}
}

func TestFollow(t *testing.T) {
	o := Options{MaxBytes: 10, Backups: 5}
	// Each step changes the log; the text is what the follower then reads.
	type step struct {
		do   func(f *File) error
		want string
	}
	write := func(texts ...string) func(*File) error {
		return func(f *File) error {
			for _, s := range texts {
				if _, err := f.Write([]byte(s)); err != nil {
					return err
				}
			}
			return nil
		}
	}
	rename := func(f *File) error { return os.Rename(f.path, f.path+"-moved") }
	create := func(f *File) error { return os.WriteFile(f.path, nil, 0o644) }
	remove := func(f *File) error { return os.Remove(f.path) }
	truncate := func(f *File) error { return os.Truncate(f.path, 0) }
	tests := []struct {
		name  string
		o     Options
		steps []step
	}{
		{"growth", o, []step{{write("a"), "a"}, {write("b", "c"), "bc"}, {write(), ""}}},
		{"rotation", o, []step{{write("0123456789", "a"), "0123456789a"}, {write("b"), "b"}}},
		{"rotations between reads", o, []step{{write("1"), "1"}, {write("123456789", "2222222222", "3333333333", "4"), "123456789222222222233333333334"}}},
		{"rotated when it was read", o, []step{{write("012345678"), "012345678"}, {write("9"), "9"}, {write("a"), "a"}}},
		{"rename, go on, reopen", Options{}, []step{{write("a"), "a"}, {rename, ""}, {write("b"), "b"}, {create, ""}, {write("c"), "c"}, {(*File).Reopen, ""}, {write("d"), "d"}}},
		{"reopened between reads", Options{}, []step{{write("a"), "a"}, {func(f *File) error {
			return errors.Join(write("b")(f), rename(f), write("c")(f), f.Reopen(), write("d")(f))
		}, "bcd"}}},
		{"removed", Options{}, []step{{write("a"), "a"}, {remove, ""}, {write("b"), "b"}, {(*File).Reopen, ""}, {write("c"), "c"}}},
		{"clear", o, []step{{write("0123456789", "a"), "0123456789a"}, {(*File).Clear, ""}, {write("b"), "b"}}},
		{"cleared between reads", o, []step{{write("a"), "a"}, {func(f *File) error { return errors.Join(write("b")(f), f.Clear(), write("c")(f)) }, "bc"}}},
		{"truncated", Options{}, []step{{write("abc"), "abc"}, {truncate, TruncatedMark}, {write("d"), "d"}}},
		{"no backups", Options{MaxBytes: 3}, []step{{write("ab"), "ab"}, {write("c"), TruncatedMark}, {write("d"), "d"}}},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			f := mustOpen(t, filepath.Join(t.TempDir(), "log"), tt.o)
			fo := mustFollow(t, f, 0)
			for i, s := range tt.steps {
				if err := s.do(f); err != nil {
					t.Fatal(err)
				}
				if got := readAll(t, fo); got != s.want {
					t.Errorf("step %d: read %q, want %q", i, got, s.want)
				}
			}
		})
	}
}

func TestFollowFrom(t *testing.T) {
	f := mustOpen(t, filepath.Join(t.TempDir(), "log"), Options{})
	mustWrite(t, f, "0123456789")
	for back, want := range map[int64]string{0: "", 4: "6789", 10: "0123456789", 11: "0123456789"} {
		if got := readAll(t, mustFollow(t, f, back)); got != want {
			t.Errorf("%d back: read %q, want %q", back, got, want)
		}
	}
	if _, err := Follow(f.Path()+".none", f.Changed, 0); !errors.Is(err, os.ErrNotExist) {
		t.Errorf("Follow of no file: %v", err)
	}
}

// A follower that was left behind goes on with the oldest backup there is.
func TestFollowLeftBehind(t *testing.T) {
	f := mustOpen(t, filepath.Join(t.TempDir(), "log"), Options{MaxBytes: 1, Backups: 2})
	fo := mustFollow(t, f, 0)
	start := time.Now()
	for i, s := range []string{"a", "b", "c", "d"} {
		mustWrite(t, f, s)
		// File systems tell times in steps that may be longer than this test.
		at := start.Add(time.Duration(i) * time.Second)
		if err := os.Chtimes(f.path+".1", at, at); err != nil {
			t.Fatal(err)
		}
	}
	// The follower has the file that held "a", which exists no more elsewhere.
	if got := readAll(t, fo); got != "acd" {
		t.Errorf("read %q", got)
	}
}

func TestFollowContext(t *testing.T) {
	f := mustOpen(t, filepath.Join(t.TempDir(), "log"), Options{})
	fo := mustFollow(t, f, 0)
	ctx, cancel := context.WithCancel(context.Background())
	done := make(chan error)
	go func() {
		_, err := fo.Read(ctx, make([]byte, 1))
		done <- err
	}()
	cancel()
	if err := <-done; !errors.Is(err, context.Canceled) {
		t.Errorf("Read: %v", err)
	}
	if n, err := fo.Read(context.Background(), nil); n != 0 || err != nil {
		t.Errorf("Read of nothing: %d, %v", n, err)
	}
}

// Hundreds of followers see every byte in order while the file is rotated,
// with one that does not read at all.
func TestManyFollowers(t *testing.T) {
	const followers, lines = 200, 2000
	f := mustOpen(t, filepath.Join(t.TempDir(), "log"), Options{MaxBytes: 16 << 10, Backups: 50})
	mustFollow(t, f, 0) // stuck
	want := sha256.New()
	total := 0
	var text [][]byte
	for i := range lines {
		line := fmt.Appendf(nil, "line %06d of the log that is followed\n", i)
		want.Write(line)
		total += len(line)
		text = append(text, line)
	}
	var wg sync.WaitGroup
	for range followers {
		fo := mustFollow(t, f, 0)
		wg.Go(func() {
			got := sha256.New()
			p := make([]byte, 8<<10)
			for left := total; left > 0; {
				n, err := fo.Read(context.Background(), p)
				if err != nil {
					t.Error(err)
					return
				}
				got.Write(p[:n])
				left -= n
			}
			if !bytes.Equal(got.Sum(nil), want.Sum(nil)) {
				t.Error("a follower read something else than was written")
			}
		})
	}
	for _, line := range text {
		mustWrite(t, f, string(line))
	}
	wg.Wait()
}
