package sim

import (
	"flag"
	"testing"
)

var (
	one   = flag.Uint64("sim.seed", 0, "play only this seed, and print everything")
	seeds = flag.Uint64("sim.seeds", 610, "how many seeds to play")
	steps = flag.Int("sim.steps", 2000, "how many steps of each")
)

// TestSimulation plays the core a great many lives. A seed that fails is
// printed; -sim.seed plays it again.
func TestSimulation(t *testing.T) {
	if *one != 0 {
		play(t, *one)
		return
	}
	total, changes := 0, 0
	for s := uint64(1); s <= *seeds && !t.Failed(); s++ {
		w := play(t, s)
		total += w.steps
		changes += w.changes
	}
	t.Logf("%d seeds, %d steps, %d changes of state", *seeds, total, changes)
}

func play(t *testing.T, seed uint64) *World {
	w := New(seed)
	if *one != 0 {
		w.Trace = func(text string) { t.Log(text) }
	}
	for _, problem := range w.Run(*steps) {
		t.Errorf("seed %d: %s", seed, problem)
	}
	return w
}
