package webui

import (
	"maps"
	"slices"
	"time"
)

// historyLength is how many measurements of a process are kept.
const historyLength = 40

// A history holds the newest measurements of a process. The zero value is
// empty.
type history struct {
	cpu  [historyLength]int32
	rss  [historyLength]int64
	next int
	len  int
}

func (h *history) clear() { *h = history{} }

// add appends a measurement, in the place of the oldest if it is full.
func (h *history) add(u usage) {
	h.cpu[h.next], h.rss[h.next] = u.cpu, u.rss
	h.next = (h.next + 1) % historyLength
	h.len = min(h.len+1, historyLength)
}

// append adds the history to a text, from the oldest to the newest.
func (h *history) append(j *jsonBuffer) {
	first := h.next - h.len + historyLength
	j.open('{').key("cpu").open('[')
	for i := range h.len {
		j.int(int64(h.cpu[(first+i)%historyLength]))
	}
	j.close(']').key("rss").open('[')
	for i := range h.len {
		j.int(h.rss[(first+i)%historyLength])
	}
	j.close(']').close('}')
}

// A snapshot is a copy of all that a hub knows, which can be written out
// without holding the hub.
type snapshot struct {
	hub   *hub
	id    uint64
	mood  string
	names []string
	texts [][]byte
	// histories are those of the processes that have one.
	histories map[string]history
}

// snapshot copies what the hub knows. The caller holds mu.
func (h *hub) snapshot() *snapshot {
	s := &snapshot{hub: h, id: h.last, mood: h.mood.String(), histories: make(map[string]history)}
	s.names = slices.Sorted(maps.Keys(h.processes))
	for _, name := range s.names {
		p := h.processes[name]
		s.texts = append(s.texts, p.text)
		if p.history.len > 0 {
			s.histories[name] = p.history
		}
	}
	return s
}

// frame returns the snapshot as an event with the number of the last event
// that is part of it.
func (s *snapshot) frame() []byte {
	var j jsonBuffer
	j.open('{').key("identifier").string(s.hub.sup.Identifier())
	j.key("version").string(s.hub.version).key("pid").int(int64(s.hub.sup.PID()))
	j.key("now").int(time.Now().Unix()).key("interval").int(s.hub.interval.Milliseconds())
	j.key("mood").string(s.mood)
	j.key("processes").open('[')
	for _, text := range s.texts {
		j.raw(text)
	}
	j.close(']').key("history").open('{')
	for _, name := range s.names {
		if h, ok := s.histories[name]; ok {
			j.key(name)
			h.append(&j)
		}
	}
	j.close('}').close('}')
	return s.hub.frame("snapshot", j.b, s.id)
}
