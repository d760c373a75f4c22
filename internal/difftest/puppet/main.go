// Command puppet is the program that the differential tests run under both
// daemons. It does nothing by itself: it connects to the UNIX socket that
// PUPPET_SOCKET names, tells what it found itself to be, and does what it is
// told, one order after the other. When the connection ends, so does it.
package main

import (
	"bufio"
	"encoding/json"
	"fmt"
	"io"
	"net"
	"os"
	"os/exec"
	"os/signal"
	"strings"
	"sync"
	"syscall"
	"time"

	"golang.org/x/sys/unix"
)

// An order is what the test tells the puppet to do.
type order struct {
	Op      string   `json:"op"`
	N       int      `json:"n"`
	Text    string   `json:"text"`
	Signal  int      `json:"signal"`
	Answers []string `json:"answers"`
}

// A report is what the puppet tells the test. Done answers an order; the rest
// comes by itself.
type report struct {
	Hello   *hello `json:"hello,omitempty"`
	Done    bool   `json:"done,omitempty"`
	Signal  string `json:"signal,omitempty"`
	Stdin   string `json:"stdin,omitempty"`
	Header  string `json:"header,omitempty"`
	Payload string `json:"payload,omitempty"`
}

// hello is how the puppet finds itself started.
type hello struct {
	Group, Process string
	PID            int
	Child          bool // the child of a puppet
	Args           []string
	Dir            string
	Umask          string
	UID            int
	Leader         bool // of a process group
	Env            []string
	Files          []string
}

// puppet is the state of the program.
type puppet struct {
	mu   sync.Mutex
	conn net.Conn

	signals  chan os.Signal
	statuses map[syscall.Signal]int // what signals are to end it with
	marked   chan struct{}

	answers []string // of a listener, for the events to come
	stalled chan string
}

// mark is a signal that the puppet sends to itself. It has a higher number than
// the others, and so comes after them.
const mark = syscall.SIGPWR

func main() {
	files := openFiles()
	conn, err := net.Dial("unix", os.Getenv("PUPPET_SOCKET"))
	if err != nil {
		fmt.Fprintln(os.Stderr, "puppet:", err)
		os.Exit(98)
	}
	p := &puppet{
		conn:    conn,
		signals: make(chan os.Signal, 64), statuses: make(map[syscall.Signal]int), marked: make(chan struct{}),
		stalled: make(chan string, 1),
	}
	go p.takeSignals()
	p.on(mark, -1)
	// Signals that would do nothing are reported; SIGQUIT, which would show a
	// stack of goroutines, ends the puppet with a status.
	p.on(syscall.SIGQUIT, 3)
	for _, sig := range []syscall.Signal{syscall.SIGUSR1, syscall.SIGUSR2, syscall.SIGWINCH} {
		p.on(sig, -1)
	}
	p.report(report{Hello: whoami(files)})
	orders := json.NewDecoder(conn)
	for {
		var o order
		if orders.Decode(&o) != nil {
			os.Exit(99)
		}
		p.obey(o)
		p.report(report{Done: true})
	}
}

func (p *puppet) report(r report) {
	p.mu.Lock()
	defer p.mu.Unlock()
	line, _ := json.Marshal(r)
	_, _ = p.conn.Write(append(line, '\n'))
}

func whoami(files []string) *hello {
	h := &hello{
		Group:   os.Getenv("SUPERVISOR_GROUP_NAME"),
		Process: os.Getenv("SUPERVISOR_PROCESS_NAME"),
		PID:     os.Getpid(),
		Child:   os.Getenv("PUPPET_CHILD") != "",
		Args:    os.Args[1:],
		UID:     os.Getuid(),
		Leader:  unix.Getpgrp() == os.Getpid(),
		Files:   files,
	}
	h.Dir, _ = os.Getwd()
	status, _ := os.ReadFile("/proc/self/status")
	for line := range strings.Lines(string(status)) {
		if v, ok := strings.CutPrefix(line, "Umask:"); ok {
			h.Umask = strings.TrimSpace(v)
		}
	}
	for _, v := range os.Environ() {
		if !strings.HasPrefix(v, "PUPPET_SOCKET=") {
			h.Env = append(h.Env, v)
		}
	}
	return h
}

