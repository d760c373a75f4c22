package main

import (
	"bufio"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"time"

	"golang.org/x/sys/unix"
)

// begin starts a daemon with n programs that sleep and waits until it answers
// and all of them run.
func (r *run) begin(n int, settings ...string) (*process, error) {
	w, err := newWorld(r.dir, n, sleepers(r.dir, n, true), settings...)
	if err != nil {
		return nil, err
	}
	p, err := w.run(r.impl)
	if err != nil {
		return nil, err
	}
	err = p.started(n)
	if err == nil {
		err = p.answers()
	}
	if err == nil {
		_, err = running(p.socket, n)
	}
	if err != nil {
		p.kill()
		return nil, err
	}
	return p, nil
}

// firstAnswer is the time from exec to the first answer of a daemon with one
// program.
func firstAnswer(r *run) error {
	w, err := newWorld(r.dir, 1, sleepers(r.dir, 1, true))
	if err != nil {
		return err
	}
	p, err := w.run(r.impl)
	if err != nil {
		return err
	}
	defer p.kill()
	if err := p.answers(); err != nil {
		return err
	}
	r.put("answer", ms(time.Since(p.began)))
	if err := p.started(1); err != nil {
		return err
	}
	_, err = running(p.socket, 1)
	return err
}

// serve starts the server that answers everything with the given bytes.
func (r *run) serve(answer []byte) (*process, error) {
	file := filepath.Join(r.dir, "answer")
	if err := os.WriteFile(file, answer, 0o644); err != nil {
		return nil, err
	}
	w := &world{dir: r.dir, socket: filepath.Join(r.dir, "s")}
	p, err := w.exec(exec.Command(r.tool("server"), w.socket, file))
	if err != nil {
		return nil, err
	}
	if err := p.answers(); err != nil {
		p.kill()
		return nil, err
	}
	return p, nil
}

// stateAnswer is a small answer.
var stateAnswer = []byte("<?xml version='1.0'?>\n<methodResponse>\n<params>\n<param>\n<value><boolean>1</boolean></value>\n</param>\n</params>\n</methodResponse>\n")

func firstAnswerLimit(r *run) error {
	p, err := r.serve(stateAnswer)
	if err != nil {
		return err
	}
	defer p.kill()
	r.put("answer", ms(time.Since(p.began)))
	return nil
}

// startMany is the time from exec until every one of many programs runs.
func startMany(r *run) error {
	n := r.of(1000)
	w, err := newWorld(r.dir, n, sleepers(r.dir, n, true))
	if err != nil {
		return err
	}
	p, err := w.run(r.impl)
	if err != nil {
		return err
	}
	defer p.kill()
	if err := p.started(n); err != nil {
		return err
	}
	r.put("many", time.Since(p.began).Seconds())
	_, err = running(p.socket, n)
	return err
}

// spawnLoop starts n programs as fast as a loop can, each with two pipes and a
// log file as a daemon gives them, and kills them.
func spawnLoop(r *run, n int) (start, stop time.Duration, err error) {
	var pids []int
	var held []*os.File
	defer func() {
		for _, f := range held {
			f.Close()
		}
	}()
	// It need not wait for room for descriptors either.
	room, err := unix.FcntlInt(0, unix.F_DUPFD_CLOEXEC, 3*n+64)
	if err != nil {
		return 0, 0, err
	}
	syscall.Close(room)
	begin := time.Now()
	for i := range n {
		in, stdin, err := os.Pipe()
		if err != nil {
			return 0, 0, err
		}
		stdout, out, err := os.Pipe()
		if err != nil {
			return 0, 0, err
		}
		log, err := os.Create(filepath.Join(r.dir, fmt.Sprint(i)))
		if err != nil {
			return 0, 0, err
		}
		held = append(held, stdin, stdout, log)
		pid, err := syscall.ForkExec("/bin/sleep", []string{"sleep", "100000"}, &syscall.ProcAttr{
			Env:   os.Environ(), // a program with a locale to load takes longer
			Files: []uintptr{in.Fd(), out.Fd(), out.Fd()},
			Sys:   &syscall.SysProcAttr{Setpgid: true},
		})
		if err != nil {
			return 0, 0, err
		}
		pids = append(pids, pid)
		in.Close()
		out.Close()
	}
	start = time.Since(begin)
	begin = time.Now()
	for _, pid := range pids {
		bury([]int{pid})
	}
	return start, time.Since(begin), nil
}

func startManyLimit(r *run) error {
	start, _, err := spawnLoop(r, r.of(1000))
	r.put("many", start.Seconds())
	return err
}

