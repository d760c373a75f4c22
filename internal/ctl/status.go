package ctl

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"unicode/utf8"

	"supervisord/internal/api"
	"supervisord/internal/rpcclient"
)

// doStatus shows the state of some or all processes.
func (c *Controller) doStatus(ctx context.Context, arg string) error {
	names, asJSON := cutJSON(fields(arg))
	c.json = asJSON
	infos, up, err := c.checkedInfos(ctx)
	if err != nil {
		return err
	}
	if !up {
		c.fail(StatusUnknown)
		return nil
	}
	if len(names) > 0 && !slices.Contains(names, "all") {
		infos = c.matching(infos, names)
	}
	if asJSON {
		err = c.outputJSON(statusJSON(infos))
	} else {
		c.outputStatuses(infos)
	}
	for _, info := range infos {
		if info.State.IsStopped() {
			c.fail(StatusNotRunning)
		}
	}
	return err
}

// checkedInfos does upcheck's work and describes every process, both in one
// round trip if the daemon knows system.multicall.
func (c *Controller) checkedInfos(ctx context.Context) (infos []rpcclient.ProcessInfo, up bool, err error) {
	client, err := c.rpc()
	if err != nil {
		return nil, false, err
	}
	var (
		version string
		check   = rpcclient.Request{Method: "supervisor.getVersion", Result: &version}
		all     = rpcclient.Request{Method: "supervisor.getAllProcessInfo", Result: &infos}
	)
	err = client.Multicall(ctx, &check, &all)
	if unableToMulticall(err) {
		if up, err := c.upcheck(ctx); err != nil || !up {
			return nil, up, err
		}
		infos, err = client.AllProcessInfo(ctx)
		return infos, true, err
	}
	if err == nil {
		err = check.Err
	}
	if up, err := c.judgeVersion(version, err); err != nil || !up {
		return nil, up, err
	}
	return infos, true, all.Err
}

// unableToMulticall reports whether err may mean that the daemon answers other
// calls, but not system.multicall.
func unableToMulticall(err error) bool {
	if _, ok := errors.AsType[*api.Fault](err); ok {
		return true
	}
	s, ok := errors.AsType[*rpcclient.StatusError](err)
	return ok && (s.Code == 400 || s.Code >= 500)
}

// matching returns those processes that the names mean, in the order of the
// names, and complains about names that mean none.
func (c *Controller) matching(infos []rpcclient.ProcessInfo, names []string) []rpcclient.ProcessInfo {
	var list []rpcclient.ProcessInfo
	for _, name := range names {
		group, process, all := api.SplitNamespec(name)
		found := false
		for _, info := range infos {
			if info.Group == group && (all || info.Name == process) {
				list = append(list, info)
				found = true
			}
		}
		if found {
			continue
		}
		if all {
			c.complain(group + ": ERROR (no such group)")
		} else {
			c.complain(name + ": ERROR (no such process)")
		}
		c.fail(StatusUnknown)
	}
	return list
}

// outputStatuses shows one line for each process.
func (c *Controller) outputStatuses(infos []rpcclient.ProcessInfo) {
	width := 30
	for _, info := range infos {
		width = max(width, utf8.RuneCountInString(api.Namespec(info.Group, info.Name)))
	}
	for _, info := range infos {
		name := api.Namespec(info.Group, info.Name)
		if !c.colour {
			c.output(fmt.Sprintf("%-*s%-10s%s", width+3, name, info.StateName, info.Description))
			continue
		}
		fmt.Fprintf(c.out, "%-*s\x1b[%sm%s\x1b[0m%s%s\n", width+3, visible(name), stateColour(info.State),
			visible(info.StateName), strings.Repeat(" ", max(0, 10-len(info.StateName))), visible(info.Description))
	}
}

// doPid shows process ids.
func (c *Controller) doPid(ctx context.Context, arg string) error {
	if up, err := c.upcheck(ctx); err != nil || !up {
		return err
	}
	client, err := c.rpc()
	if err != nil {
		return err
	}
	names := fields(arg)
	switch {
	case len(names) == 0:
		pid, err := client.PID(ctx)
		if err != nil {
			return err
		}
		c.output(fmt.Sprint(pid))
		return nil
	case slices.Contains(names, "all"):
		infos, err := client.AllProcessInfo(ctx)
		if err != nil {
			return err
		}
		for _, info := range infos {
			c.output(fmt.Sprint(info.PID))
		}
		return nil
	}
	for _, name := range names {
		info, err := client.ProcessInfo(ctx, name)
		if err != nil {
			c.fail(Generic)
			if faultCode(err) != api.BadName {
				return err
			}
			c.output("No such process " + name)
			continue
		}
		c.output(fmt.Sprint(info.PID))
		if info.PID == 0 {
			c.fail(NotRunning)
		}
	}
	return nil
}

// faultCode returns the code of the fault in err, or 0 if it is none.
func faultCode(err error) api.FaultCode {
	if f, ok := errors.AsType[*api.Fault](err); ok {
		return f.Code
	}
	return 0
}
