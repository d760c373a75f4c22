package launch

import (
	"maps"
	"slices"
	"strconv"
	"strings"
	"time"
)

// ChildVars are what the environment of a process has besides the daemon's
// (manual: Subprocess, subprocess environment).
type ChildVars struct {
	// ServerURL is the value of SUPERVISOR_SERVER_URL; empty leaves it unset.
	ServerURL   string
	ProcessName string
	GroupName   string
	// NotifySocket is where the process can send messages, and Watchdog how often
	// it must give a sign of life there (sd_notify); empty and 0 for not.
	NotifySocket string
	Watchdog     time.Duration
	// Environment is what was configured; it wins over everything else.
	Environment map[string]string
}

// ChildEnv returns the environment of a process: the variables of base, which
// is the daemon's own environment, in their order, then the others. A name
// occurs once: of several in base the first counts, as for Supervisor, and what
// is not of the form NAME=value is left out.
func ChildEnv(base []string, v ChildVars) []string {
	set := map[string]string{
		"SUPERVISOR_ENABLED":      "1",
		"SUPERVISOR_PROCESS_NAME": v.ProcessName,
		"SUPERVISOR_GROUP_NAME":   v.GroupName,
	}
	if v.ServerURL != "" {
		set["SUPERVISOR_SERVER_URL"] = v.ServerURL
	}
	if v.NotifySocket != "" {
		set["NOTIFY_SOCKET"] = v.NotifySocket
	}
	if v.Watchdog > 0 {
		set["WATCHDOG_USEC"] = strconv.FormatInt(v.Watchdog.Microseconds(), 10)
	}
	maps.Copy(set, v.Environment)

	env := make([]string, 0, len(base)+len(set))
	seen := make(map[string]bool, len(base))
	for _, entry := range base {
		name, _, ok := strings.Cut(entry, "=")
		if !ok || name == "" || seen[name] {
			continue
		}
		seen[name] = true
		if value, ok := set[name]; ok {
			entry = name + "=" + value
			delete(set, name)
		}
		env = append(env, entry)
	}
	for _, name := range slices.Sorted(maps.Keys(set)) {
		env = append(env, name+"="+set[name])
	}
	return env
}
