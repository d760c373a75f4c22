// Command counter is what supervisord runs while it is upgraded. Everything that
// it writes is numbered, so that what is missing, repeated or out of order is
// found.
//
//	counter write NAME        writes numbered lines, now and then in pieces,
//	                          until SIGTERM, then says how many
//	counter depart NUMBER     does so as depart_NUMBER, and exits with NUMBER modulo
//	                          200 as its status
//	counter capture NAME      writes numbered messages between capture tags, cut
//	                          anywhere, until SIGTERM
//	counter brief STATUS      writes a line and exits with the status, soon
//	counter listen FILE       is an event listener that appends to FILE the serial
//	                          numbers and the payload of each event, on a line
package main

import (
	"bufio"
	"bytes"
	"fmt"
	"hash/crc32"
	"io"
	"math/rand/v2"
	"os"
	"os/signal"
	"strconv"
	"strings"
	"syscall"
	"time"
)

func main() {
	if len(os.Args) != 3 {
		fatal("usage: counter write|depart|capture|brief|listen ARG")
	}
	arg := os.Args[2]
	switch os.Args[1] {
	case "write":
		write(arg, line)
	case "depart":
		write("depart_"+arg, line)
		os.Exit(number(arg) % 200)
	case "capture":
		write(arg, message)
	case "brief":
		brief(arg)
	case "listen":
		listen(arg)
	default:
		fatal("unknown mode " + os.Args[1])
	}
}

// line is line number i.
func line(name string, i int) string {
	text := name + " " + strconv.Itoa(i)
	return fmt.Sprintf("%s %08x\n", text, crc32.ChecksumIEEE([]byte(text)))
}

// message is message number i.
func message(name string, i int) string {
	return fmt.Sprintf("<!--XSUPERVISOR:BEGIN-->%s %d<!--XSUPERVISOR:END-->", name, i)
}

// write writes until SIGTERM.
func write(name string, next func(string, int) string) {
	term := make(chan os.Signal, 1)
	signal.Notify(term, syscall.SIGTERM)
	for i := 1; ; i++ {
		text := next(name, i)
		cut := rand.IntN(len(text))
		if rand.IntN(4) > 0 {
			cut = 0
		}
		say(text[:cut])
		select {
		case <-term:
			say(text[cut:])
			say(fmt.Sprintf("%s last %d\n", name, i))
			return
		case <-time.After(time.Duration(rand.IntN(100)) * time.Millisecond):
		}
		say(text[cut:])
	}
}

func say(text string) {
	if text == "" {
		return
	}
	if _, err := os.Stdout.WriteString(text); err != nil {
		os.Exit(99) // Somebody will wonder about that status.
	}
}

func brief(status string) {
	time.Sleep(time.Duration(rand.IntN(200)) * time.Millisecond)
	say("brief " + status + "\n")
	os.Exit(number(status))
}

func number(text string) int {
	n, err := strconv.Atoi(text)
	if err != nil {
		fatal(err.Error())
	}
	return n
}

// listen answers every event.
func listen(file string) {
	out, err := os.OpenFile(file, os.O_CREATE|os.O_APPEND|os.O_WRONLY, 0o644)
	if err != nil {
		fatal(err.Error())
	}
	in := bufio.NewReader(os.Stdin)
	for {
		say("READY\n")
		header, err := in.ReadString('\n')
		if err != nil {
			return
		}
		tokens := make(map[string]string)
		for _, f := range strings.Fields(header) {
			key, value, _ := strings.Cut(f, ":")
			tokens[key] = value
		}
		n, err := strconv.Atoi(tokens["len"])
		if err != nil {
			fatal("bad header " + header)
		}
		payload := make([]byte, n)
		if _, err := io.ReadFull(in, payload); err != nil {
			return
		}
		payload = bytes.ReplaceAll(payload, []byte("\n"), []byte(" "))
		if _, err := fmt.Fprintf(out, "%s %s %s %s\n", tokens["serial"], tokens["poolserial"], tokens["eventname"], payload); err != nil {
			fatal(err.Error())
		}
		// Some answers come in two pieces.
		say("RESULT 2\nO")
		if rand.IntN(4) == 0 {
			time.Sleep(time.Duration(rand.IntN(20)) * time.Millisecond)
		}
		say("K")
	}
}

func fatal(text string) {
	fmt.Fprintln(os.Stderr, "counter: "+text)
	os.Exit(98)
}