// fifo makes a named pipe and holds it open.
func (r *run) fifo(name string) (path string, lines *bufio.Reader, closeIt func(), err error) {
	path = filepath.Join(r.dir, name)
	if err := syscall.Mkfifo(path, 0o600); err != nil {
		return "", nil, nil, err
	}
	f, err := os.OpenFile(path, os.O_RDWR, 0)
	if err != nil {
		return "", nil, nil, err
	}
	if err := f.SetReadDeadline(time.Now().Add(callLimit)); err != nil {
		return "", nil, nil, err
	}
	return path, bufio.NewReader(f), func() { f.Close() }, nil
}

// readStamp reads what the child of that role writes.
func readStamp(lines *bufio.Reader) (at time.Time, pid int, err error) {
	line, err := lines.ReadString('\n')
	if err != nil {
		return time.Time{}, 0, fmt.Errorf("wait for a child: %w", err)
	}
	var ns int64
	_, err = fmt.Sscan(line, &ns, &pid)
	return time.Unix(0, ns), pid, err
}

// crash kills a program again and again and measures how long it takes until
// its successor lives.
func crash(r *run) error {
	path, lines, closeIt, err := r.fifo("stamps")
	if err != nil {
		return err
	}
	defer closeIt()
	w, err := newWorld(r.dir, 1, fmt.Sprintf("[program:p]\ncommand=%s stamp %s\nstartsecs=0\nautorestart=true\n", r.tool("child"), path))
	if err != nil {
		return err
	}
	p, err := w.run(r.impl)
	if err != nil {
		return err
	}
	defer p.kill()
	_, pid, err := readStamp(lines)
	if err != nil {
		return err
	}
	for i := range 10 {
		if err := p.started(i + 1); err != nil {
			return err
		}
		begin := time.Now()
		if err := syscall.Kill(pid, syscall.SIGKILL); err != nil {
			return err
		}
		at, successor, err := readStamp(lines)
		if err != nil {
			return err
		}
		if successor == pid || !alive(successor) {
			return fmt.Errorf("check the successor of %d: it is %d", pid, successor)
		}
		r.put("crash", ms(at.Sub(begin)))
		pid = successor
	}
	return nil
}

// crashLimit starts the same child, without anybody who has to find out.
func crashLimit(r *run) error {
	path, lines, closeIt, err := r.fifo("stamps")
	if err != nil {
		return err
	}
	defer closeIt()
	for range 10 {
		begin := time.Now()
		pid, err := syscall.ForkExec(r.tool("child"), []string{"child", "stamp", path}, &syscall.ProcAttr{Env: os.Environ(), Files: []uintptr{0, 1, 2}})
		if err != nil {
			return err
		}
		at, _, err := readStamp(lines)
		bury([]int{pid})
		if err != nil {
			return err
		}
		r.put("crash", ms(at.Sub(begin)))
	}
	return nil
}

// commands are the calls that start and restart everything.
func commands(r *run) error {
	for _, c := range []struct {
		n   int
		key string
	}{{100, "start100"}, {r.of(1000), "start1000"}} {
		if err := startStopped(r, c.n, c.key); err != nil {
			return err
		}
	}
	return nil
}

func startStopped(r *run, n int, key string) error {
	dir := filepath.Join(r.dir, key)
	w, err := newWorld(dir, n, sleepers(dir, n, false))
	if err != nil {
		return err
	}
	p, err := w.run(r.impl)
	if err != nil {
		return err
	}
	defer p.kill()
	if err := p.answers(); err != nil {
		return err
	}
	begin := time.Now()
	if _, err := once(p.socket, startAll); err != nil {
		return err
	}
	elapsed := time.Since(begin)
	before, err := running(p.socket, n)
	if err != nil {
		return err
	}
	r.put(key, ms(elapsed))
	if key != "start100" {
		return nil
	}
	begin = time.Now()
	if _, err := w.ctl(r.impl, "restart", "all"); err != nil {
		return err
	}
	elapsed = time.Since(begin)
	after, err := running(p.socket, n)
	if err != nil {
		return err
	}
	for pid := range after {
		if before[pid] {
			return fmt.Errorf("check restart: %d is as before", pid)
		}
	}
	r.put("restart100", ms(elapsed))
	return nil
}

func commandsLimit(r *run) error {
	start, stop, err := spawnLoop(r, 100)
	if err != nil {
		return err
	}
	r.put("start100", ms(start))
	r.put("restart100", ms(start+stop))
	start, _, err = spawnLoop(r, r.of(1000))
	r.put("start1000", ms(start))
	return err
}

// shutdown is the time from SIGTERM until a daemon with many groups is gone.
func shutdown(r *run) error {
	p, err := r.begin(r.of(100))
	if err != nil {
		return err
	}
	pids, err := children(p.cmd.Process.Pid)
	if err != nil {
		p.kill()
		return err
	}
	begin := time.Now()
	if err := p.terminate(); err != nil {
		return err
	}
	r.put("shutdown", ms(time.Since(begin)))
	for _, pid := range pids {
		if alive(pid) {
			bury(pids)
			return fmt.Errorf("check the end: %d still runs", pid)
		}
	}
	return nil
}

