package main

import (
	"os"
	"path/filepath"
	"reflect"
	"regexp"
	"strings"
	"testing"

	"supervisord/internal/config"
)

func load(t *testing.T, text string) *config.Config {
	t.Helper()
	file := filepath.Join(t.TempDir(), "supervisord.conf")
	if err := os.WriteFile(file, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	cfg, err := config.Load(config.Options{File: file})
	if err != nil {
		t.Fatal(err)
	}
	return cfg
}

// TestSampleLoads loads the sample as it is, which runs nothing.
func TestSampleLoads(t *testing.T) {
	cfg := load(t, sample)
	if len(cfg.Groups) > 0 || len(cfg.Warnings) > 0 {
		t.Errorf("groups %v, warnings %q", cfg.Groups, cfg.Warnings)
	}
	if cfg.ServerURL != "unix:///tmp/supervisor.sock" {
		t.Errorf("server URL %s", cfg.ServerURL)
	}
	file := filepath.Join(t.TempDir(), "supervisord.conf")
	if err := os.WriteFile(file, []byte(sample), 0o600); err != nil {
		t.Fatal(err)
	}
	client, err := config.LoadClient(config.ClientOptions{File: file})
	if err != nil {
		t.Fatal(err)
	}
	if client.ServerURL != cfg.ServerURL {
		t.Errorf("supervisorctl looks for %s, the daemon listens at %s", client.ServerURL, cfg.ServerURL)
	}
}

// TestSampleOptions loads the sample with every option that is shown.
func TestSampleOptions(t *testing.T) {
	text := regexp.MustCompile(`(?m)^;([a-z\[])`).ReplaceAllString(sample, "$1")
	text = strings.NewReplacer(
		"serverurl=http://localhost:9001", "",
		"programs=one,two", "programs=example",
		"depends_on=db,cache:*", "",
		"[group:example]", "[group:pair]",
		"[fcgi-program:example]", "[fcgi-program:fast]",
		"process_name=%(program_name)s    ;", "process_name=%(program_name)s_%(process_num)d ;",
	).Replace(text)
	cfg := load(t, text)
	var names []string
	for _, g := range cfg.Groups {
		names = append(names, g.Name)
	}
	if got, want := strings.Join(names, " "), "example fast pair"; got != want {
		t.Errorf("groups %s, want %s", got, want)
	}
	if got := len(cfg.Servers); got != 2 {
		t.Errorf("%d servers, want 2", got)
	}
	// A default that is shown must be the default; examples are put in.
	plain := load(t, "[supervisord]\nlogfile=/tmp/supervisord.log\npidfile=/tmp/supervisord.pid\nchildlogdir=/tmp\n"+
		"user=nobody\ndirectory=/\nenvironment=LANG=C.UTF-8,TZ=UTC\n"+
		"environment_file=-/etc/default/all\n"+
		"[program:example]\ncommand=/bin/cat\ndirectory=/tmp\numask=022\nuser=nobody\nbackoff_factor=2\nready=tcp:127.0.0.1:5432\nhealth=exec:/bin/true\nprocess_name=%(program_name)s_%(process_num)d\n"+
		"group=nogroup\nenvironment_file=/etc/default/example\n"+
		"environment=KEY=value,OTHER='a, b'\n[group:pair]\nprograms=example\n")
	if !reflect.DeepEqual(cfg.Supervisord, plain.Supervisord) {
		t.Errorf("[supervisord] %+v, want %+v", cfg.Supervisord, plain.Supervisord)
	}
	if got, want := cfg.Groups[2].Processes[0], plain.Groups[0].Processes[0]; !reflect.DeepEqual(got, want) {
		t.Errorf("[program:example] %+v, want %+v", got, want)
	}
}
