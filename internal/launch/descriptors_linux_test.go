package launch

import (
	"os"
	"strconv"
	"strings"
	"syscall"
	"testing"

	"supervisord/internal/config"
)

// tableSize is for how many descriptors this process has room.
func tableSize(t *testing.T) int {
	t.Helper()
	status, err := os.ReadFile("/proc/self/status")
	if err != nil {
		t.Fatal(err)
	}
	for line := range strings.Lines(string(status)) {
		if size, ok := strings.CutPrefix(line, "FDSize:"); ok {
			n, err := strconv.Atoi(strings.TrimSpace(size))
			if err != nil {
				t.Fatal(err)
			}
			return n
		}
	}
	t.Fatalf("no FDSize in\n%s", status)
	return 0
}

func TestReserveDescriptors(t *testing.T) {
	var limit syscall.Rlimit
	if err := syscall.Getrlimit(syscall.RLIMIT_NOFILE, &limit); err != nil {
		t.Fatal(err)
	}
	before := tableSize(t)
	quiet, loud := &config.Process{RedirectStderr: true}, &config.Process{}
	groups := []*config.Group{{}, {Processes: []*config.Process{quiet}}}
	want := 32 + 3
	for want < before+5 {
		groups[0].Processes = append(groups[0].Processes, loud)
		want += 5
	}
	if got := descriptors(groups); got != want {
		t.Errorf("%d descriptors are needed, want %d", got, want)
	}
	if uint64(want) >= uint64(limit.Cur) {
		t.Skipf("the limit is %d descriptors, and there is room for %d already", limit.Cur, before)
	}
	ReserveDescriptors(groups)
	if got := tableSize(t); got <= want {
		t.Errorf("there is room for %d descriptors, want more than %d", got, want)
	}

	// More than the limit allows is as much as it does.
	lower := limit
	lower.Cur = uint64(tableSize(t)) + 10
	if lower.Cur >= limit.Cur {
		return
	}
	if err := syscall.Setrlimit(syscall.RLIMIT_NOFILE, &lower); err != nil {
		t.Fatal(err)
	}
	defer syscall.Setrlimit(syscall.RLIMIT_NOFILE, &limit)
	for descriptors(groups) < int(limit.Cur) && len(groups[0].Processes) < 1<<20 {
		groups[0].Processes = append(groups[0].Processes, groups[0].Processes...)
	}
	ReserveDescriptors(groups)
	if got := tableSize(t); uint64(got) < lower.Cur {
		t.Errorf("there is room for %d descriptors, want at least the limit, %d", got, lower.Cur)
	}
}
