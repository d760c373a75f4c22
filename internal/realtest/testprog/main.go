// Command testprog is what the tests run where there is no other program: it
// is static and needs nothing around it.
//
//	testprog serve     says "ready" on stdout and "error" on stderr, then waits
//	                   for SIGTERM, says "bye" and exits
//	testprog orphan    starts a process that outlives it and exits
//	testprog eat       takes all the memory that it gets
//	testprog fcgi      answers FastCGI requests on the socket that is its
//	                   standard input
package main

import (
	"bytes"
	"fmt"
	"io"
	"net/http"
	"net/http/fcgi"
	"os"
	"os/signal"
	"runtime"
	"syscall"
)

func main() {
	if len(os.Args) < 2 {
		fatal("usage: testprog serve|orphan|eat|fcgi")
	}
	switch os.Args[1] {
	case "serve":
		serve()
	case "orphan":
		orphan()
	case "eat":
		eat()
	case "linger":
		linger()
	case "fcgi":
		fatal(fcgi.Serve(nil, http.HandlerFunc(answer)))
	default:
		fatal("unknown mode " + os.Args[1])
	}
}

// answer says which process answers what.
func answer(w http.ResponseWriter, r *http.Request) {
	fmt.Fprintf(w, "process %d answers %s\n", os.Getpid(), r.URL.Path)
}

func serve() {
	term := make(chan os.Signal, 1)
	signal.Notify(term, syscall.SIGTERM)
	fmt.Println("ready")
	fmt.Fprintln(os.Stderr, "error")
	<-term
	fmt.Println("bye")
}

// eat never gets enough.
func eat() {
	for meal := [][]byte{}; ; {
		meal = append(meal, bytes.Repeat([]byte{1}, 1<<20))
	}
}

// orphan starts a process that ends when this one has ended: it reads from a
// pipe of which this one has the only other end.
func orphan() {
	r, w, err := os.Pipe()
	if err != nil {
		fatal(err)
	}
	self, err := os.Executable()
	if err != nil {
		fatal(err)
	}
	p, err := os.StartProcess(self, []string{self, "linger"}, &os.ProcAttr{
		Files: []*os.File{r, os.Stdout, os.Stderr},
	})
	if err != nil {
		fatal(err)
	}
	fmt.Println("orphan", p.Pid)
	runtime.KeepAlive(w)
}

// linger waits for the end of its standard input.
func linger() {
	io.Copy(io.Discard, os.Stdin)
}

func fatal(v any) {
	fmt.Fprintln(os.Stderr, v)
	os.Exit(1)
}
