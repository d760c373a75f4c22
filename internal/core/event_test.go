package core

import (
	"encoding/json"
	"fmt"
	"reflect"
	"strings"
	"time"
)

// events are the kinds of events by name, for transcripts that the simulator
// writes.
var events = func() map[string]reflect.Type {
	m := make(map[string]reflect.Type)
	for _, ev := range []Event{
		Boot{}, Started{}, SpawnFailed{}, Exited{}, Signaled{}, StdinWritten{}, Probed{}, Notified{}, Resumed{}, Output{}, Captured{},
		ListenerOutput{}, SignalReceived{}, Tick{}, Command{},
	} {
		t := reflect.TypeOf(ev)
		m[t.Name()] = t
	}
	return m
}()

// event gives the core an event of a name, with its members in JSON.
func (s *stage) event(name, members string) error {
	t, ok := events[name]
	if !ok {
		return fmt.Errorf("no event %s", name)
	}
	v := reflect.New(t)
	d := json.NewDecoder(strings.NewReader(members))
	d.DisallowUnknownFields()
	if err := d.Decode(v.Interface()); err != nil {
		return fmt.Errorf("event %s: %w", name, err)
	}
	s.step(v.Elem().Interface().(Event))
	return nil
}

// at sets the clocks: "at MONO WALL".
func (s *stage) at(mono, wall string) error {
	d, err := time.ParseDuration(mono)
	if err != nil {
		return err
	}
	t, err := time.Parse(time.RFC3339Nano, wall)
	s.now = Now{Mono: d, Wall: t}
	return err
}