// openFiles lists the descriptors that were inherited. It must be called before
// anything is opened; the Go runtime's own files are left out.
func openFiles() []string {
	var list []string
	for fd := range 64 {
		var buf [256]byte
		n, err := unix.Readlink(fmt.Sprintf("/proc/self/fd/%d", fd), buf[:])
		if err != nil {
			continue
		}
		target := string(buf[:n])
		if strings.HasPrefix(target, "/sys/fs/cgroup/") || strings.HasPrefix(target, "/proc/") ||
			strings.HasPrefix(target, "anon_inode:") {
			continue
		}
		kind, _, _ := strings.Cut(target, ":")
		list = append(list, fmt.Sprintf("%d %s", fd, kind))
	}
	return list
}

// on has a signal reported, and end the puppet unless status is negative.
func (p *puppet) on(sig syscall.Signal, status int) {
	p.mu.Lock()
	p.statuses[sig] = status
	p.mu.Unlock()
	signal.Notify(p.signals, sig)
}

// takeSignals reports signals in the order in which they come.
func (p *puppet) takeSignals() {
	for s := range p.signals {
		sig := s.(syscall.Signal)
		if sig == mark {
			p.marked <- struct{}{}
			continue
		}
		p.report(report{Signal: unix.SignalName(sig)})
		p.mu.Lock()
		status := p.statuses[sig]
		p.mu.Unlock()
		if status >= 0 {
			os.Exit(status)
		}
	}
}

// flush waits until the signals that came before are reported.
func (p *puppet) flush() {
	_ = syscall.Kill(os.Getpid(), mark)
	<-p.marked
}

func (p *puppet) obey(o order) {
	switch o.Op {
	case "exit":
		p.flush()
		os.Exit(o.N)
	case "flush":
		p.flush()
	case "write":
		f := os.Stdout
		if o.N == 2 {
			f = os.Stderr
		}
		_, _ = f.WriteString(o.Text)
		awaitEmpty(int(f.Fd()))
	case "close":
		_ = unix.Close(o.N)
	case "catch":
		p.on(syscall.Signal(o.Signal), o.N)
	case "fork":
		p.fork()
	case "stdin":
		go p.readStdin()
	case "listen":
		p.answers = o.Answers
		go p.listen()
	case "answer":
		p.stalled <- o.Text
	}
}

// awaitEmpty waits until a pipe has been read, so that what is written next is
// read by itself. A pipe does not tell when that happens.
func awaitEmpty(fd int) {
	for {
		n, err := unix.IoctlGetInt(fd, unix.TIOCINQ)
		if err != nil || n == 0 {
			return
		}
		time.Sleep(time.Millisecond)
	}
}

// fork starts a puppet that shares this one's output and process group.
func (p *puppet) fork() {
	cmd := exec.Command("/proc/self/exe")
	cmd.Env = append(os.Environ(), "PUPPET_CHILD=1")
	cmd.Stdout, cmd.Stderr = os.Stdout, os.Stderr
	if err := cmd.Start(); err != nil {
		fmt.Fprintln(os.Stderr, "puppet:", err)
	}
}

func (p *puppet) readStdin() {
	buf := make([]byte, 4096)
	for {
		n, err := os.Stdin.Read(buf)
		if n > 0 {
			p.report(report{Stdin: string(buf[:n])})
		}
		if err != nil {
			return
		}
	}
}

// listen speaks the protocol of event listeners.
func (p *puppet) listen() {
	in := bufio.NewReader(os.Stdin)
	_, _ = os.Stdout.WriteString("READY\n")
	for {
		header, err := in.ReadString('\n')
		if err != nil {
			return
		}
		payload := make([]rune, 0, 256)
		for range length(header) {
			r, _, err := in.ReadRune()
			if err != nil {
				return
			}
			payload = append(payload, r)
		}
		p.report(report{Header: header, Payload: string(payload)})
		answer := "RESULT 2\nOKREADY\n"
		if len(p.answers) > 0 {
			answer, p.answers = p.answers[0], p.answers[1:]
		}
		if answer == "stall" {
			answer = <-p.stalled
		}
		if answer == "die" {
			os.Exit(7)
		}
		_, _ = io.WriteString(os.Stdout, answer)
	}
}

// length reads the length of the payload from the header of an event.
func length(header string) (n int) {
	for _, field := range strings.Fields(header) {
		if v, ok := strings.CutPrefix(field, "len:"); ok {
			_, _ = fmt.Sscan(v, &n)
		}
	}
	return n
}
