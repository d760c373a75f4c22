package ctl

import (
	"fmt"
	"net/http"
	"os"
	"os/signal"
	"path/filepath"
	"strings"
	"syscall"
	"testing"

	"golang.org/x/sys/unix"

	"supervisord/internal/api"
)

func TestShell(t *testing.T) {
	onEach(t, func(t *testing.T, term string) {
		x := newFake(t, someProcesses).settings.onTerminal(t, term)
		x.expect(`cat +RUNNING +pid 4242(.|\n)*` + prompt)
		x.send("pid cat\r")
		x.expect(`4242\r\n` + prompt)
		x.send("naïve 日本\r")
		x.expect(`Unknown syntax: naïve 日本\r\n` + prompt)
		x.send("pid notx\x7fhere\r") // a character is taken back
		x.expect(`No such process nothere\r\n` + prompt)
		x.send("bogus words\x15pid cat\r") // Ctrl-U
		x.expect(`4242\r\n` + prompt)
		x.send("pid bogus \x17cat\r") // Ctrl-W
		x.expect(`4242\r\n` + prompt)
		x.send("quit\r")
		x.exit(0)
		if x.flags()&unix.ECHO == 0 {
			t.Error("the terminal does not echo any more")
		}
	})
}

func TestShellEnds(t *testing.T) {
	for name, keys := range map[string]string{
		"end of input": "\x04", "interrupt": "\x03", "interrupt in a line": "stop ca\x03",
	} {
		onEach(t, func(t *testing.T, term string) {
			f := newFake(t, someProcesses)
			x := f.settings.onTerminal(t, term)
			x.expect(prompt)
			x.send(keys)
			x.exit(0)
			if x.flags()&unix.ECHO == 0 {
				t.Errorf("%s: the terminal does not echo any more", name)
			}
			if !strings.HasSuffix(x.screen(), "\n") {
				t.Errorf("%s: no new line at the end of %q", name, x.screen())
			}
			if calls := f.called(); len(calls) != 3 {
				t.Errorf("%s: calls %v", name, calls)
			}
		})
	}
}

// TestShellStops checks that Ctrl-Z stops and that editing goes on afterwards.
func TestShellStops(t *testing.T) {
	x := newFake(t, someProcesses).settings.onTerminal(t, "xterm")
	x.expect(prompt)
	x.send("pid c\x1a")
	// The group is orphaned, since its leader was started by this test: the
	// kernel drops the signal.
	x.send("at\r")
	x.expect(`4242\r\n` + prompt)
	x.send("\x04")
	x.exit(0)

	y := newFake(t, someProcesses).settings.underScript(t)
	y.expect(prompt)
	y.send("pid c\x1a")
	y.expect("script goes on")
	y.send("go\r")
	y.expect("pid c$")
	y.send("at\r")
	y.expect(`4242\r\n` + prompt)
	y.send("\x04")
	y.exit(0)
}

// TestShellSignals checks that the terminal is as it was after a signal from
// elsewhere.
func TestShellSignals(t *testing.T) {
	// A process started here ignores what this one ignores, as it does under
	// nohup, but not what it waits for.
	caught := make(chan os.Signal, 1)
	signal.Notify(caught, syscall.SIGINT, syscall.SIGTERM, syscall.SIGHUP)
	defer signal.Stop(caught)
	for _, sig := range []syscall.Signal{syscall.SIGINT, syscall.SIGTERM, syscall.SIGHUP} {
		onEach(t, func(t *testing.T, term string) {
			x := newFake(t, someProcesses).settings.onTerminal(t, term)
			x.expect(prompt)
			x.send("half a li")
			x.expect("half a li")
			if err := x.cmd.Process.Signal(sig); err != nil {
				t.Fatal(err)
			}
			x.wait()
			status := x.cmd.ProcessState.Sys().(syscall.WaitStatus)
			if sig == syscall.SIGINT && status.ExitStatus() != 0 || sig != syscall.SIGINT && status.Signal() != sig {
				t.Errorf("after %v: %v; on the screen: %q", sig, x.cmd.ProcessState, x.screen())
			}
			if x.flags()&(unix.ECHO|unix.ICANON) != unix.ECHO|unix.ICANON {
				t.Errorf("after %v the terminal is not as it was", sig)
			}
		})
	}
}

