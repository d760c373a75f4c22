package ctl

import (
	"context"
	"strings"
	"unicode/utf8"
)

// The texts of help. Each line has the form of a command, tabs, and what it
// does. Those of an action that is used wrongly are printed after the error.
const (
	helpHelp = "help\t\tList the actions\n" +
		"help <action>\tShow how an action is used"

	helpAdd = "add <name> [...]\tMake groups active that were added to the configuration"

	helpAvail = "avail\t\t\tDisplay all configured processes"

	helpClear = "clear <name>\t\tClear a process' log files.\n" +
		"clear <name> <name>\tClear multiple process' log files\n" +
		"clear all\t\tClear all process' log files"

	helpDiff = "diff\t\t\tShow what update would change, key by key\n" +
		"diff <gname> [...]\tShow it for these groups only\n" +
		"diff --json\t\tShow it as JSON"

	helpExit = "exit\tLeave the shell."

	helpFg = "fg <process>\tConnect to a process in foreground mode\n" +
		"\t\tCtrl-C to exit"

	helpMainrotate = "mainrotate\t\tRotate supervisor main log file now, if it is not empty"

	helpMaintail = "maintail -f \tContinuous tail of supervisor main log file (Ctrl-C to exit)\n" +
		"maintail -100\tlast 100 *bytes* of supervisord main log file\n" +
		"maintail\tlast 1600 *bytes* of supervisor main log file\n"

	helpOpen = "open <url>\tTalk to the supervisord at another URL.\n" +
		"\t\t(a UNIX socket is written unix:///path/of/socket)"

	helpPid = "pid\t\t\tShow the process id of supervisord.\n" +
		"pid <name>\t\tShow the process id of one process, 0 if it does not run.\n" +
		"pid all\t\t\tShow the process id of every process, one per line."

	helpQuit = "quit\tLeave the shell."

	helpReload = "reload \t\tRestart the remote supervisord."

	helpRemove = "remove <name> [...]\tTake stopped groups out of use"

	helpReread = "reread \t\t\tReload the daemon's configuration files without add/remove"

	helpRestart = "restart <name>\t\tRestart a process\n" +
		"restart <gname>:*\tRestart all processes in a group\n" +
		"restart <name> <name>\tRestart multiple processes or groups\n" +
		"restart all\t\tRestart all processes\n" +
		"Note: restart does not reread config files. For that, see reread and update."

	helpRotate = "rotate <name>\t\tRotate the log files of a process now, if they are not empty\n" +
		"rotate <gname>:*\tRotate the log files of all processes in a group\n" +
		"rotate <name> <name>\tRotate the log files of multiple processes or groups\n" +
		"rotate all\t\tRotate the log files of all processes"

	helpShutdown = "shutdown \tShut the remote supervisord down."

	helpSignal = "signal <signal name> <name>\t\tSignal a process\n" +
		"signal <signal name> <gname>:*\t\tSignal all processes in a group\n" +
		"signal <signal name> <name> <name>\tSignal multiple processes or groups\n" +
		"signal <signal name> all\t\tSignal all processes"

	helpStart = "start <name>\t\tStart a process\n" +
		"start <gname>:*\t\tStart all processes in a group\n" +
		"start <name> <name>\tStart multiple processes or groups\n" +
		"start all\t\tStart all processes"

	helpStatus = "status <name>\t\tShow the state of one process\n" +
		"status <gname>:*\tShow the state of every process in a group\n" +
		"status <name> <name>\tShow the state of several processes\n" +
		"status\t\t\tShow the state of all processes"

	helpStop = "stop <name>\t\tStop a process\n" +
		"stop <gname>:*\t\tStop all processes in a group\n" +
		"stop <name> <name>\tStop multiple processes or groups\n" +
		"stop all\t\tStop all processes"

	helpTail = "tail [-f] <name> [stdout|stderr] (default stdout)\n" +
		"Ex:\n" +
		"tail -f <name>\t\tContinuous tail of named process stdout\n" +
		"\t\t\tCtrl-C to exit.\n" +
		"tail -100 <name>\tlast 100 *bytes* of process stdout\n" +
		"tail <name> stderr\tlast 1600 *bytes* of process stderr"

	helpUpdate = "update\t\t\tRead the configuration again and apply it: groups that changed are restarted\n" +
		"update all\t\tThe same\n" +
		"update <gname> [...]\tApply what changed in these groups only"

	helpUpgrade = "upgrade\t\tReplace the remote supervisord by the version that is installed now, keeping all programs"

	helpVersion = "version\t\t\tShow the version of the remote supervisord process"
)

func init() { helpAction.run = (*Controller).doHelp }

// doHelp shows the tables of actions or the usage of one.
func (c *Controller) doHelp(_ context.Context, arg string) error {
	if arg == "" {
		c.outputActions("default commands (type help <topic>):", false)
		c.outputActions("additional commands (type help <topic>):", true)
		return nil
	}
	if a := findAction(arg); a != nil && a.help != "" {
		c.output(a.help)
	} else {
		c.output("*** No help on " + arg)
	}
	return nil
}

// doEOF ends the shell.
func (c *Controller) doEOF(context.Context, string) error {
	c.output("")
	return errQuit
}

// tableWidth is the width of the tables of help, in characters.
const tableWidth = 79

// outputActions shows a table of those actions that Supervisor has, or of those
// that were added to it. There is none without actions.
func (c *Controller) outputActions(header string, added bool) {
	var names []string
	for i := range actions {
		if actions[i].added == added {
			names = append(names, actions[i].Name)
		}
	}
	if len(names) == 0 {
		return
	}
	c.output("\n" + header + "\n" + strings.Repeat("=", len(header)))
	for _, row := range columns(names, tableWidth) {
		c.output(row)
	}
	c.output("")
}

// columns lays out words in as few rows as fit into the width, read downwards,
// two blanks between columns.
func columns(words []string, width int) []string {
	for rows := 1; ; rows++ {
		var (
			cols   = (len(words) + rows - 1) / rows
			widths = make([]int, cols)
			total  = -2
		)
		for i, w := range words {
			widths[i/rows] = max(widths[i/rows], utf8.RuneCountInString(w))
		}
		for _, w := range widths {
			total += w + 2
		}
		if total > width && rows < len(words) {
			continue
		}
		lines := make([]string, rows)
		for i, w := range words {
			row := &lines[i%rows]
			if i >= rows {
				*row += "  "
			}
			*row += w + strings.Repeat(" ", widths[i/rows]-utf8.RuneCountInString(w))
		}
		return lines
	}
}
