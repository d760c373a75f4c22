package rpc

import (
	"context"
	"errors"
	"os"

	"supervisord/internal/api"
	"supervisord/internal/logfile"
)

var (
	offsetParam = Param{Type: "int", Name: "offset", About: "where to start; a negative one counts from the end, and length must then be 0"}
	lengthParam = Param{Type: "int", Name: "length", About: "how many bytes to read; 0 for all that follow"}
	tailParams  = []Param{nameParam,
		{Type: "int", Name: "offset", About: "where to start, as the previous call returned it"},
		{Type: "int", Name: "length", About: "how many bytes to return at most"}}
	readValue = Value{"string", "what stands in the log"}
	tailValue = Value{"array", "[string bytes, int offset, boolean overflow]: offset is the size of the log, and overflow tells" +
		" that bytes before those returned were left out"}
	readFaults = []api.FaultCode{api.BadName, api.NoFile, api.BadArguments, api.Failed}
)

// logMethods read and clear logs.
var logMethods = []Method{{
	Name: "supervisor.readLog", Aliases: []string{"supervisor.readMainLog"},
	About:   "Return a part of supervisord's own log.",
	Params:  []Param{offsetParam, lengthParam},
	Returns: readValue,
	Faults:  []api.FaultCode{api.NoFile, api.BadArguments, api.Failed},
	call: func(_ context.Context, t *Table, a arguments) (Result, error) {
		return readLog(t.sup.MainLog(), a)
	},
}, {
	Name:    "supervisor.clearLog",
	About:   "Remove the file of supervisord's own log and open a new one.",
	Returns: trueValue,
	Faults:  []api.FaultCode{api.NoFile, api.Failed},
	call: func(ctx context.Context, t *Table, _ arguments) (Result, error) {
		return done(t.sup.ClearMainLog(ctx))
	},
}, {
	Name: "supervisor.readProcessStdoutLog", Aliases: []string{"supervisor.readProcessLog"},
	About:   "Return a part of the log of the standard output of a process.",
	Params:  []Param{nameParam, offsetParam, lengthParam},
	Returns: readValue,
	Faults:  readFaults,
	call: func(ctx context.Context, t *Table, a arguments) (Result, error) {
		return t.readProcessLog(ctx, a, api.Stdout)
	},
}, {
	Name:    "supervisor.readProcessStderrLog",
	About:   "Return a part of the log of the standard error of a process.",
	Params:  []Param{nameParam, offsetParam, lengthParam},
	Returns: readValue,
	Faults:  readFaults,
	call: func(ctx context.Context, t *Table, a arguments) (Result, error) {
		return t.readProcessLog(ctx, a, api.Stderr)
	},
}, {
	Name: "supervisor.tailProcessStdoutLog", Aliases: []string{"supervisor.tailProcessLog"},
	About: "Return the end of the log of the standard output of a process: what follows offset, or\n" +
		"the last bytes if that is more than length. Calls that pass on the offset follow the log.",
	Params:  tailParams,
	Returns: tailValue,
	Faults:  []api.FaultCode{api.BadName},
	call: func(ctx context.Context, t *Table, a arguments) (Result, error) {
		return t.tailProcessLog(ctx, a, api.Stdout)
	},
}, {
	Name: "supervisor.tailProcessStderrLog",
	About: "Return the end of the log of the standard error of a process: what follows offset, or\n" +
		"the last bytes if that is more than length. Calls that pass on the offset follow the log.",
	Params:  tailParams,
	Returns: tailValue,
	Faults:  []api.FaultCode{api.BadName},
	call: func(ctx context.Context, t *Table, a arguments) (Result, error) {
		return t.tailProcessLog(ctx, a, api.Stderr)
	},
}, {
	Name: "supervisor.clearProcessLogs", Aliases: []string{"supervisor.clearProcessLog"},
	About:   "Remove the log files of a process and open new ones.",
	Params:  []Param{nameParam},
	Returns: trueValue,
	Faults:  []api.FaultCode{api.BadName, api.Failed},
	call: func(ctx context.Context, t *Table, a arguments) (Result, error) {
		name, err := a.one(0)
		if err != nil {
			return nil, err
		}
		return done(t.sup.ClearProcessLogs(ctx, name))
	},
}, {
	Name:    "supervisor.clearAllProcessLogs",
	About:   "Remove the log files of all processes and open new ones.",
	Returns: statusesValue,
	call: func(ctx context.Context, t *Table, _ arguments) (Result, error) {
		return statuses(t.sup.ClearAllProcessLogs(ctx))
	},
}}

// processLog returns the log of the process that the first argument names.
func (t *Table) processLog(ctx context.Context, a arguments, channel api.Channel) (api.LogSource, error) {
	name, err := a.one(0)
	if err != nil {
		return nil, err
	}
	return t.sup.ProcessLog(ctx, name, channel)
}

func (t *Table) readProcessLog(ctx context.Context, a arguments, channel api.Channel) (Result, error) {
	log, err := t.processLog(ctx, a, channel)
	if err != nil {
		return nil, err
	}
	return readLog(log, a[1:])
}

// readLog reads a log; the arguments are offset and length.
func readLog(log api.LogSource, a arguments) (Result, error) {
	path := log.Path()
	if path == "" {
		return nil, api.NewFault(api.NoFile)
	}
	if !exists(path) {
		return nil, api.NewFault(api.NoFile, path)
	}
	offset, err := a.integer(0)
	if err != nil {
		return nil, err
	}
	length, err := a.integer(1)
	if err != nil {
		return nil, err
	}
	data, err := logfile.Read(path, offset, length)
	if errors.Is(err, logfile.ErrBadArguments) {
		return nil, api.NewFault(api.BadArguments)
	}
	if err != nil {
		return nil, api.NewFault(api.Failed)
	}
	return textResult(data), nil
}

func (t *Table) tailProcessLog(ctx context.Context, a arguments, channel api.Channel) (Result, error) {
	log, err := t.processLog(ctx, a, channel)
	if err != nil {
		return nil, err
	}
	if !exists(log.Path()) {
		return tailResult{}, nil
	}
	offset, err := a.integer(1)
	if err != nil {
		return nil, err
	}
	length, err := a.integer(2)
	if err != nil {
		return nil, err
	}
	data, end, overflow := logfile.Tail(log.Path(), offset, length)
	return tailResult{data, end, overflow}, nil
}

// exists reports whether there is a file of that name.
func exists(path string) bool {
	if path == "" {
		return false
	}
	_, err := os.Stat(path)
	return err == nil
}
