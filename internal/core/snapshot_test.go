package core

import (
	"bytes"
	"encoding/json"
	"os"
	"reflect"
	"strings"
	"testing"
	"time"

	"supervisord/internal/config"
	"supervisord/internal/testenv"
)

// resumed returns a core that was restored from what another one wrote down.
func resumed(t testing.TB, c *Core, o Options) *Core {
	t.Helper()
	text, err := json.Marshal(c.Snapshot())
	if err != nil {
		t.Fatal(err)
	}
	again, err := Restore(o, decodeSnapshot(t, text))
	if err != nil {
		t.Fatal(err)
	}
	if second, err := json.Marshal(again.Snapshot()); err != nil || !bytes.Equal(second, text) {
		t.Fatalf("%v; what was restored is\n%s\nand not\n%s", err, second, text)
	}
	return again
}

func decodeSnapshot(t testing.TB, text []byte) *Snapshot {
	t.Helper()
	d := json.NewDecoder(bytes.NewReader(text))
	d.DisallowUnknownFields()
	s := new(Snapshot)
	if err := d.Decode(s); err != nil {
		t.Fatal(err)
	}
	return s
}

// TestSnapshotKnowsEveryField fails when something is added to the core that
// nobody has thought of in Snapshot and Restore. What is saved stands on the
// left of the bar, what follows from the rest, or is not set between two steps,
// on the right.
func TestSnapshotKnowsEveryField(t *testing.T) {
	for _, s := range []struct {
		value  any
		fields string
	}{
		{Core{}, "serial chance mood config groups nextProc requests ticks shutdown" +
			" | identifier logLevel trace pools procs sorted interest dependencies timers now effects answers changed"},
		{group{}, "config processes pool | byName unstopped"},
		{process{}, "id config gen state pid backoff killing stopOnStart signalsOnStart startMono start stop spawnErr" +
			" problem exit hasExit exitText lastWords result restarts asked adopted order vital due nextStart stopReport readyBy check waiters listener | group links"},
		{order{}, "waiting held again failed |"},
		{vital{}, "found probing sign failures reason status |"},
		{pendingSignal{}, "sig req |"},
		{pool{}, "buffer serial hold | group subscribe subscriptions"},
		{notice{}, "typ payload serial poolSerial rejections |"},
		{listener{}, "protocol current deaf |"},
		{request{}, "req name list pending statuses later |"},
		{waiter{}, "request kind name slot |"},
		{shutdown{}, "begun finished status remaining report |"},
		{timer{}, "due index | order fire"},
		{Exit{}, "Code Signal Core Unknown |"},
	} {
		testenv.KnowsFields(t, s.value, s.fields, "save it in snapshot.go, restore it in restore.go")
	}
}

// TestSnapshotIsPlain fails when a part of a snapshot, or of a configuration,
// cannot be written down: a field that is not exported, an interface, a
// function.
func TestSnapshotIsPlain(t *testing.T) {
	seen := make(map[reflect.Type]bool)
	var look func(path string, typ reflect.Type)
	look = func(path string, typ reflect.Type) {
		if seen[typ] || typ == reflect.TypeFor[time.Time]() {
			return
		}
		seen[typ] = true
		switch typ.Kind() {
		case reflect.Pointer, reflect.Slice, reflect.Array:
			look(path, typ.Elem())
		case reflect.Map:
			look(path+" key", typ.Key())
			look(path+" element", typ.Elem())
		case reflect.Struct:
			for i := range typ.NumField() {
				f := typ.Field(i)
				name := typ.String() + "." + f.Name
				if tag := f.Tag.Get("json"); !f.IsExported() || strings.HasPrefix(tag, "-") {
					t.Errorf("%s is not written down", name)
				}
				look(name, f.Type)
			}
		case reflect.Interface, reflect.Func, reflect.Chan, reflect.UnsafePointer:
			t.Errorf("%s is a %s", path, typ.Kind())
		default:
		}
	}
	look("Snapshot", reflect.TypeFor[Snapshot]())
}

// fill sets everything in v to something that is not the zero value.
func fill(v reflect.Value) {
	switch v.Kind() {
	case reflect.Pointer:
		v.Set(reflect.New(v.Type().Elem()))
		fill(v.Elem())
	case reflect.Slice:
		v.Set(reflect.MakeSlice(v.Type(), 2, 2))
		for i := range v.Len() {
			fill(v.Index(i))
		}
	case reflect.Map:
		v.Set(reflect.MakeMap(v.Type()))
		key, element := reflect.New(v.Type().Key()).Elem(), reflect.New(v.Type().Elem()).Elem()
		fill(key)
		fill(element)
		v.SetMapIndex(key, element)
	case reflect.Struct:
		if v.Type() == reflect.TypeFor[time.Time]() {
			v.Set(reflect.ValueOf(time.Date(2026, 7, 1, 1, 2, 3, 456789012, time.UTC)))
			return
		}
		for i := range v.NumField() {
			fill(v.Field(i))
		}
	case reflect.String:
		v.SetString("text\n\x00\u20ac")
	case reflect.Bool:
		v.SetBool(true)
	case reflect.Uint, reflect.Uint8, reflect.Uint16, reflect.Uint32, reflect.Uint64:
		v.SetUint(uint64(1)<<(v.Type().Bits()-1) + 1)
	case reflect.Int, reflect.Int8, reflect.Int16, reflect.Int32, reflect.Int64:
		v.SetInt(-1 << (v.Type().Bits() - 1))
	case reflect.Float32, reflect.Float64:
		v.SetFloat(0.1)
	default:
	}
}

