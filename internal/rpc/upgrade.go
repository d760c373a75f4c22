package rpc

import (
	"context"

	"supervisord/internal/api"
)

// upgradeMethods have another program take over.
var upgradeMethods = []Method{{
	Name: "supervisord.upgrade",
	About: "Have the program that is on disk now take the place of the running one. The process id\n" +
		"stays, and all processes run on. The answer comes when that is done; if the program on\n" +
		"disk cannot take over, nothing changes.",
	Returns: trueValue,
	Faults:  []api.FaultCode{api.Failed},
	call: func(ctx context.Context, t *Table, _ arguments) (Result, error) {
		return done(t.sup.Upgrade(ctx))
	},
}}
