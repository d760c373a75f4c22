package main

import (
	"fmt"
	"strings"

	"supervisord/internal/config"
	"supervisord/internal/getopt"
)

// flags is what the options on the command line ask for.
type flags struct {
	// file is the configuration file if fileSet; otherwise it is searched.
	file        string
	fileSet     bool
	interactive bool
	overrides   config.ClientOverrides
}

// A flag describes one command-line option.
type flag struct {
	getopt.Option
	// value is what the argument is, empty without one.
	value string
	help  string
	// as is the name of the option that this one is another spelling of.
	as string
}

// Names of the options that are not overrides of the configuration file.
const (
	fileFlag        = "configuration"
	helpFlag        = "help"
	interactiveFlag = "interactive"
	historyFlag     = "history_file"
)

// flagTable lists the options in the order of the help text.
var flagTable = []flag{
	{Option: getopt.Option{Short: "c", Long: fileFlag, Argument: true}, value: "FILENAME",
		help: "read the configuration from FILENAME; without it, a few places are searched"},
	{Option: getopt.Option{Short: "h?", Long: helpFlag}, help: "show this text and exit"},
	{Option: getopt.Option{Short: "i", Long: interactiveFlag},
		help: "ask for a password, and before the daemon is stopped or restarted"},
	{Option: getopt.Option{Short: "s", Long: "serverurl", Argument: true}, value: "URL",
		help: "talk to the supervisord at URL, http://HOST:PORT or unix:///PATH"},
	{Option: getopt.Option{Short: "u", Long: "username", Argument: true}, value: "USERNAME",
		help: "log in as USERNAME"},
	{Option: getopt.Option{Short: "p", Long: "password", Argument: true}, value: "PASSWORD",
		help: "log in with PASSWORD; others can see it in the list of processes"},
	{Option: getopt.Option{Short: "r", Long: historyFlag, Argument: true}, value: "FILENAME",
		help: "keep the lines typed in the shell in the file of that name"},
	{Option: getopt.Option{Long: "history-file", Argument: true, Exact: true}, value: "FILENAME",
		help: "the same as --history_file", as: historyFlag},
}

// parse reads the options at the start of args. It returns the options in one
// canonical spelling, what comes behind them, and whether help was asked for.
// The error is what is to be printed behind "Error: ".
func parse(args []string) (options, rest []string, help bool, err error) {
	table := make([]getopt.Option, len(flagTable))
	for i, f := range flagTable {
		table[i] = f.Option
	}
	matches, rest, err := getopt.Parse(args, table)
	if err != nil {
		return nil, nil, false, err
	}
	seen := make(map[string]bool)
	for i := range matches {
		m := &matches[i]
		name := canonicalName(m.Option.Long)
		if name == helpFlag {
			return nil, nil, true, nil
		}
		// Values are checked here for the order and the words of the errors.
		if err := new(flags).set(name, m.Value); err != nil {
			return nil, nil, false, m.InvalidValue(err)
		}
		if seen[name] {
			return nil, nil, false, m.Conflict()
		}
		seen[name] = true
	}
	return getopt.Canonical(matches), rest, false, nil
}

func canonicalName(long string) string {
	for _, f := range flagTable {
		if f.Long == long && f.as != "" {
			return f.as
		}
	}
	return long
}

// set does what an option with the given canonical name asks for.
func (f *flags) set(name, value string) error {
	switch name {
	case fileFlag:
		f.file, f.fileSet = value, true
	case interactiveFlag:
		f.interactive = true
	default:
		return f.overrides.Set(name, value)
	}
	return nil
}

// flagValue is an option as the command-line library sees it.
type flagValue struct {
	flag  *flag
	flags *flags
}

// Set implements pflag.Value.
func (v *flagValue) Set(text string) error { return v.flags.set(canonicalName(v.flag.Long), text) }

// String returns the default value.
func (v *flagValue) String() string {
	if v.flag != nil && !v.flag.Argument {
		return "false"
	}
	return ""
}

// Type returns what kind of argument the option takes.
func (v *flagValue) Type() string {
	if v.flag == nil || !v.flag.Argument {
		return "bool"
	}
	return v.flag.value
}

// helpText returns what -h prints.
func helpText(argv0 string) string {
	var b strings.Builder
	fmt.Fprintf(&b, "supervisorctl - control the programs that supervisord runs\n\n"+
		"Usage: %s [options] [action [arguments]]\n\nOptions:\n", argv0)
	for _, f := range flagTable {
		if f.as != "" {
			continue
		}
		// The long name of -r has a dash here; the command line takes both
		// spellings.
		names := "-" + f.Short[:1] + "/--" + strings.ReplaceAll(f.Long, "_", "-")
		if f.value != "" && f.Long != historyFlag {
			names += " " + f.value
		}
		fmt.Fprintf(&b, "%s -- %s\n", names, f.help)
	}
	b.WriteString("\nWithout an action, a shell reads actions line by line. The action \"help\" lists\n" +
		"the actions, \"help ACTION\" shows how one is used.\n")
	return b.String()
}
