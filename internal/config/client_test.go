package config

import (
	"errors"
	"path/filepath"
	"strings"
	"testing"
)

func TestLoadClient(t *testing.T) {
	dir := writeFiles(t, "c.conf", "[supervisorctl]\nserverurl=unix://%(here)s/s\nprompt=%(ENV_X)s\nusername=u\nhistory_file=~/h\n")
	load := func(o ClientOverrides) *Client {
		t.Helper()
		c, err := LoadClient(ClientOptions{File: filepath.Join(dir, "c.conf"), Overrides: o, Environ: []string{"X=x", "HOME=/home"}})
		if err != nil {
			t.Fatal(err)
		}
		return c
	}
	c := load(ClientOverrides{})
	if c.ServerURL != "unix://"+dir+"/s" || c.Prompt != "x" || *c.Username != "u" || c.Password != nil || c.HistoryFile != "/home/h" {
		t.Errorf("from the file: %+v", c)
	}
	var o ClientOverrides
	for name, text := range map[string]string{"serverurl": "http://h:1", "username": "v", "password": "", "history_file": "~/g"} {
		if err := o.Set(name, text); err != nil {
			t.Fatal(err)
		}
	}
	c = load(o)
	if c.ServerURL != "http://h:1" || *c.Username != "v" || *c.Password != "" || c.HistoryFile != "/home/g" {
		t.Errorf("with overrides: %+v", c)
	}
}

func TestLoadClientWithoutFile(t *testing.T) {
	c, err := LoadClient(ClientOptions{})
	if err != nil {
		t.Fatal(err)
	}
	if want := (Client{ServerURL: "http://localhost:9001", Prompt: "supervisor"}); *c != want {
		t.Errorf("got %+v, want %+v", *c, want)
	}
}

func TestLoadClientErrors(t *testing.T) {
	for _, c := range []struct{ text, section, key, want string }{
		{"[supervisord]\n", "", "", ".ini file does not include supervisorctl section"},
		{"junk\n", "", "", "File contains no section headers.\nfile: 'FILE', line: 1\n'junk\\n'"},
		{"[supervisorctl]\nserverurl=%(x)s\nprompt=%(y)s", "supervisorctl", "serverurl", "Format string '%(x)s' for 'supervisorctl.serverurl' " +
			"contains names ('x') which cannot be expanded. Available names: ENV_X, here"},
		{"[supervisorctl]\nprompt=%(here)s\nhistory_file=%(y)s", "supervisorctl", "prompt", "Format string '%(here)s' for 'supervisorctl.prompt' " +
			"contains names ('here') which cannot be expanded. Available names: ENV_X"},
		{"[supervisorctl]\n[ctlplugin:x]\n", "ctlplugin:x", "supervisor.ctl_factory",
			"section [ctlplugin:x] does not specify a supervisor.ctl_factory"},
		{"[supervisorctl]\n[ctlplugin:x]\nsupervisor.ctl_factory=a.b:c", "ctlplugin:x", "supervisor.ctl_factory",
			"a.b:c cannot be resolved within [ctlplugin:x]: plugins written in Python cannot be loaded"},
	} {
		file := filepath.Join(writeFiles(t, "c.conf", c.text), "c.conf")
		_, err := LoadClient(ClientOptions{File: file, Environ: []string{"X=x"}})
		var located *Error
		if !errors.As(err, &located) {
			t.Errorf("%q: error %v, want %s", c.text, err, c.want)
			continue
		}
		if got := strings.ReplaceAll(err.Error(), file, "FILE"); got != c.want || located.File != file || located.Section != c.section || located.Key != c.key {
			t.Errorf("%q: error %+v, want [%s] %s: %s", c.text, located, c.section, c.key, c.want)
		}
	}
	var o ClientOverrides
	if err := o.Set("serverurl", "nonsense"); err == nil || err.Error() != "value 'nonsense' is not a URL" {
		t.Errorf("Set(serverurl): error %v", err)
	}
	if err := o.Set("other", ""); err == nil || err.Error() != "no option is named other" {
		t.Errorf("Set(other): error %v", err)
	}
}
