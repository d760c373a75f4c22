package main

import (
	"fmt"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
	"time"
)

// alive reports whether there is a process that is no zombie.
func alive(pid int) bool {
	fields, err := stat(pid)
	return err == nil && fields[0] != "Z"
}

// stat returns the fields of /proc/PID/stat from the state on.
func stat(pid int) ([]string, error) {
	text, err := os.ReadFile(fmt.Sprintf("/proc/%d/stat", pid))
	if err != nil {
		return nil, err
	}
	_, rest, _ := strings.Cut(string(text), ") ")
	return strings.Fields(rest), nil
}

// cpuSeconds is the processor time that a process used, without its children.
func cpuSeconds(pid int) (float64, error) {
	fields, err := stat(pid)
	if err != nil {
		return 0, err
	}
	user, err := strconv.ParseFloat(fields[11], 64)
	if err != nil {
		return 0, err
	}
	system, err := strconv.ParseFloat(fields[12], 64)
	return (user + system) / 100, err
}

// memory is what a process holds, in MiB: all of it, and its share of it.
func memory(pid int) (rss, pss float64, err error) {
	text, err := os.ReadFile(fmt.Sprintf("/proc/%d/smaps_rollup", pid))
	if err != nil {
		return 0, 0, err
	}
	rss, err = number(string(text), "Rss:")
	if err != nil {
		return 0, 0, err
	}
	pss, err = number(string(text), "Pss:")
	return rss / 1024, pss / 1024, err
}

// number finds the number after a word at the beginning of a line.
func number(text, word string) (float64, error) {
	for line := range strings.Lines(text) {
		fields := strings.Fields(line)
		if len(fields) > 1 && fields[0] == word {
			return strconv.ParseFloat(fields[1], 64)
		}
	}
	return 0, fmt.Errorf("find %s: no such line", word)
}

// An activity is what the threads of a process did so far.
type activity struct {
	cpu     time.Duration // time on a processor
	wakeups float64       // how often they began to run after waiting
}

// active measures to the nanosecond, where stat counts in hundredths of a
// second. It does not see threads that have ended.
func active(pid int) (activity, error) {
	tasks, err := filepath.Glob(fmt.Sprintf("/proc/%d/task/*", pid))
	if err != nil {
		return activity{}, err
	}
	var a activity
	for _, dir := range tasks {
		sched, err := os.ReadFile(dir + "/schedstat")
		if err != nil {
			return activity{}, err
		}
		ns, err := strconv.ParseInt(strings.Fields(string(sched))[0], 10, 64)
		if err != nil {
			return activity{}, err
		}
		status, err := os.ReadFile(dir + "/status")
		if err != nil {
			return activity{}, err
		}
		n, err := number(string(status), "voluntary_ctxt_switches:")
		if err != nil {
			return activity{}, err
		}
		a.cpu += time.Duration(ns)
		a.wakeups += n
	}
	return a, nil
}

// children returns the children of a process.
func children(parent int) ([]int, error) {
	entries, err := os.ReadDir("/proc")
	if err != nil {
		return nil, err
	}
	var pids []int
	for _, e := range entries {
		pid, err := strconv.Atoi(e.Name())
		if err != nil {
			continue
		}
		fields, err := stat(pid)
		if err == nil && fields[1] == strconv.Itoa(parent) {
			pids = append(pids, pid)
		}
	}
	return pids, nil
}

// adopt makes this process the one that inherits the processes of a daemon that
// is killed, so that it can wait for their end.
func adopt() error {
	const setChildSubreaper = 36 // PR_SET_CHILD_SUBREAPER
	if _, _, errno := syscall.Syscall(syscall.SYS_PRCTL, setChildSubreaper, 1, 0); errno != 0 {
		return fmt.Errorf("become the reaper of orphans: %w", errno)
	}
	return nil
}

// bury kills processes that were inherited and waits for their end.
func bury(pids []int) {
	for _, pid := range pids {
		// A process that is gone needs no signal.
		_ = syscall.Kill(pid, syscall.SIGKILL)
	}
	for _, pid := range pids {
		for {
			if _, err := syscall.Wait4(pid, nil, 0, nil); err != syscall.EINTR {
				break
			}
		}
	}
}

// raiseFiles lets this process and those that it starts open n files.
func raiseFiles(n uint64) error {
	limit := syscall.Rlimit{Cur: n, Max: n}
	if err := syscall.Setrlimit(syscall.RLIMIT_NOFILE, &limit); err != nil {
		return fmt.Errorf("raise the limit of open files to %d: %w", n, err)
	}
	return nil
}
