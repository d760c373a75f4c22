package ctl

import (
	"context"
	"slices"

	"supervisord/internal/api"
	"supervisord/internal/rpcclient"
)

// diffTrouble is the exit status of diff when the configurations could not be
// compared; Generic says that they differ, as with diff(1).
const diffTrouble = InvalidArgs

// doDiff shows what update would change.
func (c *Controller) doDiff(ctx context.Context, arg string) error {
	names, asJSON := cutJSON(fields(arg))
	c.json = asJSON
	if up, err := c.upcheck(ctx); err != nil || !up {
		return err
	}
	client, err := c.rpc()
	if err != nil {
		return err
	}
	changes, err := client.DiffConfig(ctx)
	switch faultCode(err) {
	case api.ShutdownState:
		c.complain("ERROR: supervisor shutting down")
		c.fail(diffTrouble)
		return nil
	case api.CantReread:
		c.complain("ERROR: " + err.Error())
		c.fail(diffTrouble)
		return nil
	}
	if err != nil {
		c.outputException(err)
		c.fail(diffTrouble)
		return nil
	}
	if len(names) > 0 && !slices.Contains(names, "all") {
		changes = slices.DeleteFunc(changes, func(g rpcclient.GroupChange) bool { return !slices.Contains(names, g.Name) })
	}
	if len(changes) > 0 {
		c.fail(Generic)
	}
	if asJSON {
		return c.outputJSON(diffJSON(changes))
	}
	c.outputDiff(changes)
	return nil
}

// outputDiff shows changes, group by group. Groups and processes have a line of
// their own before their settings.
func (c *Controller) outputDiff(changes []rpcclient.GroupChange) {
	if len(changes) == 0 {
		c.output("No config updates to processes")
	}
	for _, g := range changes {
		c.output(g.Name + ": " + g.Change)
		c.outputSettings("    ", g.Settings)
		for _, p := range g.Processes {
			c.output("  " + api.Namespec(g.Name, p.Name) + ": " + p.Change)
			c.outputSettings("    ", p.Settings)
		}
	}
}

// outputSettings shows the old and the new lines of settings, or only a key
// whose value is not told.
func (c *Controller) outputSettings(indent string, settings []rpcclient.SettingChange) {
	signs := map[string]string{api.ChangeAdded: "+ ", api.ChangeChanged: "! ", api.ChangeRemoved: "- "}
	for _, s := range settings {
		if s.Hidden {
			c.output(indent + signs[s.Change] + s.Key)
			continue
		}
		if s.Change != api.ChangeAdded {
			c.output(indent + "- " + s.Key + "=" + s.Old)
		}
		if s.Change != api.ChangeRemoved {
			c.output(indent + "+ " + s.Key + "=" + s.New)
		}
	}
}

// jsonGroupChange is an element of what "diff --json" prints.
type jsonGroupChange struct {
	Group     string              `json:"group"`
	Change    string              `json:"change"`
	Settings  []jsonSettingChange `json:"settings"`
	Processes []jsonProcessChange `json:"processes"`
}

type jsonProcessChange struct {
	Name     string              `json:"name"`
	Process  string              `json:"process"`
	Change   string              `json:"change"`
	Settings []jsonSettingChange `json:"settings"`
}

type jsonSettingChange struct {
	Key    string `json:"key"`
	Change string `json:"change"`
	Old    string `json:"old"`
	New    string `json:"new"`
	Hidden bool   `json:"hidden"`
}

func diffJSON(changes []rpcclient.GroupChange) []jsonGroupChange {
	list := make([]jsonGroupChange, len(changes))
	for i, g := range changes {
		list[i] = jsonGroupChange{Group: g.Name, Change: g.Change, Settings: settingsJSON(g.Settings),
			Processes: make([]jsonProcessChange, len(g.Processes))}
		for j, p := range g.Processes {
			list[i].Processes[j] = jsonProcessChange{Name: api.Namespec(g.Name, p.Name), Process: p.Name, Change: p.Change,
				Settings: settingsJSON(p.Settings)}
		}
	}
	return list
}

func settingsJSON(settings []rpcclient.SettingChange) []jsonSettingChange {
	list := make([]jsonSettingChange, len(settings))
	for i, s := range settings {
		list[i] = jsonSettingChange{Key: s.Key, Change: s.Change, Old: s.Old, New: s.New, Hidden: s.Hidden}
	}
	return list
}
