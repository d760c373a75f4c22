package childlog

import (
	"encoding/binary"
	"encoding/json"
	"hash/crc32"
	"os"
	"time"

	"supervisord/internal/capture"
	"supervisord/internal/logfile"
)

// spool keeps output from the moment at which it leaves the pipe until all that
// is made of it is in the log, in a file. With it nothing is lost or doubled of
// what is not logged as it is: if this program is killed in between, the next
// one finds where the log ended before, cuts off what was written since, and takes
// the output again, going on from what was held back then.
//
// The file begins with a header, which is one write of less than a page. Behind
// it there are two places for the state, which take turns so that one is whole
// at any time, and behind these the output, which ends where the file ends.
type spool struct {
	f    *os.File
	head spoolHead
	size int64 // of the output
}

// spoolHead is the header. Its numbers are written one after the other, and a
// checksum behind them.
type spoolHead struct {
	// Writing says that the log is being written, whose end was at End before.
	Writing bool
	End     logfile.Position
	// Done is how much of the output has become State, which has Length bytes
	// in place Place, or is that of the beginning if Length is 0.
	Done   int64
	Place  int64
	Length int64
}

const (
	spoolStates   = 4 << 10 // where the first state stands
	maxSpoolState = 2 << 20
	spoolOutput   = spoolStates + 2*maxSpoolState // where the output stands
	// maxSpool is the size of the output from which on what is done is removed.
	maxSpool = 256 << 10

	spoolHeadSize = 8*8 + 4
)

// spooled is what an output is between two pieces.
type spooled struct {
	Strip  capture.Stripper
	Scan   capture.Scanner
	Held   []byte    `json:",omitempty"`
	Since  time.Time `json:",omitzero"`
	Syslog []byte    `json:",omitempty"`
}

func newSpool(f *os.File) *spool {
	s := &spool{f: f}
	info, err := f.Stat()
	if err == nil {
		s.size = max(info.Size()-spoolOutput, 0)
	}
	if !s.readHead() {
		s.head = spoolHead{}
	}
	if s.head.Done > s.size {
		s.head.Done = 0 // It was killed after what was done was removed.
	}
	if s.size == 0 {
		_ = f.Truncate(spoolOutput) // If that fails nothing can be put there.
	}
	return s
}

// readHead reads the header and reports whether there is a good one.
func (s *spool) readHead() bool {
	var b [spoolHeadSize]byte
	if _, err := s.f.ReadAt(b[:], 0); err != nil {
		return false
	}
	le := binary.LittleEndian
	if n := spoolHeadSize - 4; crc32.ChecksumIEEE(b[:n]) != le.Uint32(b[n:]) {
		return false
	}
	var n [8]int64
	for i := range n {
		n[i] = int64(le.Uint64(b[8*i:]))
	}
	s.head = spoolHead{
		Writing: n[1] != 0, End: logfile.Position{Device: uint64(n[2]), Inode: uint64(n[3]), Size: n[4]},
		Done: n[5], Place: n[6] & 1, Length: n[7],
	}
	return n[0] == 1 && s.head.Done >= 0 && s.head.Length >= 0 && s.head.Length <= maxSpoolState
}

func (s *spool) writeHead() {
	h := &s.head
	writing := int64(0)
	if h.Writing {
		writing = 1
	}
	b := make([]byte, 0, spoolHeadSize)
	le := binary.LittleEndian
	for _, n := range [...]int64{1, writing, int64(h.End.Device), int64(h.End.Inode), h.End.Size, h.Done, h.Place, h.Length} {
		b = le.AppendUint64(b, uint64(n))
	}
	// A failure is that of a full disk. Then it is as without a spool.
	_, _ = s.f.WriteAt(le.AppendUint32(b, crc32.ChecksumIEEE(b)), 0)
}

// fill moves output from the pipe to the spool and reads it into b.
func (s *spool) fill(pipe int, b []byte) (n int, err error) {
	n, _, err = logfile.SpliceToEnd(pipe, s.f, len(b), b)
	if n > 0 {
		s.size += int64(n)
	}
	return n, err
}

