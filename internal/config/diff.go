package config

import (
	"maps"
	"reflect"
	"slices"
)

// Diff compares the groups that are active with those of a configuration that
// was loaded anew: which are new, which changed and which are gone (manual:
// Running Supervisor, reread). The added and changed groups are the loaded
// ones, the removed groups the active ones.
func Diff(active, loaded []*Group) (added, changed, removed []*Group) {
	current, next := byName(active), byName(loaded)
	for _, g := range loaded {
		old, found := current[g.Name]
		switch {
		case !found:
			added = append(added, g)
		case !g.replaces(old):
			changed = append(changed, g)
		}
	}
	for _, g := range active {
		if _, found := next[g.Name]; !found {
			removed = append(removed, g)
		}
	}
	return added, changed, removed
}

// byName returns the groups by name; of several with one name the last.
func byName(groups []*Group) map[string]*Group {
	m := make(map[string]*Group, len(groups))
	for _, g := range groups {
		m[g.Name] = g
	}
	return m
}

// replaces reports whether g can take the place of the active group without
// anything being different. The mode, the owner and the backlog of a FastCGI
// socket do not count.
func (g *Group) replaces(active *Group) bool {
	if g.Socket != nil && active.Socket != nil && g.Socket.URL != active.Socket.URL {
		return false
	}
	return g.Kind == active.Kind &&
		g.Priority == active.Priority &&
		g.BufferSize == active.BufferSize &&
		g.LenBytes == active.LenBytes &&
		slices.Equal(g.Events, active.Events) &&
		slices.EqualFunc(g.Processes, active.Processes, (*Process).replaces)
}

// replaces reports whether p can take the place of the active process without
// anything being different.
func (p *Process) replaces(active *Process) bool {
	return p.Name == active.Name &&
		p.UID == active.UID &&
		p.Command == active.Command &&
		p.Directory == active.Directory &&
		p.Umask == active.Umask &&
		p.Priority == active.Priority &&
		p.Autostart == active.Autostart &&
		p.Autorestart == active.Autorestart &&
		p.StartSecs == active.StartSecs &&
		p.StartRetries == active.StartRetries &&
		p.Stdout.replaces(&active.Stdout) &&
		p.Stderr.replaces(&active.Stderr) &&
		p.StopSignal == active.StopSignal &&
		p.StopWaitSecs == active.StopWaitSecs &&
		p.StopAsGroup == active.StopAsGroup &&
		p.KillAsGroup == active.KillAsGroup &&
		slices.Equal(p.ExitCodes, active.ExitCodes) &&
		p.ExitOn == active.ExitOn &&
		p.RestartDelay == active.RestartDelay &&
		p.BackoffMax == active.BackoffMax &&
		p.BackoffFactor == active.BackoffFactor &&
		p.BackoffJitter == active.BackoffJitter &&
		slices.Equal(p.DependsOn, active.DependsOn) &&
		p.Ready.replaces(&active.Ready) &&
		p.Health.replaces(&active.Health) &&
		p.RedirectStderr == active.RedirectStderr &&
		maps.Equal(p.Environment, active.Environment) &&
		reflect.DeepEqual(p.EnvironmentSecrets, active.EnvironmentSecrets) &&
		reflect.DeepEqual(p.ArgvSecrets, active.ArgvSecrets) &&
		slices.Equal(p.EnvironmentFiles, active.EnvironmentFiles) &&
		p.UserEnvironment == active.UserEnvironment &&
		p.GID == active.GID &&
		p.ServerURL == active.ServerURL
}

// replaces reports whether l can take the place of the active log. A file that
// the daemon is to name can take the place of any other.
func (l *Log) replaces(active *Log) bool {
	settings, activeSettings := *l, *active
	if l.File.Kind == LogAuto {
		activeSettings.File = l.File
	}
	return settings == activeSettings
}
