package main

import (
	"fmt"
	"hash/crc32"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"syscall"
	"time"
)

// An output is what programs write: each of them count pieces of size bytes.
type output struct {
	key                  string
	writers, count, size int
	maxBytes, maxBackups int
	alone                bool // measure the writer without a reader, too
}

func (o output) bytes() int { return o.writers * o.count * o.size }

// The outputs that are measured.
var outputs = []output{
	{key: "blocks", writers: 1, count: 16384, size: 64 << 10},
	{key: "rotated", writers: 1, count: 16384, size: 64 << 10, maxBytes: 50 << 20, maxBackups: 30},
	{key: "lines", writers: 1, count: 2_000_000, size: 100, alone: true},
	{key: "fifty", writers: 50, count: 100_000, size: 100},
}

// logWorkload is the workload of one output.
func logWorkload(o output, rows ...row) workload {
	return workload{
		name:    "log-" + o.key,
		rows:    rows,
		measure: func(r *run) error { return logs(r, o) },
		limit: func(r *run) error {
			if err := logsLimit(r, o); err != nil || !o.alone {
				return err
			}
			return writerLimit(r, o)
		},
	}
}

// warm fills as much of the page cache as the largest of the outputs does, once,
// and empties it again. A virtual machine may get its memory from its host when
// it is first used, which takes several times as long as using it again, and is
// not to be what the first contestants are measured by.
func (s *suite) warm() error {
	if s.warmed {
		return nil
	}
	s.warmed = true
	name := filepath.Join(s.dir, "warm")
	f, err := os.Create(name)
	if err != nil {
		return err
	}
	defer os.Remove(name)
	defer f.Close()
	piece := make([]byte, 1<<20)
	for range s.of(2048) {
		if _, err := f.Write(piece); err != nil {
			return err
		}
	}
	return nil
}

// logs measures how fast a daemon moves the output of programs into files, and
// what processor time it takes for that.
func logs(r *run, o output) error {
	if err := r.warm(); err != nil {
		return err
	}
	o.count = r.of(o.count)
	path := filepath.Join(r.dir, "go")
	if err := syscall.Mkfifo(path, 0o600); err != nil {
		return err
	}
	sections := fmt.Sprintf("[program:p]\ncommand=%s write %s %d %d\nnumprocs=%d\nprocess_name=%%(process_num)02d\n"+
		"startsecs=0\nautorestart=false\nstdout_logfile=%s/logs/%%(process_num)02d\nstdout_logfile_maxbytes=%d\nstdout_logfile_backups=%d\n",
		r.tool("child"), path, o.count, o.size, o.writers, r.dir, o.maxBytes, o.maxBackups)
	w, err := newWorld(r.dir, o.writers, sections)
	if err != nil {
		return err
	}
	p, err := w.run(r.impl)
	if err != nil {
		return err
	}
	defer p.kill()
	if err := p.started(o.writers); err != nil {
		return err
	}
	before, err := cpuSeconds(p.cmd.Process.Pid)
	if err != nil {
		return err
	}
	elapsed, err := p.move(o, path, filepath.Join(r.dir, "logs"))
	if err != nil {
		return err
	}
	after, err := cpuSeconds(p.cmd.Process.Pid)
	if err != nil {
		return err
	}
	r.putMoved(o, elapsed, after-before)
	return check(o, filepath.Join(r.dir, "logs"))
}

// putMoved records what an output took.
func (r *run) putMoved(o output, elapsed time.Duration, cpu float64) {
	r.put(o.key, float64(o.bytes())/1e6/elapsed.Seconds())
	r.put(o.key+"cpu", cpu/float64(o.bytes())*(1<<30))
}

// move lets the writers go and waits until everything has been written.
func (p *process) move(o output, fifo, dir string) (time.Duration, error) {
	begin := time.Now()
	// The writers open the fifo to read; this succeeds when the first does.
	f, err := os.OpenFile(fifo, os.O_WRONLY, 0)
	if err != nil {
		return 0, err
	}
	defer f.Close()
	err = p.until(o.key, func() (bool, error) {
		size, err := total(dir)
		return size >= int64(o.bytes()), err
	})
	return time.Since(begin), err
}

