package config

import (
	"cmp"
	"errors"
	"slices"
	"strings"

	"supervisord/internal/python"
)

// A place is where something stands in a configuration. The key is empty for
// the section itself.
type place struct{ section, key string }

// Problems are what is wrong with a configuration, in the order in which it
// was found. Reading goes on behind a problem with the default value of the
// option, so that one run finds all of them; what would not be a problem
// without an earlier one is not noted. The first one is the error of Load.
type problems struct {
	list []*Error
	seen map[place]bool
	// nameless are the sections in which the names of environment variables
	// are not known, because the option that sets them is bad. The empty name
	// stands for all.
	nameless map[string]bool
}

// add notes a problem. Of those with one option, or with one section as a
// whole, only the first is noted.
func (p *problems) add(e *Error) {
	if e.Section != "" && p.settle(e.Section, e.Key) {
		return
	}
	p.list = append(p.list, e)
}

// settle keeps further problems with an option from being noted. It reports
// whether that was so already.
func (p *problems) settle(section, key string) (settled bool) {
	at := place{section, key}
	if p.seen[at] {
		return true
	}
	if p.seen == nil {
		p.seen = make(map[place]bool)
	}
	p.seen[at] = true
	return false
}

// loseNames notes that the environment variables a section can refer to are
// not known; with an empty name this holds for every section.
func (p *problems) loseNames(section string) {
	if p.nameless == nil {
		p.nameless = make(map[string]bool)
	}
	p.nameless[section] = true
}

// excuses reports whether an error in a section may only come of an earlier
// problem.
func (p *problems) excuses(section string, err error) bool {
	missing := (*python.KeyError)(nil)
	return (p.nameless[""] || p.nameless[section]) && errors.As(err, &missing) && strings.HasPrefix(missing.Key, "ENV_")
}

// first returns the first problem as an error, nil if there is none.
func (p *problems) first() error {
	if len(p.list) == 0 {
		return nil
	}
	return p.list[0]
}

// inFileOrder returns the problems one by one, with the lines at which they
// stand, in the order of the files and the lines.
func (p *problems) inFileOrder(doc *document, files []string) []*Error {
	var all []*Error
	for _, e := range p.list {
		if len(e.parts) > 0 {
			all = append(all, e.parts...)
			continue
		}
		found := *e
		if at, ok := doc.locate(e.Section, e.Key); ok {
			found.File, found.Line = at.file, at.number
		}
		all = append(all, &found)
	}
	slices.SortStableFunc(all, func(a, b *Error) int {
		return cmp.Or(cmp.Compare(slices.Index(files, a.File), slices.Index(files, b.File)), cmp.Compare(a.Line, b.Line))
	})
	return all
}
