package config

import (
	"os"
	"strings"

	"golang.org/x/sys/unix"

	"supervisord/internal/python"
)

// Find returns the configuration file to use where the command line names
// none, searched beside the program and then in the usual places. argv0 is the
// name under which the program was started; without a slash it is that of a
// program in $PATH. The directory counts as it is written, links and all
// (manual: Configuration File).
func Find(argv0 string) (string, error) {
	prefix := dirname(dirname(locate(argv0)))
	paths := []string{
		joinPath(prefix, "etc/supervisord.conf"),
		joinPath(prefix, "supervisord.conf"),
		"supervisord.conf",
		"etc/supervisord.conf",
		"/etc/supervisord.conf",
		"/etc/supervisor/supervisord.conf",
	}
	for _, path := range paths {
		if exists(path) {
			return path, nil
		}
	}
	return "", python.ValueErrorf("No config file found at default paths (%s); use the -c option to specify a config file at a different path",
		strings.Join(paths, ", "))
}

// locate returns the path of a program that was found in $PATH.
func locate(program string) string {
	if strings.Contains(program, "/") {
		return program
	}
	for dir := range strings.SplitSeq(os.Getenv("PATH"), ":") {
		path := joinPath(dir, program)
		if info, err := os.Stat(path); err == nil && info.Mode().IsRegular() && unix.Access(path, unix.X_OK) == nil {
			return path
		}
	}
	return program
}
