package config

import (
	"errors"
	"fmt"
	"slices"
	"strings"

	"supervisord/internal/python"
)

// noPlugins is why a plugin cannot be loaded.
const noPlugins = "plugins written in Python cannot be loaded"

// An rpcInterface is what an [rpcinterface:x] section asks for.
type rpcInterface struct {
	section string
	name    string
	// hasSettings tells that the section holds more than the factory.
	hasSettings bool
}

// readRPCInterfaces reads the [rpcinterface:x] sections (manual: Configuration
// File, [rpcinterface:x] section settings). Only Supervisor's own interface
// can be asked for, under any name.
func (l *loader) readRPCInterfaces() []rpcInterface {
	const (
		prefix = "rpcinterface:"
		key    = "supervisor.rpcinterface_factory"
		known  = "supervisor.rpcinterface:make_main_rpcinterface"
	)
	var interfaces []rpcInterface
	for _, section := range l.sections() {
		name, ok := strings.CutPrefix(section, prefix)
		if !ok {
			continue
		}
		o := l.options(section)
		o.scope = o.scope[:1]
		factory := readFactory(o, key)
		if !isEntryPoint(factory, known) {
			o.failf(key, "%s cannot be resolved within [%s]: %s", factory, section, noPlugins)
		}
		keys := slices.DeleteFunc(l.doc.keys(section), func(k string) bool { return k == key })
		for _, k := range keys {
			o.text(k, "")
		}
		interfaces = append(interfaces, rpcInterface{section, name, len(keys) > 0})
	}
	return interfaces
}

// readFactory reads the option of a plugin's section that names its factory.
func readFactory(o *options, key string) string {
	if !o.has(key) {
		o.failf(key, "section [%s] does not specify a %s", o.section, key)
	}
	return o.text(key, "")
}

// addRPCInterfaces notes the interfaces that the servers offer. The one that
// exists takes no settings.
func (l *loader) addRPCInterfaces(interfaces []rpcInterface) {
	for _, i := range interfaces {
		if i.hasSettings && len(l.config.Servers) > 0 {
			l.problems.add(&Error{File: l.fileOf(i.section), Section: i.section,
				Text: fmt.Sprintf("Could not make %s rpc interface", i.name)})
		}
		l.config.RPCInterfaces = append(l.config.RPCInterfaces, i.name)
	}
}

// isEntryPoint reports whether a reference "module:name" is the known one.
// There may be blanks around the colon.
func isEntryPoint(reference, known string) bool {
	module, name, found := strings.Cut(reference, ":")
	return found && strip(module)+":"+strip(name) == known
}

// pluginPrefix begins the names of the sections of supervisorctl's plugins.
const pluginPrefix = "ctlplugin:"

// refusePlugins refuses the [ctlplugin:x] sections.
func refusePlugins(doc *document, file string, scope python.Scope) error {
	const key = "supervisor.ctl_factory"
	for _, section := range doc.names {
		if !strings.HasPrefix(section, pluginPrefix) {
			continue
		}
		o := &options{doc: doc, file: file, section: section, scope: scope, problems: new(problems)}
		factory := readFactory(o, key)
		o.fail(key, errors.New(factory+" cannot be resolved within ["+section+"]: "+noPlugins))
		return o.problems.first()
	}
	return nil
}
