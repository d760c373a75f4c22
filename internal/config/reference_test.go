package config

import (
	"bufio"
	"encoding/base64"
	"encoding/json"
	"flag"
	"io"
	"math/rand/v2"
	"os/exec"
	"testing"
	"time"

	"supervisord/internal/testenv"
)

// The differential tests put the same questions to this package and to Python,
// about texts that a random generator makes up. A failure names the seed.
var (
	seedFlag  = flag.Uint64("config.seed", 0, "seed of the differential tests; 0 for a new one")
	countFlag = flag.Int("config.count", 20_000, "number of texts that a differential test compares")
)

// newRand returns a random generator and logs its seed.
func newRand(t *testing.T) *rand.Rand {
	seed := *seedFlag
	if seed == 0 {
		seed = uint64(time.Now().UnixNano())
	}
	t.Logf("repeat with -run %s -config.seed %d", t.Name(), seed)
	return rand.New(rand.NewPCG(seed, 1))
}

// batch is how many questions are put to Python at a time.
const batch = 500

// A reference is a Python process that answers questions.
type reference struct {
	t   *testing.T
	in  io.Writer
	out *bufio.Reader
}

// An answer is the value of a question, or the text of the error.
type answer struct {
	OK    json.RawMessage `json:"ok"`
	Error *string         `json:"error"`
}

func newReference(t *testing.T) *reference {
	t.Helper()
	// The interpreter of the system is the one that has the supervisor module.
	testenv.NeedProgram(t, "/usr/bin/python3", "python3")
	cmd := exec.Command("/usr/bin/python3", "-W", "ignore", "testdata/reference.py")
	in, err := cmd.StdinPipe()
	if err != nil {
		t.Fatal(err)
	}
	out, err := cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	stderr := t.Output()
	cmd.Stderr = stderr
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		in.Close()
		if err := cmd.Wait(); err != nil {
			t.Errorf("reference: %v", err)
		}
	})
	return &reference{t: t, in: in, out: bufio.NewReaderSize(out, 1<<20)}
}

// needSupervisor skips the test unless the reference has the supervisor module.
func (r *reference) needSupervisor() {
	r.t.Helper()
	var has bool
	r.call(map[string]any{"op": "version"}, &has)
	if !has {
		testenv.NeedProgram(r.t, "/usr/bin/supervisord", "supervisor")
		r.t.Fatal("/usr/bin/python3 has no module supervisor")
	}
}

// ask puts questions of one kind and returns the answers.
func (r *reference) ask(op string, items []any) []answer {
	r.t.Helper()
	var answers []answer
	r.call(map[string]any{"op": op, "items": items}, &answers)
	if len(answers) != len(items) {
		r.t.Fatalf("%d answers to %d questions", len(answers), len(items))
	}
	return answers
}

func (r *reference) call(request, reply any) {
	r.t.Helper()
	line, err := json.Marshal(request)
	if err != nil {
		r.t.Fatal(err)
	}
	if _, err := r.in.Write(append(line, '\n')); err != nil {
		r.t.Fatal(err)
	}
	line, err = r.out.ReadBytes('\n')
	if err != nil {
		r.t.Fatal(err)
	}
	if err := json.Unmarshal(line, reply); err != nil {
		r.t.Fatalf("%v in %.500s", err, line)
	}
}

// differ compares count texts: make makes a question, and compare compares the
// answer with what this package says.
func differ[Q any](t *testing.T, op string, count int, make func(*rand.Rand) Q, item func(Q) any, compare func(Q, answer) string) {
	r := newReference(t)
	rnd := newRand(t)
	failed := 0
	for done := 0; done < count; done += batch {
		var questions []Q
		var items []any
		for range min(batch, count-done) {
			q := make(rnd)
			questions = append(questions, q)
			items = append(items, item(q))
		}
		for i, a := range r.ask(op, items) {
			if difference := compare(questions[i], a); difference != "" {
				t.Error(difference)
				if failed++; failed == 10 {
					t.Fatal("too many differences")
				}
			}
		}
	}
}

func encoded(data []byte) string { return base64.StdEncoding.EncodeToString(data) }
