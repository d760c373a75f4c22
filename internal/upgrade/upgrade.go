// Package upgrade puts another program in the place of this one, in the same
// process: with the same pid, the same children, and the descriptors that are
// kept. What the program needs to know is written to a file in memory, of which
// it inherits the descriptor.
//
// A program is asked first, in a process of its own, whether it understands what
// it would be told; see Checking. If it then fails all the same to take it up,
// it executes the one before it again, whose file it has inherited, too.
//
// From the moment at which the old program looks for signals for the last time
// until the new one takes them, they are blocked in the thread that executes it,
// and so in those of the new one. That is not all that is wanted: a thread of the
// old runtime can still take one, which is lost then, and the package os/signal
// unblocks some as it is initialized, before the new program can ask for them.
package upgrade

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"strconv"
	"strings"
	"syscall"
)

// The environment variables by which a program knows what it is to do. They are
// removed at once.
const (
	// stateVariable holds the descriptor of the state, that of the program
	// before, or -1, and the signals that came meanwhile.
	stateVariable = "SUPERVISORD_STATE"
	// checkVariable holds what an answer begins with.
	checkVariable = "SUPERVISORD_CHECK"
)

// Write writes a state to a new file in memory.
func Write(state any) (*os.File, error) {
	text, err := json.Marshal(state)
	if err != nil {
		return nil, fmt.Errorf("write state: %w", err)
	}
	// That is what becomes of bytes that are no text.
	if bytes.Contains(text, []byte(`\ufffd`)) {
		return nil, errors.New("write state: something in the configuration is not UTF-8")
	}
	f, err := memoryFile("supervisord state")
	if err != nil {
		return nil, fmt.Errorf("write state: %w", err)
	}
	if _, err := f.Write(text); err != nil {
		f.Close()
		return nil, fmt.Errorf("write state: %w", err)
	}
	return f, nil
}

// Read reads a state that Write wrote, from its beginning. A part of it that the
// type does not have is an error: it would be lost.
func Read(f *os.File, state any) error {
	info, err := f.Stat()
	if err != nil {
		return fmt.Errorf("read state: %w", err)
	}
	d := json.NewDecoder(io.NewSectionReader(f, 0, info.Size()))
	d.DisallowUnknownFields()
	if err := d.Decode(state); err != nil {
		return fmt.Errorf("read state: %w", err)
	}
	return nil
}

// ReadVersion reads the member Version of a state, whatever else it has.
func ReadVersion(f *os.File) (int, error) {
	info, err := f.Stat()
	if err != nil {
		return 0, fmt.Errorf("read state: %w", err)
	}
	var state struct{ Version int }
	if err := json.NewDecoder(io.NewSectionReader(f, 0, info.Size())).Decode(&state); err != nil {
		return 0, fmt.Errorf("read state: %w", err)
	}
	return state.Version, nil
}

// Handover is what a program was given that took the place of another one.
type Handover struct {
	// State is the file with the state; it belongs to the receiver.
	State *os.File
	// Signals came while nobody looked.
	Signals []syscall.Signal

	before int // the descriptor of the program before, or -1
}

// Inherited returns what this program was given, or nil if it was started in
// another way. Call it once, first thing in main.
func Inherited() *Handover {
	value, ok := os.LookupEnv(stateVariable)
	os.Unsetenv(stateVariable)
	fields := strings.Fields(value)
	if !ok || len(fields) < 2 {
		return nil
	}
	var numbers []int
	for _, field := range fields {
		n, err := strconv.Atoi(field)
		if err != nil {
			return nil
		}
		numbers = append(numbers, n)
	}
	h := &Handover{State: os.NewFile(uintptr(numbers[0]), "state"), before: numbers[1]}
	for _, n := range numbers[2:] {
		h.Signals = append(h.Signals, syscall.Signal(n))
	}
	return h
}

// GiveBack executes the program before this one, as long as nothing of what was
// handed over has been touched. It returns if that is not possible.
func (h *Handover) GiveBack() error {
	if h.before < 0 {
		return errors.New("give back: there is no program before this one")
	}
	env := append(os.Environ(), handoverVariable(int(h.State.Fd()), -1, h.Signals))
	return syscall.Exec("/proc/self/fd/"+strconv.Itoa(h.before), os.Args, env)
}

// Close releases what is not needed any more when everything was taken over.
func (h *Handover) Close() {
	h.State.Close()
	if h.before >= 0 {
		syscall.Close(h.before)
	}
}

func handoverVariable(state, before int, signals []syscall.Signal) string {
	value := strconv.Itoa(state) + " " + strconv.Itoa(before)
	for _, s := range signals {
		value += " " + strconv.Itoa(int(s))
	}
	return stateVariable + "=" + value
}

// Checking reports whether this program was started to say whether it
// understands a state, which is its standard input then, and what the answer
// begins with. Call it once, first thing in main.
func Checking() (prefix string, ok bool) {
	prefix, ok = os.LookupEnv(checkVariable)
	os.Unsetenv(checkVariable)
	return prefix, ok
}

// CheckEnv returns the environment of a program that is asked, which begins its
// answer with prefix.
func CheckEnv(prefix string) []string { return append(os.Environ(), checkVariable+"="+prefix) }

// Answer returns what a program says that agrees.
func Answer(prefix, version string) string { return prefix + " " + version }

// Agrees returns the version that an answer tells, if it is one to that prefix:
// that a program ends well says nothing by itself.
func Agrees(answer, prefix string) (version string, ok bool) {
	return strings.CutPrefix(answer, prefix+" ")
}
