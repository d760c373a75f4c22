package webui

import (
	"bytes"
	"os"
	"strconv"
	"syscall"
	"time"
)

// A usage is what a program uses at one moment, together with the processes
// that it started and that stayed in its process group.
type usage struct {
	// cpu is the share of one processor since the measurement before, in
	// tenths of a percent, or -1 where there was none before.
	cpu int32
	// rss is the resident memory in KiB; pages that are shared count for each
	// process.
	rss int64
}

// ticksPerSecond is the unit of the times in /proc. Linux has 100 on every
// architecture that Go runs on.
const ticksPerSecond = 100

// A meter measures CPU and memory from /proc. Where there is no such
// directory it finds nothing. A meter belongs to one goroutine.
type meter struct {
	dir    string
	before map[int]procTime
	at     time.Time
	buf    []byte
}

// procTime is the processor time of a process, which start tells from another
// one that has the same number later.
type procTime struct {
	start, ticks uint64
}

func newMeter() *meter {
	return &meter{dir: "/proc/", buf: make([]byte, 1024)}
}

// measure returns the usage of each of the process groups that are asked for
// and exist.
func (m *meter) measure(groups map[int]bool, now time.Time) map[int]usage {
	found := make(map[int]usage, len(groups))
	if len(groups) == 0 {
		m.before = nil
		return found
	}
	names, err := processNames(m.dir)
	if err != nil {
		return found
	}
	elapsed := now.Sub(m.at).Seconds()
	times := make(map[int]procTime, len(groups))
	ticks := make(map[int]uint64, len(groups))
	pages := int64(os.Getpagesize() / 1024)
	for _, pid := range names {
		st, ok := m.readStat(pid)
		if !ok || !groups[st.group] {
			continue
		}
		times[pid] = st.procTime
		used := st.ticks
		if old, ok := m.before[pid]; ok && old.start == st.start {
			used -= min(old.ticks, used)
		}
		ticks[st.group] += used
		u := found[st.group]
		u.rss += st.pages * pages
		found[st.group] = u
	}
	for group, u := range found {
		u.cpu = -1
		if m.before != nil && elapsed > 0 {
			u.cpu = int32(float64(ticks[group]) / ticksPerSecond / elapsed * 1000)
		}
		found[group] = u
	}
	m.before, m.at = times, now
	return found
}

// processNames returns the numbers of all processes.
func processNames(dir string) ([]int, error) {
	d, err := os.Open(dir)
	if err != nil {
		return nil, err
	}
	defer d.Close()
	names, err := d.Readdirnames(-1)
	if err != nil {
		return nil, err
	}
	pids := make([]int, 0, len(names))
	for _, name := range names {
		if pid, err := strconv.Atoi(name); err == nil {
			pids = append(pids, pid)
		}
	}
	return pids, nil
}

// procStat is what is used of /proc/PID/stat.
type procStat struct {
	procTime
	group int
	pages int64
}

// readStat reads the numbers of one process. It reads with plain system calls:
// an os.File for each of many processes would be the greater part of the cost.
func (m *meter) readStat(pid int) (procStat, bool) {
	fd, err := syscall.Open(m.dir+strconv.Itoa(pid)+"/stat", syscall.O_RDONLY|syscall.O_CLOEXEC, 0)
	if err != nil {
		return procStat{}, false
	}
	n, err := syscall.Read(fd, m.buf)
	syscall.Close(fd)
	if err != nil || n <= 0 {
		return procStat{}, false
	}
	return parseStat(m.buf[:n])
}

// parseStat parses the line of a process. The name of the program stands in
// parentheses and may hold anything, so that counting begins behind the last
// one.
func parseStat(line []byte) (st procStat, ok bool) {
	end := bytes.LastIndexByte(line, ')')
	if end < 0 {
		return st, false
	}
	ok = true
	number := func(field []byte) uint64 {
		n, err := strconv.ParseUint(string(field), 10, 63)
		ok = ok && err == nil
		return n
	}
	i := 0
	for field := range bytes.FieldsSeq(line[end+1:]) {
		switch i {
		case 2:
			st.group = int(number(field))
		case 11, 12:
			st.ticks += number(field)
		case 19:
			st.start = number(field)
		case 21:
			st.pages = int64(number(field))
			return st, ok
		}
		i++
	}
	return st, false
}
