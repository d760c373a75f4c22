//go:build linux

package childlog

import (
	"fmt"
	"math/rand/v2"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"supervisord/internal/api"
	"supervisord/internal/logfile"
)

// A spoolRig is an output whose program is killed and started again.
type spoolRig struct {
	t         *testing.T
	o         PumpOptions
	log, file string
	out       *output
	pipe      int
	w         *os.File
	told      recorder
}

func newSpoolRig(t *testing.T, o PumpOptions) *spoolRig {
	dir := t.TempDir()
	r := &spoolRig{t: t, o: o, log: filepath.Join(dir, "log"), file: filepath.Join(dir, "spool")}
	r.pipe, r.w = newPipe(t)
	r.start()
	return r
}

// start makes the output of the next life.
func (r *spoolRig) start() {
	f, err := os.OpenFile(r.file, os.O_RDWR|os.O_CREATE, 0o600)
	if err != nil {
		r.t.Fatal(err)
	}
	r.t.Cleanup(func() { f.Close() })
	l := NewLog(LogOptions{Path: r.log, Rotate: logfile.Options{MaxBytes: 5000, Backups: 100}})
	r.t.Cleanup(func() { l.Close() })
	o := r.o
	o.Log, o.Spool, o.Sink = l, f, &r.told
	r.out = newOutput(o)
	r.out.recover()
}

// The moments at which the program is killed.
const (
	afterFill = iota
	inWrite
	afterWrite
	never
)

// take takes a piece of output up to the moment.
func (r *spoolRig) take(piece string, moment int, random *rand.Rand) {
	if _, err := r.w.WriteString(piece); err != nil {
		r.t.Fatal(err)
	}
	b := make([]byte, headroom+bufferSize)
	n, err := r.out.spool.fill(r.pipe, b[headroom:])
	if err != nil || n != len(piece) {
		r.t.Fatal(n, err)
	}
	if moment == afterFill {
		return
	}
	r.out.take(b[headroom-1 : headroom+n])
	if moment == never || len(r.out.batch) == 0 {
		r.out.commit()
		return
	}
	written := len(r.out.batch)
	if moment == inWrite {
		written = random.IntN(written)
	}
	r.out.o.Log.file.WriteNoted(nil, r.out.spool.begin, func() {})
	f, err := os.OpenFile(r.log, os.O_WRONLY|os.O_APPEND, 0)
	if err != nil {
		r.t.Fatal(err)
	}
	defer f.Close()
	if _, err := f.Write(r.out.batch[:written]); err != nil {
		r.t.Fatal(err)
	}
}

// text is what is in the log and its backups.
func (r *spoolRig) text() string {
	text := contents(r.t, r.log)
	for n := 1; ; n++ {
		older, err := os.ReadFile(fmt.Sprintf("%s.%d", r.log, n))
		if err != nil {
			return times.ReplaceAllString(text, "T")
		}
		text = string(older) + text
	}
}

