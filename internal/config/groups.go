package config

import (
	"slices"
	"strings"

	"supervisord/internal/api"
)

// Prefixes of the sections that make groups.
const (
	groupPrefix    = "group:"
	programPrefix  = "program:"
	listenerPrefix = "eventlistener:"
	fastCGIPrefix  = "fcgi-program:"
)

// readGroups reads every section that makes a group: first the [group:x], then
// the programs that are in none of them, the event listeners and the FastCGI
// programs.
func (l *loader) readGroups() []*Group {
	var groups []*Group
	grouped := make(map[string]bool) // sections that belong to a [group:x]
	readers := []struct {
		prefix string
		read   func(section, name string) *Group
	}{
		{groupPrefix, func(section, name string) *Group { return l.readGroup(section, name, grouped) }},
		{programPrefix, l.readProgramGroup},
		{listenerPrefix, l.readListenerPool},
		{fastCGIPrefix, l.readFastCGIGroup},
	}
	for _, r := range readers {
		for _, section := range l.sections() {
			name, ok := strings.CutPrefix(section, r.prefix)
			if !ok || grouped[section] {
				continue
			}
			groups = append(groups, r.read(section, name))
		}
	}
	sortGroups(groups)
	l.checkDependencies(groups)
	return groups
}

// readGroup reads a [group:x] section and the programs that it names (manual:
// Configuration File, [group:x] section settings).
func (l *loader) readGroup(section, name string, grouped map[string]bool) *Group {
	o := l.options(section)
	g := &Group{Name: o.name("", name), Kind: ProgramGroup}
	programs := value(o, "programs", nil, listOfStrings)
	g.Priority = value(o, "priority", 999, integer)
	for _, program := range programs {
		member := programPrefix + program
		isProgram, isFastCGI := l.doc.has(member), l.doc.has(fastCGIPrefix+program)
		switch {
		case !isProgram && !isFastCGI:
			if !l.doc.incomplete {
				o.failf("programs", "[%s] names unknown program or fcgi-program %s", section, program)
			}
			continue
		case isProgram && isFastCGI:
			o.failf("programs", "[%s] name %s is ambiguous (exists as program and fcgi-program)", section, program)
			continue
		case isFastCGI:
			member = fastCGIPrefix + program
		}
		grouped[member] = true
		g.Processes = append(g.Processes, l.readProcesses(member, g.Name)...)
	}
	return g
}

// readProgramGroup reads a [program:x] section that makes a group of its own.
func (l *loader) readProgramGroup(section, name string) *Group {
	o := l.options(section)
	g := &Group{Name: o.name("", name), Kind: ProgramGroup}
	g.Priority = value(o, "priority", 999, integer)
	return l.withProcesses(g, o)
}

// readListenerPool reads an [eventlistener:x] section (manual: Configuration
// File, [eventlistener:x] section settings).
func (l *loader) readListenerPool(section, name string) *Group {
	o := l.options(section)
	g := &Group{Name: name, Kind: ListenerPool}
	// Listeners start first and stop last, so that they miss nothing.
	g.Priority = value(o, "priority", -1, integer)
	g.BufferSize = value(o, "buffer_size", 10, integer)
	if g.BufferSize < 1 {
		o.failf("buffer_size", "[%s] section sets invalid buffer_size (%d)", section, g.BufferSize)
	}
	const defaultHandler = "supervisor.dispatchers:default_handler"
	if handler := o.text("result_handler", defaultHandler); !isEntryPoint(handler, defaultHandler) {
		o.failf("result_handler", "%s cannot be resolved within [%s]: %s", handler, section, noPlugins)
	}
	g.LenBytes = value(o, "len_bytes", false, boolean)
	g.Events = l.readEvents(o)
	if value(o, "redirect_stderr", false, boolean) {
		o.failf("redirect_stderr", "[%s] section sets redirect_stderr=true but this is not allowed "+
			"because it will interfere with the eventlistener protocol", section)
	}
	return l.withProcesses(g, o)
}

// readEvents reads the event types that a listener subscribes to.
func (l *loader) readEvents(o *options) []string {
	const key = "events"
	events := value(o, key, nil, listOfStrings)
	if len(events) == 0 {
		o.failf(key, "[%s] section requires an \"events\" line", o.section)
	}
	for i, name := range events {
		events[i] = strings.ToUpper(name)
		if !api.IsEventType(events[i]) {
			o.failf(key, "Unknown event type %s in [%s] events", events[i], o.section)
		}
	}
	slices.Sort(events)
	return slices.Compact(events)
}

// withProcesses completes a group by the processes of its own section.
func (l *loader) withProcesses(g *Group, o *options) *Group {
	g.Processes = l.readProcesses(o.section, g.Name)
	return g
}

// name returns a process or group name, checked. The key is that of the option
// it comes from, empty where it is part of the section's name.
func (o *options) name(key, text string) string {
	name, err := processOrGroupName(text)
	if err != nil {
		o.fail(key, err)
	}
	return name
}

// readProcesses reads the processes of a section.
func (l *loader) readProcesses(section, group string) []*Process {
	if l.doc.broken[section] {
		return nil
	}
	return newProgramReader(l, section, group).read()
}
