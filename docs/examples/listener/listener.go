// Command listener is an event listener: it appends the type and the payload of
// each event to a file. Its configuration says len_bytes=true, so that the
// length in a header counts bytes.
package main

import (
	"bufio"
	"fmt"
	"io"
	"log"
	"os"
	"strconv"
	"strings"
)

func main() {
	log.SetFlags(0) // standard error goes to a log of its own
	if len(os.Args) != 2 {
		log.Fatal("usage: listener FILE")
	}
	err := listen(os.Stdin, os.Stdout, func(header map[string]string, payload []byte) error {
		return record(os.Args[1], header["eventname"], payload)
	})
	if err != nil {
		log.Fatal(err)
	}
}

// record appends an event to a file.
func record(name, event string, payload []byte) error {
	f, err := os.OpenFile(name, os.O_CREATE|os.O_WRONLY|os.O_APPEND, 0o666)
	if err != nil {
		return err
	}
	_, err = fmt.Fprintf(f, "%s %s\n", event, payload)
	if err2 := f.Close(); err == nil {
		err = err2
	}
	return err
}

// listen calls handle with one event after another until in ends. An event for
// which handle returns an error is sent again later.
func listen(in io.Reader, out io.Writer, handle func(header map[string]string, payload []byte) error) error {
	r := bufio.NewReader(in)
	for {
		if _, err := io.WriteString(out, "READY\n"); err != nil {
			return err
		}
		line, err := r.ReadString('\n')
		if err == io.EOF {
			return nil
		} else if err != nil {
			return err
		}
		header := make(map[string]string)
		for field := range strings.FieldsSeq(line) {
			name, value, _ := strings.Cut(field, ":")
			header[name] = value
		}
		length, err := strconv.Atoi(header["len"])
		if err != nil {
			return fmt.Errorf("parse header %q: %w", line, err)
		}
		payload := make([]byte, length)
		if _, err := io.ReadFull(r, payload); err != nil {
			return fmt.Errorf("read payload: %w", err)
		}
		answer := "OK"
		if err := handle(header, payload); err != nil {
			log.Print(err)
			answer = "FAIL"
		}
		if _, err := fmt.Fprintf(out, "RESULT %d\n%s", len(answer), answer); err != nil {
			return err
		}
	}
}
