package main

import (
	"os"
	"reflect"
	"strings"
	"testing"

	"supervisord/internal/config"
	"supervisord/internal/core"
	"supervisord/internal/upgrade"
)

// TestOldStates reads what older versions wrote down for their successors. The
// files are kept for ever; a new version of the form gets one of its own, with
// everything that a daemon can have.
func TestOldStates(t *testing.T) {
	f, err := os.Open("testdata/state-1.json")
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	s, err := readState(f)
	if err != nil {
		t.Fatal(err)
	}
	loaded := false
	if err := s.check(func() (*config.Config, error) { loaded = true; return nil, nil }); err != nil || !loaded {
		t.Errorf("check: %v", err)
	}
	c, err := core.Restore(core.Options{}, s.Daemon.Core)
	if err != nil {
		t.Fatal(err)
	}
	states := make(map[string]string)
	for v := range c.SortedProcesses() {
		states[v.Config.Name] = v.Info.State.String()
	}
	if want := map[string]string{
		"web_0": "RUNNING", "web_1": "RUNNING", "slow": "STARTING", "bad": "BACKOFF", "fcgi": "RUNNING", "mail": "RUNNING",
	}; !reflect.DeepEqual(states, want) {
		t.Errorf("states %v, want %v", states, want)
	}
	if len(s.descriptors()) != 35 {
		t.Errorf("%d descriptors: %v", len(s.descriptors()), s.descriptors())
	}
	if s.Build != "v1.0.0" || s.Program != "/srv/supervisor/supervisord" || s.File != "a.conf" || !s.Pidfile {
		t.Errorf("%+v", s)
	}
}

// TestStrangeStates has states that this program must not go on with.
func TestStrangeStates(t *testing.T) {
	for _, c := range []struct{ text, want string }{
		{`{"Version":2}`, "version 2 is not known; this program knows version 1"},
		{`{"Version":1}`, "it is not complete"},
		{`{"Version":1,"Teapot":true}`, `unknown field "Teapot"`},
		{`{"Version":1,`, "unexpected EOF"},
		{``, "EOF"},
	} {
		name := t.TempDir() + "/state"
		if err := os.WriteFile(name, []byte(c.text), 0o600); err != nil {
			t.Fatal(err)
		}
		f, err := os.Open(name)
		if err != nil {
			t.Fatal(err)
		}
		if _, err := readState(f); err == nil || !strings.Contains(err.Error(), c.want) {
			t.Errorf("%s: %v, want %s", c.text, err, c.want)
		}
		f.Close()
	}
}

// TestWriteRefusesWhatIsNoText has a configuration that JSON cannot hold.
func TestWriteRefusesWhatIsNoText(t *testing.T) {
	if !upgrade.Supported {
		t.Skip("not on this system")
	}
	s := &state{Config: &config.Config{ServerURL: "\xff"}}
	if _, err := upgrade.Write(s); err == nil || !strings.Contains(err.Error(), "not UTF-8") {
		t.Errorf("Write: %v", err)
	}
	s.Config.ServerURL = "\u20ac"
	f, err := upgrade.Write(s)
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	again := new(state)
	if err := upgrade.Read(f, again); err != nil || again.Config.ServerURL != s.Config.ServerURL {
		t.Errorf("Read: %v, %+v", err, again)
	}
}
