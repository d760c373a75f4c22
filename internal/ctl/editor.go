package ctl

import (
	"bytes"
	"context"
	"errors"
	"os"
	"os/signal"
	"strings"
	"syscall"

	"github.com/chzyer/readline"
	"golang.org/x/sys/unix"
)

// newLineReader returns the reader that suits the terminal, if there is one:
// an editor on a terminal that can move its cursor, a simple one on a terminal
// that cannot, and none otherwise.
func (c *Controller) newLineReader() lineReader {
	if !c.in.isTerminal() || !c.outTTY {
		return plainReader{c}
	}
	if term := os.Getenv("TERM"); term == "" || term == "dumb" {
		return &dumbEditor{c: c}
	}
	return newEditor(c)
}

// editor reads lines with the keys, the completion and the history of
// readline, which runs goroutines of its own. They touch the Controller only
// while the goroutine that owns it waits in readLine.
type editor struct {
	c       *Controller
	rl      *readline.Instance
	history *history
	// ctx, prompt and command are those of the current readLine.
	ctx     context.Context
	prompt  string
	command bool
	restore func()
}

func newEditor(c *Controller) lineReader {
	e := &editor{c: c, history: openHistory(c.set.HistoryFile), ctx: context.Background()}
	rl, err := readline.NewEx(&readline.Config{
		AutoComplete:           e,
		DisableAutoSaveHistory: true,
		HistoryLimit:           historyLimit,
		InterruptPrompt:        "\n",
		EOFPrompt:              "\n",
		Stdin:                  e,
		Stdout:                 e,
		Stderr:                 e,
		FuncIsTerminal:         func() bool { return true },
		FuncGetWidth:           e.width,
		FuncMakeRaw:            e.makeRaw,
		FuncExitRaw:            e.exitRaw,
		FuncFilterInputRune:    e.filter,
	})
	if err != nil {
		return &dumbEditor{c: c}
	}
	e.rl = rl
	for _, line := range e.history.lines {
		rl.SaveHistory(line)
	}
	return e
}

// readLine implements lineReader.
func (e *editor) readLine(ctx context.Context, prompt string, command bool) (string, error) {
	e.c.flush()
	ctx, release := catchSignals(ctx)
	e.ctx, e.prompt, e.command = ctx, prompt, command
	e.rl.SetPrompt(prompt)
	line, err := e.rl.Readline()
	if errors.Is(err, readline.ErrInterrupt) {
		err = errInterrupted
	}
	if err = release(err); err != nil {
		return "", err
	}
	if !command {
		e.rl.SaveHistory("") // forgets what was typed
		return trimLineEnd(line), nil
	}
	e.rl.SaveHistory(line)
	e.history.add(line)
	return trimLineEnd(line), nil
}

// Read gives readline the keys that are typed. The end of ctx is given as
// Ctrl-C: readline then leaves its line in the one way in which none of its
// goroutines goes on writing.
func (e *editor) Read(p []byte) (int, error) {
	n, err := e.c.in.readKeys(e.ctx, p)
	if e.ctx.Err() != nil {
		p[0] = readline.CharInterrupt
		return 1, nil
	}
	return n, err
}

// Close is there for readline; the input is not its to close.
func (e *editor) Close() error { return nil }

// width returns the width of the terminal, which readline divides by.
func (e *editor) width() int {
	if w := terminalWidth(e.c.in.fd); w > 0 {
		return w
	}
	return 80
}

// terminalWidth returns the width of a terminal in characters, or 0.
func terminalWidth(fd int) int {
	size, err := unix.IoctlGetWinsize(fd, unix.TIOCGWINSZ)
	if err != nil {
		return 0
	}
	return int(size.Col)
}

func (e *editor) makeRaw() error {
	restore, err := changeTermios(e.c.in.fd, func(t *unix.Termios) {
		t.Iflag &^= unix.IGNBRK | unix.BRKINT | unix.PARMRK | unix.ISTRIP | unix.INLCR | unix.IGNCR | unix.ICRNL | unix.IXON
		t.Lflag &^= unix.ECHO | unix.ECHONL | unix.ICANON | unix.ISIG | unix.IEXTEN
		t.Cflag &^= unix.CSIZE | unix.PARENB
		t.Cflag |= unix.CS8
		t.Cc[unix.VMIN], t.Cc[unix.VTIME] = 1, 0
	})
	if err == nil {
		e.restore = restore
	}
	return err
}

func (e *editor) exitRaw() error {
	if e.restore != nil {
		e.restore()
		e.restore = nil
	}
	return nil
}

// filter sees each key before readline does. Ctrl-Z stops what runs in the
// foreground, as it always does; readline would stop the shell that started it.
// It then gets a key that does nothing: if it is told to ignore one, it reads
// ahead and goes on writing after the line has ended.
func (e *editor) filter(r rune) (rune, bool) {
	if r != readline.CharCtrlZ {
		return r, true
	}
	if signal.Ignored(syscall.SIGTSTP) {
		return readline.CharBell, true
	}
	e.exitRaw()
	// A script that runs this is to be stopped too. It is before the own stop,
	// after which it would be too late.
	if parent := os.Getppid(); sameGroup(parent) {
		syscall.Kill(parent, syscall.SIGTSTP)
	}
	stopSelf()
	e.makeRaw()
	e.rl.Refresh()
	return readline.CharBell, true
}

// sameGroup reports whether a process is in the process group of this one.
func sameGroup(pid int) bool {
	group, err := syscall.Getpgid(pid)
	return err == nil && group == syscall.Getpgrp()
}

// Do implements readline.AutoCompleter: it returns what can follow the word
// before the cursor and the length of that word.
func (e *editor) Do(line []rune, pos int) (suffixes [][]rune, length int) {
	if !e.command {
		return nil, 0
	}
	list, word := e.c.Complete(e.ctx, string(line[:pos]))
	widest := 0
	for _, x := range list {
		widest = max(widest, len(x.Word)+2)
		suffixes = append(suffixes, []rune(visible(strings.TrimPrefix(x.Word, word))+" "))
	}
	length = len([]rune(word))
	if len(list) > 1 && widest >= e.width() {
		// Readline cannot list words that are wider than the screen: only what
		// they share is offered.
		shared := strings.TrimPrefix(commonPrefix(list), word)
		if shared == "" {
			return nil, length
		}
		return [][]rune{[]rune(shared)}, length
	}
	return suffixes, length
}

// Write shows what readline draws. Behind a prompt with no text it puts a blank
// and goes back, which only matters at the edge of the screen; who waits for
// the prompt does not expect it.
func (e *editor) Write(p []byte) (int, error) {
	shown := p
	if bare, ok := bytes.CutSuffix(p, []byte(" \b")); ok && bytes.HasSuffix(bare, []byte(e.prompt)) && len(e.prompt) < e.width() {
		shown = bare
	}
	e.c.out.Write(shown)
	e.c.flush()
	return len(p), nil
}
