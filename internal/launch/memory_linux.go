package launch

import (
	"bufio"
	"fmt"
	"io"
	"os"
	"runtime/debug"
	"strings"
	"syscall"

	"golang.org/x/sys/unix"
)

// ReleaseMemory gives the system back what a daemon does not need once its
// programs run: the garbage of the start, and the pages of its own program that
// only the start used, which are some megabytes that count as the daemon's
// memory as long as it has them mapped. What is needed again is mapped again
// from the page cache, in microseconds.
func ReleaseMemory() {
	debug.FreeOSMemory()
	maps, err := os.Open("/proc/self/maps")
	if err != nil {
		return // Without /proc everything stays as it is.
	}
	defer maps.Close()
	program, err := os.Readlink("/proc/self/exe")
	if err != nil {
		return
	}
	for _, m := range programMaps(maps, program) {
		// A refusal leaves the pages where they are, which does no harm.
		_, _, _ = syscall.Syscall(syscall.SYS_MADVISE, m.start, m.end-m.start, unix.MADV_DONTNEED)
	}
}

// memoryRange is a range of addresses.
type memoryRange struct{ start, end uintptr }

// programMaps finds, among the mappings of a process, those of a program's file
// that nobody can have written to: its code and its constants.
func programMaps(maps io.Reader, program string) []memoryRange {
	var ranges []memoryRange
	for lines := bufio.NewScanner(maps); lines.Scan(); {
		var m memoryRange
		var mode, offset, device, inode string
		n, err := fmt.Sscanf(lines.Text(), "%x-%x %s %s %s %s", &m.start, &m.end, &mode, &offset, &device, &inode)
		if n == 6 && err == nil && (mode == "r-xp" || mode == "r--p") && strings.HasSuffix(lines.Text(), " "+program) {
			ranges = append(ranges, m)
		}
	}
	return ranges
}
