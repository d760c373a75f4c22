package rpc

import (
	"math"
	"strconv"
	"sync"
	"time"

	"supervisord/internal/api"
)

// Describe returns the description of a process that clients show, which
// depends on its state: "pid 42, uptime 0:37:58" when it runs, why it failed,
// when it stopped, or "Not started" (manual: XML-RPC API, getProcessInfo). In a
// pause that the configuration asks for, it is said when that ends.
//
// One that waits for others says so instead: "waiting for db (STARTING)".
func Describe(p api.ProcessInfo) string {
	var room [64]byte // Most fit, and are allocated once.
	return string(appendDescription(room[:0], &p))
}

// appendDescription appends what Describe returns.
func appendDescription(b []byte, p *api.ProcessInfo) []byte {
	if p.Waiting != "" {
		b = append(b, "waiting for "...)
		return append(b, p.Waiting...)
	}
	switch p.State {
	case api.Running:
		b = append(b, "pid "...)
		b = strconv.AppendInt(b, int64(p.PID), 10)
		b = append(b, ", uptime "...)
		b = appendUptime(b, seconds(p.Now)-seconds(p.Start))
		if p.HasReady && !p.Ready {
			b = append(b, ", not ready"...)
		}
		if p.StatusText != "" {
			b = append(b, ", "...)
			b = append(b, p.StatusText...)
		}
	case api.Fatal, api.Backoff:
		if p.SpawnErr != "" {
			b = append(b, p.SpawnErr...)
		} else {
			b = append(b, `unknown error (try "tail `...)
			b = append(b, p.Name...)
			b = append(b, `")`...)
		}
		b = appendUntilStart(b, p)
	case api.Stopped, api.Exited:
		if seconds(p.Start) == 0 {
			return append(b, "Not started"...)
		}
		b = time.Unix(seconds(p.Stop), 0).AppendFormat(b, "Jan 02 03:04 PM")
		b = appendUntilStart(b, p)
	}
	return b
}

// appendUntilStart appends how long it is until the next start, if that is known.
func appendUntilStart(b []byte, p *api.ProcessInfo) []byte {
	if p.NextStart.IsZero() {
		return b
	}
	b = append(b, ", restart in "...)
	return appendUptime(b, int64(math.Ceil(p.NextStart.Sub(p.Now).Seconds())))
}

// appendUptime appends a number of seconds as "1 day, 2:03:04". A time before the
// start, after the clock was set back, counts as none.
func appendUptime(b []byte, s int64) []byte {
	s = max(s, 0)
	if days := s / 86400; days > 0 {
		b = strconv.AppendInt(b, days, 10)
		b = append(b, " day"...)
		if days > 1 {
			b = append(b, 's')
		}
		b = append(b, ", "...)
	}
	b = strconv.AppendInt(b, s/3600%24, 10)
	for _, part := range [...]int64{s / 60 % 60, s % 60} {
		b = append(b, ':', byte('0'+part/10), byte('0'+part%10))
	}
	return b
}

// seconds returns a time as clients see it: in seconds since 1970, within the
// range of an int of XML-RPC, and 0 for the zero time.
func seconds(t time.Time) int64 {
	if t.IsZero() {
		return 0
	}
	return min(max(t.Unix(), math.MinInt32), math.MaxInt32)
}

// processResult is what getProcessInfo returns.
type processResult struct{ *api.ProcessInfo }

func (v processResult) Encode(e Encoder) { encodeProcess(e, v.ProcessInfo, nil) }

// encodeProcess writes the members in the order of the original, then those that
// only this supervisord has, where there is something to tell. It returns room,
// in which the description is made, for the next process.
func encodeProcess(e Encoder, p *api.ProcessInfo, room []byte) []byte {
	e.BeginStruct()
	e.Member("name")
	e.String(p.Name)
	e.Member("group")
	e.String(p.Group)
	e.Member("start")
	e.Int(seconds(p.Start))
	e.Member("stop")
	e.Int(seconds(p.Stop))
	e.Member("now")
	e.Int(seconds(p.Now))
	e.Member("state")
	e.Int(int64(p.State))
	e.Member("statename")
	e.String(p.State.String())
	e.Member("spawnerr")
	e.String(p.SpawnErr)
	e.Member("exitstatus")
	e.Int(int64(p.ExitStatus))
	e.Member("logfile")
	e.String(p.StdoutLogfile)
	e.Member("stdout_logfile")
	e.String(p.StdoutLogfile)
	e.Member("stderr_logfile")
	e.String(p.StderrLogfile)
	e.Member("pid")
	e.Int(int64(p.PID))
	e.Member("description")
	room = appendDescription(room[:0], p)
	e.Text(room)
	if p.Restarts > 0 {
		e.Member("restarts")
		e.Int(int64(p.Restarts))
	}
	if p.ExitReason != "" {
		e.Member("exitreason")
		e.String(p.ExitReason)
	}
	if p.StderrTail != "" {
		e.Member("stderr_tail")
		e.String(p.StderrTail)
	}
	if p.ExitOn != "" {
		stringMember(e, "exit_on", p.ExitOn)
	}
	if !p.NextStart.IsZero() {
		e.Member("nextstart")
		e.Int(seconds(p.NextStart.Add(time.Second - 1)))
	}
	if p.Waiting != "" {
		e.Member("waiting")
		e.String(p.Waiting)
	}
	if p.HasReady {
		e.Member("ready")
		e.Bool(p.Ready)
	}
	if p.Health != "" {
		e.Member("health")
		e.String(p.Health)
	}
	e.EndStruct()
	return room
}

