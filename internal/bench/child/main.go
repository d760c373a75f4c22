// Command child is what the daemons run while they are measured. Its first
// argument says what it does:
//
//	write FIFO COUNT SIZE   wait for FIFO, then write COUNT pieces of SIZE bytes
//	fill COUNT SIZE         write COUNT pieces of SIZE bytes where nobody reads meanwhile, print how long that took
//	stamp FIFO              write the time and the process id to FIFO, then wait
//	listen FIFO COUNT       be an event listener; write the time to FIFO after each COUNT events
//	ask SOCKET              call getAllProcessInfo once
//	call SOCKET CLIENTS COUNT REQUEST  make COUNT calls, each on a connection of its own
//	keep SOCKET CLIENTS COUNT REQUEST  the same, with one connection for each client
//
// It links little, so that its own start adds little to what is measured.
package main

import (
	"bufio"
	"fmt"
	"io"
	"net"
	"os"
	"strconv"
	"strings"
	"syscall"
	"time"
	"unsafe"
)

func main() {
	now := time.Now()
	if err := play(os.Args[1:], now); err != nil {
		fmt.Fprintln(os.Stderr, "child:", err)
		os.Exit(1)
	}
}

func play(args []string, started time.Time) error {
	if len(args) < 2 {
		return fmt.Errorf("play %q: too few arguments", args)
	}
	var request string
	if role := args[0]; len(args) == 5 && (role == "call" || role == "keep") {
		args, request = args[:4], args[4]
	}
	var numbers []int
	for _, a := range args[2:] {
		n, err := strconv.Atoi(a)
		if err != nil {
			return err
		}
		numbers = append(numbers, n)
	}
	switch role := args[0]; {
	case role == "write" && len(numbers) == 2:
		return write(args[1], numbers[0], numbers[1])
	case role == "fill" && len(numbers) == 1:
		count, err := strconv.Atoi(args[1])
		if err != nil {
			return err
		}
		return fill(count, numbers[0])
	case role == "stamp":
		if err := stamp(args[1], started); err != nil {
			return err
		}
		_, err := io.Copy(io.Discard, os.Stdin)
		return err
	case role == "listen" && len(numbers) == 1:
		return listen(args[1], numbers[0])
	case request != "":
		return call(args[1], request, numbers[0], numbers[1], role == "keep")
	case role == "ask":
		return ask(args[1])
	}
	return fmt.Errorf("play %q: no such role", args)
}

// write waits until somebody opens the fifo, then writes numbered pieces.
func write(fifo string, count, size int) error {
	f, err := os.Open(fifo)
	if err != nil {
		return err
	}
	f.Close()
	return writeNumbered(raw(1), 0, count, size)
}

// writeNumbered writes the pieces from first on, each with its number.
func writeNumbered(w io.Writer, first, count, size int) error {
	piece := []byte(strings.Repeat("x", size-1) + "\n")
	for i := range count {
		number(piece[:10], first+i)
		if _, err := w.Write(piece); err != nil {
			return err
		}
	}
	return nil
}

// fill writes into a pipe of its own until that is full, empties it, and so on.
// Only the writing is counted.
func fill(count, size int) error {
	const setPipeSize, most, page = 1031, 1 << 20, 4096 // F_SETPIPE_SZ
	if size > page {
		return fmt.Errorf("fill a pipe: a piece of %d bytes is larger than a page", size)
	}
	var pipe [2]int
	if err := syscall.Pipe(pipe[:]); err != nil {
		return err
	}
	if _, _, errno := syscall.Syscall(syscall.SYS_FCNTL, uintptr(pipe[0]), setPipeSize, most); errno != 0 {
		return fmt.Errorf("make a pipe larger: %w", errno)
	}
	in, out := raw(pipe[0]), raw(pipe[1])
	var took time.Duration
	for done := 0; done < count; {
		n := min(most/page*(page/size), count-done)
		begin := time.Now()
		if err := writeNumbered(out, done, n, size); err != nil {
			return err
		}
		took += time.Since(begin)
		if _, err := io.CopyN(io.Discard, in, int64(n*size)); err != nil {
			return err
		}
		done += n
	}
	_, err := fmt.Println(took)
	return err
}

// number writes n into b in as many digits as there is room for.
func number(b []byte, n int) {
	for i := len(b) - 1; i >= 0; i-- {
		b[i] = byte('0' + n%10)
		n /= 10
	}
}

// stamp writes one short line, which goes into a fifo at once.
func stamp(fifo string, t time.Time) error {
	f, err := os.OpenFile(fifo, os.O_WRONLY, 0)
	if err != nil {
		return err
	}
	defer f.Close()
	_, err = fmt.Fprintf(f, "%d %d\n", t.UnixNano(), os.Getpid())
	return err
}

// listen accepts every event.
func listen(fifo string, count int) error {
	in := bufio.NewReader(raw(0))
	out := raw(1)
	if _, err := io.WriteString(out, "READY\n"); err != nil {
		return err
	}
	for n := 1; ; n++ {
		header, err := in.ReadString('\n')
		if err == io.EOF {
			return nil
		}
		if err != nil {
			return err
		}
		_, length, _ := strings.Cut(strings.TrimSpace(header), " len:")
		size, err := strconv.Atoi(length)
		if err != nil {
			return fmt.Errorf("read header %q: %w", header, err)
		}
		if _, err := in.Discard(size); err != nil {
			return err
		}
		if n%count == 0 {
			if err := stamp(fifo, time.Now()); err != nil {
				return err
			}
		}
		if _, err := io.WriteString(out, "RESULT 2\nOKREADY\n"); err != nil {
			return err
		}
	}
}

// raw is a descriptor that is read and written without telling the runtime,
// which has no other goroutine to run meanwhile.
type raw uintptr

func (fd raw) Read(p []byte) (int, error) {
	n, err := fd.call(syscall.SYS_READ, p)
	if n == 0 && err == nil {
		err = io.EOF
	}
	return n, err
}

func (fd raw) Write(p []byte) (int, error) { return fd.call(syscall.SYS_WRITE, p) }

func (fd raw) call(number uintptr, p []byte) (int, error) {
	for {
		n, _, errno := syscall.RawSyscall(number, uintptr(fd), uintptr(unsafe.Pointer(unsafe.SliceData(p))), uintptr(len(p)))
		switch errno {
		case 0:
			return int(n), nil
		case syscall.EINTR:
		default:
			return 0, errno
		}
	}
}

const allInfo = "<?xml version='1.0'?><methodCall><methodName>supervisor.getAllProcessInfo</methodName><params/></methodCall>"

// ask does what the least client of a daemon has to do.
func ask(socket string) error {
	conn, err := net.Dial("unix", socket)
	if err != nil {
		return err
	}
	defer conn.Close()
	_, err = fmt.Fprintf(conn, "POST /RPC2 HTTP/1.1\r\nHost: bench\r\nContent-Type: text/xml\r\n"+
		"Connection: close\r\nContent-Length: %d\r\n\r\n%s", len(allInfo), allInfo)
	if err != nil {
		return err
	}
	answer, err := io.ReadAll(conn)
	if err == nil && !strings.Contains(string(answer), "methodResponse") {
		err = fmt.Errorf("ask %s: not an answer: %.100q", socket, answer)
	}
	return err
}
