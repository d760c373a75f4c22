package faulttest

import (
	"fmt"
	"os"
	"strconv"
	"strings"
	"syscall"
	"testing"

	"supervisord/internal/testenv"
)

// writer is a program that writes the numbered lines that it is asked for on
// its standard input, and then says so where the activity log can be seen.
const writer = `
[program:writer]
command=sh -c 'while read a b; do seq -f "line %%06g" $a $b; echo "wrote $b" >&2; done'
stdout_logfile={dir}/logs/writer.log
stderr_logfile=/dev/stdout
stderr_logfile_maxbytes=0
stopasgroup=true
`

// ask has the writer write lines, and waits until it has. Where its log is a
// full disk they may not be written yet.
func (r *rig) ask(from, to int) {
	r.t.Helper()
	r.out.wait(r.t, "success: writer entered RUNNING state")
	if err := r.Call(r.ctx(), "supervisor.sendProcessStdin", nil, "writer", fmt.Sprintf("%d %d\n", from, to)); err != nil {
		r.t.Fatal(err)
	}
	r.out.wait(r.t, fmt.Sprintf("^wrote %d$", to))
}

const lineBytes = len("line 000000\n")

// lines checks that text has the lines from one number to another, except for
// one gap at most, which is returned in lines.
func lines(t *testing.T, text string, from, to int) (missing int) {
	t.Helper()
	next, gaps := from, 0
	for line := range strings.Lines(text) {
		n, err := strconv.Atoi(strings.TrimSuffix(strings.TrimPrefix(line, "line "), "\n"))
		if err != nil || len(line) != lineBytes || n < next {
			t.Fatalf("line %q after number %d", line, next-1)
		}
		if n > next {
			missing += n - next
			gaps++
		}
		next = n + 1
	}
	if next <= to {
		missing += to + 1 - next
		gaps++
	}
	if gaps > 1 {
		t.Errorf("%d gaps", gaps)
	}
	return missing
}

// resize gives the file system at dir another size.
func resize(t *testing.T, dir string, size int) {
	t.Helper()
	if err := syscall.Mount("tmpfs", dir, "tmpfs", syscall.MS_REMOUNT, fmt.Sprintf("size=%d", size)); err != nil {
		t.Fatal(err)
	}
}

const (
	smallDisk = 64 << 10
	largeDisk = 8 << 20
)

// TestDiskFull fills the disk of a log: what is kept in memory meanwhile is
// written when there is room, and what is too much is accounted for. The long
// one has more than disk, memory and a pipe of 1 MiB hold together, as the
// program may be done while the pipe is still full.
func TestDiskFull(t *testing.T) {
	for name, n := range map[string]int{"short": 15000, "long": 200000} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			dir := openTemp(t)
			mountTmpfs(t, dir+"/logs", smallDisk)
			r := run(t, start{dir: dir, programs: writer})
			r.ask(1, n)
			r.out.wait(t, "writer.log.*no space left on device")
			r.alive()
			r.state("writer", "RUNNING")
			resize(t, dir+"/logs", largeDisk)
			end := r.out.wait(t, `writer.log is written again; (nothing was|\d+ bytes were) lost$`)
			r.ask(n+1, n+100)
			r.end()
			lost, _ := strconv.Atoi(strings.TrimSuffix(end[1], " bytes were"))
			if missing := lines(t, r.read("logs/writer.log"), 1, n+100); missing*lineBytes != lost {
				t.Errorf("%d bytes are missing, %d were reported", missing*lineBytes, lost)
			}
			if long := name == "long"; long != (lost > 0) {
				t.Errorf("%d bytes lost", lost)
			}
			if reports := r.out.count("no space left on device"); reports != 1 {
				t.Errorf("reported %d times", reports)
			}
		})
	}
}

// TestActivityLogDiskFull fills the disk of the activity log.
func TestActivityLogDiskFull(t *testing.T) {
	t.Parallel()
	dir := openTemp(t)
	mountTmpfs(t, dir+"/logs", smallDisk)
	r := run(t, start{dir: dir, main: "logfile={dir}/logs/main.log\n", programs: "[program:cat]\ncommand=cat\n"})
	if err := os.WriteFile(r.path("logs/filler"), make([]byte, smallDisk), 0o600); err == nil {
		t.Fatal("the disk is not full")
	}
	for range 100 {
		if err := r.StopProcess(r.ctx(), "cat", true); err != nil {
			t.Fatal(err)
		}
		if err := r.StartProcess(r.ctx(), "cat", false); err != nil {
			t.Fatal(err)
		}
	}
	r.out.wait(t, "log file cannot be written: .*no space left on device")
	if err := os.Remove(r.path("logs/filler")); err != nil {
		t.Fatal(err)
	}
	r.out.wait(t, `main.log is written again$`)
	r.end()
	// The file has what the standard output had, without what was said about
	// the file itself.
	if got := strings.Count(r.read("logs/main.log"), "stopped: cat"); got != 101 {
		t.Errorf("%d of 101 lines", got)
	}
}

