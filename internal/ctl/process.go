package ctl

import (
	"context"
	"fmt"
	"slices"

	"supervisord/internal/api"
	"supervisord/internal/rpcclient"
)

// change is one of the actions that do something to processes and report it,
// one line for each process.
type change struct {
	one func(client *rpcclient.Client, ctx context.Context, name string) error
	// each, if not nil, takes the place of one where the daemon tells more than
	// that it succeeded.
	each func(client *rpcclient.Client, ctx context.Context, name string) ([]rpcclient.ProcessStatus, error)
	// group is nil where Supervisor does not know groups; the daemon then finds
	// no process with such a name.
	group func(client *rpcclient.Client, ctx context.Context, group string) ([]rpcclient.ProcessStatus, error)
	all   func(client *rpcclient.Client, ctx context.Context) ([]rpcclient.ProcessStatus, error)
	// done is what is said of a process for which it succeeded; if it is empty,
	// the daemon's description is.
	done string
	// words are what is said for faults.
	words map[api.FaultCode]string
	// ignored is a fault that is reported but no failure.
	ignored api.FaultCode
	// badGroup is the exit status if there is no such group.
	badGroup ExitStatus
}

// apply carries out a change for names: of processes, of groups, or "all".
func (c *Controller) apply(ctx context.Context, ch *change, names []string) error {
	client, err := c.rpc()
	if err != nil {
		return err
	}
	if slices.Contains(names, "all") {
		results, err := ch.all(client, ctx)
		if err != nil {
			return err
		}
		return c.outputResults(ch, results)
	}
	for _, name := range names {
		c.flush()
		group, process, whole := api.SplitNamespec(name)
		if whole && ch.group == nil {
			process, whole = "None", false
		}
		if whole {
			err = c.applyGroup(ctx, client, ch, group)
		} else {
			results := []rpcclient.ProcessStatus{{Group: group, Name: process, Status: api.Success}}
			if ch.each == nil {
				err = ch.one(client, ctx, name)
			} else if list, failure := ch.each(client, ctx, name); failure == nil {
				results = list
			} else {
				err = failure
			}
			if f := faultCode(err); f != 0 {
				results[0].Status, results[0].Description, err = f, err.Error(), nil
			}
			if err == nil {
				err = c.outputResults(ch, results)
			}
		}
		if err != nil {
			return err
		}
	}
	return nil
}

// applyGroup carries out a change for the processes of a group.
func (c *Controller) applyGroup(ctx context.Context, client *rpcclient.Client, ch *change, group string) error {
	results, err := ch.group(client, ctx, group)
	if faultCode(err) == api.BadName {
		c.output(group + ": ERROR (no such group)")
		c.fail(ch.badGroup)
		return nil
	}
	if err != nil {
		return err
	}
	return c.outputResults(ch, results)
}

// outputResults reports what became of processes.
func (c *Controller) outputResults(ch *change, results []rpcclient.ProcessStatus) error {
	for _, r := range results {
		name := api.Namespec(r.Group, r.Name)
		word, known := ch.words[r.Status]
		switch {
		case r.Status == api.Success && ch.done == "":
			c.output(name + ": " + r.Description)
		case r.Status == api.Success:
			c.output(name + ": " + ch.done)
		case known && word == "":
			c.output(r.Description)
		case known:
			c.output(name + ": ERROR (" + word + ")")
		default:
			return raise("ValueError", fmt.Sprintf("Unknown result code %d for %s", int(r.Status), name))
		}
		c.failFault(r.Status, ch.ignored)
	}
	return nil
}

// startChange is what start does.
func startChange() *change {
	return &change{
		one: func(cl *rpcclient.Client, ctx context.Context, name string) error {
			return cl.StartProcess(ctx, name, true)
		},
		group: func(cl *rpcclient.Client, ctx context.Context, group string) ([]rpcclient.ProcessStatus, error) {
			return cl.StartProcessGroup(ctx, group, true)
		},
		all: func(cl *rpcclient.Client, ctx context.Context) ([]rpcclient.ProcessStatus, error) {
			return cl.StartAllProcesses(ctx, true)
		},
		done: "started",
		words: map[api.FaultCode]string{
			api.BadName:             "no such process",
			api.NoFile:              "no such file",
			api.NotExecutable:       "file is not executable",
			api.AlreadyStarted:      "already started",
			api.SpawnError:          "spawn error",
			api.AbnormalTermination: "abnormal termination",
		},
		ignored:  api.AlreadyStarted,
		badGroup: InvalidArgs,
	}
}

