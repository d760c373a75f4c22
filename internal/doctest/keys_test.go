package doctest

import (
	"errors"
	"maps"
	"os"
	"path/filepath"
	"reflect"
	"regexp"
	"slices"
	"strings"
	"sync"
	"testing"

	"supervisord/internal/config"
)

// A kind is a kind of section of the configuration file.
type kind struct {
	// name is that of the section, with x where it has a name of its own.
	name string
	// needed are the keys without which the section is an error.
	needed map[string]string
	// client tells that supervisorctl reads the section.
	client bool
	// base is the kind whose keys can be used too.
	base string
}

const ownFactory = "supervisor.rpcinterface:make_main_rpcinterface"

var kinds = []kind{
	{name: "supervisord"},
	{name: "unix_http_server", needed: map[string]string{"file": "/tmp/socket"}},
	{name: "inet_http_server", needed: map[string]string{"port": "127.0.0.1:9001"}},
	{name: "rpcinterface:x", needed: map[string]string{"supervisor.rpcinterface_factory": ownFactory}},
	{name: "supervisorctl", client: true},
	{name: "program:x", needed: map[string]string{"command": "c"}},
	{name: "group:x"},
	{name: "fcgi-program:x", needed: map[string]string{"command": "c", "socket": "unix:///tmp/socket"}, base: "program:x"},
	{name: "eventlistener:x", needed: map[string]string{"command": "c", "events": "TICK"}, base: "program:x"},
	{name: "include", needed: map[string]string{"files": "none"}},
	{name: "ctlplugin:x", needed: map[string]string{"supervisor.ctl_factory": "a:b"}, client: true},
}

// kindOf returns the kind of a section, or nil.
func kindOf(section string) *kind {
	prefix, _, named := strings.Cut(section, ":")
	for i := range kinds {
		k := &kinds[i]
		kindPrefix, _, hasName := strings.Cut(k.name, ":")
		if prefix == kindPrefix && (named == hasName || strings.HasSuffix(prefix, "_http_server")) {
			return k
		}
	}
	return nil
}

// text returns a file with a section of this kind and the given keys, besides
// those that are needed.
func (k *kind) text(keys map[string]string) string {
	all := maps.Clone(k.needed)
	if all == nil {
		all = make(map[string]string)
	}
	maps.Copy(all, keys)
	var b strings.Builder
	if k.name != "supervisord" {
		b.WriteString("[supervisord]\n")
	}
	if k.name != "supervisorctl" && k.client {
		b.WriteString("[supervisorctl]\n")
	}
	b.WriteString("[" + k.name + "]\n")
	for _, key := range slices.Sorted(maps.Keys(all)) {
		b.WriteString(key + "=" + all[key] + "\n")
	}
	return b.String()
}

