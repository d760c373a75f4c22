package sim

import (
	"fmt"
	"syscall"
	"time"

	"supervisord/internal/config"
)

// drawConfig makes up a configuration.
func (w *World) drawConfig() *config.Config {
	cfg := &config.Config{}
	for i := range 1 + w.rand.IntN(6) {
		g := &config.Group{Name: fmt.Sprintf("g%d", i), Priority: w.rand.IntN(4)}
		program := "program"
		switch w.rand.IntN(8) {
		case 0:
			g.Kind, g.Socket = config.FastCGIGroup, &config.Socket{}
		case 1, 2:
			g.Kind, program = config.ListenerPool, "listener"
			g.BufferSize = 1 + w.rand.IntN(12)
			g.Events = []string{"EVENT"}
			if w.rand.IntN(2) == 0 {
				g.Events = []string{"TICK_5", "PROCESS_STATE_EXITED", "REMOTE_COMMUNICATION"}
			}
			if w.rand.IntN(2) == 0 {
				g.Events = append(g.Events, unhealthy)
			}
		}
		for j := range 1 + w.rand.IntN(4) {
			p := w.drawProgram(fmt.Sprintf("p%d", j))
			p.Program = program
			w.drawVital(p)
			p.DependsOn = w.drawDependencies(i, j)
			g.Processes = append(g.Processes, p)
		}
		cfg.Groups = append(cfg.Groups, g)
	}
	return cfg
}

func (w *World) drawProgram(name string) *config.Process {
	exitOn := config.ExitOnNever
	if w.essential && w.rand.IntN(3) == 0 {
		exitOn = config.ExitOn(1 + w.rand.IntN(2))
	}
	pauses := drawnPauses{}
	if w.rand.IntN(3) == 0 {
		pauses = w.drawPauses()
	}
	secs := func(n int) time.Duration { return time.Duration(w.rand.IntN(n)) * time.Second }
	return &config.Process{
		Name: name, Command: "/bin/" + name, Argv: []string{"/bin/" + name},
		Priority: w.rand.IntN(3), Autostart: w.rand.IntN(3) > 0,
		Autorestart: config.RestartPolicy(w.rand.IntN(3)),
		StartSecs:   secs(3), StartRetries: w.rand.IntN(6) - 2,
		ExitCodes: []int{0}, ExitOn: exitOn,
		RestartDelay: pauses.delay, BackoffMax: pauses.most, BackoffFactor: pauses.factor, BackoffJitter: pauses.jitter,
		StopSignal: syscall.SIGTERM, StopWaitSecs: secs(4),
		StopAsGroup: w.rand.IntN(2) == 0, KillAsGroup: w.rand.IntN(2) == 0,
		Umask: -1, UID: -1,
	}
}

// drawnPauses are the settings of a program about the pauses before its starts.
type drawnPauses struct {
	delay, most    time.Duration
	factor, jitter float64
}

func (w *World) drawPauses() drawnPauses {
	var p drawnPauses
	if w.rand.IntN(2) == 0 {
		p.delay = time.Duration(w.rand.Int64N(int64(3 * time.Second)))
	}
	if w.rand.IntN(2) == 0 {
		p.factor = 1 + 3*w.rand.Float64()
	}
	if w.rand.IntN(2) == 0 {
		p.most = p.delay + time.Duration(w.rand.Int64N(int64(5*time.Second)))
	}
	if w.rand.IntN(2) == 0 {
		p.jitter = w.rand.Float64()
	}
	return p
}

// drawDependencies makes up what process j of group i depends on. It is always
// on what has lower numbers, so that groups of any configurations together have
// no cycle.
func (w *World) drawDependencies(i, j int) []config.Dependency {
	var list []config.Dependency
	if !w.ordered {
		return nil
	}
	for range w.rand.IntN(3) {
		switch group := w.rand.IntN(i + 1); {
		case group < i && w.rand.IntN(2) == 0:
			list = append(list, config.Dependency{Name: "all", Group: fmt.Sprintf("g%d", group)})
		case group < i:
			list = append(list, config.Dependency{Name: "one", Group: fmt.Sprintf("g%d", group), Process: fmt.Sprintf("p%d", w.rand.IntN(4))})
		case j > 0:
			list = append(list, config.Dependency{Name: "own", Group: fmt.Sprintf("g%d", i), Process: fmt.Sprintf("p%d", w.rand.IntN(j))})
		}
	}
	return list
}
