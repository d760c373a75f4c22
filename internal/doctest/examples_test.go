package doctest

import (
	"os"
	"os/user"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"
)

var sectionLine = regexp.MustCompile(`^\[([^\]]+)\]\s*$`)

// isConfiguration tells whether a block is an example of a configuration: one
// that says so, or that begins with a section and says nothing.
func (b *block) isConfiguration() bool {
	if b.info != "" {
		return b.info == "ini" || b.info == "ini refused"
	}
	first, _, _ := strings.Cut(b.text, "\n")
	m := sectionLine.FindStringSubmatch(first)
	return m != nil && kindOf(m[1]) != nil
}

// setting is a line of an example that sets a key.
var setting = regexp.MustCompile(`^([a-z_.]+)\s*[=:]\s*(.*)$`)

// settings calls f for every key that an example sets, and puts what f returns
// in the place of its value.
func settings(text string, f func(section, key, value string) string) string {
	lines := strings.Split(text, "\n")
	section := ""
	for i, line := range lines {
		if m := sectionLine.FindStringSubmatch(line); m != nil {
			section = m[1]
		} else if m := setting.FindStringSubmatch(line); m != nil {
			lines[i] = m[1] + "=" + f(section, m[1], m[2])
		}
	}
	return strings.Join(lines, "\n")
}

// environmentName is a variable of the environment that an example refers to.
var environmentName = regexp.MustCompile(`%\(ENV_(\w+)\)`)

// loadable makes an example load on this machine: it runs as this user, and its
// files are in a directory where they can be. It returns what the environment
// must have.
func loadable(t *testing.T, text, dir string) (loadable string, environ []string) {
	t.Helper()
	me, err := user.Current()
	if err != nil {
		t.Fatal(err)
	}
	loadable = settings(text, func(_, key, value string) string {
		switch key {
		case "user", "chown", "socket_owner":
			return me.Username
		case "logfile", "pidfile", "stdout_logfile", "stderr_logfile", "directory", "childlogdir":
			if !strings.HasPrefix(value, "/") || strings.HasPrefix(value, "/dev/") {
				return value
			}
			path, comment, _ := strings.Cut(value, " ")
			value = filepath.Join(dir, path)
			made := filepath.Dir(value)
			if key == "directory" || key == "childlogdir" {
				made = value
			}
			if err := os.MkdirAll(made, 0o755); err != nil {
				t.Fatal(err)
			}
			return value + " " + comment
		}
		return value
	})
	if !regexp.MustCompile(`(?m)^\[supervisord\]`).MatchString(loadable) {
		loadable = "[supervisord]\n" + loadable
	}
	for _, m := range environmentName.FindAllStringSubmatch(loadable, -1) {
		environ = append(environ, m[1]+"=value")
	}
	return loadable, environ
}

// TestExamples loads every example of a configuration.
func TestExamples(t *testing.T) {
	all := allKnown(t)
	loaded := 0
	for _, p := range pages(t) {
		for _, b := range p.blocks {
			if !b.isConfiguration() {
				continue
			}
			loaded++
			dir := t.TempDir()
			text, environ := loadable(t, b.text, dir)
			_, err := load(t, dir, text, false, environ...)
			if err == nil && strings.Contains(text, "[supervisorctl]") {
				_, err = load(t, dir, text, true, environ...)
			}
			if refused := b.info == "ini refused"; refused != (err != nil) {
				t.Errorf("%s:%d: refused %v, error %v", p.path, b.line, refused, err)
			}
			settings(b.text, func(section, key, value string) string {
				k := kindOf(section)
				if k == nil {
					t.Errorf("%s:%d: there is no section [%s]", p.path, b.line, section)
				} else if _, known := all[k.name][key]; !known {
					t.Errorf("%s:%d: there is no key %s in [%s]", p.path, b.line, key, section)
				}
				return value
			})
		}
	}
	if loaded < 20 {
		t.Errorf("only %d examples were found", loaded)
	}
}

// TestExampleKeys looks for every key in the examples of its section of
// docs/configuration.md.
func TestExampleKeys(t *testing.T) {
	shown := make(map[string]bool)
	for _, b := range pageNamed(t, "docs/configuration.md").blocks {
		settings(b.text, func(section, key, value string) string {
			if k := kindOf(section); k != nil && b.isConfiguration() {
				shown[k.name+" "+key] = true
			}
			return value
		})
	}
	for _, d := range describedKeys(t) {
		if d.section != "ctlplugin:x" && !shown[d.section+" "+d.key] {
			t.Errorf("no example shows %s in [%s]", d.key, d.section)
		}
	}
}

// inlineSetting is a setting in the text of a page.
var inlineSetting = regexp.MustCompile("`([a-z_]+)=[^`]*`")

// notKeys are names before an equals sign that have to do with something else:
// parameters of web pages, and a word for any key.
var notKeys = []string{"action", "group", "processname", "key"}

// TestInlineKeys looks at the settings in the text of the pages.
func TestInlineKeys(t *testing.T) {
	known := slices.Clone(notKeys)
	for _, keys := range allKnown(t) {
		for key := range keys {
			known = append(known, key)
		}
	}
	for _, p := range pages(t) {
		for i, line := range p.prose {
			for _, m := range inlineSetting.FindAllStringSubmatch(line, -1) {
				if !slices.Contains(known, m[1]) {
					t.Errorf("%s:%d: there is no key %s", p.path, i+1, m[1])
				}
			}
		}
	}
}
