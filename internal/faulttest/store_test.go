//go:build linux

package faulttest

import (
	"bytes"
	"errors"
	"fmt"
	"maps"
	"math/rand/v2"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"
	"unsafe"

	"golang.org/x/sys/unix"
)

// A keeper does what a service manager with a store of descriptors does: it keeps
// what a daemon gives it and passes it on to the next one. The processes of a
// daemon that was killed become its children.
type keeper struct {
	t       *testing.T
	conn    *net.UnixConn
	address string
	limit   int // of what it keeps

	mu       sync.Mutex
	names    []string // by entry
	files    []*os.File
	pids     map[int]bool // of all processes that it was told of
	statuses map[int]syscall.WaitStatus
	changed  chan struct{} // closed and replaced with each change
	messages int
}

func newKeeper(t *testing.T, dir string) *keeper {
	t.Helper()
	k := &keeper{t: t, address: filepath.Join(dir, "notify"), limit: 10000, pids: map[int]bool{}, statuses: map[int]syscall.WaitStatus{},
		changed: make(chan struct{})}
	var err error
	if k.conn, err = net.ListenUnixgram("unixgram", &net.UnixAddr{Name: k.address, Net: "unixgram"}); err != nil {
		t.Fatal(err)
	}
	if err := unix.Prctl(unix.PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0); err != nil {
		t.Fatal(err)
	}
	done := make(chan struct{})
	var tasks sync.WaitGroup
	tasks.Go(k.receive)
	tasks.Go(func() { k.reap(done) })
	t.Cleanup(func() {
		k.conn.Close()
		close(done)
		tasks.Wait()
		if err := unix.Prctl(unix.PR_SET_CHILD_SUBREAPER, 0, 0, 0, 0); err != nil {
			t.Error(err)
		}
		for _, f := range k.files {
			f.Close()
		}
	})
	return k
}

// receive takes messages until the socket is closed.
func (k *keeper) receive() {
	buf, oob := make([]byte, 64<<10), make([]byte, 4<<10)
	for {
		n, oobn, _, _, err := k.conn.ReadMsgUnix(buf, oob)
		if err != nil {
			return
		}
		if err := k.take(string(buf[:n]), oob[:oobn]); err != nil {
			k.t.Errorf("message %q: %v", buf[:n], err)
		}
	}
}

// take does what a message asks for.
func (k *keeper) take(text string, oob []byte) error {
	var fds []int
	parts, err := syscall.ParseSocketControlMessage(oob)
	if err != nil {
		return err
	}
	for i := range parts {
		list, err := syscall.ParseUnixRights(&parts[i])
		if err != nil {
			return err
		}
		fds = append(fds, list...)
	}
	lines := strings.Split(text, "\n")
	name := ""
	for _, line := range lines {
		if after, found := strings.CutPrefix(line, "FDNAME="); found {
			name = after
		}
	}
	k.mu.Lock()
	defer k.mu.Unlock()
	defer k.change()
	switch {
	case slices.Contains(lines, "FDSTOREREMOVE=1"):
		k.messages++
		k.remove(name)
	case slices.Contains(lines, "FDSTORE=1"):
		k.messages++
		if len(fds) == 0 || !slices.Contains(lines, "FDPOLL=0") {
			return errors.New("something is missing")
		}
		for _, fd := range fds {
			syscall.CloseOnExec(fd)
			if len(k.files) == k.limit {
				syscall.Close(fd)
				continue
			}
			k.put(name, os.NewFile(uintptr(fd), name))
		}
	case len(fds) > 0:
		return errors.New("descriptors that nobody has asked for")
	}
	return nil
}

// put puts something into the store. k.mu is held, if there is somebody else.
func (k *keeper) put(name string, f *os.File) {
	k.names, k.files = append(k.names, name), append(k.files, f)
	if pid := pidOf(name); pid > 1 {
		k.pids[pid] = true
	}
}

// pidOf returns the pid of the process whose descriptors have a name, 0 for none.
func pidOf(name string) (pid int) {
	var born int
	if _, err := fmt.Sscanf(name, "supervisord-%d-%d", &pid, &born); err != nil {
		return 0
	}
	return pid
}

