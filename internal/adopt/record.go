package adopt

import (
	"bytes"
	"encoding/binary"
	"encoding/json"
	"errors"
	"hash/crc32"
	"syscall"
	"time"

	"supervisord/internal/api"
)

// The layout of a slot. Numbers are little-endian. Each part has a checksum of
// its own, since each is written on its own.
const (
	slotSize = 8 << 10

	identityAt = 512 // length, checksum, JSON
	statusAt   = 0
	statusSize = 96
	answerAt   = 256
	answerSize = 64

	identityHeader = 8
	maxIdentity    = slotSize - identityAt - identityHeader
)

// Identity is what does not change between the start and the end of a process.
type Identity struct {
	// Boot names the boot of the machine.
	Boot string `json:"boot"`
	// Name is the namespec of the process, with its group.
	Name string `json:"name"`
	// Fingerprint is that of the configuration that it was started with.
	Fingerprint string `json:"fingerprint"`
	// Logs are its automatic log files, by channel; empty for none.
	Logs [2]string `json:"logs"`
	// StopSignal, StopWait (seconds) and StopGroup say how it is stopped.
	StopSignal int     `json:"stopsignal"`
	StopWait   float64 `json:"stopwait"`
	StopGroup  bool    `json:"stopgroup"`
}

// Status is what changes in the life of a process.
type Status struct {
	State api.ProcessState
	// PID is 0 where no process runs, or none is known to.
	PID int
	// Born is when the process was started, in the kernel's own units since the
	// boot. Together with the pid it names one process.
	Born uint64
	// Started and Stopped are the times that clients are told.
	Started, Stopped time.Time
	// Code and Signal are how the process ended last, if Ended is set.
	Ended    bool
	Unknown  bool // nobody could tell how
	Code     int
	Signal   syscall.Signal
	Restarts int
	Backoff  int
	// Ready says that the process was found to be ready, and Wanted that it is to
	// be started when it does not run.
	Ready, Wanted bool
}

// Answer is how far an event listener has come.
type Answer struct {
	// Kept says that there is something in the other members.
	Kept  bool
	State api.ListenerState
	// Heard is how many bytes of the listener's output led to this.
	Heard int64
	// Serial, PoolSerial and Type are those of the event in flight, if InFlight
	// is set; its payload is in a file of its own and Size bytes long, or -1 if
	// it was too large to be kept.
	InFlight           bool
	Serial, PoolSerial uint64
	Type               uint32
	Rejections         int
	Size               int
	// NextPoolSerial is that of the next event of the pool.
	NextPoolSerial uint64
}

// Record is what a slot holds.
type Record struct {
	Identity
	Status
	Answer Answer
}

var (
	errEmpty   = errors.New("empty")
	errDamaged = errors.New("damaged")
)

// parseRecord reads a slot. The error is errEmpty if there is nothing in it.
// A damaged Answer counts as none.
func parseRecord(slot []byte) (*Record, error) {
	if len(slot) < slotSize {
		return nil, errDamaged
	}
	if len(bytes.Trim(slot[statusAt:statusAt+statusSize], "\x00")) == 0 {
		return nil, errEmpty
	}
	r := &Record{}
	head := slot[identityAt:]
	size := binary.LittleEndian.Uint32(head)
	if size == 0 || size > maxIdentity {
		return nil, errDamaged
	}
	text := head[identityHeader : identityHeader+size]
	if crc32.ChecksumIEEE(text) != binary.LittleEndian.Uint32(head[4:]) {
		return nil, errDamaged
	}
	if err := json.Unmarshal(text, &r.Identity); err != nil {
		return nil, errDamaged
	}
	var ok bool
	if r.Status, ok = parseStatus(slot[statusAt : statusAt+statusSize]); !ok {
		return r, errDamaged
	}
	r.Answer, _ = parseAnswer(slot[answerAt : answerAt+answerSize])
	return r, nil
}

func (id *Identity) encode() ([]byte, error) {
	text, err := json.Marshal(id)
	if err != nil {
		return nil, err
	}
	if len(text) > maxIdentity {
		return nil, errors.New("names and paths are too long for a record")
	}
	b := binary.LittleEndian.AppendUint32(nil, uint32(len(text)))
	b = binary.LittleEndian.AppendUint32(b, crc32.ChecksumIEEE(text))
	return append(b, text...), nil
}

// The flags of a Status and an Answer.
const (
	flagWritten = 1 << iota // always set: an empty slot is all zero
	flagEnded
	flagUnknown
	flagInFlight
	flagReady
	flagWanted
)