// total is the size of all files in a directory, some of which may be renamed
// or removed meanwhile.
func total(dir string) (int64, error) {
	entries, err := os.ReadDir(dir)
	if err != nil {
		return 0, err
	}
	var size int64
	for _, e := range entries {
		if info, err := e.Info(); err == nil {
			size += info.Size()
		}
	}
	return size, nil
}

// check compares what arrived with what was written, by checksum.
func check(o output, dir string) error {
	want := crc32.NewIEEE()
	piece := []byte(strings.Repeat("x", o.size-1) + "\n")
	for i := range o.count {
		copy(piece, fmt.Appendf(nil, "%010d", i))
		want.Write(piece)
	}
	for i := range o.writers {
		files, err := filepath.Glob(filepath.Join(dir, fmt.Sprintf("%02d*", i)))
		if err != nil {
			return err
		}
		// The oldest has the highest number; the current one has none.
		slices.SortFunc(files, func(a, b string) int { return backup(b) - backup(a) })
		got := crc32.NewIEEE()
		for _, file := range files {
			f, err := os.Open(file)
			if err != nil {
				return err
			}
			_, err = io.Copy(got, f)
			f.Close()
			if err != nil {
				return err
			}
		}
		if got.Sum32() != want.Sum32() {
			return fmt.Errorf("check the log of writer %d: it is not what was written", i)
		}
	}
	return nil
}

// backup is the number at the end of the name of a log file.
func backup(file string) int {
	n, err := strconv.Atoi(strings.TrimPrefix(filepath.Ext(file), "."))
	if err != nil {
		return 0
	}
	return n
}

// logsLimit does the same with cat.
func logsLimit(r *run, o output) error {
	if err := r.warm(); err != nil {
		return err
	}
	o.count = r.of(o.count)
	fifo := filepath.Join(r.dir, "go")
	if err := syscall.Mkfifo(fifo, 0o600); err != nil {
		return err
	}
	dir := filepath.Join(r.dir, "logs")
	if err := os.Mkdir(dir, 0o755); err != nil {
		return err
	}
	var cats, writers []*exec.Cmd
	for i := range o.writers {
		cat, writer, err := pair(r.tool("child"), fifo, filepath.Join(dir, fmt.Sprintf("%02d", i)), o)
		if err != nil {
			return err
		}
		cats, writers = append(cats, cat), append(writers, writer)
	}
	elapsed, err := new(process).move(o, fifo, dir)
	if err != nil {
		return err
	}
	var cpu time.Duration
	for i := range cats {
		if err := writers[i].Wait(); err != nil {
			return err
		}
		if err := cats[i].Wait(); err != nil {
			return err
		}
		cpu += cats[i].ProcessState.UserTime() + cats[i].ProcessState.SystemTime()
	}
	r.putMoved(o, elapsed, cpu.Seconds())
	return check(o, dir)
}

// pair starts a writer into cat into a file.
func pair(child, fifo, name string, o output) (cat, writer *exec.Cmd, err error) {
	file, err := os.Create(name)
	if err != nil {
		return nil, nil, err
	}
	defer file.Close()
	in, out, err := os.Pipe()
	if err != nil {
		return nil, nil, err
	}
	defer in.Close()
	defer out.Close()
	cat = exec.Command("cat")
	cat.Stdin, cat.Stdout = in, file
	writer = exec.Command(child, "write", fifo, fmt.Sprint(o.count), fmt.Sprint(o.size))
	writer.Stdout = out
	if err := cat.Start(); err != nil {
		return nil, nil, err
	}
	return cat, writer, writer.Start()
}

// writerLimit measures a writer that nobody reads from while it writes.
func writerLimit(r *run, o output) error {
	o.count = r.of(o.count)
	out, err := exec.Command(r.tool("child"), "fill", fmt.Sprint(o.count), fmt.Sprint(o.size)).CombinedOutput()
	if err != nil {
		return fmt.Errorf("run child: %w: %s", err, out)
	}
	took, err := time.ParseDuration(strings.TrimSpace(string(out)))
	if err != nil {
		return err
	}
	r.put(o.key+"writer", float64(o.bytes())/1e6/took.Seconds())
	return nil
}
