package webui

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"
)

// putStat writes the stat file of a process as /proc has it.
func putStat(t *testing.T, dir string, pid, group int, name string, utime, stime, start, pages uint64) {
	t.Helper()
	path := filepath.Join(dir, fmt.Sprint(pid))
	if err := os.MkdirAll(path, 0o777); err != nil {
		t.Fatal(err)
	}
	line := fmt.Sprintf("%d (%s) S 1 %d %d 0 -1 4194560 5 0 0 0 %d %d 7 8 20 0 1 0 %d 99999999 %d 18446744073709551615 1 1 0 0\n",
		pid, name, group, group, utime, stime, start, pages)
	if err := os.WriteFile(filepath.Join(path, "stat"), []byte(line), 0o666); err != nil {
		t.Fatal(err)
	}
}

func TestMeasure(t *testing.T) {
	dir := t.TempDir() + "/"
	m := newMeter()
	m.dir = dir
	kib := int64(os.Getpagesize() / 1024)
	groups := map[int]bool{10: true, 20: true, 30: true}
	begin := time.Unix(1000, 0)

	putStat(t, dir, 10, 10, "web", 100, 50, 1, 1000)
	putStat(t, dir, 11, 10, ") S (", 40, 0, 2, 10) // a name made to mislead
	putStat(t, dir, 20, 20, "db", 0, 0, 3, 5)
	putStat(t, dir, 99, 99, "other", 1000, 0, 4, 7)
	if err := os.MkdirAll(dir+"self", 0o777); err != nil {
		t.Fatal(err)
	}
	got := m.measure(groups, begin)
	if want := (usage{-1, 1010 * kib}); got[10] != want || len(got) != 2 {
		t.Errorf("at first: %+v, want %+v for 10 and another one for 20", got, want)
	}

	// In two seconds 10 used 1.5 s and its child 0.5 s of a processor; the
	// number 20 was taken by a new process, which used 0.2 s.
	putStat(t, dir, 10, 10, "web", 200, 100, 1, 2000)
	putStat(t, dir, 11, 10, ") S (", 90, 0, 2, 10)
	putStat(t, dir, 20, 20, "db", 15, 5, 300, 6)
	got = m.measure(groups, begin.Add(2*time.Second))
	if want := (usage{1000, 2010 * kib}); got[10] != want {
		t.Errorf("10: %+v, want %+v", got[10], want)
	}
	if want := (usage{100, 6 * kib}); got[20] != want {
		t.Errorf("20: %+v, want %+v", got[20], want)
	}
	// The process is gone while it is looked at.
	if err := os.RemoveAll(dir + "20"); err != nil {
		t.Fatal(err)
	}
	if _, there := m.measure(groups, begin.Add(4*time.Second))[20]; there {
		t.Error("a process that is gone is measured")
	}
	m.dir = dir + "nowhere/"
	if got := m.measure(groups, begin.Add(6*time.Second)); len(got) != 0 {
		t.Errorf("without /proc: %+v", got)
	}
}

func FuzzParseStat(f *testing.F) {
	f.Add([]byte("1 (init) S 0 1 1 0 -1 4194560 5 0 0 0 1 2 7 8 20 0 1 0 3 999 4 1844 1"))
	f.Add([]byte("1 (a) b) S 0 x"))
	f.Add([]byte(strings.Repeat(") 1", 30)))
	f.Fuzz(func(t *testing.T, line []byte) {
		if st, ok := parseStat(line); ok && (st.group < 0 || st.pages < 0) {
			t.Errorf("%q: %+v", line, st)
		}
	})
}