func flag(set bool, f uint32) uint32 {
	if set {
		return f
	}
	return 0
}

func (s *Status) encode() []byte {
	b := make([]byte, 0, statusSize)
	le := binary.LittleEndian
	b = le.AppendUint32(b, flagWritten|flag(s.Ended, flagEnded)|flag(s.Unknown, flagUnknown)|
		flag(s.Ready, flagReady)|flag(s.Wanted, flagWanted))
	b = le.AppendUint32(b, uint32(s.State))
	b = le.AppendUint64(b, uint64(s.PID))
	b = le.AppendUint64(b, s.Born)
	b = le.AppendUint64(b, nanoseconds(s.Started))
	b = le.AppendUint64(b, nanoseconds(s.Stopped))
	b = le.AppendUint64(b, uint64(s.Code))
	b = le.AppendUint64(b, uint64(s.Signal))
	b = le.AppendUint64(b, uint64(s.Restarts))
	b = le.AppendUint64(b, uint64(s.Backoff))
	return seal(b, statusSize)
}

func parseStatus(b []byte) (s Status, ok bool) {
	if !sealed(b) {
		return s, false
	}
	le := binary.LittleEndian
	flags := le.Uint32(b)
	s = Status{
		Ended: flags&flagEnded != 0, Unknown: flags&flagUnknown != 0,
		Ready: flags&flagReady != 0, Wanted: flags&flagWanted != 0,
		State: api.ProcessState(le.Uint32(b[4:])), PID: int(le.Uint64(b[8:])), Born: le.Uint64(b[16:]),
		Started: timeOf(le.Uint64(b[24:])), Stopped: timeOf(le.Uint64(b[32:])),
		Code: int(le.Uint64(b[40:])), Signal: syscall.Signal(le.Uint64(b[48:])),
		Restarts: int(le.Uint64(b[56:])), Backoff: int(le.Uint64(b[64:])),
	}
	return s, flags&flagWritten != 0 && s.PID >= 0 && s.PID != 1 && s.PID <= maxPID
}

// maxPID is more than the system gives.
const maxPID = 1 << 22

func (a *Answer) encode() []byte {
	b := make([]byte, 0, answerSize)
	le := binary.LittleEndian
	b = le.AppendUint32(b, flagWritten|flag(a.InFlight, flagInFlight))
	b = le.AppendUint32(b, uint32(a.State))
	b = le.AppendUint64(b, uint64(a.Heard))
	b = le.AppendUint64(b, a.Serial)
	b = le.AppendUint64(b, a.PoolSerial)
	b = le.AppendUint64(b, a.NextPoolSerial)
	b = le.AppendUint32(b, a.Type)
	b = le.AppendUint32(b, uint32(a.Rejections))
	b = le.AppendUint64(b, uint64(int64(a.Size)))
	return seal(b, answerSize)
}

func parseAnswer(b []byte) (a Answer, ok bool) {
	if !sealed(b) {
		return a, false
	}
	le := binary.LittleEndian
	flags := le.Uint32(b)
	a = Answer{
		Kept: true, InFlight: flags&flagInFlight != 0, State: api.ListenerState(le.Uint32(b[4:])),
		Heard: int64(le.Uint64(b[8:])), Serial: le.Uint64(b[16:]), PoolSerial: le.Uint64(b[24:]),
		NextPoolSerial: le.Uint64(b[32:]), Type: le.Uint32(b[40:]), Rejections: int(le.Uint32(b[44:])),
		Size: int(int64(le.Uint64(b[48:]))),
	}
	if flags&flagWritten == 0 || a.Heard < 0 || a.Size < -1 || a.Size > MaxPayload {
		return Answer{}, false
	}
	return a, true
}

// seal pads a part to its size and puts the checksum at its end.
func seal(b []byte, size int) []byte {
	b = append(b, make([]byte, size-4-len(b))...)
	return binary.LittleEndian.AppendUint32(b, crc32.ChecksumIEEE(b))
}

func sealed(b []byte) bool {
	n := len(b) - 4
	return crc32.ChecksumIEEE(b[:n]) == binary.LittleEndian.Uint32(b[n:])
}

func nanoseconds(t time.Time) uint64 {
	if t.IsZero() {
		return 0
	}
	return uint64(t.UnixNano())
}

func timeOf(ns uint64) time.Time {
	if ns == 0 {
		return time.Time{}
	}
	return time.Unix(0, int64(ns))
}