// begin notes where the log ends that is going to be written.
func (s *spool) begin(end logfile.Position) {
	s.head.Writing, s.head.End = true, end
	s.writeHead()
}

// commit notes that everything that is in the spool has led to this state, and
// that what was made of it is in the log.
func (s *spool) commit(state *spooled) {
	h := &s.head
	h.Writing, h.Done, h.Length = false, s.size, 0
	if !state.isBeginning() {
		text, err := json.Marshal(state)
		if err == nil && len(text) <= maxSpoolState {
			h.Place ^= 1
			if _, err := s.f.WriteAt(text, spoolStates+h.Place*maxSpoolState); err == nil {
				h.Length = int64(len(text))
			}
		}
	}
	s.writeHead()
	if s.size >= maxSpool && s.f.Truncate(spoolOutput) == nil {
		s.size, h.Done = 0, 0
		s.writeHead()
	}
}

// isBeginning reports whether nothing is held back.
func (p *spooled) isBeginning() bool {
	return !p.Strip.Inside && !p.Strip.Held && !p.Scan.Capturing && p.Scan.Matched == 0 && len(p.Held) == 0 && len(p.Syslog) == 0
}

// state reads the state that was committed last.
func (s *spool) state() (state spooled, ok bool) {
	if s.head.Length == 0 {
		return state, false
	}
	text := make([]byte, s.head.Length)
	if _, err := s.f.ReadAt(text, spoolStates+s.head.Place*maxSpoolState); err != nil {
		return state, false
	}
	return state, json.Unmarshal(text, &state) == nil
}

// recover has the output go on where one that was killed has left it: what it
// had taken and not finished is taken again.
func (out *output) recover() {
	s := out.spool
	if s.head.Writing && out.o.Log != nil && out.o.Log.file != nil {
		out.o.Log.file.Undo(s.head.End)
	}
	if state, ok := s.state(); ok {
		out.restore(&state)
	}
	b := make([]byte, 1+bufferSize)
	for at, left := spoolOutput+s.head.Done, s.size-s.head.Done; left > 0; {
		n := min(left, bufferSize)
		if _, err := s.f.ReadAt(b[1:1+n], at); err != nil {
			break
		}
		out.take(b[:1+n])
		at, left = at+n, left-n
	}
	out.commit()
}

// restore goes on with a state.
func (out *output) restore(state *spooled) {
	out.strip, out.scan = state.Strip, state.Scan
	out.scan.MaxBytes = out.o.CaptureMaxBytes
	if l := out.o.Log; l != nil && l.syslog != nil {
		l.syslog.restore(state.Syslog)
	}
	switch {
	case len(state.Held) == 0:
	case out.lines != nil:
		out.lines.Held, out.lines.Since = state.Held, state.Since
	default: // The log has become one of another form.
		out.toFile(state.Held)
	}
}

// commit writes to the log file what was collected, and notes that everything
// that was taken has come there.
func (out *output) commit() {
	s := out.spool
	if s == nil {
		return
	}
	done := func() { s.commit(out.spooled()) }
	if len(out.batch) == 0 {
		done()
		return
	}
	out.o.Log.file.WriteNoted(out.batch, s.begin, done)
	if out.batch = out.batch[:0]; cap(out.batch) > maxBatch {
		out.batch = nil
	}
}

// toFile writes to the log file, or collects what is to be written there.
func (out *output) toFile(p []byte) {
	switch {
	case out.spool == nil:
		out.o.Log.toFile(p)
	case out.o.Log.file != nil:
		out.batch = append(out.batch, p...)
	}
}

// maxBatch limits the memory that is kept for the next piece.
const maxBatch = 256 << 10

// spooled is the present state.
func (out *output) spooled() *spooled {
	state := &spooled{Strip: out.strip, Scan: out.scan}
	if out.holds() {
		state.Held, state.Since = out.lines.Held, out.lines.Since
	}
	if l := out.o.Log; l != nil && l.syslog != nil {
		state.Syslog = l.syslog.held()
	}
	return state
}
