package main

import (
	"context"
	"fmt"
	"os"
	"strings"

	"github.com/spf13/cobra"

	"supervisord/internal/ctl"
)

// execute reads the command line and does what it asks for.
func (p *program) execute(args []string) error {
	root := p.command()
	if len(args) > 0 && (args[0] == cobra.ShellCompRequestCmd || args[0] == cobra.ShellCompNoDescRequestCmd) {
		root.SetArgs(args)
		return root.Execute()
	}
	options, words, help, err := parse(args)
	if err != nil {
		return err
	}
	if help {
		fmt.Print(helpText(p.argv0))
		return nil
	}
	if len(words) > 0 && strings.HasPrefix(words[0], "-") {
		// No action begins so, but the library would take it for an option and
		// what follows for the action.
		if err := root.ParseFlags(options); err != nil {
			return err
		}
		return p.run(words)
	}
	root.SetArgs(append(options, words...))
	return root.Execute()
}

// command returns the command line as the library sees it.
func (p *program) command() *cobra.Command {
	root := &cobra.Command{
		Use:   "supervisorctl [options] [action [arguments]]",
		Short: "Control the programs that supervisord runs",
		Long: "Supervisorctl shows and changes the state of the programs that a supervisord runs. Without an action " +
			"it reads actions from a shell of its own.",
		Args:              cobra.ArbitraryArgs,
		RunE:              func(_ *cobra.Command, args []string) error { return p.run(args) },
		TraverseChildren:  true,
		SilenceErrors:     true,
		SilenceUsage:      true,
		ValidArgsFunction: cobra.NoFileCompletions,
	}
	root.CompletionOptions.DisableDefaultCmd = true
	root.SetErr(os.Stderr)
	for i := range flagTable {
		f := &flagTable[i]
		short, _, _ := strings.Cut(f.Short, "?")
		added := root.Flags().VarPF(&flagValue{f, &p.flags}, f.Long, short, f.help)
		if !f.Argument {
			added.NoOptDefVal = "true"
		}
		added.Hidden = f.as != ""
		if f.value != "FILENAME" {
			_ = root.RegisterFlagCompletionFunc(f.Long, cobra.NoFileCompletions)
		}
	}
	for _, a := range ctl.Actions() {
		sub := p.subcommand(a)
		if a.Name == "help" {
			root.SetHelpCommand(sub)
		}
		root.AddCommand(sub)
	}
	return root
}

// subcommand returns the command of an action. It takes its arguments as they
// are: what looks like an option is the action's own.
func (p *program) subcommand(a *ctl.Action) *cobra.Command {
	sub := &cobra.Command{
		Use:                a.Name,
		Short:              a.Short,
		Long:               a.Usage(),
		DisableFlagParsing: true,
		RunE:               func(_ *cobra.Command, args []string) error { return p.run(append([]string{a.Name}, args...)) },
		ValidArgsFunction: func(_ *cobra.Command, args []string, word string) ([]cobra.Completion, cobra.ShellCompDirective) {
			c, err := p.controller(false)
			if err != nil {
				return nil, cobra.ShellCompDirectiveNoFileComp
			}
			var words []cobra.Completion
			for _, x := range c.CompleteArgument(context.Background(), a, args, word) {
				words = append(words, cobra.CompletionWithDesc(x.Word, x.About))
			}
			return words, cobra.ShellCompDirectiveNoFileComp
		},
	}
	// The library would offer an option of this name that no action has.
	sub.Flags().Bool(helpFlag, false, "")
	_ = sub.Flags().MarkHidden(helpFlag)
	return sub
}