// processesResult is what getAllProcessInfo returns.
type processesResult []api.ProcessInfo

// processLists are lists for reuse: they are most of what a call needs. One of
// more than keptProcesses is not kept.
var processLists = sync.Pool{New: func() any { return new(processesResult) }}

const keptProcesses = 1024

func (v *processesResult) release() {
	if cap(*v) <= keptProcesses {
		*v = (*v)[:0]
		processLists.Put(v)
	}
}

func (v *processesResult) Encode(e Encoder) {
	e.BeginArray()
	var room []byte
	for i := range *v {
		room = encodeProcess(e, &(*v)[i], room)
	}
	e.EndArray()
}

// configsResult is what getAllConfigInfo returns.
type configsResult []api.ConfigInfo

func (v configsResult) Encode(e Encoder) {
	e.BeginArray()
	for i := range v {
		encodeConfig(e, &v[i])
	}
	e.EndArray()
}

// encodeConfig writes the members in the order of the original, then those that
// only this supervisord has, where they are used.
func encodeConfig(e Encoder, c *api.ConfigInfo) {
	e.BeginStruct()
	boolMember(e, "autostart", c.Autostart)
	e.Member("autorestart")
	switch c.Autorestart {
	case "true":
		e.Bool(true)
	case "false":
		e.Bool(false)
	default:
		e.String(c.Autorestart)
	}
	stringMember(e, "directory", orNone(c.Directory))
	e.Member("uid")
	if c.UID < 0 {
		e.String("none")
	} else {
		e.Int(int64(c.UID))
	}
	stringMember(e, "command", c.Command)
	e.Member("exitcodes")
	e.BeginArray()
	for _, code := range c.ExitCodes {
		e.Int(int64(code))
	}
	e.EndArray()
	stringMember(e, "group", c.Group)
	intMember(e, "group_prio", c.GroupPriority)
	boolMember(e, "inuse", c.InUse)
	boolMember(e, "killasgroup", c.KillAsGroup)
	stringMember(e, "name", c.Name)
	intMember(e, "process_prio", c.ProcessPriority)
	boolMember(e, "redirect_stderr", c.RedirectStderr)
	intMember(e, "startretries", c.StartRetries)
	intMember(e, "startsecs", c.StartSecs)
	encodeChannel(e, &c.Stdout, stdoutMembers)
	intMember(e, "stopsignal", c.StopSignal)
	intMember(e, "stopwaitsecs", c.StopWaitSecs)
	encodeChannel(e, &c.Stderr, stderrMembers)
	stringMember(e, "serverurl", orNone(c.ServerURL))
	encodeChannelAdditions(e, &c.Stdout, "stdout")
	encodeChannelAdditions(e, &c.Stderr, "stderr")
	if c.ExitOn != "" {
		stringMember(e, "exit_on", c.ExitOn)
	}
	usedMember(e, "restart_delay", c.RestartDelay.Seconds())
	usedMember(e, "backoff_factor", c.BackoffFactor)
	usedMember(e, "backoff_max", c.BackoffMax.Seconds())
	usedMember(e, "backoff_jitter", c.BackoffJitter)
	if c.GID != nil {
		intMember(e, "gid", *c.GID)
	}
	if len(c.EnvironmentFiles) > 0 {
		e.Member("environment_file")
		namesResult(c.EnvironmentFiles).Encode(e)
	}
	if c.UserEnvironment {
		boolMember(e, "user_environment", true)
	}
	e.EndStruct()
}

// usedMember writes a number that is not 0.
func usedMember(e Encoder, name string, v float64) {
	if v != 0 {
		e.Member(name)
		e.Double(v)
	}
}

func encodeChannelAdditions(e Encoder, c *api.ChannelConfigInfo, channel string) {
	if c.LogfileRotate != api.Never {
		stringMember(e, channel+"_logfile_rotate", c.LogfileRotate.String())
	}
	if c.Format != api.FormatRaw {
		stringMember(e, channel+"_format", c.Format.String())
	}
}

// channelMembers are the names of the members that describe a channel.
type channelMembers struct {
	capture, events, logfile, backups, maxbytes, syslog string
}

var (
	stdoutMembers = channelMembers{"stdout_capture_maxbytes", "stdout_events_enabled", "stdout_logfile",
		"stdout_logfile_backups", "stdout_logfile_maxbytes", "stdout_syslog"}
	stderrMembers = channelMembers{"stderr_capture_maxbytes", "stderr_events_enabled", "stderr_logfile",
		"stderr_logfile_backups", "stderr_logfile_maxbytes", "stderr_syslog"}
)

func encodeChannel(e Encoder, c *api.ChannelConfigInfo, m channelMembers) {
	e.Member(m.capture)
	e.Int(c.CaptureMaxBytes)
	boolMember(e, m.events, c.EventsEnabled)
	stringMember(e, m.logfile, c.Logfile)
	intMember(e, m.backups, c.LogfileBackups)
	e.Member(m.maxbytes)
	e.Int(c.LogfileMaxBytes)
	boolMember(e, m.syslog, c.Syslog)
}

func boolMember(e Encoder, name string, v bool)     { e.Member(name); e.Bool(v) }
func intMember(e Encoder, name string, v int)       { e.Member(name); e.Int(int64(v)) }
func stringMember(e Encoder, name string, v string) { e.Member(name); e.String(v) }

// orNone returns what a client sees for a setting that may be missing.
func orNone(s string) string {
	if s == "" {
		return "none"
	}
	return s
}