// remove forgets what has a name. k.mu is held.
func (k *keeper) remove(name string) {
	for i := len(k.names) - 1; i >= 0; i-- {
		if k.names[i] == name {
			k.files[i].Close()
			k.names, k.files = slices.Delete(k.names, i, i+1), slices.Delete(k.files, i, i+1)
		}
	}
	// Its pid may be that of another process one day.
	delete(k.pids, pidOf(name))
}

// change wakes those who wait. k.mu is held.
func (k *keeper) change() {
	close(k.changed)
	k.changed = make(chan struct{})
}

// reap reaps the processes that are children of this one by now.
func (k *keeper) reap(done <-chan struct{}) {
	for tick := time.NewTicker(5 * time.Millisecond); ; {
		select {
		case <-done:
			return
		case <-tick.C:
		}
		k.mu.Lock()
		for pid := range k.pids {
			var status syscall.WaitStatus
			if got, err := syscall.Wait4(pid, &status, syscall.WNOHANG, nil); err == nil && got == pid {
				delete(k.pids, pid)
				k.statuses[pid] = status
				k.change()
			}
		}
		k.mu.Unlock()
	}
}

// await waits until something is so.
func (k *keeper) await(what string, so func() bool) {
	k.t.Helper()
	for timeout := time.After(limit); ; {
		k.mu.Lock()
		yes, changed := so(), k.changed
		k.mu.Unlock()
		if yes {
			return
		}
		select {
		case <-changed:
		case <-timeout:
			k.t.Fatalf("in vain: %s; the store has %q", what, k.names)
		}
	}
}

// launch starts a daemon with what the store has, and waits until it is up.
func (k *keeper) launch(r *rig, s start) {
	k.t.Helper()
	k.mu.Lock()
	for _, f := range k.files {
		fd, err := unix.FcntlInt(f.Fd(), unix.F_DUPFD_CLOEXEC, 0)
		if err != nil {
			k.t.Fatal(err)
		}
		s.files = append(s.files, os.NewFile(uintptr(fd), f.Name()))
	}
	s.env = []string{"NOTIFY_SOCKET=" + k.address, "FDSTORE=" + strconv.Itoa(k.limit), "LISTEN_FDS=" + strconv.Itoa(len(k.files)),
		"LISTEN_FDNAMES=" + strings.Join(k.names, ":")}
	s.wrapper = []string{"sh", "-c", `LISTEN_PID=$$ exec "$0" "$@"`}
	k.mu.Unlock()
	r.begin(s)
	for _, f := range s.files {
		f.Close()
	}
	r.out.wait(k.t, `supervisord started with pid`)
	r.alive()
}

// exitIsTold reports whether this kernel tells by a pidfd how a process ended
// that was reaped.
func exitIsTold(t *testing.T) bool {
	t.Helper()
	pidfd := -1
	cmd := exec.Command("true")
	cmd.SysProcAttr = &syscall.SysProcAttr{PidFD: &pidfd}
	if err := cmd.Run(); err != nil || pidfd < 0 {
		t.Fatal(err, pidfd)
	}
	defer syscall.Close(pidfd)
	var info struct {
		mask uint64
		_    [56]byte
	}
	const exit, getInfo = 1 << 3, 3<<30 | unsafe.Sizeof(info)<<16 | 0xFF<<8 | 11
	info.mask = exit
	_, _, errno := unix.Syscall(unix.SYS_IOCTL, uintptr(pidfd), getInfo, uintptr(unsafe.Pointer(&info)))
	return errno == 0 && info.mask&exit != 0
}

