package ctl

import (
	"context"
	"io"
	"strings"
	"unicode/utf8"

	"golang.org/x/sys/unix"
)

// The keys that the simple editor knows.
const (
	keyCtrlC     = 0x03
	keyCtrlD     = 0x04
	keyBackspace = 0x08
	keyTab       = 0x09
	keyCtrlU     = 0x15
	keyCtrlW     = 0x17
	keyEscape    = 0x1b
	keyDelete    = 0x7f
)

// dumbEditor reads lines on a terminal that can do no more than show
// characters and move back by one: no history, but completion.
type dumbEditor struct {
	c      *Controller
	prompt string
	// command is whether the line is completed.
	command bool
	line    []rune
	// echo is whether characters are shown. They are not if the terminal was
	// set up so, as programs do that show what is typed themselves.
	echo bool
	// partial is the start of a character, escape that of a key's sequence.
	partial, escape []byte
}

// readLine implements lineReader.
func (e *dumbEditor) readLine(ctx context.Context, prompt string, command bool) (string, error) {
	e.prompt, e.command, e.line, e.partial, e.escape = prompt, command, nil, nil, nil
	ctx, release := catchSignals(ctx)
	restore, err := changeTermios(e.c.in.fd, func(t *unix.Termios) {
		e.echo = t.Lflag&unix.ECHO != 0
		t.Lflag &^= unix.ECHO | unix.ICANON
		t.Cc[unix.VMIN], t.Cc[unix.VTIME] = 1, 0
	})
	if err != nil {
		return "", release(err)
	}
	e.write(prompt)
	err = e.edit(ctx)
	restore()
	if err = release(err); err != nil {
		e.write("\n")
		return "", err
	}
	if e.echo {
		e.write("\n")
	}
	return string(e.line), nil
}

// edit handles keys until the line is complete.
func (e *dumbEditor) edit(ctx context.Context) error {
	var keys [256]byte
	for {
		n, err := e.c.in.readKeys(ctx, keys[:])
		if err != nil {
			return err
		}
		for _, b := range keys[:n] {
			if done, err := e.key(ctx, b); done || err != nil {
				return err
			}
		}
	}
}

// key handles one byte of input.
func (e *dumbEditor) key(ctx context.Context, b byte) (done bool, err error) {
	switch {
	case len(e.escape) > 0:
		e.escapeKey(b)
	case b == '\r' || b == '\n':
		return true, nil
	case b == keyCtrlC:
		return false, errInterrupted
	case b == keyCtrlD:
		if len(e.line) == 0 {
			return false, io.EOF
		}
	case b == keyTab:
		e.complete(ctx)
	case b == keyBackspace || b == keyDelete:
		e.erase(1)
	case b == keyCtrlU:
		e.erase(len(e.line))
	case b == keyCtrlW:
		before := strings.TrimRight(string(e.line), " ")
		e.erase(len(e.line) - utf8.RuneCountInString(before[:strings.LastIndexByte(before, ' ')+1]))
	case b == keyEscape:
		e.escape = []byte{b}
	case b >= ' ':
		e.partial = append(e.partial, b)
		if utf8.FullRune(e.partial) {
			r, _ := utf8.DecodeRune(e.partial)
			e.partial = nil
			e.insert(string(r))
		}
	}
	return false, nil
}

// escapeKey swallows the sequence that a key like an arrow sends: an escape
// and a character, or with "[" or "O" up to a letter or "~".
func (e *dumbEditor) escapeKey(b byte) {
	e.escape = append(e.escape, b)
	introduced := e.escape[1] == '[' || e.escape[1] == 'O'
	if !introduced || len(e.escape) > 2 && (b >= '@' && b <= '~') || len(e.escape) > maxSequence {
		e.escape = nil
	}
}

// insert adds text to the line.
func (e *dumbEditor) insert(text string) {
	if len(e.line)+len(text) > maxLine {
		return
	}
	e.line = append(e.line, []rune(text)...)
	if e.echo {
		e.write(visible(text))
	}
}

// erase removes characters from the end of the line.
func (e *dumbEditor) erase(n int) {
	n = min(n, len(e.line))
	e.line = e.line[:len(e.line)-n]
	if e.echo {
		e.write(strings.Repeat("\b \b", n))
	}
}

// complete completes the last word as far as it can, or lists what it can be.
func (e *dumbEditor) complete(ctx context.Context) {
	if !e.command {
		e.write("\a")
		return
	}
	list, word := e.c.Complete(ctx, string(e.line))
	if len(list) == 1 {
		e.insert(strings.TrimPrefix(list[0].Word, word) + " ")
		return
	}
	if shared := strings.TrimPrefix(commonPrefix(list), word); shared != "" {
		e.insert(shared)
		return
	}
	if len(list) == 0 {
		e.write("\a")
		return
	}
	words := make([]string, len(list))
	for i, x := range list {
		words[i] = visible(x.Word)
	}
	width := terminalWidth(e.c.in.fd)
	if width <= 0 {
		width = tableWidth + 1
	}
	e.write("\n" + strings.Join(columns(words, width-1), "\n") + "\n" + e.prompt + visible(string(e.line)))
}

func (e *dumbEditor) write(text string) {
	e.c.out.WriteString(text)
	e.c.flush()
}
