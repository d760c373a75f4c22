package config

import (
	"fmt"
	"maps"
	"slices"
	"strconv"
	"strings"
	"sync"
	"time"

	"supervisord/internal/api"
)

// A setting is a key with its value as a file could have it, empty where it is
// not set. What is hidden is compared, but not told to anybody.
type setting struct {
	key, value string
	hidden     bool
}

// Changes compares the groups that are active with those of a configuration that
// was loaded anew, as Diff does, and tells key by key what is different. They
// are in order of name. Values of environments are not in the result.
func Changes(active, loaded []*Group) []api.GroupChange {
	var list []api.GroupChange
	added, changed, removed := Diff(active, loaded)
	current := byName(active)
	for _, g := range added {
		c := groupChange(api.ChangeAdded, &Group{}, g)
		c.Settings = compare(nil, beyond(plainGroup(g.Kind).settings(), g.settings()))
		list = append(list, c)
	}
	for _, g := range changed {
		list = append(list, groupChange(api.ChangeChanged, current[g.Name], g))
	}
	for _, g := range removed {
		c := api.GroupChange{Name: g.Name, Change: api.ChangeRemoved}
		for _, p := range g.Processes {
			c.Processes = append(c.Processes, api.ProcessChange{Name: p.Name, Change: api.ChangeRemoved})
		}
		list = append(list, c)
	}
	slices.SortStableFunc(list, func(a, b api.GroupChange) int { return strings.Compare(a.Name, b.Name) })
	return list
}

// groupChange tells what is different between two groups. Of a process that is
// new the settings are told that are not the default.
func groupChange(kind string, old, next *Group) api.GroupChange {
	c := api.GroupChange{Name: next.Name, Change: kind, Settings: compare(old.settings(), next.settings())}
	for _, p := range next.Processes {
		i := slices.IndexFunc(old.Processes, func(o *Process) bool { return o.Name == p.Name })
		if i < 0 {
			c.Processes = append(c.Processes, api.ProcessChange{Name: p.Name, Change: api.ChangeAdded,
				Settings: compare(nil, beyond(plainProcess().settings(p), p.settings(p)))})
		} else if o := old.Processes[i]; !p.replaces(o) {
			c.Processes = append(c.Processes, api.ProcessChange{Name: p.Name, Change: api.ChangeChanged,
				Settings: compare(o.settings(p), p.settings(p))})
		}
	}
	for _, o := range old.Processes {
		if !slices.ContainsFunc(next.Processes, func(p *Process) bool { return p.Name == o.Name }) {
			c.Processes = append(c.Processes, api.ProcessChange{Name: o.Name, Change: api.ChangeRemoved})
		}
	}
	return c
}

// beyond returns the settings that are not among the plain ones.
func beyond(plain, settings []setting) []setting {
	return slices.DeleteFunc(settings, func(s setting) bool { return s.value == "" || slices.Contains(plain, s) })
}

// compare returns the settings that differ.
func compare(old, next []setting) []api.SettingChange {
	before := make(map[string]setting, len(old))
	for _, s := range old {
		before[s.key] = s
	}
	var list []api.SettingChange
	for _, s := range next {
		if o := before[s.key]; o != s {
			list = append(list, settingChange(o, s))
		}
		delete(before, s.key)
	}
	for _, o := range old {
		if before[o.key].value != "" {
			list = append(list, settingChange(o, setting{}))
		}
	}
	return list
}

func settingChange(old, next setting) api.SettingChange {
	c := api.SettingChange{Key: next.key, Change: api.ChangeChanged, Hidden: old.hidden || next.hidden}
	if c.Key == "" {
		c.Key = old.key
	}
	switch {
	case old.value == "":
		c.Change = api.ChangeAdded
	case next.value == "":
		c.Change = api.ChangeRemoved
	}
	if !c.Hidden {
		c.Old, c.New = old.value, next.value
	}
	return c
}

// settings returns the settings of a group that update looks at.
func (g *Group) settings() []setting {
	list := []setting{
		{key: "type", value: g.Kind.String()},
		{key: "priority", value: strconv.Itoa(g.Priority)},
	}
	if g.Socket != nil {
		list = append(list, setting{key: "socket", value: g.Socket.URL})
	}
	if g.Kind == ListenerPool {
		list = append(list, setting{key: "events", value: strings.Join(g.Events, ",")},
			setting{key: "buffer_size", value: strconv.Itoa(g.BufferSize)},
			setting{key: "len_bytes", value: strconv.FormatBool(g.LenBytes)})
	}
	return list
}