// TestStored kills the daemon again and again under a service manager with a
// store of descriptors. What programs write and how they end while there is no
// daemon, or just when it is killed, comes to the next one, each line once and in
// order. In between it is upgraded with processes that are no children of its own.
func TestStored(t *testing.T) {
	seed := rand.Uint64()
	t.Logf("seed %d", seed)
	random := rand.New(rand.NewPCG(seed, 0))
	const writers, away, meanwhile = 50, 4, 3 // that end while there is none, and about when it is killed
	rounds := 4
	if *soak > 1 {
		rounds = 50
	}
	departs := rounds*(away+meanwhile) + 1
	s := start{dir: openTemp(t), main: "adopt=true\n", programs: fmt.Sprintf(`
[program:w]
command=%[1]s write w_%%(process_num)03d
process_name=w_%%(process_num)03d
numprocs=%[2]d
stdout_logfile={dir}/w_%%(process_num)03d.log
[program:depart]
command=%[1]s depart %%(process_num)d
process_name=depart_%%(process_num)d
numprocs=%[3]d
numprocs_start=1
stdout_logfile={dir}/depart_%%(process_num)d.log
autorestart=false
[program:again]
command=%[1]s depart 99
startsecs=0
redirect_stderr=true
stdout_logfile={dir}/again.log
[program:env]
command=/bin/sh -c 'ls -l /proc/self/fd; env'
stdout_logfile={dir}/env.log
autostart=false
autorestart=false
startsecs=0
`, counterPath(t), writers, departs)}
	r := newRig(t, s)
	k := newKeeper(t, s.dir)
	told := exitIsTold(t)
	t.Logf("exit statuses are told: %v", told)
	// Somebody else's socket, and something that is left of who knows what.
	foreign, err := os.OpenFile(os.DevNull, os.O_RDONLY, 0)
	if err != nil {
		t.Fatal(err)
	}
	stale, err := os.OpenFile(os.DevNull, os.O_RDONLY, 0)
	if err != nil {
		t.Fatal(err)
	}
	k.put("web.socket", foreign)
	k.put("supervisord-1-1", stale)
	k.launch(r, s)
	living := writers + departs + 1
	r.awaitCount("RUNNING", living)
	k.await("everything in the store, and nothing else", func() bool {
		return len(k.names) == 1+3*(living-1)+2 && !slices.Contains(k.names, "supervisord-1-1")
	})
	before := r.pids()
	next := 1 // of those that depart
	killed := make(map[int]bool)
	for round := range rounds {
		var gone []string
		end := func(sig syscall.Signal) (pid int) {
			name := fmt.Sprintf("depart_%d", next)
			next++
			gone = append(gone, name)
			pid = before["depart:"+name]
			if err := syscall.Kill(pid, sig); err != nil {
				t.Fatal(err)
			}
			return pid
		}
		for range meanwhile {
			end(syscall.SIGTERM)
			time.Sleep(time.Duration(random.Int64N(int64(2 * time.Millisecond))))
		}
		r.kill()
		for i := range away {
			sig := syscall.SIGTERM
			if i == 0 {
				killed[next] = true
				sig = syscall.SIGKILL
			}
			pid := end(sig)
			k.await(fmt.Sprint("the end of ", pid), func() bool { _, reaped := k.statuses[pid]; return reaped })
		}
		k.launch(r, s)
		living -= len(gone)
		r.awaitCount("EXITED", writers+departs+1-living)
		if n := r.out.count("INFO spawned: "); n > 0 {
			t.Errorf("round %d: %d processes were started anew", round, n)
		}
		for i, name := range gone {
			number, err := strconv.Atoi(strings.TrimPrefix(name, "depart_"))
			if err != nil {
				t.Fatal(err)
			}
			want, text := statusOf(number), fmt.Sprintf("exit status %d", statusOf(number))
			if killed[number] {
				want, text = -1, "terminated by SIGKILL"
			}
			if !told {
				if i < meanwhile {
					continue // It depends.
				}
				want, text = -1, "exit status unknown"
			}
			info, err := r.ProcessInfo(r.ctx(), "depart:"+name)
			if err != nil || info.ExitStatus != want {
				t.Errorf("%s: exit status %d, want %d; %v", name, info.ExitStatus, want, err)
			}
			if i >= meanwhile {
				r.out.wait(t, regexp.QuoteMeta("exited: "+name+" ("+text))
			}
		}
		// What was dealt with is forgotten.
		k.await("the rest of the store", func() bool { return len(k.names) == 1+3*(living-1)+2 })
		after := r.pids()
		maps.DeleteFunc(after, func(_ string, pid int) bool { return pid == 0 })
		if len(after) != living {
			t.Errorf("round %d: %d processes, want %d", round, len(after), living)
		}
		for name, pid := range after {
			if before[name] != pid {
				t.Errorf("round %d: %s has pid %d, had %d", round, name, pid, before[name])
			}
		}
		if err := r.Upgrade(r.ctx()); err != nil {
			t.Fatalf("upgrade with adopted processes: %v", err)
		}
		r.out.wait(t, upgraded)
		// One that is started anew after the upgrade, in place of an adopted one.
		pid := r.pid("again")
		if err := syscall.Kill(pid, syscall.SIGTERM); err != nil {
			t.Fatal(err)
		}
		r.out.wait(t, `spawned: 'again' with pid (\d+)`)
		k.await("the new one in the place of the old", func() bool {
			return len(k.names) == 1+3*(living-1)+2 && !slices.ContainsFunc(k.names, func(name string) bool {
				return strings.HasPrefix(name, fmt.Sprintf("supervisord-%d-", pid))
			})
		})
		if told {
			r.out.wait(t, `exited: again \(exit status 99; not expected\)`)
		}
		before = r.pids()
	}
	if err := r.StartProcess(r.ctx(), "env", true); err != nil {
		t.Fatal(err)
	}
	r.out.wait(t, `exited: env`)
	env := r.read("env.log")
	if regexp.MustCompile(`(?m)^(LISTEN_|NOTIFY_SOCKET|FDSTORE)`).MatchString(env) || strings.Contains(env, " -> "+os.DevNull) ||
		!strings.Contains(env, "SUPERVISOR_PROCESS_NAME=env") {
		t.Errorf("a program has\n%s", env)
	}
	r.end()
	k.await("a store with what is somebody else's", func() bool { return len(k.names) == 1 && k.names[0] == "web.socket" })
	for i := range writers {
		checkNumbered(t, r, fmt.Sprintf("w_%03d", i), true)
	}
	for i := 1; i <= departs; i++ {
		checkNumbered(t, r, fmt.Sprintf("depart_%d", i), !killed[i])
	}
}

