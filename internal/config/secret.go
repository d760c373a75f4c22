package config

import (
	"errors"
	"strconv"
	"strings"

	"supervisord/internal/python"
)

// A Template is a value of which parts are the contents of files, which are
// read when the process starts and known to nobody else.
type Template []Part

// A Part of a Template is text, or a file if one is named.
type Part struct {
	Text string
	// File is an absolute path.
	File string
}

// references are the expansions %(FILE_/path)s of a configuration. Between the
// file and a Template each one is a mark that stands for it: a NUL, its number
// and another NUL, which are in no command and no environment that a process
// can be started with.
type references struct {
	paths []string
	shown []string // what people see
}

const (
	filePrefix = "FILE_"
	markSign   = "\x00"
)

// fileExpansion finds the next expansion of a file in text, from index from on:
// text[start:end] is the expansion, key the name in its parentheses.
func fileExpansion(text string, from int) (start, end int, key string, found bool) {
	for i := from; i < len(text); i++ {
		if text[i] != '%' || i+1 == len(text) {
			continue
		}
		if text[i+1] != '(' {
			i++ // a percent sign, or something that Format refuses
			continue
		}
		depth := 0
		for end := i + 1; end < len(text); end++ {
			switch text[end] {
			case '(':
				depth++
			case ')':
				depth--
			}
			if depth == 0 {
				if key = text[i+2 : end]; strings.HasPrefix(key, filePrefix) && len(key) > len(filePrefix) {
					return i, end + 1, key, true
				}
				break
			}
		}
	}
	return 0, 0, "", false
}

var (
	errNotPlain   = errors.New("the content of a file is expanded by %(FILE_PATH)s only, where PATH is known")
	errNotHere    = errors.New("the content of a file can be used in environment and command only")
	errSecretName = errors.New("the name of a variable cannot be the content of a file")
)

// expandFiles does the expansions in a value that may refer to files, and puts
// marks for those. The name tells in messages where the value stands.
func (o *options) expandFiles(text, name string, scope python.Scope) (string, error) {
	var marked strings.Builder
	done := 0
	for {
		start, end, key, found := fileExpansion(text, done)
		if !found {
			break
		}
		if !strings.HasPrefix(text[end:], "s") {
			return "", errNotPlain
		}
		path, err := expand(strings.TrimPrefix(key, filePrefix), scope, name)
		if err != nil {
			return "", err
		}
		if o.files.marked(path) {
			return "", errNotPlain
		}
		marked.WriteString(text[done:start] + o.files.mark(path))
		done = end + 1
	}
	return expandShown(marked.String()+text[done:], text, scope, name)
}

// mark returns the mark of a file.
func (r *references) mark(path string) string {
	r.paths = append(r.paths, path)
	r.shown = append(r.shown, "%("+filePrefix+path+")s")
	return markSign + strconv.Itoa(len(r.paths)-1) + markSign
}

// next finds the first mark: what stands before it, which reference it is and
// what comes behind.
func (r *references) next(text string) (before string, index int, behind string, found bool) {
	if r == nil || len(r.paths) == 0 {
		return text, 0, "", false
	}
	for from := 0; ; {
		i := strings.Index(text[from:], markSign)
		if i < 0 {
			return text, 0, "", false
		}
		start := from + i
		number, rest, closed := strings.Cut(text[start+1:], markSign)
		if index, err := strconv.Atoi(number); closed && err == nil && 0 <= index && index < len(r.paths) {
			return text[:start], index, rest, true
		}
		from = start + 1
	}
}

// marked reports whether a text has a mark.
func (r *references) marked(text string) bool {
	_, _, _, found := r.next(text)
	return found
}

// show returns a text with the expansions in place of the marks.
func (r *references) show(text string) string {
	var b strings.Builder
	for {
		before, index, behind, found := r.next(text)
		b.WriteString(before)
		if !found {
			return b.String()
		}
		b.WriteString(r.shown[index])
		text = behind
	}
}

// template returns what a text with marks stands for, nil if it has none. A
// path is made absolute by the function.
func (r *references) template(text string, absolute func(string) string) Template {
	var t Template
	for {
		before, index, behind, found := r.next(text)
		if before != "" && (found || t != nil) {
			t = append(t, Part{Text: before})
		}
		if !found {
			return t
		}
		t = append(t, Part{File: absolute(r.paths[index])})
		text = behind
	}
}

// fromHere returns the absolute path of a file that is named relative to the
// directory of the configuration file, or to a home directory.
func (l *loader) fromHere(path string) string {
	return absolutePath(joinPath(l.here, l.env.expandUser(path)))
}