// settings returns the settings of a process, as far as it matters when next
// takes its place.
func (p *Process) settings(next *Process) []setting {
	list := []setting{
		{key: "command", value: p.Command},
		{key: "directory", value: p.Directory},
		{key: "user", value: idText(p.UID)},
		{key: "group", value: idText(p.GID)},
		{key: "umask", value: umaskText(p.Umask)},
		{key: "priority", value: strconv.Itoa(p.Priority)},
		{key: "autostart", value: strconv.FormatBool(p.Autostart)},
		{key: "autorestart", value: p.Autorestart.String()},
		{key: "startsecs", value: secondsText(p.StartSecs)},
		{key: "startretries", value: strconv.Itoa(p.StartRetries)},
		{key: "exitcodes", value: joinInts(p.ExitCodes)},
		{key: "exit_on", value: p.ExitOn.String()},
		{key: "restart_delay", value: secondsText(p.RestartDelay)},
		{key: "backoff_max", value: secondsText(p.BackoffMax)},
		{key: "backoff_factor", value: floatText(p.BackoffFactor)},
		{key: "backoff_jitter", value: floatText(p.BackoffJitter)},
		{key: "stopsignal", value: strings.TrimPrefix(api.SignalName(p.StopSignal), "SIG")},
		{key: "stopwaitsecs", value: secondsText(p.StopWaitSecs)},
		{key: "stopasgroup", value: strconv.FormatBool(p.StopAsGroup)},
		{key: "killasgroup", value: strconv.FormatBool(p.KillAsGroup)},
		{key: "redirect_stderr", value: strconv.FormatBool(p.RedirectStderr)},
	}
	list = append(list, p.probes()...)
	list = append(list, p.Stdout.settings("stdout", &next.Stdout)...)
	list = append(list, p.Stderr.settings("stderr", &next.Stderr)...)
	list = append(list, setting{key: "serverurl", value: p.ServerURL},
		setting{key: "environment_file", value: joinFiles(p.EnvironmentFiles)},
		setting{key: "user_environment", value: strconv.FormatBool(p.UserEnvironment)},
		// The same text may mean a file or itself.
		setting{key: "command, contents of files", value: fmt.Sprint(p.ArgvSecrets), hidden: true})
	for _, name := range slices.Sorted(maps.Keys(p.Environment)) {
		value := fmt.Sprint(p.Environment[name], p.EnvironmentSecrets[name])
		list = append(list, setting{key: "environment " + name, value: value, hidden: true})
	}
	return list
}

// probes returns the settings that tell when a process counts as ready and
// healthy.
func (p *Process) probes() []setting {
	names := make([]string, len(p.DependsOn))
	for i := range p.DependsOn {
		names[i] = p.DependsOn[i].Name
	}
	return []setting{
		{key: dependsOn, value: strings.Join(names, ",")},
		{key: "ready", value: p.Ready.Text},
		{key: "ready_timeout", value: secondsText(p.Ready.Timeout)},
		{key: "ready_interval", value: secondsText(p.Ready.Interval)},
		{key: "health", value: p.Health.Text},
		{key: "health_interval", value: secondsText(p.Health.Interval)},
		{key: "health_timeout", value: secondsText(p.Health.Timeout)},
		{key: "health_retries", value: strconv.Itoa(p.Health.Retries)},
	}
}

// settings returns the settings of a log. A file that the daemon is to name can
// take the place of any other.
func (l *Log) settings(channel string, next *Log) []setting {
	file := l.File
	if next.File.Kind == LogAuto {
		file = next.File
	}
	return []setting{
		{key: channel + "_logfile", value: file.String()},
		{key: channel + "_logfile_maxbytes", value: strconv.FormatInt(l.MaxBytes, 10)},
		{key: channel + "_logfile_backups", value: strconv.Itoa(l.Backups)},
		{key: channel + "_logfile_compress", value: strconv.FormatBool(l.Compress)},
		{key: channel + "_logfile_maxage", value: strconv.Itoa(l.MaxAge)},
		{key: channel + "_logfile_rotate", value: l.Rotate.String()},
		{key: channel + "_format", value: l.Format.String()},
		{key: channel + "_capture_maxbytes", value: strconv.FormatInt(l.CaptureMaxBytes, 10)},
		{key: channel + "_events_enabled", value: strconv.FormatBool(l.EventsEnabled)},
		{key: channel + "_syslog", value: strconv.FormatBool(l.Syslog)},
	}
}

// plainProcess returns a process for which nothing is configured.
var plainProcess = sync.OnceValue(func() *Process {
	const section = programPrefix + "x"
	l := newLoader(Options{File: "/", Environ: []string{}})
	l.doc.sections[section] = newSection()
	l.doc.sections[section].set("command", "")
	return newProgramReader(l, section, "x").read()[0]
})

// plainGroup returns a group for which nothing is configured.
func plainGroup(kind GroupKind) *Group {
	g := &Group{Kind: kind, Priority: 999}
	if kind == ListenerPool {
		g.Priority, g.BufferSize = -1, 10
	}
	return g
}

func idText(id int) string {
	if id < 0 {
		return ""
	}
	return strconv.Itoa(id)
}

func umaskText(umask int) string {
	if umask < 0 {
		return ""
	}
	return fmt.Sprintf("%03o", umask)
}

func secondsText(d time.Duration) string { return floatText(d.Seconds()) }

func floatText(f float64) string { return strconv.FormatFloat(f, 'f', -1, 64) }

func joinInts(list []int) string {
	words := make([]string, len(list))
	for i, n := range list {
		words[i] = strconv.Itoa(n)
	}
	return strings.Join(words, ",")
}

func joinFiles(files []EnvironmentFile) string {
	words := make([]string, len(files))
	for i, f := range files {
		words[i] = f.String()
	}
	return strings.Join(words, ",")
}
