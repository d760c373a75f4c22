package ctl

import (
	"bufio"
	"context"
	"errors"
	"flag"
	"io"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"unicode/utf8"

	"supervisord/internal/api"
)

func TestSplitLine(t *testing.T) {
	for _, test := range []struct{ line, name, arg, whole string }{
		{"", "", "", ""},
		{"  \t ", "", "", ""},
		{" status  a b ", "status", "a b", "status  a b"},
		{"tail-f x", "tail", "-f x", "tail-f x"},
		{"start:x", "start", ":x", "start:x"},
		{"?stop", "help", "stop", "help stop"},
		{"?", "help", "", "help "},
		{"!ls", "", "", "!ls"},
		{"-s", "", "-s", "-s"},
		{"naïve", "na", "ïve", "naïve"},
		{"status\u00a0x", "status", "x", "status\u00a0x"},
	} {
		name, arg, whole := splitLine(test.line)
		if name != test.name || arg != test.arg || whole != test.whole {
			t.Errorf("splitLine(%q) = %q, %q, %q", test.line, name, arg, whole)
		}
	}
}

func FuzzSplitLine(f *testing.F) {
	for _, seed := range []string{"status x", "?", "!x", "tail -f\x00", "\xff", "  _a1-b  "} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, line string) {
		name, arg, whole := splitLine(line)
		if name+arg == "" {
			return
		}
		if !strings.HasPrefix(whole, name) || !strings.HasSuffix(whole, arg) {
			t.Fatalf("%q is split into %q and %q of %q", line, name, arg, whole)
		}
	})
}

func TestColumns(t *testing.T) {
	for _, test := range []struct {
		words string
		width int
		want  []string
	}{
		{"one", 79, []string{"one"}},
		{"a b c", 79, []string{"a  b  c"}},
		{"aa b cc d e", 7, []string{"aa  d", "b   e", "cc"}},
		{"aa b cc d e", 9, []string{"aa  cc  e", "b   d "}},
		{"toolong b", 3, []string{"toolong", "b      "}},
		{"é b", 4, []string{"é  b"}},
	} {
		if got := columns(strings.Fields(test.words), test.width); !slices.Equal(got, test.want) {
			t.Errorf("columns(%s, %d) = %q, want %q", test.words, test.width, got, test.want)
		}
	}
}

func TestHelpTable(t *testing.T) {
	const want = `
default commands (type help <topic>):
=====================================
add    exit      open  reload  restart   start   tail   
avail  fg        pid   remove  shutdown  status  update 
clear  maintail  quit  reread  signal    stop    version


additional commands (type help <topic>):
========================================
diff  mainrotate  rotate  upgrade

`
	var s testSettings
	if got := s.run(t, "", "help"); got.Out != want || got.Exit != 0 {
		t.Errorf("help: %+v", got)
	}
	if !slices.IsSortedFunc(Actions(), func(a, b *Action) int { return strings.Compare(a.Name, b.Name) }) {
		t.Error("the actions are not sorted")
	}
	for _, a := range Actions() {
		if got := s.run(t, "", "help", a.Name); got.Out != a.Usage()+"\n" || a.Usage() == "" {
			t.Errorf("help %s: %q", a.Name, got.Out)
		}
	}
	for _, line := range []string{"help nope", "help EOF", "help status x"} {
		if got := s.run(t, "", line); got.Out != "*** No help on "+line[len("help "):]+"\n" {
			t.Errorf("%s: %q", line, got.Out)
		}
	}
}

func TestVisible(t *testing.T) {
	for text, want := range map[string]string{
		"plain\ttext\n":  "plain\ttext\n",
		"\x1b[31m\x07\r": "^[[31m^G^M",
		"\x7f\u009b":     "^?\uFFFD",
		"bad \xff":       "bad \uFFFD",
		"naïve 日本":       "naïve 日本",
	} {
		if got := visible(text); got != want {
			t.Errorf("visible(%q) = %q, want %q", text, got, want)
		}
	}
}

func filtered(chunks ...string) string {
	var b strings.Builder
	f := &logFilter{w: &b}
	for _, c := range chunks {
		io.WriteString(f, c)
	}
	return b.String()
}

func TestLogFilter(t *testing.T) {
	for text, want := range map[string]string{
		"a\r\n\tb\x08":                          "a\r\n\tb\x08",
		"\x1b[1;31mred\x1b[0m\x1b[K":            "\x1b[1;31mred\x1b[0m\x1b[K",
		"\x1b[2J\x1b]0;title\x07":               "^[[2J^[]0;title^G",
		"\x1b[\x1b[m":                           "^[[\x1b[m",
		"\x1b[" + strings.Repeat("1", 80) + "m": "^[[" + strings.Repeat("1", 80) + "m",
		"\u009b31m \xff é":                      "\uFFFD31m \uFFFD é",
	} {
		if got := filtered(text); got != want {
			t.Errorf("%q is shown as %q, want %q", text, got, want)
		}
	}
}