// TestStoreTooSmall has a store that does not take everything. That is said, and
// processes are adopted all the same.
func TestStoreTooSmall(t *testing.T) {
	const n = 5
	s := start{dir: openTemp(t), main: "adopt=true\n", programs: fmt.Sprintf("[program:p]\ncommand=/bin/sleep 1000\n"+
		"process_name=p_%%(process_num)d\nnumprocs=%d\nstartsecs=0\n", n)}
	r := newRig(t, s)
	k := newKeeper(t, s.dir)
	k.limit = 3*n - 2
	for life := range 3 {
		k.launch(r, s)
		r.out.wait(t, fmt.Sprintf("the service manager keeps %d descriptors, and the processes have %d for it", k.limit, 3*n))
		r.awaitCount("RUNNING", n)
		if spawned := r.out.count("INFO spawned: "); spawned != 0 && life > 0 {
			t.Errorf("%d processes were started anew", spawned)
		}
		k.await("a full store", func() bool { return len(k.files) == k.limit })
		r.kill()
	}
	k.launch(r, s)
	r.end()
	k.await("an empty store", func() bool { return len(k.files) == 0 })
}

// statusOf is the exit status of the program depart_NUMBER.
func statusOf(number int) int { return number % 200 }

// awaitCount waits until so many processes are in a state.
func (r *rig) awaitCount(state string, want int) {
	r.t.Helper()
	n := 0
	for end := time.Now().Add(limit); time.Now().Before(end); time.Sleep(10 * time.Millisecond) {
		list, err := r.AllProcessInfo(r.ctx())
		n = 0
		for _, p := range list {
			if p.StateName == state {
				n++
			}
		}
		if err == nil && n == want {
			return
		}
	}
	text, _ := r.out.text()
	r.t.Fatalf("%d processes are %s, want %d\n%s", n, state, want, text[max(0, len(text)-3<<10):])
}

// checkNumbered checks that the log of a counter has each line once and in order,
// and whether it has the last one.
func checkNumbered(t *testing.T, r *rig, name string, whole bool) {
	t.Helper()
	text := r.read(name + ".log")
	lines := bytes.Split([]byte(text), []byte("\n"))
	if n := numbered(t, "log", name, lines[:len(lines)-1]); n < 2 {
		t.Errorf("%s has %d lines", name, n)
	}
	if last := strings.Contains(text, name+" last "); last != whole {
		t.Errorf("%s: the last line is there: %v, want %v", name, last, whole)
	}
}
