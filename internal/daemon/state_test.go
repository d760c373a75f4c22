package daemon

import (
	"testing"

	"supervisord/internal/testenv"
)

// TestStateKnowsEveryField fails when something is added to the daemon that an
// upgrade would lose.
func TestStateKnowsEveryField(t *testing.T) {
	const advice = "save it in state and restore it in Resume"
	testenv.KnowsFields(t, Daemon{}, "core logDir children sockets autoLogs nextReq begun pause"+
		" | options log spawner starter turn mailbox largePieces prepared done pending effects replies settling finished restart status resumed check probes nextProbe mood changed"+
		" moved noted survivors survivings", advice)
	testenv.KnowsFields(t, child{}, "id logs gen paid waiting pid stdin pumps up ended holds foreign lingering notify | group config kills socket watch kept heard", advice)
	testenv.KnowsFields(t, stdin{}, "fd pending broken | mu file writing closed frozen rest", advice)
	testenv.KnowsFields(t, pump{}, "Pump gen pid |", advice)
	testenv.KnowsFields(t, groupSocket{}, "fd users | config log", advice)
	testenv.KnowsFields(t, pause{}, "kills running adopted | begun handed killing draining aside closed reading round wanted reached", advice)
}