func shutdownLimit(r *run) error {
	_, stop, err := spawnLoop(r, r.of(100))
	r.put("shutdown", ms(stop))
	return err
}

// mostPrograms is how many programs the machine gets, and most how many of them
// one daemon.
const mostPrograms = 10000

// most is mostPrograms, or fewer where the limit of open files, which only the
// privileged raise, is too low.
func most() int {
	const perProgram, other = 3, 1024
	if raiseFiles(mostPrograms*perProgram+other) == nil {
		return mostPrograms
	}
	var limit syscall.Rlimit
	if err := syscall.Getrlimit(syscall.RLIMIT_NOFILE, &limit); err != nil || limit.Max < 2*other {
		return other / perProgram
	}
	return min(mostPrograms, int(limit.Max-other)/perProgram)
}

// crowds says how many daemons share mostPrograms, and how many each of them
// has.
func crowds() (daemons, programs int) {
	daemons = (mostPrograms + most() - 1) / most()
	return daemons, mostPrograms / daemons
}

// tenThousand starts, asks and stops as many programs as one machine may have,
// in as few daemons as can have them.
func tenThousand(r *run) error {
	daemons, n := crowds()
	n = r.of(n)
	c := crowd{run: r, each: n}
	defer c.end()
	for i := range daemons {
		if err := c.add(i); err != nil {
			return err
		}
	}
	if err := c.started(); err != nil {
		return err
	}
	if err := c.asked(); err != nil {
		return err
	}
	return c.stop()
}

// A crowd is all daemons of tenThousand, with as many programs each.
type crowd struct {
	*run
	each    int
	daemons []*process
}

// add starts a daemon.
func (c *crowd) add(i int) error {
	dir := filepath.Join(c.dir, fmt.Sprint(i))
	// One group for all, so that they are stopped together.
	conf := fmt.Sprintf("[program:p]\ncommand=/bin/sleep 100000\nprocess_name=%%(process_num)05d\nnumprocs=%d\n"+
		"startsecs=0\nredirect_stderr=true\nstdout_logfile=%s/logs/%%(process_num)05d.log\n", c.each, dir)
	w, err := newWorld(dir, c.each, conf)
	if err != nil {
		return err
	}
	p, err := w.run(c.impl)
	if err == nil {
		c.daemons = append(c.daemons, p)
	}
	return err
}

// end ends what still runs without ceremony.
func (c *crowd) end() {
	for _, p := range c.daemons {
		p.kill()
	}
}

// started waits until all programs run.
func (c *crowd) started() error {
	for _, p := range c.daemons {
		if err := p.started(c.each); err != nil {
			return err
		}
	}
	last := c.daemons[len(c.daemons)-1]
	c.put("tenstart", last.ready.Sub(c.daemons[0].began).Seconds())
	for _, p := range c.daemons {
		if _, err := running(p.socket, c.each); err != nil {
			return err
		}
	}
	return nil
}

// asked measures what all daemons together take to describe all programs, and
// what memory they have for each.
func (c *crowd) asked() error {
	var call, status, all float64
	for _, p := range c.daemons {
		took, err := latency(p.socket, getAll, 1)
		if err == nil && took < 1000 {
			took, err = latency(p.socket, getAll, 5)
		}
		if err != nil {
			return err
		}
		call += took
		ctl, err := p.status(c.impl, c.each)
		if err != nil {
			return err
		}
		status += ms(ctl)
		rss, _, err := memory(p.cmd.Process.Pid)
		if err != nil {
			return err
		}
		all += rss
	}
	c.put("tencall", call)
	c.put("tenstatus", status)
	c.put("tenmemory", all*1024/float64(c.each*len(c.daemons)))
	return nil
}

// stop ends all daemons at once, which stop all programs.
func (c *crowd) stop() error {
	daemons := c.daemons
	begin := time.Now()
	for _, p := range daemons {
		if err := p.cmd.Process.Signal(syscall.SIGTERM); err != nil {
			return err
		}
	}
	for _, p := range daemons {
		if err := p.wait(); err != nil {
			return err
		}
	}
	c.daemons = nil
	c.put("tenstop", time.Since(begin).Seconds())
	for _, p := range daemons {
		log, err := os.ReadFile(p.log)
		if got := strings.Count(string(log), "stopped: "); err == nil && got != c.each {
			err = fmt.Errorf("check the end: %d programs were stopped, not %d", got, c.each)
		}
		if err != nil {
			return err
		}
	}
	return nil
}
