package rpc

import (
	"context"
	"errors"

	"supervisord/internal/api"
)

// Parameters that several methods have.
var (
	nameParam    = Param{Type: "string", Name: "name", About: "the process, as name or as group:name"}
	namespecArg  = Param{Type: "string", Name: "name", About: "the process, as name or as group:name, or group:* for a whole group"}
	groupParam   = Param{Type: "string", Name: "name", About: "the name of the group"}
	startedParam = Param{Type: "boolean", Name: "wait", About: "answer when it is known whether the start succeeded", Default: "true"}
	stoppedParam = Param{Type: "boolean", Name: "wait", About: "answer when everything has stopped", Default: "true"}
	signalParam  = Param{Type: "string", Name: "signal", About: "the name of the signal, with or without SIG, or its number"}
)

// Results that several methods have.
var (
	trueValue     = Value{"boolean", "true"}
	statusesValue = Value{"array", "one struct for each process, with the members string name, string group, int status" +
		" (80 for success, otherwise the code of a fault) and string description"}
)

// stateMethods are about supervisord itself.
var stateMethods = []Method{{
	Name: "supervisor.getAPIVersion", Aliases: []string{"supervisor.getVersion"},
	About:   "Tell the version of this interface.",
	Returns: Value{"string", "the version"},
	call: func(context.Context, *Table, arguments) (Result, error) {
		return stringResult(APIVersion), nil
	},
}, {
	Name:    "supervisor.getSupervisorVersion",
	About:   "Tell the version of supervisord.",
	Returns: Value{"string", "the version"},
	call: func(_ context.Context, t *Table, _ arguments) (Result, error) {
		return stringResult(t.version), nil
	},
}, {
	Name: "supervisor.getIdentification",
	About: "Tell the identifier of this supervisord, which its configuration sets. Clients use it\n" +
		"to tell several of them apart.",
	Returns: Value{"string", "the identifier"},
	call: func(_ context.Context, t *Table, _ arguments) (Result, error) {
		return stringResult(t.sup.Identifier()), nil
	},
}, {
	Name: "supervisor.getState",
	About: "Tell what state supervisord is in: 2 FATAL, 1 RUNNING, 0 RESTARTING or -1 SHUTDOWN. A\n" +
		"client rarely sees another one than RUNNING, because it gets the fault SHUTDOWN_STATE\n" +
		"while supervisord shuts down or restarts.",
	Returns: Value{"struct", "a struct with the members int statecode and string statename"},
	call: func(_ context.Context, t *Table, _ arguments) (Result, error) {
		return moodResult(t.sup.Mood()), nil
	},
}, {
	Name:    "supervisor.getPID",
	About:   "Tell the process id of supervisord.",
	Returns: Value{"int", "the process id"},
	call: func(_ context.Context, t *Table, _ arguments) (Result, error) {
		return intResult(t.sup.PID()), nil
	},
}, {
	Name:    "supervisor.shutdown",
	About:   "Stop all processes, then end supervisord. The answer comes before that is done.",
	Returns: trueValue,
	call: func(ctx context.Context, t *Table, _ arguments) (Result, error) {
		return done(t.sup.Shutdown(ctx))
	},
}, {
	Name: "supervisor.restart",
	About: "Stop all processes, read the configuration again and start as after a start of\n" +
		"supervisord, whose process id stays the same. The answer comes before that is done.",
	Returns: trueValue,
	call: func(ctx context.Context, t *Table, _ arguments) (Result, error) {
		return done(t.sup.Restart(ctx))
	},
}, {
	Name: "supervisor.sendRemoteCommEvent", anyMood: true,
	About: "Send an event of the type REMOTE_COMMUNICATION to the event listeners that subscribed\n" +
		"to it.",
	Params: []Param{
		{Type: "string", Name: "type", About: "what the listeners find as type in the payload"},
		{Type: "string", Name: "data", About: "the rest of the payload"},
	},
	Returns: trueValue,
	call: func(ctx context.Context, t *Table, a arguments) (Result, error) {
		kind, err := a.text(0)
		if err != nil {
			return nil, err
		}
		data, err := a.text(1)
		if err != nil {
			return nil, err
		}
		return done(t.sup.SendRemoteCommEvent(ctx, kind, data))
	},
}}

