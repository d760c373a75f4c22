package webui

import (
	"bufio"
	"context"
	"encoding/json"
	"fmt"
	"net/http"
	"net/http/httptest"
	"runtime"
	"slices"
	"strings"
	"testing"
	"time"

	"supervisord/internal/api"
	"supervisord/internal/webtest"
)

// An event is a server-sent event as a client reads it.
type event struct{ id, name, data string }

// A client reads a stream of events.
type client struct {
	t       *testing.T
	scanner *bufio.Scanner
	close   func()
}

// dial opens a stream; the test fails if there is none.
func dial(t *testing.T, url, lastID string) *client {
	t.Helper()
	ctx, cancel := context.WithCancel(context.Background())
	r, err := http.NewRequestWithContext(ctx, "GET", url, nil)
	if err != nil {
		t.Fatal(err)
	}
	if lastID != "" {
		r.Header.Set("Last-Event-ID", lastID)
	}
	resp, err := http.DefaultClient.Do(r)
	if err != nil {
		t.Fatal(err)
	}
	if resp.StatusCode != 200 || !strings.HasPrefix(resp.Header.Get("Content-Type"), "text/event-stream") {
		t.Fatalf("%s: %d %s", url, resp.StatusCode, resp.Header.Get("Content-Type"))
	}
	c := &client{t: t, scanner: bufio.NewScanner(resp.Body), close: func() { cancel(); resp.Body.Close() }}
	c.scanner.Buffer(nil, 4<<20)
	t.Cleanup(c.close)
	return c
}

// next returns the next event with one of the names.
func (c *client) next(names ...string) event {
	c.t.Helper()
	var e event
	for c.scanner.Scan() {
		field, value, _ := strings.Cut(c.scanner.Text(), ": ")
		switch field {
		case "id":
			e.id = value
		case "event":
			e.name = value
		case "data":
			e.data = value
		case "":
			if slices.Contains(names, e.name) {
				if !json.Valid([]byte(e.data)) {
					c.t.Fatalf("the data of %s is no JSON: %s", e.name, e.data)
				}
				return e
			}
			e = event{}
		}
	}
	c.t.Fatalf("the stream ended: %v", c.scanner.Err())
	return e
}

// numbered are the events that have a number.
var numbered = []string{"snapshot", "process", "removed", "mood"}

// newStream serves the pages of a Supervisor with two processes.
func newStream(t *testing.T) (*webtest.Supervisor, *Handler, *httptest.Server) {
	t.Helper()
	sup := webtest.New(t.TempDir())
	sup.Add("cat", "g:a")
	sup.Run(time.Minute, "cat")
	h := New(Options{Supervisor: sup, Version: "4.3.0", Describe: func(api.ProcessInfo) string { return "" }, Interval: 20 * time.Millisecond})
	server := httptest.NewServer(h)
	t.Cleanup(func() {
		server.CloseClientConnections()
		server.Close()
	})
	return sup, h, server
}

func TestEvents(t *testing.T) {
	sup, _, server := newStream(t)
	c := dial(t, server.URL+"/events", "")
	e := c.next(numbered...)
	var all struct {
		Identifier, Version, Mood string
		Interval                  int
		Processes                 []struct {
			Namespec, Statename string
			PID                 int
		}
	}
	if err := json.Unmarshal([]byte(e.data), &all); err != nil || e.name != "snapshot" {
		t.Fatalf("first comes %+v: %v", e, err)
	}
	if all.Identifier != "build-07" || all.Version != "4.3.0" || all.Mood != "RUNNING" || all.Interval != 20 ||
		len(all.Processes) != 2 || all.Processes[0].Namespec != "cat" || all.Processes[1].Statename != "STOPPED" {
		t.Errorf("snapshot %+v", all)
	}
	sup.Exit("cat", 3, "exit status 3")
	if e := c.next(numbered...); e.name != "process" || !strings.Contains(e.data, `"statename":"EXITED"`) ||
		!strings.Contains(e.data, `"exitreason":"exit status 3","unexpected":true}`) {
		t.Errorf("after an exit comes %+v", e)
	}
	sup.Exit("cat", 0, "exit status 0")
	if e := c.next(numbered...); !strings.Contains(e.data, `"unexpected":false}`) {
		t.Errorf("after an expected exit comes %+v", e)
	}
	sup.Remove("g:a")
	if e := c.next(numbered...); e.name != "removed" || e.data != `{"name":"g:a"}` {
		t.Errorf("after a removal comes %+v", e)
	}
	sup.SetMood(api.MoodShutdown)
	if e := c.next(numbered...); e.name != "mood" || e.data != `{"mood":"SHUTDOWN"}` {
		t.Errorf("with the shutdown comes %+v", e)
	}
	if e := c.next("usage"); e.id != "" || !strings.Contains(e.data, `"usage":{`) {
		t.Errorf("a measurement is %+v", e)
	}
}

