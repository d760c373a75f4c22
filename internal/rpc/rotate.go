package rpc

import (
	"context"

	"supervisord/internal/api"
)

// The methods that Supervisor does not have are in the namespace supervisord,
// whatever the [rpcinterface:x] sections are called.

// rotatedValue is the result of methods that rotate the logs of processes.
var rotatedValue = Value{"array", "one struct for each process, as of clearAllProcessLogs; the description of success is" +
	` "rotated" or "nothing to rotate"`}

// rotateMethods rotate logs.
var rotateMethods = []Method{{
	Name: "supervisord.rotateLog",
	About: "Rotate the file of supervisord's own log now, as it is rotated when it has reached its\n" +
		"size. An empty one is left alone.",
	Returns: Value{"boolean", "whether there was something to rotate"},
	Faults:  []api.FaultCode{api.NoFile, api.Failed},
	call: func(ctx context.Context, t *Table, _ arguments) (Result, error) {
		rotated, err := t.sup.RotateMainLog(ctx)
		return boolResult(rotated), err
	},
}, {
	Name: "supervisord.rotateProcessLogs",
	About: "Rotate the log files of a process or of a whole group now, as they are rotated when they\n" +
		"have reached their size. Empty ones are left alone.",
	Params:  []Param{namespecArg},
	Returns: rotatedValue,
	Faults:  []api.FaultCode{api.BadName},
	call: func(ctx context.Context, t *Table, a arguments) (Result, error) {
		name, err := a.process(0)
		if err != nil {
			return nil, err
		}
		return statuses(t.sup.RotateProcessLogs(ctx, name))
	},
}, {
	Name:    "supervisord.rotateAllProcessLogs",
	About:   "Rotate the log files of all processes now. Empty ones are left alone.",
	Returns: rotatedValue,
	call: func(ctx context.Context, t *Table, _ arguments) (Result, error) {
		return statuses(t.sup.RotateAllProcessLogs(ctx))
	},
}}
