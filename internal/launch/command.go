package launch

import (
	"os"
	"strings"
	"syscall"

	"golang.org/x/sys/unix"

	"supervisord/internal/python"
)

// CommandError says why a command cannot be executed, in Supervisor's words.
type CommandError struct {
	// NotFound tells a file that does not exist (fault NO_FILE) from one that
	// cannot be executed (fault NOT_EXECUTABLE).
	NotFound bool
	Text     string
}

// Error returns the text.
func (e *CommandError) Error() string { return e.Text }

// CommandPath returns the list of directories in which the command of a
// process is searched: PATH of the environment that the process is given, else
// that of the daemon, else a list of its own.
func CommandPath(environment map[string]string) string {
	if path, ok := environment["PATH"]; ok {
		return path
	}
	if path := os.Getenv("PATH"); path != "" {
		return path
	}
	return "/bin:/usr/bin:/usr/local/bin"
}

// Resolve finds the file that argv executes. A first word with a slash is a
// path; any other is searched in path, a list separated by colons, where the
// first file of that name counts even if it cannot be executed. The error is a
// *CommandError.
//
// Relative paths are looked up from the daemon's directory, as Supervisor does,
// although the process starts in its own.
func Resolve(argv []string, path string) (string, error) {
	if len(argv) == 0 {
		return "", &CommandError{Text: "command is empty"}
	}
	file := argv[0]
	var stat syscall.Stat_t
	found := false
	if strings.Contains(file, "/") {
		found = syscall.Stat(file, &stat) == nil
	} else {
		for dir := range strings.SplitSeq(path, ":") {
			candidate := joinPath(dir, file)
			if syscall.Stat(candidate, &stat) == nil {
				file, found = candidate, true
				break
			}
		}
	}
	if !found {
		return "", &CommandError{NotFound: true, Text: "can't find command " + python.Repr(file)}
	}
	return file, checkExecutable(file, &stat)
}

func checkExecutable(file string, stat *syscall.Stat_t) error {
	switch name := python.Repr(file); {
	case stat.Mode&syscall.S_IFMT == syscall.S_IFDIR:
		return &CommandError{Text: "command at " + name + " is a directory"}
	case stat.Mode&0o111 == 0:
		return &CommandError{Text: "command at " + name + " is not executable"}
	case unix.Access(file, unix.X_OK) != nil:
		return &CommandError{Text: "no permission to run command " + name}
	}
	return nil
}

// joinPath joins without cleaning: the text shows in messages and is what the
// kernel gets. An empty directory is the current one.
func joinPath(dir, name string) string {
	if dir == "" || strings.HasSuffix(dir, "/") {
		return dir + name
	}
	return dir + "/" + name
}
