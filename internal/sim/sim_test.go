package sim

import (
	"flag"
	"testing"
)

var (
	one   = flag.Uint64("sim.seed", 0, "play only this seed, and print everything")
	seeds = flag.Uint64("sim.seeds", 650, "how many seeds to play")
	steps = flag.Int("sim.steps", 2000, "how many steps of each")
	every = flag.Int("sim.resume", 500, "how many steps there are from one resumption to the next, on an average; 0 for none")

	resumeSeeds = flag.Uint64("sim.resume-seeds", 5, "how many seeds to play with a resumption at each step")
)

// TestSimulation plays the core a great many lives. A seed that fails is
// printed; -sim.seed plays it again.
func TestSimulation(t *testing.T) {
	if *one != 0 {
		play(t, *one, *every)
		return
	}
	total, changes, resumed := 0, 0, 0
	for s := uint64(1); s <= *seeds && !t.Failed(); s++ {
		w := play(t, s, *every)
		total += w.steps
		changes += w.changes
		resumed += w.resumption.count
	}
	t.Logf("%d seeds, %d steps, %d changes of state, %d resumptions", *seeds, total, changes, resumed)
}

// TestResume plays lives in which the core is taken down before every step and
// restored.
func TestResume(t *testing.T) {
	for s := uint64(1); s <= *resumeSeeds && !t.Failed(); s++ {
		w := play(t, s, 1)
		if w.resumption.count != w.steps {
			t.Errorf("seed %d: %d resumptions in %d steps", s, w.resumption.count, w.steps)
		}
	}
}

func play(t *testing.T, seed uint64, every int) *World {
	w := New(seed)
	w.resumption.every = every
	if *one != 0 {
		w.Trace = func(text string) { t.Log(text) }
	}
	for _, problem := range w.Run(*steps) {
		t.Errorf("seed %d: %s", seed, problem)
	}
	return w
}
