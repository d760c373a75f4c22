package ctl

import "context"

// Arg tells what the arguments of an action name, for completion.
type Arg int

// What arguments can name.
const (
	NoArg Arg = iota
	ProcessArg
	GroupArg
	ActionArg
	SignalArg // a signal, then processes
	URLArg
)

// Action is something that supervisorctl can do.
type Action struct {
	// Name is what is typed.
	Name string
	// Short says in a few words what the action does, for documents and for
	// completion.
	Short string
	// Arg is what its arguments name.
	Arg Arg
	// Flags are words with a dash that it takes, for completion.
	Flags []string

	// added marks the actions that Supervisor does not have.
	added bool
	run   func(c *Controller, ctx context.Context, arg string) error
	// help is what "help NAME" prints, less the last newline.
	help string
}

// Usage returns the forms of the action and what they do, as help prints them.
func (a *Action) Usage() string { return a.help }

// findAction returns the action with a name, or nil.
func findAction(name string) *Action {
	switch name {
	case "help":
		return &helpAction
	case "EOF":
		return &eofAction
	}
	for i := range actions {
		if actions[i].Name == name {
			return &actions[i]
		}
	}
	return nil
}

// Actions returns every action, sorted by name.
func Actions() []*Action {
	list := make([]*Action, 0, len(actions)+1)
	for i := range actions {
		if len(list) > 0 && list[len(list)-1].Name < helpAction.Name && helpAction.Name < actions[i].Name {
			list = append(list, &helpAction)
		}
		list = append(list, &actions[i])
	}
	return list
}

// helpAction and eofAction belong to the shell; no table of actions shows them.
// Their functions are set in init, because help refers to the actions.
var (
	helpAction = Action{Name: "help", Short: "Show the actions, or how to use one", Arg: ActionArg, help: helpHelp}
	eofAction  = Action{Name: "EOF", Short: "Leave the shell", run: (*Controller).doEOF}
)

// actions are the actions with a line in the table of help, sorted by name.
var actions = []Action{
	{Name: "add", Short: "Activate groups that were added to the configuration", Arg: GroupArg,
		run: (*Controller).doAdd, help: helpAdd},
	{Name: "avail", Short: "List all configured processes", Flags: []string{"--json"},
		run: (*Controller).doAvail, help: helpAvail},
	{Name: "clear", Short: "Empty the log files of processes", Arg: ProcessArg,
		run: (*Controller).doClear, help: helpClear},
	{Name: "diff", Short: "Show what update would change, key by key", Arg: GroupArg, Flags: []string{"--json"}, added: true,
		run: (*Controller).doDiff, help: helpDiff},
	{Name: "exit", Short: "Leave the shell", run: (*Controller).doEOF, help: helpExit},
	{Name: "fg", Short: "Talk to a process in the foreground", Arg: ProcessArg,
		run: (*Controller).doFg, help: helpFg},
	{Name: "mainrotate", Short: "Rotate supervisord's own log", added: true,
		run: (*Controller).doMainrotate, help: helpMainrotate},
	{Name: "maintail", Short: "Show the end of supervisord's own log", Flags: []string{"-f"},
		run: (*Controller).doMaintail, help: helpMaintail},
	{Name: "open", Short: "Talk to another supervisord", Arg: URLArg,
		run: (*Controller).doOpen, help: helpOpen},
	{Name: "pid", Short: "Show process ids", Arg: ProcessArg,
		run: (*Controller).doPid, help: helpPid},
	{Name: "quit", Short: "Leave the shell", run: (*Controller).doEOF, help: helpQuit},
	{Name: "reload", Short: "Restart supervisord and all its programs",
		run: (*Controller).doReload, help: helpReload},
	{Name: "remove", Short: "Take stopped groups out of use", Arg: GroupArg,
		run: (*Controller).doRemove, help: helpRemove},
	{Name: "reread", Short: "Read the configuration again and show what would change",
		run: (*Controller).doReread, help: helpReread},
	{Name: "restart", Short: "Stop processes and start them again", Arg: ProcessArg,
		run: (*Controller).doRestart, help: helpRestart},
	{Name: "rotate", Short: "Rotate the log files of processes", Arg: ProcessArg, added: true,
		run: (*Controller).doRotate, help: helpRotate},
	{Name: "shutdown", Short: "Stop supervisord and all its programs",
		run: (*Controller).doShutdown, help: helpShutdown},
	{Name: "signal", Short: "Send a signal to processes", Arg: SignalArg,
		run: (*Controller).doSignal, help: helpSignal},
	{Name: "start", Short: "Start processes", Arg: ProcessArg,
		run: (*Controller).doStart, help: helpStart},
	{Name: "status", Short: "Show the state of processes", Arg: ProcessArg, Flags: []string{"--json"},
		run: (*Controller).doStatus, help: helpStatus},
	{Name: "stop", Short: "Stop processes", Arg: ProcessArg,
		run: (*Controller).doStop, help: helpStop},
	{Name: "tail", Short: "Show the end of a process's log", Arg: ProcessArg, Flags: []string{"-f"},
		run: (*Controller).doTail, help: helpTail},
	{Name: "update", Short: "Read the configuration again and apply what changed", Arg: GroupArg,
		run: (*Controller).doUpdate, help: helpUpdate},
	{Name: "upgrade", Short: "Go on with the supervisord that is on disk now, keeping all programs", added: true,
		run: (*Controller).doUpgrade, help: helpUpgrade},
	{Name: "version", Short: "Show the version of the running supervisord", Flags: []string{"--json"},
		run: (*Controller).doVersion, help: helpVersion},
}
