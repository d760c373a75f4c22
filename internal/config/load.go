package config

import (
	"bytes"
	"cmp"
	"errors"
	"fmt"
	"io"
	"os"
	"slices"
	"strconv"

	"supervisord/internal/python"
)

// Options say what Load is to load.
type Options struct {
	// File is the configuration file.
	File string
	// Overrides holds what the command line sets.
	Overrides Overrides
	// Environ is the environment that the file can refer to, as "NAME=value";
	// nil for that of the program.
	Environ []string
	// Hostname is the value of %(host_node_name)s; empty for the system's.
	Hostname string
}

// Load reads a configuration file and the files that it includes, checks
// everything in them and returns the result. The error is an *Error.
func Load(o Options) (*Config, error) {
	l := newLoader(o)
	l.load(&o.Overrides)
	if err := l.problems.first(); err != nil {
		return nil, err
	}
	return l.config, nil
}

// Check loads a configuration as Load does, but reports everything that is
// wrong, in the order of the files and their lines. The configuration is nil
// if anything is.
func Check(o Options) (*Config, []*Error) {
	l := newLoader(o)
	l.doc.lines = make(map[place]line)
	l.load(&o.Overrides)
	if len(l.problems.list) > 0 {
		return nil, l.problems.inFileOrder(l.doc, l.config.Files)
	}
	return l.config, nil
}

func newLoader(o Options) *loader {
	l := &loader{
		env:        newEnviron(o.Environ),
		doc:        newDocument(),
		problems:   new(problems),
		file:       o.File,
		here:       absolutePath(dirname(o.File)),
		hostname:   o.Hostname,
		dependents: make(map[*Process]string),
	}
	if l.hostname == "" {
		l.hostname, _ = os.Hostname()
	}
	l.config = &Config{File: o.File, Here: l.here, Files: []string{o.File}}
	l.common.Set("here", l.here)
	return l
}

// A loader holds the state of one Load.
type loader struct {
	env      *environ
	doc      *document
	file     string
	here     string
	hostname string
	// common holds the names that most options can refer to.
	common python.Dict
	// user is the value of user= in [supervisord], nil where it is not set.
	user     *string
	config   *Config
	problems *problems
	files    references
	// shared is the environment of [supervisord].
	shared environment
	// dependents are the sections of the processes that depend on others.
	dependents map[*Process]string
}

// load does the steps of Load in the order in which their errors count.
func (l *loader) load(overrides *Overrides) {
	data, err := readConfig(l.file)
	if err != nil {
		l.problems.add(&Error{File: l.file, Text: err.Error()})
		return
	}
	l.read(l.file, data)
	l.include()
	switch {
	case l.doc.has("supervisord") && !l.doc.broken["supervisord"]:
		l.readSupervisord()
	case !l.doc.incomplete:
		l.problems.add(&Error{File: l.file, Text: ".ini file does not include supervisord section"})
	default:
		l.problems.loseNames("")
	}
	interfaces := l.readRPCInterfaces()
	l.config.Groups = l.readGroups()
	l.config.Servers = l.readServers()
	l.addRPCInterfaces(interfaces)
	l.config.ServerURL = serverURL(l.config.Servers)
	l.finishSupervisord(overrides)
}

// read adds a file to the document and returns the names of the new sections.
func (l *loader) read(file string, data []byte) (added []string) {
	added, err := l.doc.read(file, data)
	if err == nil {
		return added
	}
	e := &Error{File: file, Text: err.Error()}
	if syntax := (*syntaxError)(nil); errors.As(err, &syntax) {
		for _, bad := range syntax.lines {
			e.parts = append(e.parts, &Error{File: file, Line: bad.number, Text: bad.text})
		}
	}
	l.problems.add(e)
	return added
}

// sections returns the names of the sections that could be read.
func (l *loader) sections() []string {
	if !l.doc.incomplete {
		return l.doc.names
	}
	return slices.DeleteFunc(slices.Clone(l.doc.names), func(name string) bool { return l.doc.broken[name] })
}

// readConfig returns the content of the main configuration file.
func readConfig(path string) ([]byte, error) {
	if !exists(path) {
		return nil, fmt.Errorf("could not find config file %s", path)
	}
	data, err := readLimited(path)
	if errors.Is(err, errTooLarge) {
		return nil, err
	}
	if err != nil {
		return nil, fmt.Errorf("could not read config file %s", path)
	}
	return data, nil
}

// maxFileSize limits a configuration file, in case the path is that of
// something else.
const maxFileSize = 64 << 20

var errTooLarge = fmt.Errorf("config file is larger than %d bytes", maxFileSize)

func readLimited(path string) ([]byte, error) {
	f, err := os.Open(path)
	if err != nil {
		return nil, err
	}
	defer f.Close()
	var data bytes.Buffer
	if info, err := f.Stat(); err == nil {
		data.Grow(int(min(info.Size(), maxFileSize)) + bytes.MinRead)
	}
	_, err = data.ReadFrom(io.LimitReader(f, maxFileSize+1))
	if err == nil && data.Len() > maxFileSize {
		err = errTooLarge
	}
	return data.Bytes(), err
}

// options returns a reader of the options of a section, whose values can
// refer to the environment, to the common names and to those in more, of
// which a later dict comes before an earlier one.
func (l *loader) options(section string, more ...*python.Dict) *options {
	return &options{
		doc:      l.doc,
		file:     l.fileOf(section),
		section:  section,
		scope:    append(python.Scope{l.env.expansions, &l.common}, more...),
		problems: l.problems,
		files:    &l.files,
	}
}

// fileOf returns the file in which a section first appeared.
func (l *loader) fileOf(section string) string {
	if file, included := l.doc.origin[section]; included {
		return file
	}
	return l.file
}

// serverURL returns the address under which processes find the daemon: that of
// the first unix server, or else of the last inet server.
func serverURL(servers []Server) string {
	url := ""
	for _, s := range servers {
		if s.Family == Unix {
			return "unix://" + s.File
		}
		url = "http://" + s.Address()
	}
	return url
}

// Address returns host:port of an inet server, with localhost for all
// addresses.
func (s *Server) Address() string {
	host := s.Host
	switch {
	case host == "":
		host = "localhost"
	case isIPv6(host):
		host = "[" + host + "]"
	}
	return host + ":" + strconv.Itoa(s.Port)
}

// sortGroups sorts by priority, then by name.
func sortGroups(groups []*Group) {
	slices.SortStableFunc(groups, func(a, b *Group) int {
		return cmp.Or(cmp.Compare(a.Priority, b.Priority), cmp.Compare(a.Name, b.Name))
	})
}