// TestSpool kills the program at every moment, again and again. What is in the
// log is what is there if it is not killed.
func TestSpool(t *testing.T) {
	for name, o := range map[string]PumpOptions{
		"text":    {Format: api.FormatText},
		"json":    {Format: api.FormatJSON},
		"strip":   {StripANSI: true},
		"capture": {CaptureMaxBytes: 1000},
		"all":     {Format: api.FormatJSON, StripANSI: true, CaptureMaxBytes: 1000},
	} {
		o.Whole, o.ProcessName, o.GroupName, o.PID = true, "p", "p", 1
		if !o.NeedsSpool() && o.CaptureMaxBytes == 0 {
			o.Log = NewLog(LogOptions{Path: "somewhere"})
			if !o.NeedsSpool() {
				t.Errorf("%s needs no spool", name)
			}
		}
		t.Run(name, func(t *testing.T) {
			seed := rand.Uint64()
			t.Logf("seed %d", seed)
			random := rand.New(rand.NewPCG(seed, 0))
			killed, whole := newSpoolRig(t, o), newSpoolRig(t, o)
			var pending strings.Builder
			for i := range 1000 {
				fmt.Fprintf(&pending, "line \x1b[1m%d\x1b[0m\n", i)
				if i%10 == 0 {
					fmt.Fprintf(&pending, "<!--XSUPERVISOR:BEGIN-->message %d<!--XSUPERVISOR:END-->", i)
				}
			}
			kills := 0
			for text := pending.String(); text != ""; {
				n := min(1+random.IntN(300), len(text))
				moment := random.IntN(never + 1)
				killed.take(text[:n], moment, random)
				whole.take(text[:n], never, random)
				if moment != never || random.IntN(4) == 0 {
					kills++
					killed.start()
				}
				text = text[n:]
			}
			killed.out.end()
			whole.out.end()
			if got, want := killed.text(), whole.text(); got != want {
				i := 0
				for i < min(len(got), len(want)) && got[i] == want[i] {
					i++
				}
				t.Errorf("after %d kills the log differs from byte %d on: %.200q, want %.200q", kills, i, got[max(0, i-50):], want[max(0, i-50):])
			}
			// A piece that is taken again is told again. None is left out.
			again := map[string]bool{}
			for _, message := range killed.told.got {
				again[message] = true
			}
			for _, message := range whole.told.got {
				if !again[message] {
					t.Errorf("%q was not told", message)
				}
			}
		})
	}
}

// TestSpoolOfAnotherForm goes on with a spool after the log became a raw one.
func TestSpoolOfAnotherForm(t *testing.T) {
	r := newSpoolRig(t, PumpOptions{Format: api.FormatText, Whole: true, ProcessName: "p", GroupName: "p"})
	r.take("one\nheld ", never, nil)
	r.take("back\ntwo\n", afterFill, nil)
	r.o.Format = api.FormatRaw
	r.start()
	if got, want := r.text(), "T p stdout | one\nheld back\ntwo\n"; got != want {
		t.Errorf("log: %q, want %q", got, want)
	}
}

// TestSpoolIsTruncated writes more than is kept of what is done.
func TestSpoolIsTruncated(t *testing.T) {
	r := newSpoolRig(t, PumpOptions{Format: api.FormatText, Whole: true})
	piece := strings.Repeat("x", 32<<10-1) + "\n"
	for range 3 * maxSpool / len(piece) {
		r.take(piece, never, nil)
	}
	info, err := os.Stat(r.file)
	if err != nil || info.Size() >= spoolOutput+maxSpool {
		t.Errorf("%d bytes, %v", info.Size()-spoolOutput, err)
	}
	// A damaged header is none.
	if err := os.WriteFile(r.file, []byte(strings.Repeat("x", 200)), 0o600); err != nil {
		t.Fatal(err)
	}
	r.start()
	r.take("one\n", never, nil)
	if !strings.HasSuffix(r.text(), "| one\n") {
		t.Errorf("log ends in %q", r.text()[len(r.text())-20:])
	}
}

// BenchmarkSpool tells what it costs to lose nothing, beside BenchmarkFormats.
// The spool should be in memory, as it mostly is.
func BenchmarkSpool(b *testing.B) {
	dir, err := os.MkdirTemp("/dev/shm", "spool")
	if err != nil {
		b.Skip(err)
	}
	b.Cleanup(func() { os.RemoveAll(dir) })
	for _, format := range []api.LogFormat{api.FormatText, api.FormatJSON} {
		for name, what := range map[string]string{"lines": "writes 500000 100", "blocks": "blocks 4096 64000"} {
			b.Run(format.String()+"/"+name, func(b *testing.B) {
				l := NewLog(LogOptions{Path: filepath.Join(b.TempDir(), "log")})
				defer l.Close()
				var count, size int64
				if _, err := fmt.Sscanf(what[strings.IndexByte(what, ' '):], "%d %d", &count, &size); err != nil {
					b.Fatal(err)
				}
				b.SetBytes(count * size)
				for b.Loop() {
					f, err := os.Create(filepath.Join(dir, "spool"))
					if err != nil {
						b.Fatal(err)
					}
					run(b, what, PumpOptions{Log: l, Format: format, Whole: true, Spool: f})
					if err := l.Clear(); err != nil {
						b.Fatal(err)
					}
				}
			})
		}
	}
}