// A client that comes back is told what it missed, also if nobody else was
// there, and everything if that is too much or from another life.
func TestEventsResume(t *testing.T) {
	sup, h, server := newStream(t)
	c := dial(t, server.URL+"/events", "")
	first := c.next(numbered...)
	c.close()

	sup.Fail("g:a", "no such file")
	sup.Run(0, "cat")
	c = dial(t, server.URL+"/events", first.id)
	got := []string{c.next(numbered...).name, c.next(numbered...).name}
	if !slices.Equal(got, []string{"process", "process"}) {
		t.Errorf("back again, the client is told %q", got)
	}
	sup.Exit("cat", 1, "exit status 1")
	last := c.next(numbered...)
	c.close()
	if _, number, _ := strings.Cut(last.id, "-"); number != "5" {
		t.Errorf("the fifth event has the id %s", last.id)
	}

	// The query says the same as the header.
	c = dial(t, server.URL+"/events?last-event-id="+last.id, "")
	sup.Remove("cat")
	if e := c.next(numbered...); e.name != "removed" {
		t.Errorf("with the query comes %+v", e)
	}
	for _, id := range []string{"otherlife-3", h.hub.life + "-99999999", h.hub.life + "-x", h.hub.life, "-", "\xff"} {
		c := dial(t, server.URL+"/events", id)
		if e := c.next(numbered...); e.name != "snapshot" {
			t.Errorf("after %q comes %+v", id, e)
		}
	}
	// More than the ring holds.
	for i := range ringSize + 1 {
		h.hub.mu.Lock()
		h.hub.add("removed", fmt.Appendf(nil, `{"name":"x%d"}`, i))
		h.hub.mu.Unlock()
	}
	c = dial(t, server.URL+"/events", last.id)
	if e := c.next(numbered...); e.name != "snapshot" {
		t.Errorf("after too long a time comes %+v", e)
	}
}

// The hub works only while somebody looks.
func TestHubEndsWithLastReader(t *testing.T) {
	_, h, _ := newStream(t)
	before := runtime.NumGoroutine()
	for range 50 {
		a, b := h.hub.subscribe(""), h.hub.subscribe("")
		for {
			frames, changed := a.read()
			if len(frames) > 0 {
				break
			}
			<-changed
		}
		a.unsubscribe()
		b.unsubscribe()
	}
	// The last goroutines end as soon as they notice; they are waited for by
	// being let run.
	for runtime.NumGoroutine() > before {
		runtime.Gosched()
	}
	// Nothing is published any more, whatever a goroutine was doing.
	h.hub.mu.Lock()
	count := h.hub.usageCount
	h.hub.mu.Unlock()
	r := h.hub.subscribe("")
	defer r.unsubscribe()
	if r.usage != count {
		t.Errorf("there were %d measurements while nobody looked", r.usage-count)
	}
}