func TestCompletion(t *testing.T) {
	onEach(t, func(t *testing.T, term string) {
		x := newFake(t, someProcesses).settings.onTerminal(t, term)
		x.expect(prompt)
		x.send("reloa\t")
		x.expect(`reload $`)
		x.send("\x15")
		x.send("pid ca\t\r")
		x.expect(`4242\r\n` + prompt)
		x.send("stop grp\t")
		x.expect(`stop grp:$`)
		x.send("\t")
		for _, word := range []string{`grp:a`, `grp:\*`, `grp:b`} {
			x.expect(word + `\s`)
		}
		x.expect(`supervisor> stop grp:$|grp:b\s+$`)
		x.send("\x15")
		x.send("update \t")
		x.expect(`cat`)
		x.expect(`grp`)
		x.send("\x03")
		if term == "xterm" { // leaves the list first
			x.send("\x03")
		}
		x.exit(0)
	})
}

// TestCompletionOnNarrowTerminal checks that words that do not fit are no harm.
func TestCompletionOnNarrowTerminal(t *testing.T) {
	f := newFake(t, func(method string, _ []any) any {
		if method != "supervisor.getAllProcessInfo" {
			return nil
		}
		return []any{info(strings.Repeat("x", 120)+"1", "p", api.Running, ""), info(strings.Repeat("x", 120)+"2", "p", api.Running, "")}
	})
	onEach(t, func(t *testing.T, term string) {
		x := f.settings.onTerminal(t, term)
		x.expect(prompt)
		x.send("stop \t\t\t\x01\x0e\x0e\x05\x15")
		x.send("pid\r")
		x.expect(`UNKNOWN_METHOD(.|\n)*` + prompt)
		x.send("\x04")
		x.exit(0)
	})
}

func TestHistory(t *testing.T) {
	f := newFake(t, someProcesses)
	f.settings.HistoryFile = filepath.Join(t.TempDir(), "history")
	x := f.settings.onTerminal(t, "xterm")
	x.expect(prompt)
	for _, line := range []string{"pid cat", "pid cat", "version"} {
		x.send(line + "\r")
		x.expect(`(4242|UNKNOWN_METHOD.*)\r\n` + prompt)
	}
	x.send("\x1b[A\x1b[A\r") // up, up
	x.expect(`4242\r\n` + prompt)
	x.send("\x04")
	x.exit(0)
	text, err := os.ReadFile(f.settings.HistoryFile)
	if want := "pid cat\nversion\npid cat\n"; string(text) != want || err != nil {
		t.Errorf("history %q, %v; want %q", text, err, want)
	}
	if info, err := os.Stat(f.settings.HistoryFile); err != nil || info.Mode().Perm() != 0o600 {
		t.Errorf("history has mode %v, %v", info.Mode(), err)
	}

	again := f.settings.onTerminal(t, "xterm")
	again.expect(prompt)
	again.send("\x1b[A\x1b[A\r") // version
	again.expect(`UNKNOWN_METHOD`)
	again.expect(prompt)
	again.send("\x12pid\r") // Ctrl-R
	again.expect(`4242\r\n`)
	again.expect(prompt)
	again.send("\x04")
	again.exit(0)
}

func TestPassword(t *testing.T) {
	onEach(t, func(t *testing.T, term string) {
		f := newFake(t, someProcesses)
		f.set(func() { f.user, f.password = "u", "secret" })
		f.settings.Interactive = true
		f.settings.HistoryFile = filepath.Join(t.TempDir(), "history")
		x := f.settings.onTerminal(t, term)
		x.expect(`Server requires authentication\r\n`)
		x.expect(`Username:$`)
		x.send("u\r")
		x.expect(`Password:$`)
		x.send("wrong\r")
		x.expect(`Server requires authentication\r\n`)
		x.expect(`Username:$`)
		x.send("u\r")
		x.expect(`Password:$`)
		x.send("secret\r")
		x.expect(`cat +RUNNING`)
		x.expect(prompt)
		x.send("pid cat\r")
		x.expect(`4242\r\n` + prompt)
		x.send("quit\r")
		x.exit(0)
		if screen := x.screen(); strings.Contains(screen, "wrong") || strings.Contains(screen, "secret") {
			t.Errorf("a password is shown: %q", screen)
		}
		if text, err := os.ReadFile(f.settings.HistoryFile); term != "dumb" && (err != nil || string(text) != "pid cat\nquit\n") {
			t.Errorf("history %q, %v", text, err)
		}
	})
}

