package config

import (
	"errors"
	"fmt"
	"io/fs"
	"slices"
	"strings"

	"supervisord/internal/python"
)

// include reads the files that the [include] section names: several patterns,
// each file of a pattern in order of name, relative to the main file (manual:
// Configuration File, [include] section settings).
func (l *loader) include() {
	const section = "include"
	if !l.doc.has(section) {
		return
	}
	l.doc.expandHere(l.here)
	patterns, found := l.doc.get(section, "files")
	if !found {
		l.problems.add(&Error{File: l.file, Section: section,
			Text: ".ini file has [include] section, but no files setting"})
		return
	}
	var host python.Dict
	host.Set("host_node_name", l.hostname)
	patterns, err := expand(patterns, python.Scope{&l.common, &host, l.env.expansions}, "include.files")
	if err != nil {
		l.problems.add(&Error{File: l.file, Section: section, Key: "files", Text: err.Error()})
		l.doc.incomplete = true
		return
	}
	base := dirname(absolutePath(l.file))
	for pattern := range strings.FieldsFuncSeq(patterns, python.IsSpace) {
		pattern = joinPath(base, pattern)
		files := glob(pattern)
		if len(files) == 0 {
			l.config.Warnings = append(l.config.Warnings, fmt.Sprintf("No file matches via include \"%s\"", pattern))
		}
		slices.Sort(files)
		for _, file := range files {
			l.includeFile(file)
		}
	}
}

func (l *loader) includeFile(file string) {
	l.config.Infos = append(l.config.Infos, fmt.Sprintf("Included extra file \"%s\" during parsing", file))
	data, err := readLimited(file)
	if errors.Is(err, errTooLarge) {
		l.problems.add(&Error{File: file, Text: err.Error()})
		l.doc.incomplete = true
		return
	}
	if err == nil {
		l.config.Files = append(l.config.Files, file)
		for _, section := range l.read(file, data) {
			l.doc.origin[section] = file
		}
	} else if errors.Is(err, fs.ErrPermission) {
		l.config.Warnings = append(l.config.Warnings, fmt.Sprintf("could not read included file \"%s\"", file))
	}
	l.doc.expandHere(dirname(absolutePath(file)))
}
