// Command supervisorctl controls the programs that a supervisord runs, from
// the command line or from a shell of its own (manual: Running Supervisor,
// running supervisorctl).
//
// The actions are those of package ctl. The command line goes through the
// rules of Python's getopt first, and then to a cobra command that has one
// subcommand for each action; these exist for completion and for the manual
// page. All of them end in the same function, which hands the words of the
// action to the interpreter that the shell uses too.
package main

import (
	"context"
	"fmt"
	"os"
	"strings"

	"supervisord/internal/config"
	"supervisord/internal/ctl"
)

// The exit statuses that are not those of an action.
const (
	exitOK          = 0
	exitFailure     = 1
	exitUsage       = 2
	exitInterrupted = 130
)

func main() { os.Exit(mainStatus(os.Args)) }

// mainStatus runs supervisorctl and returns its exit status.
func mainStatus(args []string) int {
	p := &program{argv0: args[0]}
	if err := p.execute(args[1:]); err != nil {
		fmt.Fprintf(os.Stderr, "Error: %v\nFor help, use %s -h\n", err, args[0])
		return exitUsage
	}
	return p.status
}

// program is one run of supervisorctl.
type program struct {
	argv0 string
	flags flags
	// status is the exit status.
	status int
}

// run carries out an action, or runs the shell if there are no words.
func (p *program) run(words []string) error {
	c, err := p.controller(len(words) == 0)
	if err != nil {
		return err
	}
	ctx := context.Background()
	if len(words) == 0 {
		if err := c.Shell(ctx); err != nil {
			fmt.Fprintf(os.Stderr, "supervisorctl: %v\n", err)
			p.status = exitFailure
		}
		return nil
	}
	if _, err := c.Do(ctx, strings.Join(words, " ")); err != nil {
		p.status = exitInterrupted
		return nil
	}
	p.status = int(c.ExitStatus())
	return nil
}

// controller loads the configuration and returns the interpreter of actions.
func (p *program) controller(interactive bool) (*ctl.Controller, error) {
	file := p.flags.file
	if !p.flags.fileSet {
		// Unlike the daemon, supervisorctl can do without a file.
		file, _ = config.Find(p.argv0)
	}
	client, err := config.LoadClient(config.ClientOptions{File: file, Overrides: p.flags.overrides})
	if err != nil {
		return nil, err
	}
	return ctl.New(ctl.Settings{
		ServerURL:   client.ServerURL,
		Username:    client.Username,
		Password:    client.Password,
		Prompt:      client.Prompt,
		HistoryFile: client.HistoryFile,
		Interactive: interactive || p.flags.interactive,
		ConfigFile:  client.File,
		Pidfile:     func() string { return pidfile(client.File) },
	}, os.Stdin, os.Stdout, os.Stderr), nil
}

// pidfile returns the pidfile that a configuration file sets, or "" if it
// cannot be told.
func pidfile(file string) string {
	if file == "" {
		return ""
	}
	c, err := config.Load(config.Options{File: file})
	if err != nil {
		return ""
	}
	return c.Supervisord.Pidfile
}