// signalWords are what signal and stop say for faults. The daemon's own words
// are shown for FAILED.
func signalWords() map[api.FaultCode]string {
	return map[api.FaultCode]string{
		api.BadName:    "no such process",
		api.BadSignal:  "bad signal name",
		api.NotRunning: "not running",
		api.Failed:     "",
	}
}

// stopChange is what stop does.
func stopChange() *change {
	return &change{
		one: func(cl *rpcclient.Client, ctx context.Context, name string) error {
			return cl.StopProcess(ctx, name, true)
		},
		group: func(cl *rpcclient.Client, ctx context.Context, group string) ([]rpcclient.ProcessStatus, error) {
			return cl.StopProcessGroup(ctx, group, true)
		},
		all: func(cl *rpcclient.Client, ctx context.Context) ([]rpcclient.ProcessStatus, error) {
			return cl.StopAllProcesses(ctx, true)
		},
		done:     "stopped",
		words:    signalWords(),
		ignored:  api.NotRunning,
		badGroup: Generic,
	}
}

// signalChange is what signal does.
func signalChange(signal string) *change {
	return &change{
		one: func(cl *rpcclient.Client, ctx context.Context, name string) error {
			return cl.SignalProcess(ctx, name, signal)
		},
		group: func(cl *rpcclient.Client, ctx context.Context, group string) ([]rpcclient.ProcessStatus, error) {
			return cl.SignalProcessGroup(ctx, group, signal)
		},
		all: func(cl *rpcclient.Client, ctx context.Context) ([]rpcclient.ProcessStatus, error) {
			return cl.SignalAllProcesses(ctx, signal)
		},
		done:     "signalled",
		words:    signalWords(),
		badGroup: Generic,
	}
}

// clearChange is what clear does.
func clearChange() *change {
	return &change{
		one: func(cl *rpcclient.Client, ctx context.Context, name string) error {
			return cl.ClearProcessLogs(ctx, name)
		},
		all: func(cl *rpcclient.Client, ctx context.Context) ([]rpcclient.ProcessStatus, error) {
			return cl.ClearAllProcessLogs(ctx)
		},
		done:  "cleared",
		words: map[api.FaultCode]string{api.BadName: "no such process", api.Failed: "failed"},
	}
}

// doStart starts processes.
func (c *Controller) doStart(ctx context.Context, arg string) error {
	if up, err := c.upcheck(ctx); err != nil || !up {
		return err
	}
	names := fields(arg)
	if len(names) == 0 {
		c.misused(InvalidArgs, "Error: start requires a process name", helpStart)
		return nil
	}
	return c.apply(ctx, startChange(), names)
}

// doStop stops processes.
func (c *Controller) doStop(ctx context.Context, arg string) error {
	if up, err := c.upcheck(ctx); err != nil || !up {
		return err
	}
	names := fields(arg)
	if len(names) == 0 {
		c.misused(Generic, "Error: stop requires a process name", helpStop)
		return nil
	}
	return c.apply(ctx, stopChange(), names)
}

// doRestart stops processes, then starts them.
func (c *Controller) doRestart(ctx context.Context, arg string) error {
	if up, err := c.upcheck(ctx); err != nil || !up {
		return err
	}
	names := fields(arg)
	if len(names) == 0 {
		c.misused(Generic, "Error: restart requires a process name", helpRestart)
		return nil
	}
	if err := c.apply(ctx, stopChange(), names); err != nil {
		return err
	}
	return c.doStart(ctx, arg)
}

// doSignal sends a signal to processes.
func (c *Controller) doSignal(ctx context.Context, arg string) error {
	if up, err := c.upcheck(ctx); err != nil || !up {
		return err
	}
	args := fields(arg)
	if len(args) < 2 {
		c.misused(Generic, "Error: signal requires a signal name and a process name", helpSignal)
		return nil
	}
	return c.apply(ctx, signalChange(args[0]), args[1:])
}

// doClear empties the logs of processes.
func (c *Controller) doClear(ctx context.Context, arg string) error {
	if up, err := c.upcheck(ctx); err != nil || !up {
		return err
	}
	names := fields(arg)
	if len(names) == 0 {
		c.misused(Generic, "Error: clear requires a process name", helpClear)
		return nil
	}
	return c.apply(ctx, clearChange(), names)
}

// misused says what is wrong with the arguments of an action, then its help.
func (c *Controller) misused(s ExitStatus, text, help string) {
	c.output(text)
	c.fail(s)
	c.output(help)
}
