package main

import (
	"errors"
	"fmt"
	"io"
	"runtime/debug"
	"strings"

	"github.com/spf13/cobra"

	"supervisord/internal/config"
	"supervisord/internal/getopt"
)

// build is the version of this program, set by the linker.
var build = "devel"

// flags is what the command line asks for.
type flags struct {
	// file is the configuration file; empty to search for one.
	file      string
	overrides config.Overrides
	// text, if not empty, is to be printed in place of running.
	text string
	// profile asks for a profile of the run.
	profile bool
	// configTest asks for a look at the configuration in place of running.
	configTest bool
}

// A flag describes one command-line option.
type flag struct {
	getopt.Option
	value string // what the argument is, empty without one
	help  string
}

// Names of the options that are not overrides.
const (
	helpFlag       = "help"
	versionFlag    = "version"
	buildInfoFlag  = "build-info"
	fileFlag       = "configuration"
	profileFlag    = "profile_options"
	configTestFlag = "configtest"
)

// flagTable lists the options in the order of the help text. Those that are
// not named above set the option of [supervisord] that has their name.
var flagTable = []flag{
	{getopt.Option{Short: "c", Long: fileFlag}, "FILE", "read the configuration from FILE; without it, a few places are searched"},
	{getopt.Option{Short: "n", Long: "nodaemon"}, "", "stay in the foreground"},
	{getopt.Option{Short: "s", Long: "silent"}, "", "write no log lines to standard output"},
	{getopt.Option{Short: "h?", Long: helpFlag}, "", "print this text and exit"},
	{getopt.Option{Short: "v", Long: versionFlag}, "", "print the version of Supervisor that is implemented, and exit"},
	{getopt.Option{Long: buildInfoFlag, Exact: true}, "", "print the version and the commit of this program, and exit (not to be abbreviated)"},
	{getopt.Option{Long: configTestFlag, Exact: true}, "", "check the configuration, print everything that is wrong, and exit: with 0 if it " +
		"can be used, else with 2 (not to be abbreviated)"},
	{getopt.Option{Short: "u", Long: "user"}, "USER", "become USER, a name or an id"},
	{getopt.Option{Short: "m", Long: "umask"}, "MASK", "set the octal file mode creation mask when in the background (022)"},
	{getopt.Option{Short: "d", Long: "directory"}, "DIR", "change to DIR when in the background"},
	{getopt.Option{Short: "l", Long: "logfile"}, "FILE", "write the activity log to FILE"},
	{getopt.Option{Short: "y", Long: "logfile_maxbytes"}, "SIZE", "rotate the activity log at SIZE bytes; KB, MB and GB are understood"},
	{getopt.Option{Short: "z", Long: "logfile_backups"}, "NUM", "keep NUM files of the rotated activity log"},
	{getopt.Option{Short: "e", Long: "loglevel"}, "LEVEL", "log from LEVEL on: critical, error, warn, info, debug, trace or blather"},
	{getopt.Option{Short: "j", Long: "pidfile"}, "FILE", "write the process id to FILE"},
	{getopt.Option{Short: "i", Long: "identifier"}, "NAME", "be known as NAME to clients and event listeners"},
	{getopt.Option{Short: "q", Long: "childlogdir"}, "DIR", "keep log files that have no name of their own in DIR"},
	{getopt.Option{Short: "k", Long: "nocleanup"}, "", "leave such log files of an earlier run in place"},
	{getopt.Option{Short: "a", Long: "minfds"}, "NUM", "start only with NUM file descriptors available"},
	{getopt.Option{Long: "minprocs"}, "NUM", "start only with NUM processes available"},
	{getopt.Option{Short: "t", Long: "strip_ansi"}, "", "remove terminal escape sequences from the output of programs"},
	{getopt.Option{Long: profileFlag}, "LIST", "write a profile for go tool pprof and print its name at the end; " +
		"LIST, of cumulative, calls and callers, is what Python's profiler took, and can be chosen when the profile is viewed"},
}

// parseFlags reads the command line; args does not include the program's name.
// The error is what is to be printed behind "Error: ".
func parseFlags(argv0 string, args []string) (flags, error) {
	matches, rest, err := getopt.Parse(args, getoptOptions())
	if err != nil {
		return flags{}, err
	}
	if len(rest) > 0 {
		return flags{}, getopt.Positional(rest)
	}
	p := &flagParser{argv0: argv0, matches: matches}
	cmd := newCommand(p)
	cmd.SetArgs(getopt.Canonical(matches))
	if err := cmd.Execute(); err != nil && !errors.Is(err, errDone) {
		if p.err != nil {
			err = p.err
		}
		return flags{}, err
	}
	return p.flags, nil
}

