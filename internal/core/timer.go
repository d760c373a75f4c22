package core

import "time"

// timer is a deadline of something that the core waits for. It is part of its
// owner; index is its place in the heap, or -1. Of timers that are due at the
// same time, as after a start of everything at once, the one of the process
// with the lower id fires first.
type timer struct {
	due   time.Duration
	order ProcID
	index int
	fire  func(*Core)
}

func (t *timer) before(o *timer) bool {
	return t.due < o.due || t.due == o.due && t.order < o.order
}

// timers is a heap of the timers that are set, the earliest first.
type timers []*timer

// set arms t for due, or moves it there.
func (h *timers) set(t *timer, due time.Duration) {
	t.due = due
	if t.index < 0 {
		t.index = len(*h)
		*h = append(*h, t)
	}
	h.up(t.index)
	h.down(t.index)
}

// clear disarms t.
func (h *timers) clear(t *timer) {
	if t.index < 0 {
		return
	}
	i, last := t.index, len(*h)-1
	h.swap(i, last)
	*h = (*h)[:last]
	t.index = -1
	if i < last {
		h.up(i)
		h.down(i)
	}
}

func (h timers) swap(i, j int) {
	h[i], h[j] = h[j], h[i]
	h[i].index, h[j].index = i, j
}

func (h timers) up(i int) {
	for i > 0 {
		parent := (i - 1) / 2
		if !h[i].before(h[parent]) {
			return
		}
		h.swap(i, parent)
		i = parent
	}
}

func (h timers) down(i int) {
	for {
		least := i
		for child := 2*i + 1; child <= 2*i+2 && child < len(h); child++ {
			if h[child].before(h[least]) {
				least = child
			}
		}
		if least == i {
			return
		}
		h.swap(i, least)
		i = least
	}
}
