package launch

import (
	"os"
	"regexp"

	"supervisord/internal/api"
	"supervisord/internal/python"
)

// NewChildLog creates the file of a channel that is logged automatically and
// returns its path: PROCESS-CHANNEL---IDENTIFIER-RANDOM.log in dir, readable by
// its owner only (manual: Configuration File, [program:x] section settings,
// stdout_logfile).
func NewChildLog(dir, process, identifier string, channel api.Channel) (string, error) {
	prefix := process + "-" + channel.String() + "---" + identifier + "-"
	f, err := createTemp(dir, prefix, ".log", 0o600)
	if err != nil {
		return "", err
	}
	return f.Name(), f.Close()
}

// ClearChildLogs removes the automatic logs, and the backups of them, that
// supervisors of this identifier left in dir, but those that are kept. It returns warnings for the
// activity log.
func ClearChildLogs(dir, identifier string, keep func(path string) bool) (warnings []string) {
	pattern := regexp.MustCompile(`^.+?---` + regexp.QuoteMeta(identifier) + `-\S+\.log\.?\d{0,4}`)
	entries, err := os.ReadDir(dir)
	if err != nil {
		return []string{"Could not clear childlog dir"}
	}
	for _, e := range entries {
		if !pattern.MatchString(e.Name()) {
			continue
		}
		path := joinPath(dir, e.Name())
		if keep(path) {
			continue
		}
		if e.IsDir() || os.Remove(path) != nil {
			warnings = append(warnings, "Failed to clean up "+python.Repr(path))
		}
	}
	return warnings
}