func TestInterruptedAction(t *testing.T) {
	arrived, release := make(chan struct{}, 1), make(chan struct{})
	defer close(release)
	f := newFake(t, func(method string, params []any) any {
		if method == "supervisor.stopProcess" {
			arrived <- struct{}{}
			<-release
		}
		return someProcesses(method, params)
	})
	x := f.settings.onTerminal(t, "xterm")
	x.expect(prompt)
	x.send("stop cat\r")
	<-arrived
	x.send("\x03")
	x.exit(0)
}

// logs serves the streams of logs: each text that is sent is shown, and the
// stream ends with the channel.
func logs(streams map[string]chan string) http.HandlerFunc {
	return func(w http.ResponseWriter, r *http.Request) {
		stream, ok := streams[r.URL.Path]
		if !ok {
			w.WriteHeader(http.StatusGone)
			return
		}
		w.(http.Flusher).Flush()
		for {
			select {
			case text, ok := <-stream:
				if !ok {
					return
				}
				fmt.Fprint(w, text)
				w.(http.Flusher).Flush()
			case <-r.Context().Done():
				return
			}
		}
	}
}

func TestFollow(t *testing.T) {
	onEach(t, func(t *testing.T, term string) {
		f := newFake(t, someProcesses)
		stream := make(chan string)
		f.set(func() { f.onGet = logs(map[string]chan string{"/logtail/cat/stdout": stream, "/mainlogtail": stream}) })
		x := f.settings.onTerminal(t, term)
		x.expect(prompt)
		for _, line := range []string{"tail -f cat", "maintail -f"} {
			x.send(line + "\r")
			x.expect(`==> Press Ctrl-C to exit <==\r\n`)
			stream <- "one\n"
			x.expect(`one\r\n`)
			stream <- "two\n"
			x.expect(`two\r\n`)
			x.send("\x03")
			x.expect(prompt)
		}
		x.send("tail -f nope\r")
		x.expect(`logtail/nope/stdout Cannot read, status code 410\r\n` + prompt)
		x.send("\x04")
		x.exit(0)

		once := f.settings.onTerminal(t, term, "tail", "-f", "cat")
		once.expect(`==> Press Ctrl-C to exit <==\r\n`)
		stream <- "three\n"
		once.expect(`three\r\n`)
		once.send("\x03")
		once.exit(0)

		ends := f.settings.onTerminal(t, term, "maintail", "-f")
		ends.expect(`==> Press Ctrl-C to exit <==\r\n`)
		stream <- "four\n"
		ends.expect(`four\r\n`)
		close(stream)
		ends.exit(0)
	})
}

// talkative answers for a process that repeats its input and can die.
type talkative struct {
	out, main chan string
	state     api.ProcessState
}

func (p *talkative) answer(method string, params []any) any {
	switch method {
	case "supervisor.sendProcessStdin":
		if p.state != api.Running {
			return api.NewFault(api.NotRunning, "cat")
		}
		go func() { p.out <- "echo " + params[1].(string) }()
		return true
	case "supervisor.getProcessInfo":
		return info("cat", "cat", p.state, "")
	case "supervisor.getAllProcessInfo":
		return []any{info("cat", "cat", p.state, "")}
	}
	return nil
}

func startTalkative(t *testing.T) (*fake, *talkative) {
	p := &talkative{out: make(chan string), main: make(chan string), state: api.Running}
	f := newFake(t, p.answer)
	f.set(func() {
		f.onGet = logs(map[string]chan string{"/logtail/cat/stdout": p.out, "/logtail/cat/stderr": nil, "/mainlogtail": p.main})
	})
	return f, p
}

