package webui

import (
	"context"
	"maps"
	"slices"
	"strconv"
	"strings"
	"sync"
	"time"

	"supervisord/internal/api"
)

// ringSize is how many events are kept for clients that come back.
const ringSize = 512

// lookPause is the least time between two looks at the processes.
const lookPause = 100 * time.Millisecond

// A hub turns the states of the processes into numbered events for any number
// of readers. While there is a reader one goroutine looks at the processes,
// whenever the daemon says that they changed and once per interval. It writes
// what is under mu; readers only read that. What was seen stays when the last
// reader leaves, so that one that comes back is told only the difference.
type hub struct {
	sup      Supervisor
	version  string
	interval time.Duration
	// life tells the events of this daemon from those of one before it.
	life string

	mu      sync.Mutex
	readers int
	stop    context.CancelFunc
	// wake is closed and replaced at each news.
	wake chan struct{}
	// fresh says that the goroutine has looked since it was started.
	fresh     bool
	processes map[string]*process
	mood      api.Mood
	// last is the number of the newest event; event n stands in ring[n%ringSize].
	last uint64
	ring [ringSize][]byte
	// usage is the newest measurement, a complete frame, and usageCount
	// how many there have been. It has no number and is not kept.
	usage      []byte
	usageCount uint64
}

// A process is what the hub knows of one process. The text is never changed,
// only replaced.
type process struct {
	info    api.ProcessInfo
	text    []byte
	history history
}

func newHub(sup Supervisor, version string, interval time.Duration) *hub {
	return &hub{
		sup:       sup,
		version:   version,
		interval:  interval,
		life:      strconv.FormatInt(time.Now().UnixNano(), 36),
		wake:      make(chan struct{}),
		processes: make(map[string]*process),
		mood:      sup.Mood(),
	}
}

// A reader is one client's place in the events.
type reader struct {
	hub *hub
	// seen is the number of the last event that was read. Where known is
	// false the client must be told everything first.
	seen  uint64
	known bool
	usage uint64
}

// subscribe returns a reader that goes on behind the event with the given id,
// or begins with everything if that is not possible. It starts the hub's
// goroutine if this is the first reader.
func (h *hub) subscribe(lastID string) *reader {
	h.mu.Lock()
	defer h.mu.Unlock()
	r := &reader{hub: h, usage: h.usageCount}
	life, number, _ := strings.Cut(lastID, "-")
	if seen, err := strconv.ParseUint(number, 10, 64); err == nil && life == h.life && seen <= h.last {
		r.seen, r.known = seen, true
	}
	h.readers++
	if h.readers == 1 {
		ctx, stop := context.WithCancel(context.Background())
		h.stop = stop
		h.fresh = false
		go h.run(ctx)
	}
	return r
}

// unsubscribe ends the reader, and the hub's goroutine with the last one.
func (r *reader) unsubscribe() {
	h := r.hub
	h.mu.Lock()
	defer h.mu.Unlock()
	h.readers--
	if h.readers == 0 {
		h.stop()
	}
}

// read returns the frames that the reader has not had, in order, and a channel
// that is closed when there is more.
func (r *reader) read() (frames [][]byte, changed <-chan struct{}) {
	h := r.hub
	h.mu.Lock()
	if !h.fresh {
		defer h.mu.Unlock()
		return nil, h.wake
	}
	changed = h.wake
	var all *snapshot
	if !r.known || h.last-r.seen > ringSize {
		all = h.snapshot()
		r.known = true
	} else {
		for n := r.seen + 1; n <= h.last; n++ {
			frames = append(frames, h.ring[n%ringSize])
		}
	}
	r.seen = h.last
	if r.usage != h.usageCount && all == nil {
		frames = append(frames, h.usage)
	}
	r.usage = h.usageCount
	h.mu.Unlock()
	if all != nil {
		frames = append(frames, all.frame())
	}
	return frames, changed
}

// run looks at the processes until ctx ends.
func (h *hub) run(ctx context.Context) {
	tick := time.NewTicker(h.interval)
	defer tick.Stop()
	m := newMeter()
	exitCodes := h.exitCodes(ctx)
	h.dropHistory(ctx)
	for measure := true; ; {
		changed := h.sup.Changed()
		if infos, err := h.sup.AllProcessInfo(ctx); err == nil {
			if h.missing(exitCodes, infos) {
				exitCodes = h.exitCodes(ctx)
			}
			h.publish(ctx, infos, exitCodes)
		}
		if measure {
			h.measure(ctx, m)
		}
		if !pause(ctx, min(lookPause, h.interval)) {
			return
		}
		select {
		case <-changed:
			measure = false
		case <-tick.C:
			measure = true
		case <-ctx.Done():
			return
		}
	}
}

// exitCodes returns the expected exit statuses of every process.
func (h *hub) exitCodes(ctx context.Context) map[string][]int {
	codes := make(map[string][]int)
	configs, err := h.sup.AllConfigInfo(ctx)
	if err != nil {
		return codes
	}
	for i := range configs {
		codes[api.Namespec(configs[i].Group, configs[i].Name)] = configs[i].ExitCodes
	}
	return codes
}

// missing reports whether there is a process that the hub has not met and
// whose exit codes are not known.
func (h *hub) missing(codes map[string][]int, infos []api.ProcessInfo) bool {
	h.mu.Lock()
	defer h.mu.Unlock()
	for i := range infos {
		name := api.Namespec(infos[i].Group, infos[i].Name)
		if _, ok := codes[name]; !ok && h.processes[name] == nil {
			return true
		}
	}
	return false
}