// TestConfigSurvives writes a configuration down in which everything is set.
func TestConfigSurvives(t *testing.T) {
	var before, after config.Config
	fill(reflect.ValueOf(&before).Elem())
	text, err := json.Marshal(before)
	if err != nil {
		t.Fatal(err)
	}
	if err := json.Unmarshal(text, &after); err != nil {
		t.Fatal(err)
	}
	if !reflect.DeepEqual(before, after) {
		t.Errorf("%+v became %+v", before, after)
	}
}

// TestSnapshotOfOldVersions restores what older versions wrote down. The files
// are kept for ever; a new version gets one of its own.
func TestSnapshotOfOldVersions(t *testing.T) {
	text, err := os.ReadFile("testdata/snapshot-1.json")
	if err != nil {
		t.Fatal(err)
	}
	s := new(Snapshot)
	if err := json.Unmarshal(text, s); err != nil {
		t.Fatal(err)
	}
	c, err := Restore(Options{Identifier: "supervisor"}, s)
	if err != nil {
		t.Fatal(err)
	}
	stage := newStage(t)
	stage.core, stage.now.Mono, stage.now.Wall = c, 2*time.Second, stage.now.Wall.Add(2*time.Second)
	stage.nextReq, stage.nextPID = 10, 200
	for id, p := range c.procs {
		stage.names[id], stage.gens[id] = p.namespec(), p.gen
	}
	for _, command := range []string{
		"status", "says mail:mail0 K", "says mail:mail0 READY\\n", "started bad", "failed web:web1 reason", "exit slow 0",
		"add slow", "remove slow", "add slow", "advance 1m", "status",
	} {
		stage.out.WriteString("\n" + command + "\n----\n")
		stage.playBlock(command)
	}
	if *update {
		if err := os.WriteFile("testdata/snapshot-1.want", stage.out.Bytes(), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	if got, want := stage.out.String(), readFile(t, "testdata/snapshot-1.want"); got != want {
		t.Errorf("got\n%s\nwant\n%s", got, want)
	}
}

func readFile(t *testing.T, name string) string {
	t.Helper()
	text, err := os.ReadFile(name)
	if err != nil {
		t.Fatal(err)
	}
	return string(text)
}

// TestRestoreRefuses has snapshots that make no sense.
func TestRestoreRefuses(t *testing.T) {
	for _, c := range []struct{ name, from, to, want string }{
		{"version", `"Version":1`, `"Version":2`, "version 2 is not known; this program knows version 1"},
		{"ticks", `"Ticks":[`, `"Ticks":[0,`, "4 periods of ticks"},
		{"group", `"Loaded":0`, `"Loaded":7`, "configuration 7, which does not exist"},
		{"processes", `"ID":1,`, `"ID":2,`, "its number 2 is not its own"},
		{"waiter", `"Kind":"running"`, `"Kind":"godot"`, `waits for "godot"`},
		{"request", `"Waiters":[{"Request":0`, `"Waiters":[{"Request":5`, "request 5 does not exist"},
		{"slot", `"Slot":0`, `"Slot":3`, "answer 3 of request 0 does not exist"},
		{"place", `"Place":0`, `"Place":9`, "stands at place 9"},
	} {
		t.Run(c.name, func(t *testing.T) {
			core, now := many(2)
			fx := core.Step(Command{Req: 1, Op: OpStop, Name: "p00000:p00000"}, now, nil)
			core.Step(Exited{Proc: 1, Gen: 1}, now, nil)
			core.Step(Command{Req: 2, Op: OpStart, Name: "p00000:p00000", Wait: true}, now, nil)
			core.Step(Command{Req: 3, Op: OpStop, Name: "p00001:p00001", Wait: true}, now, fx)
			text, err := json.Marshal(core.Snapshot())
			if err != nil {
				t.Fatal(err)
			}
			changed := strings.Replace(string(text), c.from, c.to, 1)
			if changed == string(text) {
				t.Fatalf("%s is not in %s", c.from, text)
			}
			if _, err := Restore(Options{}, decodeSnapshot(t, []byte(changed))); err == nil || !strings.Contains(err.Error(), c.want) {
				t.Errorf("Restore: %v, want %q", err, c.want)
			}
		})
	}
}

// BenchmarkSnapshot writes down and restores a core with 10,000 processes.
func BenchmarkSnapshot(b *testing.B) {
	c, _ := many(10000)
	b.ReportAllocs()
	for b.Loop() {
		text, err := json.Marshal(c.Snapshot())
		if err != nil {
			b.Fatal(err)
		}
		if _, err := Restore(Options{}, decodeSnapshot(b, text)); err != nil {
			b.Fatal(err)
		}
		b.SetBytes(int64(len(text)))
	}
}
