package ctl

import (
	"encoding/json"
	"slices"
	"strings"

	"supervisord/internal/api"
	"supervisord/internal/rpcclient"
)

// jsonFlag makes some actions print JSON. What they print is documented and
// only ever grows.
const jsonFlag = "--json"

// cutJSON removes jsonFlag from arguments and reports whether it was there.
func cutJSON(args []string) ([]string, bool) {
	i := slices.Index(args, jsonFlag)
	if i < 0 {
		return args, false
	}
	return slices.DeleteFunc(args, func(a string) bool { return a == jsonFlag }), true
}

// jsonStatus is an element of what "status --json" prints. Times are seconds
// since 1970, 0 for never.
type jsonStatus struct {
	Name          string `json:"name"`
	Group         string `json:"group"`
	Process       string `json:"process"`
	State         string `json:"state"`
	StateCode     int    `json:"state_code"`
	PID           int    `json:"pid"`
	Description   string `json:"description"`
	Start         int    `json:"start"`
	Stop          int    `json:"stop"`
	Now           int    `json:"now"`
	ExitStatus    int    `json:"exit_status"`
	SpawnError    string `json:"spawn_error"`
	StdoutLogfile string `json:"stdout_logfile"`
	StderrLogfile string `json:"stderr_logfile"`
	Restarts      int    `json:"restarts"`
	ExitReason    string `json:"exit_reason"`
	NextStart     int    `json:"next_start"`
	ExitOn        string `json:"exit_on,omitempty"`
	// StderrTail are lines.
	StderrTail []string `json:"stderr_tail"`
	Waiting    string   `json:"waiting,omitempty"`
	Ready      *bool    `json:"ready,omitempty"`
	Health     string   `json:"health,omitempty"`
}

func statusJSON(infos []rpcclient.ProcessInfo) []jsonStatus {
	list := make([]jsonStatus, len(infos))
	for i, info := range infos {
		list[i] = jsonStatus{
			Name:          api.Namespec(info.Group, info.Name),
			Group:         info.Group,
			Process:       info.Name,
			State:         info.StateName,
			StateCode:     int(info.State),
			PID:           info.PID,
			Description:   info.Description,
			Start:         info.Start,
			Stop:          info.Stop,
			Now:           info.Now,
			ExitStatus:    info.ExitStatus,
			SpawnError:    info.SpawnErr,
			StdoutLogfile: info.StdoutLogfile,
			StderrLogfile: info.StderrLogfile,
			Restarts:      info.Restarts,
			ExitReason:    info.ExitReason,
			NextStart:     info.NextStart,
			ExitOn:        info.ExitOn,
			StderrTail:    lines(info.StderrTail),
			Waiting:       info.Waiting,
			Ready:         info.Ready,
			Health:        info.Health,
		}
	}
	return list
}

// lines splits text into its lines; there are none in an empty one.
func lines(text string) []string {
	if text == "" {
		return []string{}
	}
	return strings.Split(text, "\n")
}

// jsonAvail is an element of what "avail --json" prints.
type jsonAvail struct {
	Name            string `json:"name"`
	Group           string `json:"group"`
	Process         string `json:"process"`
	InUse           bool   `json:"in_use"`
	Autostart       bool   `json:"autostart"`
	GroupPriority   int    `json:"group_priority"`
	ProcessPriority int    `json:"process_priority"`
}

func availJSON(infos []rpcclient.ConfigInfo) []jsonAvail {
	list := make([]jsonAvail, len(infos))
	for i, info := range infos {
		list[i] = jsonAvail{
			Name:            api.Namespec(info.Group, info.Name),
			Group:           info.Group,
			Process:         info.Name,
			InUse:           info.InUse,
			Autostart:       info.Autostart,
			GroupPriority:   info.GroupPriority,
			ProcessPriority: info.ProcessPriority,
		}
	}
	return list
}

// jsonVersion is what "version --json" prints.
type jsonVersion struct {
	Version        string `json:"version"`
	APIVersion     string `json:"api_version"`
	Identification string `json:"identification"`
}

// outputJSON writes a value as indented JSON and a newline. The encoder escapes
// control characters, so that the text is the same on a terminal.
func (c *Controller) outputJSON(v any) error {
	e := json.NewEncoder(c.out)
	e.SetEscapeHTML(false)
	e.SetIndent("", "  ")
	return e.Encode(v)
}