// publish makes events of what differs from the last look. A goroutine that was
// stopped publishes nothing: another one may have taken its place.
func (h *hub) publish(ctx context.Context, infos []api.ProcessInfo, exitCodes map[string][]int) {
	mood := h.sup.Mood()
	h.mu.Lock()
	defer h.mu.Unlock()
	if ctx.Err() != nil {
		return
	}
	news := !h.fresh
	h.fresh = true
	seen := make(map[string]bool, len(infos))
	for i := range infos {
		info := infos[i]
		info.Now = time.Time{}
		name := api.Namespec(info.Group, info.Name)
		seen[name] = true
		p := h.processes[name]
		if p != nil && p.info == info {
			continue
		}
		if p == nil {
			p = &process{}
			h.processes[name] = p
		}
		p.info = info
		p.text = processText(name, &info, unexpectedExit(&info, exitCodes[name]))
		h.add("process", p.text)
		news = true
	}
	for _, name := range slices.Sorted(maps.Keys(h.processes)) {
		if !seen[name] {
			delete(h.processes, name)
			delete(exitCodes, name) // It may come back with others.
			var j jsonBuffer
			h.add("removed", j.open('{').key("name").string(name).close('}').b)
			news = true
		}
	}
	if mood != h.mood {
		h.mood = mood
		var j jsonBuffer
		h.add("mood", j.open('{').key("mood").string(mood.String()).close('}').b)
		news = true
	}
	if news {
		h.announce()
	}
}

// add puts an event into the ring. The caller holds mu.
func (h *hub) add(name string, data []byte) {
	h.last++
	h.ring[h.last%ringSize] = h.frame(name, data, h.last)
}

// frame returns an event with its number.
func (h *hub) frame(name string, data []byte, number uint64) []byte {
	b := make([]byte, 0, len(data)+len(h.life)+len(name)+48)
	b = append(b, "id: "...)
	b = append(b, h.life...)
	b = append(b, '-')
	b = strconv.AppendUint(b, number, 10)
	b = append(b, "\nevent: "...)
	b = append(b, name...)
	b = append(b, "\ndata: "...)
	b = append(b, data...)
	return append(b, "\n\n"...)
}

// announce wakes the readers. The caller holds mu.
func (h *hub) announce() {
	close(h.wake)
	h.wake = make(chan struct{})
}

// measure takes the usage of all programs and tells the readers. They are told
// also when there is nothing: they see by it that the connection lives.
func (h *hub) measure(ctx context.Context, m *meter) {
	groups := make(map[int]bool)
	h.mu.Lock()
	for _, p := range h.processes {
		if p.info.PID > 0 {
			groups[p.info.PID] = true
		}
	}
	h.mu.Unlock()
	now := time.Now()
	found := m.measure(groups, now)

	h.mu.Lock()
	defer h.mu.Unlock()
	if ctx.Err() != nil {
		return
	}
	var j jsonBuffer
	j.open('{').key("now").int(now.Unix()).key("usage").open('{')
	for name, p := range h.processes {
		u, ok := found[p.info.PID]
		if !ok {
			p.history.clear()
			continue
		}
		p.history.add(u)
		j.key(name).open('[').int(int64(u.cpu)).int(u.rss).close(']')
	}
	j.close('}').close('}')
	h.usage = append(append([]byte("event: usage\ndata: "), j.b...), "\n\n"...)
	h.usageCount++
	h.announce()
}

// dropHistory forgets the measurements from before a time without readers.
func (h *hub) dropHistory(ctx context.Context) {
	h.mu.Lock()
	defer h.mu.Unlock()
	if ctx.Err() != nil {
		return
	}
	for _, p := range h.processes {
		p.history.clear()
	}
}

// unexpectedExit reports whether a process that has ended by itself did so in
// a way that its configuration does not expect.
func unexpectedExit(info *api.ProcessInfo, codes []int) bool {
	if info.State != api.Exited {
		return false
	}
	if codes == nil {
		return info.ExitStatus != 0
	}
	return !slices.Contains(codes, info.ExitStatus)
}

// processText returns a process as the events tell it. The names of the members
// are those of getProcessInfo where it has them.
func processText(name string, info *api.ProcessInfo, unexpected bool) []byte {
	j := jsonBuffer{b: make([]byte, 0, 384)}
	j.open('{').key("namespec").string(name)
	j.key("name").string(info.Name).key("group").string(info.Group)
	j.key("state").int(int64(info.State)).key("statename").string(info.State.String())
	j.key("pid").int(int64(info.PID))
	j.key("start").int(unix(info.Start)).key("stop").int(unix(info.Stop))
	j.key("exitstatus").int(int64(info.ExitStatus)).key("spawnerr").string(info.SpawnErr)
	j.key("stdout_logfile").string(info.StdoutLogfile).key("stderr_logfile").string(info.StderrLogfile)
	j.key("restarts").int(int64(info.Restarts)).key("exitreason").string(info.ExitReason)
	if !info.NextStart.IsZero() {
		j.key("nextstart").int(unix(info.NextStart))
	}
	if info.ExitOn != "" {
		j.key("exit_on").string(info.ExitOn)
	}
	if info.StderrTail != "" {
		j.key("stderr_tail").string(info.StderrTail)
	}
	if info.Waiting != "" {
		j.key("waiting").string(info.Waiting)
	}
	if info.HasReady {
		j.key("ready").bool(info.Ready)
	}
	if info.Health != "" {
		j.key("health").string(info.Health)
	}
	if info.StatusText != "" {
		j.key("statustext").string(info.StatusText)
	}
	j.key("unexpected").bool(unexpected)
	return j.close('}').b
}

// unix returns a time in seconds, 0 for never.
func unix(t time.Time) int64 {
	if t.IsZero() {
		return 0
	}
	return t.Unix()
}
