package listenertest

import (
	"flag"
	"fmt"
	"strings"
	"testing"

	"supervisord/internal/testenv"
)

// A play is something that programs and listeners do, and what comes of it.
type play struct {
	name string
	// conf are the sections of the configuration.
	conf string
	// act has the puppets act and notes what happens.
	act func(d *daemon, note func(values ...any))
	// want are the notes, one in a line, and the complaints in the log after
	// them.
	want string
	// differs says why the Python implementation is not asked.
	differs string
}

// give has a daemon give the play.
func (p *play) give(t *testing.T, program string) {
	d := start(t, program, "debug", p.conf)
	var notes []string
	p.act(d, func(values ...any) { notes = append(notes, fmt.Sprint(values...)) })
	d.end()
	for _, text := range d.complaints() {
		notes = append(notes, "log: "+text)
	}
	got, want := strings.Join(notes, "\n"), strings.TrimPrefix(p.want, "\n")
	if got != want {
		t.Errorf("got:\n%s\nwant:\n%s", got, want)
	}
}

// reference has the plays given on the original as well. What it does depends
// on when its one-second ticks come, so that is for a machine that is not busy.
var reference = flag.Bool("listener.reference", false, "give the plays on the original, too")

// TestPlays gives every play on our daemon, and on the original if asked.
func TestPlays(t *testing.T) {
	for _, plays := range [][]play{poolPlays, protocolPlays, outputPlays, typePlays} {
		for _, p := range plays {
			t.Run(p.name+"/ours", func(t *testing.T) {
				t.Parallel()
				p.give(t, "supervisord")
			})
			t.Run(p.name+"/original", func(t *testing.T) {
				if p.differs != "" {
					t.Skip(p.differs)
				}
				if !*reference {
					t.Skip("with -listener.reference the plays are given on the original, too")
				}
				t.Parallel()
				testenv.NeedProgram(t, original, "supervisor")
				p.give(t, original)
			})
		}
	}
}
