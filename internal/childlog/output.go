package childlog

import (
	"sync"
	"time"
	"unicode/utf8"

	"supervisord/internal/api"
	"supervisord/internal/capture"
	"supervisord/internal/logline"
	"supervisord/internal/python"
)

// output is what becomes of the bytes of one pipe.
type output struct {
	o     PumpOptions
	plain bool // bytes go to the log and nowhere else
	strip capture.Stripper
	scan  capture.Scanner
	emit  func(kind capture.Kind, data []byte) // method value, made once
	lines *logline.Encoder                     // nil if the log is raw
	tail  *tail                                // nil if it is not wanted
	spool *spool                               // nil without one
	batch []byte                               // for the log file, until commit; not used without a spool
}

func newOutput(o PumpOptions) *output {
	out := &output{o: o, scan: capture.Scanner{MaxBytes: o.CaptureMaxBytes}}
	out.plain = !o.StripANSI && o.CaptureMaxBytes <= 0 && !o.Events && !o.Listener && o.MainLog == nil
	out.emit = out.piece
	if o.Tail {
		out.tail = &tail{}
	}
	if o.Spool != nil {
		out.spool = newSpool(o.Spool)
	}
	if o.Format != api.FormatRaw && o.Log != nil && o.Log.file != nil {
		out.lines = logline.NewEncoder(o.Format, logline.Source{
			Name: o.ProcessName, Group: o.GroupName, Stream: o.Channel, PID: o.PID,
		})
	}
	return out
}

// settle says that the process has started well. The end of its output is not
// kept in memory any more, if it can be read from the log.
func (out *output) settle() {
	if t := out.tail; t != nil && out.lines == nil && out.o.Log != nil && out.o.Log.isRegular() {
		t.inFile, t.kept = true, nil
	}
}

// keeps reports whether something is kept in memory.
func (out *output) keeps() bool { return out.tail != nil && len(out.tail.kept) > 0 }

// take moves output on, which begins at the second byte of b. All of b may be
// changed.
func (out *output) take(b []byte) {
	p := b[1:]
	switch {
	case out.plain:
		out.log(p)
	case out.o.Listener:
		out.listener(p)
	case out.o.StripANSI:
		out.stripped(out.strip.Strip(b[1-out.strip.Unhold(b):]))
	default:
		out.stripped(p)
	}
}

// stripped moves on output that was stripped, if that is wanted.
func (out *output) stripped(p []byte) {
	if out.o.CaptureMaxBytes > 0 {
		out.scan.Scan(p, out.emit)
	} else if len(p) > 0 {
		out.piece(capture.Text, p)
	}
}

// piece takes a piece of output.
func (out *output) piece(kind capture.Kind, p []byte) {
	switch kind {
	case capture.Text:
		out.log(p)
		out.copy(p)
	case capture.Part:
		out.copy(p)
	case capture.Message:
		out.o.Sink.Captured(p)
		out.debug(" emitted a comm event")
	case capture.Rest:
		out.log(p)
	}
}

// log writes to the log.
func (out *output) log(p []byte) {
	if out.tail != nil {
		out.tail.add(p)
	}
	if out.o.Watch != nil {
		out.o.Watch(out.o.Channel, p)
	}
	switch {
	case out.o.Log == nil || len(p) == 0:
	case out.lines != nil:
		out.o.Log.toSyslog(p)
		out.records(p)
	default:
		out.toFile(p)
		out.o.Log.toSyslog(p)
	}
}

// recordBuffers holds buffers for records that no pump uses.
var recordBuffers = sync.Pool{New: func() any { return new([]byte) }}

// records writes the records of the lines that end in p. Those of one piece are
// one write, if they are not very large, and no record is ever in two.
func (out *output) records(p []byte) {
	now := time.Now()
	buf := recordBuffers.Get().(*[]byte)
	defer recordBuffers.Put(buf)
	for len(p) > 0 {
		*buf, p = out.lines.Append((*buf)[:0], p, now)
		out.toFile(*buf)
	}
}

// whole reports whether output can be moved into the log as it is, before
// anybody has seen it.
func (out *output) whole() bool {
	return out.o.Whole && out.spool == nil && out.o.Log != nil && out.o.Log.file != nil && out.lines == nil &&
		!out.o.StripANSI && out.o.CaptureMaxBytes <= 0 && !out.o.Listener
}

// moveWhole moves output from the pipe into the log, then shows it to those who
// want to see it. There is room for it in b.
func (out *output) moveWhole(pipe int, b []byte) (n int, err error) {
	l := out.o.Log
	var seen []byte
	if l.syslog != nil || out.o.Watch != nil || out.o.MainLog != nil || out.o.Events || out.tail != nil && !out.tail.inFile {
		seen = b
	}
	n, err = l.file.Splice(pipe, len(b), seen)
	if n > 0 && seen == nil && out.tail != nil {
		out.tail.written += int64(n)
	}
	if n > 0 && seen != nil {
		p := seen[:n]
		l.toSyslog(p)
		if out.tail != nil {
			out.tail.add(p)
		}
		if out.o.Watch != nil {
			out.o.Watch(out.o.Channel, p)
		}
		out.copy(p)
	}
	return n, err
}

// holds reports whether there is the beginning of a line that is not logged.
func (out *output) holds() bool { return out.lines != nil && len(out.lines.Held) > 0 }

// endRecord logs the beginning of a line whose end has not come.
func (out *output) endRecord() {
	if out.holds() {
		out.toFile(out.lines.End(nil))
	}
}

// copy passes output to the activity log and makes an event of it.
func (out *output) copy(p []byte) {
	if out.o.MainLog != nil {
		text := "Undecodable: "
		if utf8.Valid(p) {
			text = string(p)
		} else {
			text += python.ReprBytes(p)
		}
		out.debug(" output:\n" + text)
	}
	if out.o.Events {
		out.o.Sink.Output(p)
	}
}

// debug writes to the activity log a text that begins with the name of the
// channel.
func (out *output) debug(text string) {
	if out.o.MainLog != nil {
		out.o.MainLog(api.LevelDebug, python.Repr(out.o.ProcessName)+" "+out.o.Channel.String()+text)
	}
}

// listener takes the output of an event listener. It is passed on as it is,
// before it is logged like that of others: the listener waits.
func (out *output) listener(p []byte) {
	if out.o.MainLog != nil {
		out.debug(" output:\n" + python.ReprBytes(p))
	}
	out.o.Sink.Listener(p)
	if out.o.StripANSI {
		b := append(make([]byte, 1, 1+len(p)), p...)
		out.log(out.strip.Strip(b[1-out.strip.Unhold(b):]))
	} else {
		out.log(p)
	}
}

// end says that the process is gone: nothing is held back any more.
func (out *output) end() {
	var held [1]byte
	if n := out.strip.Unhold(held[:]); out.o.Listener {
		out.log(held[:n])
	} else {
		out.stripped(held[:n])
	}
	if out.o.CaptureMaxBytes > 0 {
		out.scan.Flush(out.emit)
	}
	out.endRecord()
	if out.o.Log != nil {
		out.o.Log.endLine()
	}
	out.commit()
}