func getoptOptions() []getopt.Option {
	options := make([]getopt.Option, len(flagTable))
	for i, f := range flagTable {
		options[i] = f.Option
		options[i].Argument = f.value != ""
	}
	return options
}

// newCommand returns the command whose flags feed the parser.
func newCommand(p *flagParser) *cobra.Command {
	cmd := &cobra.Command{
		Use:           "supervisord",
		Short:         "Run and watch programs",
		SilenceErrors: true,
		SilenceUsage:  true,
		RunE:          func(*cobra.Command, []string) error { return nil },
	}
	cmd.CompletionOptions.DisableDefaultCmd = true
	cmd.SetOut(io.Discard)
	cmd.SetErr(io.Discard)
	for i := range flagTable {
		f := &flagTable[i]
		short, _, _ := strings.Cut(f.Short, "?")
		added := cmd.Flags().VarPF(&flagValue{flag: f, parser: p}, f.Long, short, f.help)
		if f.value == "" {
			added.NoOptDefVal = "true"
		}
	}
	return cmd
}

// errDone ends the reading of the command line because the answer is known.
var errDone = errors.New("done")

// A flagParser collects the options in the order in which they were given.
type flagParser struct {
	argv0   string
	matches []getopt.Match
	next    int // index of the match that is set next
	flags   flags
	err     error
}

// A flagValue is the value of one option on the command line; it hands what it
// is set to on to the parser.
type flagValue struct {
	flag   *flag
	parser *flagParser
	isSet  bool
}

// Set does what the option asks for.
func (v *flagValue) Set(text string) error {
	p := v.parser
	match := &p.matches[p.next]
	p.next++
	if v.flag.value == "" {
		text = ""
	}
	switch v.flag.Long {
	case helpFlag:
		p.flags.text = helpText(p.argv0)
		return errDone
	case versionFlag:
		p.flags.text = version + "\n"
		return errDone
	case buildInfoFlag:
		p.flags.text = buildInfo()
		return errDone
	}
	if err := v.apply(text); err != nil {
		p.err = match.InvalidValue(err)
		return p.err
	}
	if v.isSet {
		p.err = match.Conflict()
		return p.err
	}
	v.isSet = true
	return nil
}

func (v *flagValue) apply(text string) error {
	flags := &v.parser.flags
	switch v.flag.Long {
	case fileFlag:
		flags.file = text
		return nil
	case profileFlag:
		flags.profile = true
		return nil
	case configTestFlag:
		flags.configTest = true
		return nil
	}
	return flags.overrides.Set(v.flag.Long, text)
}

// String returns the default value.
func (v *flagValue) String() string {
	if v.flag != nil && v.flag.value == "" {
		return "false"
	}
	return ""
}

// Type returns what kind of argument the option takes.
func (v *flagValue) Type() string {
	if v.flag.value == "" {
		return "bool"
	}
	return v.flag.value
}

// helpText returns what -h prints.
func helpText(argv0 string) string {
	var b strings.Builder
	fmt.Fprintf(&b, "supervisord - run programs and keep them running\n\nUsage: %s [OPTION]...\n\n", argv0)
	for _, f := range flagTable {
		names := "    "
		if f.Short != "" {
			names = "-" + f.Short[:1] + ", "
		}
		names += "--" + f.Long
		if f.value != "" {
			names += " " + f.value
		}
		fmt.Fprintf(&b, "  %-*s", maxNames, names)
		column := max(len(names), maxNames)
		for word := range strings.FieldsSeq(f.help) {
			if column+1+len(word) > maxColumns {
				fmt.Fprintf(&b, "\n  %*s", maxNames, "")
				column = maxNames
			}
			b.WriteString(" " + word)
			column += 1 + len(word)
		}
		b.WriteByte('\n')
	}
	b.WriteString("\nWhat is set here comes before what the configuration file sets. A long option can\n" +
		"be abbreviated as long as no other one starts in the same way.\n")
	return b.String()
}

// How wide the names of an option and a whole line are in the help text.
const (
	maxNames   = 28
	maxColumns = 84
)

// buildInfo returns what --build-info prints.
func buildInfo() string {
	var b strings.Builder
	fmt.Fprintf(&b, "version: %s\n", build)
	info, ok := debug.ReadBuildInfo()
	if !ok {
		return b.String()
	}
	for _, s := range info.Settings {
		switch s.Key {
		case "vcs.revision":
			fmt.Fprintf(&b, "commit: %s\n", s.Value)
		case "vcs.time":
			fmt.Fprintf(&b, "date: %s\n", s.Value)
		case "vcs.modified":
			fmt.Fprintf(&b, "modified: %s\n", s.Value)
		}
	}
	fmt.Fprintf(&b, "go: %s\n", info.GoVersion)
	return b.String()
}
