package listenertest

import (
	"fmt"
	"os"
	"strings"
	"testing"
)

// TestDeafListener has a program write far more than the events of its output
// may take in memory while their listener does not read.
func TestDeafListener(t *testing.T) {
	const (
		written = 256 << 20
		allowed = 512 << 20 // with the race detector, which takes several times as much
	)
	d := start(t, "supervisord", "info", `[eventlistener:ears]
command=@PUPPET
events=PROCESS_LOG
buffer_size=10
startsecs=0
[program:p]
command=@PUPPET
startsecs=0
stdout_events_enabled=true
stdout_logfile=NONE
`)
	ears, p := d.puppet("ears"), d.puppet("p")
	d.waitRunning("ears", "p")
	ears.say("READY\n")
	block := strings.Repeat("0123456789abcde\n", 1<<16)
	for range written / len(block) {
		p.say(block)
	}
	d.waitLog("pool ears event buffer overflowed")
	if peak := peakMemory(t, d.cmd.Process.Pid); peak > allowed {
		t.Errorf("supervisord took %d MiB, want at most %d", peak>>20, allowed>>20)
	}
	// The events that are kept are whole.
	for range 3 {
		h := ears.event()
		if want := " channel:stdout\n0123456789abcde\n"; !strings.Contains(h.payload, want) {
			t.Errorf("the payload begins with %.200q", h.payload)
		}
		ears.say("RESULT 2\nOKREADY\n")
	}
}

// peakMemory returns the most that was resident of a process, in bytes.
func peakMemory(t *testing.T, pid int) int {
	t.Helper()
	data, err := os.ReadFile(fmt.Sprintf("/proc/%d/status", pid))
	if err != nil {
		t.Fatal(err)
	}
	_, rest, _ := strings.Cut(string(data), "VmHWM:")
	kib := 0
	if _, err := fmt.Sscan(rest, &kib); err != nil {
		t.Fatalf("no VmHWM in the status of process %d", pid)
	}
	return kib << 10
}