// groupMethods change the set of groups.
var groupMethods = []Method{{
	Name: "supervisor.reloadConfig",
	About: "Read the configuration files again and compare them with what is active. Nothing is\n" +
		"started or stopped: addProcessGroup and removeProcessGroup put the differences into\n" +
		"effect.",
	Returns: Value{"array", "[[added, changed, removed]], each an array of names of groups"},
	Faults:  []api.FaultCode{api.CantReread},
	call: func(ctx context.Context, t *Table, _ arguments) (Result, error) {
		added, changed, removed, err := t.sup.ReloadConfig(ctx)
		if err != nil {
			return nil, err
		}
		return arrayResult{arrayResult{namesResult(added), namesResult(changed), namesResult(removed)}}, nil
	},
}, {
	Name: "supervisor.addProcessGroup",
	About: "Make a group active that stands in the configuration, and start those of its processes\n" +
		"that start by themselves.",
	Params:  []Param{groupParam},
	Returns: trueValue,
	Faults:  []api.FaultCode{api.AlreadyAdded, api.BadName},
	call: func(ctx context.Context, t *Table, a arguments) (Result, error) {
		return onGroup(a, func(group string) (Result, error) { return done(t.sup.AddGroup(ctx, group)) })
	},
}, {
	Name:    "supervisor.removeProcessGroup",
	About:   "Make a group inactive. All its processes must have stopped.",
	Params:  []Param{groupParam},
	Returns: trueValue,
	Faults:  []api.FaultCode{api.BadName, api.StillRunning},
	call: func(ctx context.Context, t *Table, a arguments) (Result, error) {
		return onGroup(a, func(group string) (Result, error) { return done(t.sup.RemoveGroup(ctx, group)) })
	},
}}

// startMethods start and stop processes.
var startMethods = []Method{{
	Name: "supervisor.startProcess", waits: true,
	About:   "Start a process. For a whole group the result is that of startProcessGroup.",
	Params:  []Param{namespecArg, startedParam},
	Returns: trueValue,
	Faults: []api.FaultCode{api.BadName, api.NoFile, api.NotExecutable, api.AlreadyStarted, api.Failed, api.SpawnError,
		api.AbnormalTermination},
	call: func(ctx context.Context, t *Table, a arguments) (Result, error) {
		wait := a.truth(1, true)
		return onProcesses(a,
			func(name string) error { return t.sup.StartProcess(ctx, name, wait) },
			func(group string) ([]api.ProcessStatus, error) { return t.sup.StartGroup(ctx, group, wait) })
	},
}, {
	Name: "supervisor.startProcessGroup", waits: true,
	About:   "Start all processes of a group that do not run, in the order of their priorities.",
	Params:  []Param{groupParam, startedParam},
	Returns: statusesValue,
	Faults:  []api.FaultCode{api.BadName},
	call: func(ctx context.Context, t *Table, a arguments) (Result, error) {
		return onGroup(a, func(group string) (Result, error) { return statuses(t.sup.StartGroup(ctx, group, a.truth(1, true))) })
	},
}, {
	Name: "supervisor.startAllProcesses", waits: true,
	About:   "Start all processes that do not run, in the order of their priorities.",
	Params:  []Param{startedParam},
	Returns: statusesValue,
	call: func(ctx context.Context, t *Table, a arguments) (Result, error) {
		return statuses(t.sup.StartAll(ctx, a.truth(0, true)))
	},
}, {
	Name: "supervisor.stopProcess", waits: true,
	About:   "Stop a process. For a whole group the result is that of stopProcessGroup.",
	Params:  []Param{namespecArg, stoppedParam},
	Returns: trueValue,
	Faults:  []api.FaultCode{api.BadName, api.NotRunning, api.Failed},
	call: func(ctx context.Context, t *Table, a arguments) (Result, error) {
		wait := a.truth(1, true)
		return onProcesses(a,
			func(name string) error { return t.sup.StopProcess(ctx, name, wait) },
			func(group string) ([]api.ProcessStatus, error) { return t.sup.StopGroup(ctx, group, wait) })
	},
}, {
	Name: "supervisor.stopProcessGroup", waits: true,
	About:   "Stop all processes of a group that run.",
	Params:  []Param{groupParam, stoppedParam},
	Returns: statusesValue,
	Faults:  []api.FaultCode{api.BadName},
	call: func(ctx context.Context, t *Table, a arguments) (Result, error) {
		return onGroup(a, func(group string) (Result, error) { return statuses(t.sup.StopGroup(ctx, group, a.truth(1, true))) })
	},
}, {
	Name: "supervisor.stopAllProcesses", waits: true,
	About:   "Stop all processes that run.",
	Params:  []Param{stoppedParam},
	Returns: statusesValue,
	call: func(ctx context.Context, t *Table, a arguments) (Result, error) {
		return statuses(t.sup.StopAll(ctx, a.truth(0, true)))
	},
}}