// A reader that never reads costs nothing and holds nobody up.
func TestSlowReader(t *testing.T) {
	sup, h, _ := newStream(t)
	slow, fast := h.hub.subscribe(""), h.hub.subscribe("")
	defer slow.unsubscribe()
	defer fast.unsubscribe()
	read := func(r *reader) string {
		for {
			frames, changed := r.read()
			if len(frames) > 0 {
				return string(slices.Concat(frames...))
			}
			<-changed
		}
	}
	read(fast)
	for i := range 20 {
		sup.Set("cat", func(p *api.ProcessInfo) { p.Restarts = i + 1 })
		for !strings.Contains(read(fast), fmt.Sprintf(`"restarts":%d,`, i+1)) {
		}
	}
	if got := read(slow); strings.Count(got, "event: ") != 1 || !strings.Contains(got, `"restarts":20,`) {
		t.Errorf("the slow reader gets %s", got)
	}
}

func TestTooManyStreams(t *testing.T) {
	_, h, server := newStream(t)
	h.streams.Store(maxStreams)
	resp, err := http.Get(server.URL + "/events")
	if err != nil {
		t.Fatal(err)
	}
	resp.Body.Close()
	if resp.StatusCode != http.StatusServiceUnavailable || resp.Header.Get("Retry-After") == "" || h.streams.Load() != maxStreams {
		t.Errorf("%d, %d streams", resp.StatusCode, h.streams.Load())
	}
}

func TestFollow(t *testing.T) {
	sup, _, server := newStream(t)
	log := sup.Log("cat", "stdout")
	c := dial(t, server.URL+"/api/follow?processname=cat", "")
	if e := c.next("size"); e.data != `{"id":"","size":0}` {
		t.Errorf("without a file: %s", e.data)
	}
	size := func() (id string, size int) {
		var told struct {
			ID   string
			Size int
		}
		if err := json.Unmarshal([]byte(c.next("size").data), &told); err != nil {
			t.Fatal(err)
		}
		return told.ID, told.Size
	}
	for _, text := range []string{"hello", " there"} {
		if err := log.Append(text); err != nil {
			t.Fatal(err)
		}
		size()
	}
	if err := log.Append("!"); err != nil {
		t.Fatal(err)
	}
	id, n := size()
	if n != 12 {
		t.Errorf("the size is %d", n)
	}
	if err := log.Rotate(); err != nil {
		t.Fatal(err)
	}
	if other, n := size(); other == id || n != 0 {
		t.Errorf("after a rotation: %s, %d", other, n)
	}
	c = dial(t, server.URL+"/api/follow?processname=nope", "")
	if e := c.next("gone"); !strings.Contains(e.data, "BAD_NAME: nope") {
		t.Errorf("no such process: %s", e.data)
	}
}

func TestHistory(t *testing.T) {
	var h history
	for i := range historyLength + 3 {
		h.add(usage{int32(i), int64(i * 10)})
	}
	var j jsonBuffer
	h.append(&j)
	if got := j.String(); !strings.HasPrefix(got, `{"cpu":[3,4,`) || !strings.HasSuffix(got, `,410,420]}`) {
		t.Errorf("history %s", got)
	}
}

// BenchmarkMeasure measures what a look at /proc costs.
func BenchmarkMeasure(b *testing.B) {
	m := newMeter()
	b.ReportAllocs()
	for b.Loop() {
		m.measure(map[int]bool{1: true}, time.Now())
	}
}

// BenchmarkSnapshot measures the first event that a page gets, for 200 programs.
func BenchmarkSnapshot(b *testing.B) {
	sup := webtest.New(b.TempDir())
	for i := range 200 {
		sup.Add(fmt.Sprintf("group-%d:process-%03d", i%10, i))
	}
	h := newHub(sup, "4.3.0", time.Second)
	infos, err := sup.AllProcessInfo(b.Context())
	if err != nil {
		b.Fatal(err)
	}
	h.publish(b.Context(), infos, nil)
	b.ReportAllocs()
	for b.Loop() {
		b.SetBytes(int64(len(h.snapshot().frame())))
	}
}
