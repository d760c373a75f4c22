package sim

import (
	"flag"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

var (
	one   = flag.Uint64("sim.seed", 0, "play only this seed, and print everything")
	seeds = flag.Uint64("sim.seeds", 650, "how many seeds to play")
	steps = flag.Int("sim.steps", 2000, "how many steps of each")
	write = flag.String("sim.transcripts", "", "directory in which to write the transcript of a seed that fails, or of the only one")
	every = flag.Int("sim.resume", 500, "how many steps there are from one resumption to the next, on an average; 0 for none")

	kills = flag.Int("sim.kill", 300, "how many steps there are from one SIGKILL to the next, on an average; 0 for none")

	killSeeds   = flag.Uint64("sim.kill-seeds", 50, "how many seeds to play with a SIGKILL every 20 steps")
	resumeSeeds = flag.Uint64("sim.resume-seeds", 5, "how many seeds to play with a resumption at each step")
)

// TestSimulation plays the core a great many lives. A seed that fails is
// printed; -sim.seed plays it again.
func TestSimulation(t *testing.T) {
	if *one != 0 {
		play(t, *one, *every, *kills)
		return
	}
	total, changes, resumed, killed, adopted := 0, 0, 0, 0, 0
	for s := uint64(1); s <= *seeds && !t.Failed(); s++ {
		w := play(t, s, *every, *kills)
		total += w.steps
		changes += w.changes
		resumed += w.resumption.count
		killed += w.murder.count
		adopted += w.murder.adopted
	}
	t.Logf("%d seeds, %d steps, %d changes of state, %d resumptions, %d kills, %d adoptions", *seeds, total, changes, resumed, killed, adopted)
}

// TestResume plays lives in which the core is taken down before every step and
// restored.
func TestResume(t *testing.T) {
	for s := uint64(1); s <= *resumeSeeds && !t.Failed(); s++ {
		w := play(t, s, 1, 0)
		if w.resumption.count != w.steps {
			t.Errorf("seed %d: %d resumptions in %d steps", s, w.resumption.count, w.steps)
		}
	}
}

// TestAdopt plays lives in which supervisord is killed all the time.
func TestAdopt(t *testing.T) {
	killed, adopted := 0, 0
	for s := uint64(1); s <= *killSeeds && !t.Failed(); s++ {
		w := play(t, s, 0, 20)
		killed += w.murder.count
		adopted += w.murder.adopted
	}
	t.Logf("%d kills, %d adoptions", killed, adopted)
	if adopted < killed {
		t.Error("there was not much to adopt")
	}
}

func play(t *testing.T, seed uint64, every, kills int) *World {
	w := New(seed)
	w.resumption.every, w.murder.every = every, kills
	if *one != 0 {
		w.Trace = func(text string) { t.Log(text) }
	}
	problems := w.Run(*steps)
	for _, problem := range problems {
		t.Errorf("seed %d: %s", seed, problem)
	}
	if *write != "" && (len(problems) > 0 || *one != 0) {
		transcribe(t, seed, every, kills)
	}
	return w
}

// transcribe plays a seed again and writes its transcript.
func transcribe(t *testing.T, seed uint64, every, kills int) {
	w := New(seed)
	w.resumption.every, w.murder.every = every, kills
	w.Transcript = NewTranscript(seed)
	w.Run(*steps)
	text, err := w.Transcript.Text()
	if err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(filepath.Join(*write, fmt.Sprintf("seed_%d.txt", seed)), []byte(text), 0o644); err != nil {
		t.Fatal(err)
	}
}

// TestTranscript writes the transcript of a life in which everything happens.
func TestTranscript(t *testing.T) {
	w := New(1)
	w.Transcript = NewTranscript(1)
	w.Run(2000)
	text, err := w.Transcript.Text()
	if err != nil {
		t.Fatal(err)
	}
	for _, name := range []string{"Boot", "Started", "SpawnFailed", "Exited", "Signaled", "StdinWritten", "Tick", "Command"} {
		if !strings.Contains(text, "\nevent "+name+" {") {
			t.Errorf("the transcript has no event %s", name)
		}
	}
	if got := strings.Count(text, "\nevent "); got != w.steps {
		t.Errorf("the transcript has %d events, the life %d", got, w.steps)
	}
}
