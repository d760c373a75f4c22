package config

import (
	"slices"
	"strings"

	"supervisord/internal/api"
	"supervisord/internal/python"
)

// dependsOn is the key that names what a program depends on.
const dependsOn = "depends_on"

// Dependency is what one element of depends_on refers to: the processes of a
// program, of a group, or one process. It refers by name, so that it holds for
// whatever is active under that name.
type Dependency struct {
	// Name is the element as it was written.
	Name string
	// Program is the name of a program, in whichever group it is; or else Group
	// is that of a group, and Process, if not empty, that of one process of it.
	Program        string
	Group, Process string
}

// Covers reports whether the dependency is on this process of a group.
func (d *Dependency) Covers(group string, p *Process) bool {
	if d.Program != "" {
		return d.Program == p.Program
	}
	return d.Group == group && (d.Process == "" || d.Process == p.Name)
}

// dependencies converts the value of depends_on. What the names refer to is
// found out when all groups are known.
func dependencies(text string) ([]Dependency, error) {
	names, err := listOfStrings(text)
	if err != nil {
		return nil, err
	}
	var list []Dependency
	for _, name := range names {
		if name != "" {
			list = append(list, Dependency{Name: name})
		}
	}
	return list, nil
}

// A dependent is a process that depends on others, or one of those.
type dependent struct {
	group   string
	process *Process
	needs   []*dependent
	// While what it needs is being followed: onPath is set, and path is the one
	// that needs it.
	onPath bool
	path   *dependent
	done   bool
}

func (d *dependent) name() string { return api.Namespec(d.group, d.process.Name) }

// checkDependencies finds out what the names in depends_on refer to, and notes
// unknown names and the first cycle. With other problems there may be less of a
// group than is configured, so a name is only unknown if there is no section
// for it.
func (l *loader) checkDependencies(groups []*Group) {
	if len(l.dependents) == 0 || l.doc.incomplete {
		return
	}
	var all []*dependent
	for _, g := range groups {
		for _, p := range g.Processes {
			all = append(all, &dependent{group: g.Name, process: p})
		}
	}
	for _, d := range all {
		l.resolveDependencies(d, all)
	}
	for _, d := range all {
		if !l.follow(d) {
			return
		}
	}
}

// resolveDependencies finds what a process depends on among all processes.
func (l *loader) resolveDependencies(d *dependent, all []*dependent) {
	list := d.process.DependsOn
	for i := range list {
		dep := &list[i]
		for _, form := range dep.forms() {
			found := false
			for _, other := range all {
				if form.Covers(other.group, other.process) {
					found = true
					d.needs = append(d.needs, other)
				}
			}
			if found {
				*dep = form
				break
			}
		}
		if dep.Program == "" && dep.Group == "" && !l.mayExist(dep.Name) {
			l.refuse(d, "names unknown program, group or process "+python.Repr(dep.Name))
		}
	}
}

// mayExist reports whether a name may be that of something that is not there
// only because of another problem.
func (l *loader) mayExist(name string) bool {
	if l.problems.first() == nil {
		return false
	}
	name, _, _ = strings.Cut(name, ":")
	for _, prefix := range []string{groupPrefix, programPrefix, listenerPrefix, fastCGIPrefix} {
		if l.doc.has(prefix + name) {
			return true
		}
	}
	return false
}

// forms returns what the name can mean, the first meaning that fits counts: a
// name with a colon is a process, or all of a group; without one it is a
// program or a group.
func (d *Dependency) forms() []Dependency {
	if !strings.Contains(d.Name, ":") {
		return []Dependency{{Name: d.Name, Program: d.Name}, {Name: d.Name, Group: d.Name}}
	}
	group, process, all := api.SplitNamespec(d.Name)
	if all {
		process = ""
	}
	return []Dependency{{Name: d.Name, Group: group, Process: process}}
}

// follow goes along the dependencies of a process and refuses to come back to
// one that it came from. It reports whether there is no cycle.
func (l *loader) follow(d *dependent) bool {
	if d.done {
		return true
	}
	d.onPath = true
	for _, next := range d.needs {
		if next.onPath {
			l.refuse(d, "makes a cycle: "+cycle(d, next))
			return false
		}
		next.path = d
		if !l.follow(next) {
			return false
		}
	}
	d.onPath, d.done = false, true
	return true
}

// cycle names the processes on the way from first to last, which needs first.
func cycle(last, first *dependent) string {
	names := []string{first.name()}
	for d := last; d != first; d = d.path {
		names = append(names, d.name())
	}
	names = append(names, first.name())
	slices.Reverse(names)
	return strings.Join(names, " -> ")
}

// refuse notes that a process cannot depend on what it does.
func (l *loader) refuse(d *dependent, text string) {
	section := l.dependents[d.process]
	file := l.fileOf(section)
	where := " in section " + python.Repr(section) + " (file: " + python.Repr(file) + ")"
	l.problems.add(&Error{File: file, Section: section, Key: dependsOn, Text: dependsOn + " " + text + where, where: where})
}
