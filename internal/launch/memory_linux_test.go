package launch

import (
	"os"
	"reflect"
	"strconv"
	"strings"
	"testing"
)

func TestProgramMaps(t *testing.T) {
	const maps = `00400000-0079b000 r-xp 00000000 fd:00 1234 /usr/bin/supervisord
0079b000-00b8f000 r--p 0039b000 fd:00 1234 /usr/bin/supervisord
00b8f000-00bf2000 rw-p 0078f000 fd:00 1234 /usr/bin/supervisord
00bf2000-02c34000 rw-p 00000000 00:00 0
7f0000000000-7f0000001000 r-xp 00000000 fd:00 99 /usr/lib/libc.so
7fff00000000-7fff00001000 r-xp 00000000 00:00 0 [vdso]
`
	got := programMaps(strings.NewReader(maps), "/usr/bin/supervisord")
	want := []memoryRange{{0x400000, 0x79b000}, {0x79b000, 0xb8f000}}
	if !reflect.DeepEqual(got, want) {
		t.Errorf("got %x, want %x", got, want)
	}
}

// TestReleaseMemory looks at what the kernel says of the test itself.
func TestReleaseMemory(t *testing.T) {
	garbage := make([]byte, 32<<20)
	for i := range garbage {
		garbage[i] = 1
	}
	text := strings.Repeat("x", 1<<20) // what is in use stays
	anon, file := rss(t, "RssAnon:"), rss(t, "RssFile:")
	garbage = nil
	ReleaseMemory()
	// The race detector takes half of it for itself.
	if after := rss(t, "RssAnon:"); anon-after < 12<<10 {
		t.Errorf("%d KiB of data before, %d KiB after", anon, after)
	}
	if after := rss(t, "RssFile:"); file-after < 1<<10 {
		t.Errorf("%d KiB of the program before, %d KiB after", file, after)
	}
	if strings.Trim(text, "x") != "" {
		t.Error("what was in use has changed")
	}
}

// rss returns a field of /proc/self/status in KiB.
func rss(t *testing.T, field string) int {
	t.Helper()
	status, err := os.ReadFile("/proc/self/status")
	if err != nil {
		t.Skip(err)
	}
	_, rest, found := strings.Cut(string(status), field)
	if !found {
		t.Skip("no", field)
	}
	n, err := strconv.Atoi(strings.Fields(rest)[0])
	if err != nil {
		t.Fatal(err)
	}
	return n
}
