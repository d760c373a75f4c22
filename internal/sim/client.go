package sim

import (
	"syscall"

	"supervisord/internal/api"
	"supervisord/internal/core"
)

var clientOps = []core.Op{
	core.OpStart, core.OpStart, core.OpStart, core.OpStartGroup, core.OpStartAll,
	core.OpStop, core.OpStop, core.OpStop, core.OpStopGroup, core.OpStopAll,
	core.OpSignal, core.OpSignalGroup, core.OpSignalAll,
	core.OpWriteStdin, core.OpRemoteEvent, core.OpReload,
	core.OpAddGroup, core.OpAddGroup, core.OpRemoveGroup, core.OpRemoveGroup, core.OpCancel,
}

// client asks for something.
func (w *World) client() {
	op := clientOps[w.rand.IntN(len(clientOps))]
	if w.rand.IntN(5000) == 0 {
		op = core.OpShutdown
		if w.rand.IntN(2) == 0 {
			op = core.OpRestart
		}
	}
	cmd := core.Command{Op: op, Wait: w.rand.IntN(2) == 0, Sig: syscall.SIGHUP, Kind: "kind", Data: []byte("data")}
	switch op {
	case core.OpStart, core.OpStop, core.OpSignal, core.OpWriteStdin:
		cmd.Name = w.drawProcess(&cmd)
	case core.OpStartGroup, core.OpStopGroup, core.OpSignalGroup, core.OpAddGroup, core.OpRemoveGroup:
		cmd.Name = w.config.Groups[w.rand.IntN(len(w.config.Groups))].Name
	case core.OpReload:
		w.config = w.drawConfig()
		cmd.Config = w.config
	case core.OpCancel:
		w.cancel()
		return
	}
	if w.rand.IntN(20) == 0 {
		cmd.SigFault = api.NewFault(api.BadSignal, "x")
	}
	w.nextReq++
	cmd.Req = w.nextReq
	w.unsettled[cmd.Req] = request{command: cmd, proc: w.named(cmd.Name), step: w.steps}
	w.step(cmd)
}

// named returns the process of a name, 0 for none.
func (w *World) named(name string) core.ProcID {
	for id, p := range w.procs {
		if p.name == name {
			return id
		}
	}
	return 0
}

// drawProcess names some process, or nothing that exists. Some cannot be
// started.
func (w *World) drawProcess(cmd *core.Command) string {
	if w.rand.IntN(20) == 0 {
		return "nobody"
	}
	id, ok := draw(w, w.procs)
	if !ok {
		return "nobody"
	}
	if w.rand.IntN(20) == 0 {
		cmd.Refused = map[core.ProcID]*api.Fault{id: api.NewFault(api.NoFile, "x")}
	}
	return w.procs[id].name
}

// cancel has a client go away that waits.
func (w *World) cancel() {
	if req, ok := draw(w, w.unsettled); ok {
		w.step(core.Command{Op: core.OpCancel, Req: req})
		delete(w.unsettled, req)
	}
}
