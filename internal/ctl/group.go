package ctl

import (
	"context"
	"fmt"
	"slices"

	"supervisord/internal/api"
	"supervisord/internal/rpcclient"
)

// doAvail lists the configured processes.
func (c *Controller) doAvail(ctx context.Context, arg string) error {
	if arg != "" && arg != jsonFlag {
		c.misused(Generic, "Error: avail accepts no arguments", helpAvail)
		return nil
	}
	c.json = arg == jsonFlag
	client, err := c.rpc()
	if err != nil {
		return err
	}
	infos, err := client.AllConfigInfo(ctx)
	if faultCode(err) == api.ShutdownState {
		c.complain("ERROR: supervisor shutting down")
		c.fail(Generic)
		return nil
	}
	if err != nil {
		return err
	}
	if c.json {
		return c.outputJSON(availJSON(infos))
	}
	for _, info := range infos {
		use, start := "avail", "manual"
		if info.InUse {
			use = "in use"
		}
		if info.Autostart {
			start = "auto"
		}
		c.output(fmt.Sprintf("%-32s %-9s %-9s %d:%d", api.Namespec(info.Group, info.Name),
			use, start, info.GroupPriority, info.ProcessPriority))
	}
	return nil
}

// doReread makes the daemon read its configuration and shows what changed.
func (c *Controller) doReread(ctx context.Context, arg string) error {
	if arg != "" {
		c.misused(Generic, "Error: reread accepts no arguments", helpReread)
		return nil
	}
	client, err := c.rpc()
	if err != nil {
		return err
	}
	changes, err := client.ReloadConfig(ctx)
	if err != nil {
		c.fail(Generic)
		switch faultCode(err) {
		case api.ShutdownState:
			c.output("ERROR: supervisor shutting down")
			return nil
		case api.CantReread:
			c.output("ERROR: " + err.Error())
			return nil
		}
		return err
	}
	c.outputChanges(changes)
	return nil
}

// outputChanges shows the groups that a new configuration changes, sorted.
func (c *Controller) outputChanges(changes rpcclient.Changes) {
	what := make(map[string]string)
	for _, name := range changes.Added {
		what[name] = "available"
	}
	for _, name := range changes.Changed {
		what[name] = "changed"
	}
	for _, name := range changes.Removed {
		what[name] = "disappeared"
	}
	if len(what) == 0 {
		c.output("No config updates to processes")
		return
	}
	names := make([]string, 0, len(what))
	for name := range what {
		names = append(names, name)
	}
	slices.Sort(names)
	for _, name := range names {
		c.output(name + ": " + what[name])
	}
}

// doAdd makes groups active.
func (c *Controller) doAdd(ctx context.Context, arg string) error {
	client, err := c.rpc()
	if err != nil {
		return err
	}
	for _, name := range fields(arg) {
		c.flush()
		err := client.AddProcessGroup(ctx, name)
		switch faultCode(err) {
		case api.ShutdownState:
			c.output("ERROR: shutting down")
			c.fail(Generic)
		case api.AlreadyAdded:
			c.output("ERROR: process group already active")
		case api.BadName:
			c.output("ERROR: no such process/group: " + name)
			c.fail(Generic)
		default:
			if err != nil {
				return err
			}
			c.output(name + ": added process group")
		}
	}
	return nil
}

// doRemove makes groups inactive.
func (c *Controller) doRemove(ctx context.Context, arg string) error {
	client, err := c.rpc()
	if err != nil {
		return err
	}
	for _, name := range fields(arg) {
		c.flush()
		err := client.RemoveProcessGroup(ctx, name)
		if err == nil {
			c.output(name + ": removed process group")
			continue
		}
		c.fail(Generic)
		switch faultCode(err) {
		case api.StillRunning:
			c.output("ERROR: process/group still running: " + name)
		case api.BadName:
			c.output("ERROR: no such process/group: " + name)
		default:
			return err
		}
	}
	return nil
}

// doUpdate makes the daemon read its configuration and applies what changed,
// to all groups or to the named ones.
func (c *Controller) doUpdate(ctx context.Context, arg string) error {
	client, err := c.rpc()
	if err != nil {
		return err
	}
	changes, err := client.ReloadConfig(ctx)
	if faultCode(err) == api.ShutdownState {
		c.output("ERROR: already shutting down")
		c.fail(Generic)
		return nil
	}
	if err != nil {
		return err
	}
	names := fields(arg)
	if slices.Contains(names, "all") {
		names = nil
	}
	if err := c.checkGroups(ctx, client, names, changes.Added); err != nil {
		return err
	}
	wanted := func(list []string) []string {
		if len(names) == 0 {
			return list
		}
		return slices.DeleteFunc(list, func(name string) bool { return !slices.Contains(names, name) })
	}
	return c.applyChanges(ctx, client, rpcclient.Changes{
		Added: wanted(changes.Added), Changed: wanted(changes.Changed), Removed: wanted(changes.Removed)})
}

// checkGroups complains about names that are neither those of active groups
// nor those of groups that were added.
func (c *Controller) checkGroups(ctx context.Context, client *rpcclient.Client, names, added []string) error {
	if len(names) == 0 {
		return nil
	}
	infos, err := client.AllProcessInfo(ctx)
	if err != nil {
		return err
	}
	for i, name := range names {
		active := func(info rpcclient.ProcessInfo) bool { return info.Group == name }
		if slices.Contains(names[:i], name) || slices.Contains(added, name) || slices.ContainsFunc(infos, active) {
			continue
		}
		c.output("ERROR: no such group: " + name)
		c.fail(Generic)
	}
	return nil
}

// applyChanges takes removed groups out of use, replaces changed ones and puts
// added ones into use.
func (c *Controller) applyChanges(ctx context.Context, client *rpcclient.Client, changes rpcclient.Changes) error {
	say := func(name, what string) {
		c.output(name + ": " + what)
		c.flush()
	}
	for _, name := range changes.Removed {
		results, err := client.StopProcessGroup(ctx, name, true)
		if err != nil {
			return err
		}
		say(name, "stopped")
		failed := func(r rpcclient.ProcessStatus) bool { return r.Status == api.Failed }
		if slices.ContainsFunc(results, failed) {
			say(name, "has problems; not removing")
			c.fail(Generic)
			continue
		}
		if err := client.RemoveProcessGroup(ctx, name); err != nil {
			return err
		}
		say(name, "removed process group")
	}
	for _, name := range changes.Changed {
		if _, err := client.StopProcessGroup(ctx, name, true); err != nil {
			return err
		}
		say(name, "stopped")
		if err := client.RemoveProcessGroup(ctx, name); err != nil {
			return err
		}
		if err := client.AddProcessGroup(ctx, name); err != nil {
			return err
		}
		say(name, "updated process group")
	}
	for _, name := range changes.Added {
		if err := client.AddProcessGroup(ctx, name); err != nil {
			return err
		}
		say(name, "added process group")
	}
	return nil
}