// TestLogDirectoryRemoved removes the directory of a log that is open, asks for
// a reopening, and makes the directory again.
func TestLogDirectoryRemoved(t *testing.T) {
	t.Parallel()
	dir := openTemp(t)
	if err := os.Mkdir(dir+"/logs", 0o777); err != nil {
		t.Fatal(err)
	}
	r := run(t, start{dir: dir, main: "logfile={dir}/logs/main.log\n", programs: writer})
	r.ask(1, 100)
	held, err := os.Open(r.path("logs/writer.log"))
	if err != nil {
		t.Fatal(err)
	}
	defer held.Close()
	if err := os.RemoveAll(r.path("logs")); err != nil {
		t.Fatal(err)
	}
	r.ask(101, 200)
	r.signal(syscall.SIGUSR2)
	r.out.wait(t, `cannot reopen the activity log`)
	r.out.wait(t, `cannot reopen .*writer.log`)
	r.ask(201, 300)
	r.alive()
	// Nothing is lost as long as somebody holds the file.
	old := make([]byte, 1<<20)
	n, _ := held.ReadAt(old, 0)
	if missing := lines(t, string(old[:n]), 1, 300); missing != 0 {
		t.Errorf("%d lines are missing", missing)
	}
	if err := os.Mkdir(r.path("logs"), 0o777); err != nil {
		t.Fatal(err)
	}
	r.signal(syscall.SIGUSR2)
	r.out.waitN(t, "supervisord logreopen", 2)
	r.ask(301, 400)
	r.end()
	if !strings.Contains(r.read("logs/main.log"), "stopped: writer") {
		t.Error("the activity log did not come back")
	}
	if got := r.read("logs/writer.log"); !strings.HasSuffix(got, "line 000400\n") {
		t.Errorf("the log did not come back: %q", got)
	}
}

// TestReadOnly puts a log on a file system that can be written only later.
func TestReadOnly(t *testing.T) {
	t.Parallel()
	dir := openTemp(t)
	mountTmpfs(t, dir+"/logs", largeDisk)
	remount := func(flags uintptr) {
		t.Helper()
		if err := syscall.Mount("tmpfs", dir+"/logs", "tmpfs", syscall.MS_REMOUNT|flags, ""); err != nil {
			t.Fatal(err)
		}
	}
	remount(syscall.MS_RDONLY)
	r := run(t, start{dir: dir, programs: writer})
	r.ask(1, 1000)
	r.out.wait(t, "writer.log.*read-only file system")
	r.alive()
	remount(0)
	r.out.wait(t, "writer.log is written again; nothing was lost$")
	r.end()
	if missing := lines(t, r.read("logs/writer.log"), 1, 1000); missing != 0 {
		t.Errorf("%d lines are missing", missing)
	}
}

// TestPidfileUnwritable gives a path for the pidfile that cannot be.
func TestPidfileUnwritable(t *testing.T) {
	t.Parallel()
	dir := openTemp(t)
	if err := os.Mkdir(dir+"/sub", 0o777); err != nil {
		t.Fatal(err)
	}
	r := run(t, start{dir: dir, main: "pidfile={dir}/sub\n", programs: "[program:cat]\ncommand=cat\n"})
	r.out.wait(t, "CRIT could not write pidfile "+r.path("sub"))
	r.out.wait(t, "success: cat entered RUNNING state")
	r.end()
}

// TestSocketRemoved removes the file of the socket in several ways.
func TestSocketRemoved(t *testing.T) {
	t.Parallel()
	dir := openTemp(t)
	r := run(t, start{dir: dir, main: "logfile=NONE\n"})
	again := func(n int) { r.out.waitN(t, "s.sock was removed; it has been made again", n); r.alive() }
	for i := range 3 * *soak {
		if err := os.Remove(r.path("s.sock")); err != nil {
			t.Fatal(err)
		}
		again(i + 1)
	}
	if err := os.Rename(r.path("s.sock"), r.path("elsewhere")); err != nil {
		t.Fatal(err)
	}
	again(3**soak + 1)
	r.end()
	if _, err := os.Lstat(r.path("s.sock")); !os.IsNotExist(err) {
		t.Errorf("the socket was left behind: %v", err)
	}
}

// TestSocketDirectoryLost hides the directory of the socket: the file comes
// back with SIGUSR2 when the directory is there again.
func TestSocketDirectoryLost(t *testing.T) {
	testenv.NeedRoot(t)
	t.Parallel()
	dir := openTemp(t)
	if err := os.Mkdir(dir+"/run", 0o755); err != nil {
		t.Fatal(err)
	}
	r := newRig(t, start{dir: dir})
	text := strings.ReplaceAll(r.read("supervisord.conf"), dir+"/s.sock", dir+"/run/s.sock")
	if err := os.WriteFile(r.conf, []byte(text), 0o644); err != nil {
		t.Fatal(err)
	}
	r.begin(start{dir: dir})
	r.out.wait(t, "supervisord started with pid")
	if err := os.Rename(dir+"/run", dir+"/gone"); err != nil {
		t.Fatal(err)
	}
	if err := os.Remove(dir + "/gone/s.sock"); err != nil {
		t.Fatal(err)
	}
	r.out.wait(t, "run/s.sock was removed and cannot be made again: .*; SIGUSR2 tries once more")
	if err := os.Mkdir(dir+"/run", 0o755); err != nil {
		t.Fatal(err)
	}
	r.signal(syscall.SIGUSR2)
	r.out.wait(t, "run/s.sock was removed; it has been made again")
	r.end()
}