// FuzzLogFilter checks that it does not matter where text is split, and that
// nothing comes out that a terminal obeys but colours.
func FuzzLogFilter(f *testing.F) {
	for _, seed := range []string{"\x1b[1;31mred\x1b[0m", "\x1b]0;x\x07", "日本\xff", "\x1b[1\x1b[K", "\u009b"} {
		f.Add([]byte(seed), 3)
	}
	f.Fuzz(func(t *testing.T, text []byte, at int) {
		text = append(text, "\nend\n"...)
		at = min(max(at, 0), len(text))
		whole := filtered(string(text))
		if split := filtered(string(text[:at]), string(text[at:])); split != whole {
			t.Fatalf("%q split at %d is shown as %q, whole as %q", text, at, split, whole)
		}
		rest := whole
		for rest != "" {
			if n, ok := sequence([]byte(rest)); ok {
				rest = rest[n:]
				continue
			}
			r, size := utf8.DecodeRuneInString(rest)
			if obeyed(r) && r != '\r' || r == utf8.RuneError && size == 1 {
				t.Fatalf("%q is shown as %q", text, whole)
			}
			rest = rest[size:]
		}
	})
}

func TestInput(t *testing.T) {
	r, w, err := os.Pipe()
	if err != nil {
		t.Fatal(err)
	}
	defer r.Close()
	in := newInput(int(r.Fd()))
	io.WriteString(w, "one\ntwo\r\nthree\r\n\nlast")
	w.Close()
	for _, want := range []string{"one", "two", "three", "", "last"} {
		if got, err := in.readLine(t.Context()); got != want || err != nil {
			t.Errorf("readLine = %q, %v, want %q", got, err, want)
		}
	}
	for range 2 {
		if _, err := in.readLine(t.Context()); err != io.EOF {
			t.Errorf("error %v at the end", err)
		}
	}
}

func TestInputKeysLeaveTheNextLine(t *testing.T) {
	r, w, err := os.Pipe()
	if err != nil {
		t.Fatal(err)
	}
	defer r.Close()
	defer w.Close()
	in := newInput(int(r.Fd()))
	io.WriteString(w, "fg cat\rtyped ahead\r")
	keys := make([]byte, 100)
	n, err := in.readKeys(t.Context(), keys)
	if string(keys[:n]) != "fg cat\r" || err != nil {
		t.Errorf("readKeys = %q, %v", keys[:n], err)
	}
	if line, err := in.readLine(t.Context()); line != "typed ahead" || err != nil {
		t.Errorf("readLine = %q, %v", line, err)
	}
}

func TestInputEndsWithContext(t *testing.T) {
	r, w, err := os.Pipe()
	if err != nil {
		t.Fatal(err)
	}
	defer r.Close()
	defer w.Close()
	in := newInput(int(r.Fd()))
	ctx, cancel := context.WithCancel(t.Context())
	done := make(chan error)
	go func() {
		_, err := in.readLine(ctx)
		done <- err
	}()
	cancel()
	if err := <-done; !errors.Is(err, context.Canceled) {
		t.Errorf("error %v", err)
	}
	io.WriteString(w, "still there\n")
	if line, err := in.readLine(t.Context()); line != "still there" || err != nil {
		t.Errorf("readLine = %q, %v", line, err)
	}
}

func TestInputHasALimit(t *testing.T) {
	r, w, err := os.Pipe()
	if err != nil {
		t.Fatal(err)
	}
	defer r.Close()
	go func() {
		defer w.Close()
		b := bufio.NewWriter(w)
		for range maxLine + 10000 {
			b.WriteByte('x')
		}
		b.Flush()
	}()
	if _, err := newInput(int(r.Fd())).readLine(t.Context()); !errors.Is(err, errLongLine) {
		t.Errorf("error %v", err)
	}
}

func TestHistoryFile(t *testing.T) {
	path := filepath.Join(t.TempDir(), "history")
	old := "_HiStOrY_V2_\n\n  padded  \n" + strings.Repeat("line\nother\n", historyLimit)
	if err := os.WriteFile(path, []byte(old), 0o644); err != nil {
		t.Fatal(err)
	}
	h := openHistory(path)
	if len(h.lines) != historyLimit || h.last != "other" {
		t.Errorf("%d lines are kept, the last is %q", len(h.lines), h.last)
	}
	h.add("other")
	h.add(" ")
	h.add("new")
	again := openHistory(path)
	if n := len(again.lines); n != historyLimit || again.lines[n-1] != "new" || again.lines[n-2] != "other" {
		t.Errorf("%d lines, the last %q", n, again.lines[n-2:])
	}
	if info, err := os.Stat(path); err != nil || info.Mode().Perm() != 0o600 {
		t.Errorf("mode %v, %v", info.Mode(), err)
	}
	none := openHistory(filepath.Join(path, "no", "directory"))
	none.add("x") // must not fail
	openHistory("").add("x")
}