func TestForeground(t *testing.T) {
	onEach(t, func(t *testing.T, term string) {
		f, p := startTalkative(t)
		x := f.settings.onTerminal(t, term)
		x.expect(prompt)
		x.send("fg cat\r")
		x.expect(`==> Press Ctrl-C to exit <==\r\n`)
		x.send("naïve\r")
		x.expect(`echo naïve\r\n`)
		x.send("\x03")
		x.expect(`Exiting foreground\r\n`)
		x.expect(prompt)
		x.send("fg cat\r")
		x.expect(`==> Press Ctrl-C to exit <==\r\n`)
		f.set(func() { p.state = api.Exited })
		x.send("too late\r")
		x.expect(`Process got killed\r\nExiting foreground\r\n`)
		x.expect(prompt)
		x.send("fg cat\r")
		x.expect(`ERROR: process not running\r\n` + prompt)
		x.send("\x04")
		x.exit(0)
	})
}

// TestForegroundDeath checks that a death shows without a line being typed.
func TestForegroundDeath(t *testing.T) {
	f, p := startTalkative(t)
	x := f.settings.onTerminal(t, "xterm", "fg", "cat")
	x.expect(`==> Press Ctrl-C to exit <==\r\n`)
	p.main <- "INFO exited: other (exit status 0; expected)\n"
	p.main <- "INFO success: cat entered RUNNING state\n"
	f.set(func() { p.state = api.Exited })
	p.main <- "INFO exited: cat (exit status 0; expected)\n"
	x.expect(`Process got killed\r\nExiting foreground\r\n`)
	x.exit(0)
}

func TestForegroundEndOfInput(t *testing.T) {
	f, _ := startTalkative(t)
	if got := f.settings.run(t, "", "fg", "cat"); got.Out != followBanner+"\nExiting foreground\n" || got.Exit != 0 {
		t.Errorf("fg without input: %+v", got)
	}
	for line, want := range map[string]string{
		"fg":     "ERROR: no process name supplied\n" + helpFg + "\n",
		"fg a b": "ERROR: too many process names supplied\n",
	} {
		if got := f.settings.run(t, "", line); got.Out != want || got.Exit != 1 {
			t.Errorf("%s: %+v", line, got)
		}
	}
	missing := newFake(t, someProcesses)
	if got := missing.settings.run(t, "", "fg", "nope"); got.Out != "ERROR: bad process name supplied\n" || got.Exit != 1 {
		t.Errorf("fg of no process: %+v", got)
	}
}

func TestColours(t *testing.T) {
	f := newFake(t, func(method string, _ []any) any {
		if method != "supervisor.getAllProcessInfo" {
			return nil
		}
		return []any{info("cat", "cat", api.Running, "title \u009b2J\x7f"), info("dog", "dog", api.Fatal, "")}
	})
	x := f.settings.onTerminal(t, "xterm", "status")
	x.exit(3)
	x.expect(`cat +RUNNING +title \x{FFFD}2J\^\?\r\n`)
	if screen := x.screen(); !strings.Contains(screen, "\x1b[32mRUNNING\x1b[0m   title") || !strings.Contains(screen, "\x1b[31mFATAL\x1b[0m") {
		t.Errorf("states are not coloured: %q", screen)
	}
	plain := f.settings.onTerminal(t, "dumb", "status")
	plain.exit(3)
	plain.expect(`cat +RUNNING   title \x{FFFD}2J\^\?\r\n`)
	if strings.Contains(plain.screen(), "\x1b") {
		t.Errorf("control sequences on a dumb terminal: %q", plain.screen())
	}
}

func TestAdvice(t *testing.T) {
	dir := t.TempDir()
	s := testSettings{ServerURL: "unix://" + dir + "/s", ConfigFile: "/etc/x.conf", Pidfile: dir + "/pid"}
	tried := `no such file\r\nsupervisorctl: configuration read from /etc/x\.conf, tried unix://\S+/s, `
	x := s.onTerminal(t, "xterm", "status")
	x.exit(4)
	x.expect(tried + `no pidfile \S+/pid: supervisord does not seem to run\r\n`)
	if err := os.WriteFile(s.Pidfile, fmt.Appendf(nil, "%d\n", os.Getpid()), 0o600); err != nil {
		t.Fatal(err)
	}
	x = s.onTerminal(t, "xterm", "start", "x")
	x.exit(7)
	x.expect(tried + fmt.Sprintf(`pidfile \S+/pid names process %d, which is alive\r\n`, os.Getpid()))
	// There is no advice without a terminal: see TestNoDaemon.
}
