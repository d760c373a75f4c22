package childlog

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"golang.org/x/sys/unix"

	"supervisord/internal/api"
	"supervisord/internal/capture"
	"supervisord/internal/testenv"
)

// TestStateKnowsEveryField fails when something is added to a Pump or a Log that
// an upgrade would lose.
func TestStateKnowsEveryField(t *testing.T) {
	const advice = "save it in State or Freeze and restore it in ResumePump or ResumeLog"
	testenv.KnowsFields(t, Pump{}, "fd out grown eager"+
		" | watch line ended serve eof last quiet looks timer mu running again drained closing over settled keeps tail pausing paused heard", advice)
	testenv.KnowsFields(t, output{}, "strip scan lines tail | o plain emit spool batch", advice)
	testenv.KnowsFields(t, tail{}, "kept cut inFile written |", advice)
	testenv.KnowsFields(t, Log{}, "file syslog | o", advice)
	testenv.KnowsFields(t, lineSender{}, "partial | send tag mu line", advice)
	testenv.KnowsFields(t, capture.Stripper{}, "Inside Held |", advice)
	testenv.KnowsFields(t, capture.Scanner{}, "MaxBytes Capturing Matched Buffer |", advice)
}

// TestPause cuts output into single bytes and has another pump go on after each:
// the result is that of one pump and one piece.
func TestPause(t *testing.T) {
	text := "\x1b[1mone\x1b[0m\n" + capture.BeginTag + "captured" + capture.EndTag + "two\nthree"
	for _, format := range []api.LogFormat{api.FormatRaw, api.FormatText} {
		t.Run(format.String(), func(t *testing.T) {
			path := filepath.Join(t.TempDir(), "log")
			log := NewLog(LogOptions{Path: path})
			r := new(recorder)
			fd, program := newPipe(t)
			o := PumpOptions{FD: fd, Log: log, ProcessName: "p", GroupName: "p", StripANSI: true, Tail: true,
				CaptureMaxBytes: 100, Events: true, Format: format, Sink: r}
			p := Start(o)
			for i := range len(text) {
				if _, err := program.Write([]byte{text[i]}); err != nil {
					t.Fatal(err)
				}
				// Some bytes are read before, some after.
				stopped := make(chan struct{})
				p.Pause(func() { close(stopped) })
				<-stopped
				s, ok := p.State()
				if !ok {
					t.Fatal("the pump has ended")
				}
				if i%3 == 0 {
					p.Resume() // Nothing came of it.
					continue
				}
				fd, err := unix.Dup(s.FD)
				if err != nil {
					t.Fatal(err)
				}
				s.FD = fd
				// The one before is left as it is, paused, like one in a
				// program that is no more.
				p = ResumePump(o, s)
			}
			program.Close()
			<-p.Done()
			if got := p.LastWords(); got != "one\ntwo\nthree" && format == api.FormatRaw {
				t.Logf("last words %q", got)
			}
			data, err := os.ReadFile(path)
			if err != nil {
				t.Fatal(err)
			}
			got := string(data)
			if format != api.FormatRaw {
				var lines []string
				for line := range strings.Lines(got) {
					_, line, _ = strings.Cut(strings.TrimSuffix(line, "\n"), " stdout ")
					lines = append(lines, line)
				}
				got = strings.Join(lines, "\n")
			}
			want := map[api.LogFormat]string{api.FormatRaw: "one\ntwo\nthree", api.FormatText: "| one\n| two\n+ three"}[format]
			if got != want {
				t.Errorf("log %q, want %q", got, want)
			}
			if all := r.all(); strings.Count(all, "captured captured") != 1 {
				t.Errorf("events %q", all)
			}
		})
	}
}
