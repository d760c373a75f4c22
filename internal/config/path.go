package config

import (
	"os"
	"os/user"
	"path/filepath"
	"strconv"
	"strings"

	"golang.org/x/sys/unix"
)

// The functions here follow Python's os.path, whose results are visible in
// messages: unlike those of path/filepath they keep what they need not change.

// dirname returns everything before the last slash, without the slashes at its
// end; it is empty for a path without a slash.
func dirname(path string) string {
	head := path[:strings.LastIndexByte(path, '/')+1]
	if trimmed := strings.TrimRight(head, "/"); trimmed != "" {
		return trimmed
	}
	return head
}

// joinPath appends name to dir, unless name is absolute.
func joinPath(dir, name string) string {
	switch {
	case strings.HasPrefix(name, "/"), dir == "":
		return name
	case strings.HasSuffix(dir, "/"):
		return dir + name
	}
	return dir + "/" + name
}

// absolutePath returns the path from the root, cleaned. It fails only where
// the current directory is unknown; the path is then left relative.
func absolutePath(path string) string {
	if !strings.HasPrefix(path, "/") {
		if wd, err := os.Getwd(); err == nil {
			path = joinPath(wd, path)
		}
	}
	clean := filepath.Clean(path)
	// POSIX gives exactly two slashes in front a meaning of their own.
	if strings.HasPrefix(path, "//") && !strings.HasPrefix(path, "///") {
		return "/" + clean
	}
	return clean
}

// normalizePath returns the path from the root, with the home directory of a
// user in place of a tilde.
func (e *environ) normalizePath(path string) string {
	return absolutePath(e.expandUser(path))
}

// expandUser replaces ~ or ~name at the start of a path by a home directory.
// The path stays as it is where there is none.
func (e *environ) expandUser(path string) string {
	if !strings.HasPrefix(path, "~") {
		return path
	}
	name, rest := path[1:], ""
	if i := strings.IndexByte(path, '/'); i >= 0 {
		name, rest = path[1:i], path[i:]
	}
	home, ok := e.home(name)
	if !ok {
		return path
	}
	if path = strings.TrimRight(home, "/") + rest; path == "" {
		return "/"
	}
	return path
}

// home returns the home directory of the named user, or of the one that runs
// the program.
func (e *environ) home(name string) (string, bool) {
	var u *user.User
	var err error
	switch home, ok := e.get("HOME"); {
	case name != "":
		u, err = user.Lookup(name)
	case ok:
		return home, true
	default:
		u, err = user.LookupId(strconv.Itoa(os.Getuid()))
	}
	if err != nil {
		return "", false
	}
	return u.HomeDir, true
}

// tempDir returns the directory for temporary files: the first of the usual
// ones that can be written.
func (e *environ) tempDir() string {
	var candidates []string
	for _, name := range []string{"TMPDIR", "TEMP", "TMP"} {
		if dir, _ := e.get(name); dir != "" {
			candidates = append(candidates, dir)
		}
	}
	candidates = append(candidates, "/tmp", "/var/tmp", "/usr/tmp", ".")
	for _, dir := range candidates {
		dir = absolutePath(dir)
		if isDirectory(dir) && unix.Access(dir, unix.W_OK|unix.X_OK) == nil {
			return dir
		}
	}
	return absolutePath("/tmp")
}

func isDirectory(path string) bool {
	info, err := os.Stat(path)
	return err == nil && info.IsDir()
}

func exists(path string) bool {
	_, err := os.Stat(path)
	return err == nil
}
