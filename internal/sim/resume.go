package sim

import (
	"bytes"
	"encoding/json"
	"reflect"
	"slices"

	"supervisord/internal/core"
)

// resumption is how often the core is taken down and taken up again by another
// one, as an upgrade of supervisord does, and what there is to compare.
type resumption struct {
	// every is the mean number of steps from one to the next; 0 for never.
	every   int
	playing bool   // the core that steps is the one that was restored
	moves   []move // of that one
	count   int
}

// decide has the core react to the event. Now and then it is taken down before,
// and a core that is restored from what was written down goes on in its place.
// The one before is asked too: both must do the same, and know the same
// afterwards.
func (w *World) decide() {
	r := &w.resumption
	if r.every == 0 || w.rand.IntN(r.every) > 0 {
		w.fx = w.core.Step(w.cause, w.now, w.fx[:0])
		return
	}
	r.count++
	restored := w.restored()
	if restored == nil {
		return
	}
	w.fx = w.core.Step(w.cause, w.now, w.fx[:0])
	r.playing, r.moves = true, r.moves[:0]
	fx := restored.Step(w.cause, w.now, nil)
	r.playing = false
	if len(fx) != len(w.fx) || len(fx) > 0 && !reflect.DeepEqual(fx, w.fx) {
		w.fail("a core that was restored before %T has the effects\n%+v\nwhere the one before it has\n%+v", w.cause, fx, w.fx)
	}
	if !slices.Equal(r.moves, w.moves) {
		w.fail("a core that was restored before %T changes states like %v, the one before it like %v", w.cause, r.moves, w.moves)
	}
	if before, after := w.written(w.core), w.written(restored); !bytes.Equal(before, after) {
		w.fail("a core that was restored before %T knows\n%s\nwhere the one before it knows\n%s", w.cause, after, before)
	}
	w.core, w.fx = restored, fx
}

// restored returns a core with all that the present one knows.
func (w *World) restored() *core.Core {
	s := new(core.Snapshot)
	if err := json.Unmarshal(w.written(w.core), s); err != nil {
		w.fail("what was written down cannot be read: %v", err)
		return nil
	}
	c, err := core.Restore(w.options(), s)
	if err != nil {
		w.fail("%v", err)
		return nil
	}
	return c
}

func (w *World) written(c *core.Core) []byte {
	text, err := json.Marshal(c.Snapshot())
	if err != nil {
		w.fail("the core cannot be written down: %v", err)
	}
	return text
}