// load writes a file of the text and loads it, for the daemon or the client.
func load(t *testing.T, dir, text string, client bool, environ ...string) (any, error) {
	t.Helper()
	file := filepath.Join(dir, "supervisord.conf")
	if err := os.WriteFile(file, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	environ = append(environ, "HOME=/root")
	if client {
		return config.LoadClient(config.ClientOptions{File: file, Environ: environ})
	}
	return config.Load(config.Options{File: file, Environ: environ, Hostname: "host"})
}

// words returns everything that may be a key: the strings in the sources of the
// loader, and what can be made of them by appending those that begin with an
// underscore.
func words(t *testing.T) []string {
	t.Helper()
	files, err := filepath.Glob(root + "/internal/config/*.go")
	if err != nil {
		t.Fatal(err)
	}
	var words, endings []string
	for _, file := range files {
		if strings.HasSuffix(file, "_test.go") {
			continue
		}
		data, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		for _, m := range regexp.MustCompile(`"([a-z_][a-z0-9_.]*)"`).FindAllStringSubmatch(string(data), -1) {
			if strings.HasPrefix(m[1], "_") {
				endings = append(endings, m[1])
			} else {
				words = append(words, m[1])
			}
		}
	}
	slices.Sort(words)
	slices.Sort(endings)
	words, endings = slices.Compact(words), slices.Compact(endings)
	for _, word := range slices.Clone(words) {
		for _, ending := range endings {
			words = append(words, word+ending)
			for _, another := range endings {
				words = append(words, word+ending+another)
			}
		}
	}
	slices.Sort(words)
	return slices.Compact(words)
}

// unknownName is a value that no key accepts.
const unknownName = "%(unknown)s"

// known returns the keys that the loader reads in sections of this kind, each
// with the names that its value can refer to besides the environment.
func (k *kind) known(t *testing.T, words []string) map[string][]string {
	t.Helper()
	known := make(map[string][]string)
	// Small files are loaded faster, and most of them have no key at all.
	const wordsPerFile = 100
	for chunk := range slices.Chunk(words, wordsPerFile) {
		keys := make(map[string]string)
		for _, word := range chunk {
			// Any other key of an [rpcinterface:x] is a setting for the factory.
			if k.name != "rpcinterface:x" || k.needed[word] != "" {
				keys[word] = unknownName
			}
		}
		for {
			key, names := k.firstKnown(t, keys)
			if _, again := known[key]; key == "" || again {
				break
			}
			known[key] = names
			delete(keys, key)
		}
	}
	return known
}

// firstKnown returns the first of the keys that the loader reads, and its
// names. The key is empty if there is none.
func (k *kind) firstKnown(t *testing.T, keys map[string]string) (key string, names []string) {
	t.Helper()
	_, err := load(t, t.TempDir(), k.text(keys), k.client)
	if err == nil || k.refused(err) {
		return "", nil
	}
	var located *config.Error
	if !errors.As(err, &located) || located.Key == "" {
		t.Fatalf("[%s]: error without a key: %v", k.name, err)
	}
	_, list, found := strings.Cut(located.Text, "Available names: ")
	if !found {
		t.Fatalf("[%s] %s: error about something else: %v", k.name, located.Key, err)
	}
	list, _, _ = strings.Cut(list, " in section ")
	isEnvironment := func(name string) bool { return strings.HasPrefix(name, "ENV_") }
	return located.Key, slices.DeleteFunc(strings.Split(list, ", "), isEnvironment)
}

// refused tells whether the error is that of a section that can only name a
// plugin, which is one in any case.
func (k *kind) refused(err error) bool {
	return k.name == "ctlplugin:x" && strings.Contains(err.Error(), "cannot be resolved")
}

// knownKeys are the known keys of all kinds of sections.
var knownKeys struct {
	sync.Once
	m map[string]map[string][]string
}

// allKnown returns the known keys of all kinds of sections.
func allKnown(t *testing.T) map[string]map[string][]string {
	t.Helper()
	knownKeys.Do(func() {
		words := words(t)
		knownKeys.m = make(map[string]map[string][]string)
		for i := range kinds {
			knownKeys.m[kinds[i].name] = kinds[i].known(t, words)
		}
	})
	if n := len(knownKeys.m["program:x"]); n < 30 {
		t.Fatalf("only %d keys of [program:x] were found", n)
	}
	return knownKeys.m
}

// A described key is what docs/configuration.md says of one.
type described struct {
	section, key                string
	typ, fallback, since, names string
}

var keyLine = regexp.MustCompile(`^\*\*Type\*\* (.+) · \*\*Default\*\* (.+) · \*\*Since\*\* (.+) · \*\*Names\*\* (.+)$`)

// describedKeys reads docs/configuration.md.
func describedKeys(t *testing.T) []described {
	t.Helper()
	var list []described
	section := ""
	lines := pageNamed(t, "docs/configuration.md").prose
	for i, line := range lines {
		switch {
		case strings.HasPrefix(line, "## "):
			section = strings.Trim(line[3:], "[]")
		case strings.HasPrefix(line, "#### `"):
			d := described{section: section, key: strings.Trim(line[5:], "`")}
			m := keyLine.FindStringSubmatch(lines[i+2])
			if m == nil {
				t.Errorf("docs/configuration.md:%d: no type, default, version and names of %s", i+3, d.key)
				continue
			}
			d.typ, d.fallback, d.since, d.names = m[1], m[2], m[3], m[4]
			list = append(list, d)
		}
	}
	return list
}

// nameSets are the names of sets of names.
var nameSets = map[string][]string{
	"environment":          nil,
	"here":                 {"here"},
	"host":                 {"here", "host_node_name"},
	"here, `program_name`": {"here", "program_name"},
	"program":              {"group_name", "here", "host_node_name", "program_name"},
	"process":              {"group_name", "here", "host_node_name", "numprocs", "process_num", "program_name"},
}

// TestKeys compares the keys that are described with those that are known.
func TestKeys(t *testing.T) {
	all := allKnown(t)
	seen := make(map[string]bool)
	for _, d := range describedKeys(t) {
		where := "[" + d.section + "] " + d.key
		seen[d.section+" "+d.key] = true
		names, found := all[d.section][d.key]
		if !found {
			t.Errorf("%s is described and not known", where)
			continue
		}
		if want, ok := nameSets[d.names]; !ok || !slices.Equal(want, names) {
			t.Errorf("%s: names %s are described, %q are known", where, d.names, names)
		}
		if d.since != "addition" && !regexp.MustCompile(`^[34]\.\d`).MatchString(d.since) {
			t.Errorf("%s: since %s", where, d.since)
		}
	}
	for _, k := range kinds {
		for key := range all[k.name] {
			if _, inherited := all[k.base][key]; !inherited && !seen[k.name+" "+key] {
				t.Errorf("[%s] %s is known and not described", k.name, key)
			}
		}
	}
}

// TestDefaults sets every key to the default that is described, which must
// change nothing.
func TestDefaults(t *testing.T) {
	dir, tried := t.TempDir(), 0
	for _, d := range describedKeys(t) {
		value := strings.TrimSuffix(strings.TrimPrefix(d.fallback, "`"), "`")
		k := kindOf(d.section)
		if value == d.fallback || k == nil || strings.Contains(value, "`") {
			continue
		}
		tried++
		plain, err := load(t, dir, k.text(nil), k.client)
		if err != nil {
			t.Fatal(err)
		}
		set, err := load(t, dir, k.text(map[string]string{d.key: value}), k.client)
		if err != nil {
			t.Errorf("[%s] %s=%s: %v", d.section, d.key, value, err)
		} else if !reflect.DeepEqual(set, plain) {
			t.Errorf("[%s] %s: %s is not the default", d.section, d.key, value)
		}
	}
	if tried < 40 {
		t.Errorf("only %d defaults were tried", tried)
	}
}

// keyInSample is a key of the sample configuration, commented out or not.
var keyInSample = regexp.MustCompile(`(?m)^;?(?:\[([^\]]+)\]|([a-z_.]+)=)`)

// TestSample compares the sample configuration with what is known.
func TestSample(t *testing.T) {
	data, err := os.ReadFile(root + "/cmd/echo_supervisord_conf/sample.conf")
	if err != nil {
		t.Fatal(err)
	}
	all := allKnown(t)
	seen := make(map[string]bool)
	var k *kind
	for _, m := range keyInSample.FindAllStringSubmatch(string(data), -1) {
		if m[1] != "" {
			if k = kindOf(m[1]); k == nil {
				t.Fatalf("[%s] is shown and not known", m[1])
			}
			continue
		}
		seen[k.name+" "+m[2]] = true
		if _, found := all[k.name][m[2]]; !found {
			t.Errorf("[%s] %s is shown and not known", k.name, m[2])
		}
	}
	for _, k := range kinds {
		if k.name == "ctlplugin:x" {
			continue // There is nothing to show.
		}
		for key := range all[k.name] {
			if _, inherited := all[k.base][key]; !inherited && !seen[k.name+" "+key] {
				t.Errorf("[%s] %s is known and not shown", k.name, key)
			}
		}
	}
}