func TestComplete(t *testing.T) {
	f := newFake(t, someProcesses)
	c := New(Settings{ServerURL: f.settings.ServerURL}, os.Stdin, os.Stdout, os.Stderr)
	for _, test := range []struct{ line, word, want string }{
		{"re", "re", "reload remove reread restart"},
		{"help st", "st", "start status stop"},
		{"stop ", "", "cat grp:a grp:* grp:b"},
		{"stop cat g", "g", "grp:a grp:* grp:b"},
		{"stop grp:", "grp:", "grp:a grp:* grp:b"},
		{"status cat:", "cat:", "cat:cat cat:*"},
		{"signal ", "", "cat grp:a grp:* grp:b"},
		{"add ", "", "cat grp"},
		{"update c", "c", "cat"},
		{"reload ", "", ""},
		{"bogus x", "x", ""},
	} {
		list, word := c.Complete(t.Context(), test.line)
		var words []string
		for _, x := range list {
			words = append(words, x.Word)
		}
		if got := strings.Join(words, " "); got != test.want || word != test.word {
			t.Errorf("Complete(%q) = %q, %q; want %q, %q", test.line, got, word, test.want, test.word)
		}
	}
	if list, _ := c.Complete(t.Context(), ""); len(list) != len(Actions()) {
		t.Errorf("an empty line completes to %v", list)
	}
	if n := len(f.called()); n != 1 {
		t.Errorf("%d calls for one line", n)
	}
	down := New(Settings{ServerURL: "http://127.0.0.1:1"}, os.Stdin, os.Stdout, os.Stderr)
	if list, _ := down.Complete(t.Context(), "stop "); len(list) != 0 {
		t.Errorf("without a daemon: %v", list)
	}
}

func TestCompleteArgument(t *testing.T) {
	f := newFake(t, someProcesses)
	c := New(Settings{ServerURL: f.settings.ServerURL}, os.Stdin, os.Stdout, os.Stderr)
	for _, test := range []struct {
		action, args, word, want string
	}{
		{"signal", "", "US", "USR1 USR2"},
		{"signal", "HUP", "c", "cat"},
		{"tail", "", "-", "-f"},
		{"status", "", "--", "--json"},
		{"status", "cat", "--", ""},
		{"remove", "", "", "cat grp"},
	} {
		var words []string
		for _, x := range c.CompleteArgument(t.Context(), findAction(test.action), strings.Fields(test.args), test.word) {
			words = append(words, x.Word)
		}
		if got := strings.Join(words, " "); got != test.want {
			t.Errorf("%s %s %s: %q, want %q", test.action, test.args, test.word, got, test.want)
		}
	}
	list := c.CompleteArgument(t.Context(), findAction("stop"), nil, "cat")
	if want := (Candidate{"cat", "RUNNING pid 4242, uptime 0:00:07"}); len(list) != 1 || list[0] != want {
		t.Errorf("stop cat: %v", list)
	}
}

func TestJSON(t *testing.T) {
	f := newFake(t, func(method string, params []any) any {
		switch method {
		case "supervisor.getAllConfigInfo":
			return []any{[]member{{"name", "a"}, {"group", "g"}, {"inuse", true}, {"autostart", false},
				{"group_prio", 1}, {"process_prio", 999}}}
		case "supervisor.getSupervisorVersion":
			return "4.3.0"
		case "supervisor.getIdentification":
			return "super<visor>"
		case "supervisord.diffConfig":
			return groupChanges
		}
		return someProcesses(method, params)
	})
	for _, test := range []struct {
		line string
		exit int
	}{
		{"status --json", 3}, {"status --json cat", 0}, {"status nope --json", 4}, {"avail --json", 0}, {"version --json", 0}, {"diff --json", 1},
	} {
		got := f.settings.run(t, "", strings.Fields(test.line)...)
		golden(t, strings.ReplaceAll(test.line, " ", "_")+".json", got.Out)
		wantErr := ""
		if strings.Contains(test.line, "nope") {
			wantErr = "nope: ERROR (no such process)\n"
		}
		if got.Exit != test.exit || got.Err != wantErr {
			t.Errorf("%s: exit %d, stderr %q", test.line, got.Exit, got.Err)
		}
	}
	stopped := newFake(t, func(method string, _ []any) any {
		if method == "supervisor.getAllConfigInfo" {
			return api.NewFault(api.ShutdownState)
		}
		return nil
	})
	if got := stopped.settings.run(t, "", "avail", "--json"); got.Out != "" || got.Err != "ERROR: supervisor shutting down\n" || got.Exit != 1 {
		t.Errorf("avail of a daemon that ends: %+v", got)
	}
	down := testSettings{ServerURL: "http://127.0.0.1:1"}
	for line, want := range map[string]string{
		"status":  "http://127.0.0.1:1 refused connection\n",
		"version": "http://127.0.0.1:1 refused connection\n",
		"avail":   "error: <class 'ConnectionRefusedError'>, [Errno 111] Connection refused\n",
	} {
		if got := down.run(t, "", line, "--json"); got.Out != "" || got.Err != want {
			t.Errorf("%s --json without a daemon: %+v", line, got)
		}
	}
}

var update = flag.Bool("update", false, "write the golden files anew")

// golden compares text with a file in testdata.
func golden(t *testing.T, name, got string) {
	t.Helper()
	path := filepath.Join("testdata", name)
	if *update {
		if err := os.WriteFile(path, []byte(got), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	want, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	if got != string(want) {
		t.Errorf("%s:\n%s\nwant\n%s", name, got, want)
	}
}
