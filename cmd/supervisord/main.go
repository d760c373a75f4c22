// Command supervisord runs and watches programs (manual: Running Supervisor).
package main

import (
	"errors"
	"fmt"
	"io"
	"os"

	"supervisord/internal/config"
	"supervisord/internal/launch"
	"supervisord/internal/spawn"
	"supervisord/internal/upgrade"
)

// The exit statuses of supervisord.
const (
	exitOK    = 0
	exitUsage = 2 // the command line, the configuration or the environment is bad
)

func main() {
	// In a child that is about to become a program, this does not return.
	spawn.Shim()
	if prefix, ok := upgrade.Checking(); ok {
		os.Exit(answer(prefix, os.Args))
	}
	handover := upgrade.Inherited()
	if handover == nil {
		launch.ClearSignalMask()
	}
	os.Exit(mainStatus(os.Args, os.Stdout, os.Stderr, handover))
}

// mainStatus runs supervisord until it ends and returns its exit status. It goes
// on with what it was handed over, if there is something.
func mainStatus(args []string, stdout, stderr io.Writer, handover *upgrade.Handover) int {
	fail := func(err error) int {
		fmt.Fprintf(stderr, "Error: %v\nFor help, use %s -h\n", err, args[0])
		return exitUsage
	}
	flags, err := parseFlags(args[0], args[1:])
	if err != nil {
		return fail(err)
	}
	if flags.text != "" {
		fmt.Fprint(stdout, flags.text)
		return exitOK
	}
	if handover == nil && flags.file == "" {
		if os.Getuid() == 0 {
			fmt.Fprintln(stderr, searchWarning)
		}
		if flags.file, err = config.Find(args[0]); err != nil {
			return fail(err)
		}
	}
	if flags.configTest {
		return configTest(flags, stdout, stderr)
	}
	if handover == nil {
		err = serve(flags)
	} else {
		err = takeOver(flags, handover)
	}
	var status exitStatus
	switch {
	case errors.As(err, &status):
		return int(status)
	case err != nil:
		return fail(err)
	}
	return exitOK
}

// searchWarning tells root that a configuration file was searched for, also in
// the current directory.
const searchWarning = "Supervisord is running as root and it is searching " +
	"for its configuration file in default locations " +
	"(including its current working directory); you " +
	"probably want to specify a \"-c\" argument specifying an " +
	"absolute path to a configuration file for improved " +
	"security."

// exitStatus ends supervisord without a message.
type exitStatus int

func (s exitStatus) Error() string { return fmt.Sprintf("exit status %d", int(s)) }
