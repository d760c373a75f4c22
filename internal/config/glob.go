package config

import (
	"os"
	"strings"
)

// glob returns the paths that match a pattern, as Python's glob does: "*" and
// "?" do not match a slash, nor a dot at the start of a name; a class is
// written [abc], [a-z] or, of what is not in it, [!abc]. A path without any of
// these is returned if something is there, be it a dangling link.
func glob(pattern string) []string {
	return globPaths(pattern, false)
}

func globPaths(pattern string, onlyDirs bool) []string {
	if !hasMagic(pattern) {
		if base := pattern[strings.LastIndexByte(pattern, '/')+1:]; base == "" && isDirectory(dirname(pattern)) ||
			base != "" && lexists(pattern) {
			return []string{pattern}
		}
		return nil
	}
	dir, base := dirname(pattern), pattern[strings.LastIndexByte(pattern, '/')+1:]
	dirs := []string{dir}
	if dir != pattern && hasMagic(dir) {
		dirs = globPaths(dir, true)
	}
	var paths []string
	for _, dir := range dirs {
		for _, name := range globNames(dir, base, onlyDirs) {
			paths = append(paths, joinPath(dir, name))
		}
	}
	return paths
}

// globNames returns the names in a directory that match the last part of a
// pattern.
func globNames(dir, base string, onlyDirs bool) []string {
	if !hasMagic(base) {
		if base == "" && isDirectory(dir) || base != "" && lexists(joinPath(dir, base)) {
			return []string{base}
		}
		return nil
	}
	entries, err := os.ReadDir(dir)
	if err != nil {
		return nil
	}
	var names []string
	for _, entry := range entries {
		name := entry.Name()
		hidden := name[0] == '.' && base[0] != '.'
		if !hidden && matches(name, base) && (!onlyDirs || isDirectory(joinPath(dir, name))) {
			names = append(names, name)
		}
	}
	return names
}

func hasMagic(pattern string) bool { return strings.ContainsAny(pattern, "*?[") }

func lexists(path string) bool {
	_, err := os.Lstat(path)
	return err == nil
}

// matches reports whether a name matches a pattern. When it gets stuck it goes
// back to the last asterisk, which then takes one more character.
func matches(name, pattern string) bool {
	n, p := []rune(name), []rune(pattern)
	i, j := 0, 0
	star, resume := -1, 0
	for i < len(n) {
		if j < len(p) && p[j] == '*' {
			star, resume = j, i
			j++
			continue
		}
		if width, ok := matchOne(n[i], p[j:]); ok {
			i, j = i+1, j+width
			continue
		}
		if star < 0 {
			return false
		}
		resume++
		i, j = resume, star+1
	}
	for j < len(p) && p[j] == '*' {
		j++
	}
	return j == len(p)
}

// matchOne reports whether the pattern's first part, which is width long,
// matches one character.
func matchOne(r rune, p []rune) (width int, ok bool) {
	switch {
	case len(p) == 0:
		return 0, false
	case p[0] == '?':
		return 1, true
	case p[0] == '[':
		if end := classEnd(p); end > 0 {
			return end + 1, inClass(r, p[1:end])
		}
	}
	return 1, r == p[0]
}

// classEnd returns the index of the bracket that closes the class at the start
// of p, or 0 if none does. A bracket that comes first belongs to the class.
func classEnd(p []rune) int {
	i := 1
	if i < len(p) && p[i] == '!' {
		i++
	}
	if i < len(p) && p[i] == ']' {
		i++
	}
	for ; i < len(p); i++ {
		if p[i] == ']' {
			return i
		}
	}
	return 0
}

// inClass reports whether a character is in a class. Ranges in front that hold
// nothing count as not written: an exclamation mark behind them negates.
func inClass(r rune, class []rune) bool {
	for len(class) > 2 && class[1] == '-' && class[0] > class[2] && class[0] != '!' {
		class = class[3:]
	}
	negated := len(class) > 0 && class[0] == '!'
	if negated {
		class = class[1:]
	}
	for i := 0; i < len(class); {
		if i+2 < len(class) && class[i+1] == '-' {
			if class[i] <= r && r <= class[i+2] {
				return !negated
			}
			i += 3
			continue
		}
		if class[i] == r {
			return !negated
		}
		i++
	}
	return negated
}