// signalMethods talk to running processes.
var signalMethods = []Method{{
	Name:    "supervisor.signalProcess",
	About:   "Send a signal to a process. For a whole group the result is that of signalProcessGroup.",
	Params:  []Param{namespecArg, signalParam},
	Returns: trueValue,
	Faults:  []api.FaultCode{api.BadName, api.BadSignal, api.NotRunning, api.Failed},
	call: func(ctx context.Context, t *Table, a arguments) (Result, error) {
		signal, err := a.signal(1)
		if err != nil {
			return nil, err
		}
		return onProcesses(a,
			func(name string) error { return t.sup.SignalProcess(ctx, name, signal) },
			func(group string) ([]api.ProcessStatus, error) { return t.sup.SignalGroup(ctx, group, signal) })
	},
}, {
	Name:    "supervisor.signalProcessGroup",
	About:   "Send a signal to all processes of a group that exist.",
	Params:  []Param{groupParam, signalParam},
	Returns: statusesValue,
	Faults:  []api.FaultCode{api.BadName},
	call: func(ctx context.Context, t *Table, a arguments) (Result, error) {
		return onGroup(a, func(group string) (Result, error) {
			signal, err := a.signal(1)
			if err != nil {
				return nil, err
			}
			return statuses(t.sup.SignalGroup(ctx, group, signal))
		})
	},
}, {
	Name:    "supervisor.signalAllProcesses",
	About:   "Send a signal to all processes that exist.",
	Params:  []Param{signalParam},
	Returns: statusesValue,
	call: func(ctx context.Context, t *Table, a arguments) (Result, error) {
		signal, err := a.signal(0)
		if err != nil {
			return nil, err
		}
		return statuses(t.sup.SignalAll(ctx, signal))
	},
}, {
	Name: "supervisor.sendProcessStdin",
	About: "Write to the standard input of a process. Text is written as UTF-8; what is sent as\n" +
		"base64 is written as it is.",
	Params:  []Param{nameParam, {Type: "string", Name: "chars", About: "what to write"}},
	Returns: trueValue,
	Faults:  []api.FaultCode{api.BadName, api.NotRunning, api.NoFile},
	call: func(ctx context.Context, t *Table, a arguments) (Result, error) {
		chars, ok := a[1].(string)
		if !ok {
			if detail, ok := scalarText(a[1]); ok {
				return nil, incorrect(detail)
			}
			return nil, incorrect()
		}
		name, err := a.one(0)
		if err != nil {
			return nil, err
		}
		return done(t.sup.SendProcessStdin(ctx, name, []byte(chars)))
	},
}}

// infoMethods describe processes and their configuration.
var infoMethods = []Method{{
	Name:   "supervisor.getProcessInfo",
	About:  "Describe one process.",
	Params: []Param{nameParam},
	Returns: Value{"struct", "a struct with the members string name, string group, int start, int stop, int now, int state," +
		" string statename, string spawnerr, int exitstatus, string logfile, string stdout_logfile, string stderr_logfile," +
		" int pid, string description, int restarts, string exitreason, string stderr_tail, string exit_on and int nextstart"},
	Faults: []api.FaultCode{api.BadName},
	call: func(ctx context.Context, t *Table, a arguments) (Result, error) {
		name, err := a.one(0)
		if err != nil {
			return nil, err
		}
		info, err := t.sup.ProcessInfo(ctx, name)
		if err != nil {
			return nil, err
		}
		return processResult{&info}, nil
	},
}, {
	Name:    "supervisor.getAllProcessInfo",
	About:   "Describe all processes, sorted by the names of group and process.",
	Returns: Value{"array", "one struct for each process, as of getProcessInfo"},
	call: func(ctx context.Context, t *Table, _ arguments) (Result, error) {
		list := processLists.Get().(*processesResult)
		all, err := t.sup.AppendProcessInfo(ctx, *list)
		if err != nil {
			return nil, err
		}
		*list = all
		return list, nil
	},
}, {
	Name: "supervisor.getAllConfigInfo",
	About: "Describe the configuration of all processes, also of those that are not active, sorted\n" +
		"by name.",
	Returns: Value{"array", "one struct for each process, with a member for each setting; what is not set is \"none\""},
	call: func(ctx context.Context, t *Table, _ arguments) (Result, error) {
		all, err := t.sup.AllConfigInfo(ctx)
		return configsResult(all), err
	},
}}

// done is the result of methods that return true.
func done(err error) (Result, error) { return boolResult(true), err }

// statuses is the result of methods for many processes.
func statuses(list []api.ProcessStatus, err error) (Result, error) { return statusResult(list), err }

// onGroup calls f with the first argument, the name of a group.
func onGroup(a arguments, f func(group string) (Result, error)) (Result, error) {
	group, err := a.group(0)
	if err != nil {
		return nil, err
	}
	return f(group)
}

// onProcesses calls one with the first argument, or all with the name of the
// group where that names a whole group. The fault for a group that does not
// exist names what the client wrote.
func onProcesses(a arguments, one func(name string) error, all func(group string) ([]api.ProcessStatus, error)) (Result, error) {
	name, err := a.process(0)
	if err != nil {
		return nil, err
	}
	group, _, whole := api.SplitNamespec(name)
	if !whole {
		return done(one(name))
	}
	list, err := all(group)
	if f, ok := errors.AsType[*api.Fault](err); ok && f.Code == api.BadName {
		return nil, api.NewFault(api.BadName, name)
	}
	return statuses(list, err)
}
