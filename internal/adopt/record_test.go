package adopt

import (
	"reflect"
	"testing"
	"time"

	"supervisord/internal/api"
)

// sample is a record with something in every member.
func sample() *Record {
	return &Record{
		Identity: Identity{Boot: "b", Name: "g:p", Fingerprint: "f", Logs: [2]string{"/a", "/b"}, StopSignal: 15, StopWait: 1.5, StopGroup: true},
		Status: Status{State: api.Exited, PID: 4711, Born: 99, Started: time.Unix(5, 6), Stopped: time.Unix(7, 8),
			Ended: true, Unknown: true, Code: 3, Signal: 9, Restarts: 4, Backoff: 2, Ready: true, Wanted: true},
		Answer: Answer{Kept: true, State: api.ListenerBusy, Heard: 10, InFlight: true, Serial: 11, PoolSerial: 12, Type: 13,
			Rejections: 14, Size: -1, NextPoolSerial: 15},
	}
}

func encode(t testing.TB, r *Record) []byte {
	slot := make([]byte, slotSize)
	id, err := r.Identity.encode()
	if err != nil {
		t.Fatal(err)
	}
	copy(slot[identityAt:], id)
	copy(slot[statusAt:], r.Status.encode())
	copy(slot[answerAt:], r.Answer.encode())
	return slot
}

func TestRecord(t *testing.T) {
	want := sample()
	got, err := parseRecord(encode(t, want))
	if err != nil || !reflect.DeepEqual(got, want) {
		t.Errorf("got %+v, %v\nwant %+v", got, err, want)
	}
	if _, err := parseRecord(make([]byte, slotSize)); err != errEmpty {
		t.Errorf("an empty slot: %v", err)
	}
}

// TestDamagedRecord changes each byte that a record has. It is refused, but for
// the part about a listener, without which the rest stands.
func TestDamagedRecord(t *testing.T) {
	whole := encode(t, sample())
	id, _ := sample().Identity.encode()
	for i := range whole {
		slot := append([]byte(nil), whole...)
		slot[i] ^= 1
		r, err := parseRecord(slot)
		used := i < statusSize || i >= identityAt && i < identityAt+len(id)
		if used != (err != nil) {
			t.Fatalf("byte %d: error %v", i, err)
		}
		if answer := i >= answerAt && i < answerAt+answerSize; err == nil && answer == r.Answer.Kept {
			t.Fatalf("byte %d: the part about a listener counts: %v", i, r.Answer.Kept)
		}
	}
	for n := range slotSize {
		if _, err := parseRecord(whole[:n]); err == nil {
			t.Fatalf("the first %d bytes are a record", n)
		}
	}
}

func FuzzRecord(f *testing.F) {
	f.Add(encode(f, sample())[:identityAt+400])
	f.Add(make([]byte, slotSize))
	f.Fuzz(func(t *testing.T, data []byte) {
		slot := append(data, make([]byte, max(slotSize-len(data), 0))...)
		r, err := parseRecord(slot[:slotSize])
		if err != nil {
			return
		}
		again, err := parseRecord(encode(t, r))
		if err != nil {
			t.Fatalf("%+v: %v", r, err)
		}
		if again.Status != r.Status || again.Answer != r.Answer {
			t.Errorf("got %+v, want %+v", again, r)
		}
	})
}
