package launch

import (
	"fmt"
	"os"
	"strings"
	"testing"

	"supervisord/internal/config"
)

// tableSize is for how many descriptors this process has room.
func tableSize() int {
	status, err := os.ReadFile("/proc/self/status")
	if err != nil {
		panic(err)
	}
	_, size, _ := strings.Cut(string(status), "FDSize:")
	size, _, _ = strings.Cut(size, "\n")
	return atoi(strings.TrimSpace(size))
}

func init() { roles["reserve"] = printReserved }

// printReserved makes room for the descriptors of many programs and prints for
// how many there is room.
func printReserved() {
	loud := &config.Process{}
	group := &config.Group{Processes: []*config.Process{{RedirectStderr: true}}}
	for range 200 {
		group.Processes = append(group.Processes, loud)
	}
	groups := []*config.Group{{}, group}
	fmt.Print(descriptors(groups))
	ReserveDescriptors(groups)
	fmt.Println("", tableSize())
}

func TestReserveDescriptors(t *testing.T) {
	for _, c := range []struct {
		limit int
		want  string
	}{
		{2048, "1035 2048\n"},
		{1000, "1035 1024\n"}, // more than the limit is as much as that
	} {
		if got := runRole(t, "reserve", limited(c.limit, c.limit, "files")); got != c.want {
			t.Errorf("with %d files at most: got %q, want %q", c.limit, got, c.want)
		}
	}
}
