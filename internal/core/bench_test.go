package core

import (
	"fmt"
	"syscall"
	"testing"
	"time"

	"supervisord/internal/config"
)

// many returns a core with n programs, each in a group of its own, that were
// started and run, and the time.
func many(n int) (*Core, Now) {
	now := Now{Wall: time.Unix(1_800_000_000, 0)}
	cfg := &config.Config{}
	for i := range n {
		name := fmt.Sprintf("p%05d", i)
		cfg.Groups = append(cfg.Groups, &config.Group{Name: name, Processes: []*config.Process{{
			Name: name, Autostart: true, Autorestart: config.RestartAlways, StartRetries: 3,
			ExitCodes: []int{0}, StopSignal: syscall.SIGTERM, StopWaitSecs: 10 * time.Second,
		}}})
	}
	c := New(Options{})
	fx := c.Step(Boot{Config: cfg}, now, nil)
	for _, e := range fx {
		if e.Kind == Spawn {
			c.Step(Started{Proc: e.Proc, Gen: e.Gen, PID: 100 + int(e.Proc)}, now, nil)
		}
	}
	return c, now
}

// BenchmarkStep is the life of one process among others: it exits, is started
// again and runs.
func BenchmarkStep(b *testing.B) {
	for _, n := range []int{1, 100, 10000} {
		b.Run(fmt.Sprint(n), func(b *testing.B) {
			c, now := many(n)
			gen := Gen(1)
			var fx []Effect
			b.ReportAllocs()
			for b.Loop() {
				now.Mono += time.Millisecond
				now.Wall = now.Wall.Add(time.Millisecond)
				fx = c.Step(Exited{Proc: 1, Gen: gen}, now, fx[:0])
				gen = 0
				for _, e := range fx {
					if e.Kind == Spawn {
						gen = e.Gen
					}
				}
				if gen == 0 {
					b.Fatal("the process was not started again")
				}
				fx = c.Step(Started{Proc: 1, Gen: gen, PID: 100}, now, fx[:0])
			}
		})
	}
}

// BenchmarkSortedProcesses is what the core does for status.
func BenchmarkSortedProcesses(b *testing.B) {
	c, _ := many(10000)
	b.ReportAllocs()
	for b.Loop() {
		n := 0
		for range c.SortedProcesses() {
			n++
		}
		if n != 10000 {
			b.Fatalf("%d processes", n)
		}
	}
}
