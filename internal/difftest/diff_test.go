package difftest

import (
	"flag"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"testing"

	"supervisord/internal/testenv"
)

var (
	first    = flag.Uint64("difftest.seed", 1, "the first seed")
	count    = flag.Int("difftest.count", 0, "how many lives to play; 0 for a few")
	parallel = flag.Int("difftest.parallel", 12, "how many lives to play at once")
	keep     = flag.String("difftest.keep", "", "directory in which to leave the files of lives that differ")
	original = flag.String("difftest.original", "/usr/bin/python3 /usr/bin/supervisord", "command of the original")
	showPlan = flag.Bool("difftest.plan", false, "print the plan of the first seed and its configuration")
)

// few is how many lives a test run plays.
const few = 8

// attempts is how often a life is played that differs. What depends on the
// load of the machine does not come each time.
const attempts = 3

func TestMain(m *testing.M) { testenv.Main(m) }

// TestLives plays random lives to both implementations.
func TestLives(t *testing.T) {
	testenv.NeedProgram(t, "/usr/bin/supervisord", "supervisor")
	if *showPlan {
		p := makePlan(*first)
		t.Logf("%s", p.world)
		for i, s := range p.steps {
			t.Logf("%d %s", i, s)
		}
	}
	ours, err := exec.LookPath("supervisord")
	if err != nil {
		t.Fatal(err)
	}
	// Programs run as another user too, who must be able to reach it.
	dir, err := os.MkdirTemp("", "puppet")
	if err != nil {
		t.Fatal(err)
	}
	defer os.RemoveAll(dir)
	if err := os.Chmod(dir, 0o755); err != nil {
		t.Fatal(err)
	}
	puppet := filepath.Join(dir, "puppet")
	if out, err := exec.Command("go", "build", "-o", puppet, "./puppet").CombinedOutput(); err != nil {
		t.Fatalf("build puppet: %v\n%s", err, out)
	}
	n := *count
	if n == 0 {
		n = few
	}
	life := &lifeTest{T: t, ours: []string{ours}, original: strings.Fields(*original), puppet: puppet}
	t.Logf("seeds %d to %d", *first, *first+uint64(n)-1)
	slots := make(chan struct{}, *parallel)
	var wait sync.WaitGroup
	for seed := *first; seed < *first+uint64(n); seed++ {
		slots <- struct{}{}
		wait.Go(func() {
			defer func() { <-slots }()
			life.play(seed)
		})
	}
	wait.Wait()
}

type lifeTest struct {
	*testing.T
	ours, original []string
	puppet         string
}

// play plays one life until both sides agree or have differed too often.
func (t *lifeTest) play(seed uint64) {
	p := makePlan(seed)
	var differences []string
	for i := range attempts {
		if differences = t.once(p, i); len(differences) == 0 {
			return
		}
		if i+1 < attempts {
			t.Logf("seed %d, attempt %d: %s", seed, i+1, strings.Join(differences, "\n"))
		}
	}
	t.Errorf("seed %d: %d differences:\n%s", seed, len(differences), strings.Join(differences, "\n"))
}

// once plays a life to both sides at once and returns how they differ.
func (t *lifeTest) once(p *plan, attempt int) []string {
	dir, err := os.MkdirTemp("", "lives")
	if err != nil {
		return []string{err.Error()}
	}
	defer os.RemoveAll(dir)
	if err := os.Chmod(dir, 0o755); err != nil {
		return []string{err.Error()}
	}
	commands := [2][]string{t.original, t.ours}
	var seen [2]*observation
	var failed [2]error
	var wait sync.WaitGroup
	for i, name := range []string{"orig", "ours"} {
		wait.Go(func() {
			s, err := newSide(p, filepath.Join(dir, name), commands[i], t.puppet)
			if err != nil {
				failed[i] = fmt.Errorf("%s: %w", name, err)
				return
			}
			s.run()
			s.close()
			seen[i] = s.observe()
		})
	}
	wait.Wait()
	var d []string
	for _, err := range failed {
		if err != nil {
			d = append(d, err.Error())
		}
	}
	if len(d) == 0 {
		d = compare(p, seen[0], seen[1])
	}
	if len(d) > 0 && *keep != "" {
		kept := filepath.Join(*keep, fmt.Sprintf("seed%d.%d", p.seed, attempt+1))
		if out, err := exec.Command("cp", "-r", dir, kept).CombinedOutput(); err != nil {
			t.Logf("keep files: %v\n%s", err, out)
		}
	}
	return d
}
