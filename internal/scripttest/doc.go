// Package scripttest runs txtar scripts against the programs of this module.
//
// A script is a list of commands followed by the files that it needs; see
// github.com/rogpeppe/go-internal/testscript for the form and the predefined
// commands. Each runs in a directory of its own, $WORK, whose supervisord.conf
// this package writes when the script has none: it has a socket at
// $WORK/s.sock, logs in $WORK and includes $WORK/*.ini. $PORT and $PORT2 are
// free TCP ports, $ID is a text that no other script has, $ROOT is the directory
// of the sources.
//
// The commands that are added:
//
//	[!] supervisord [ARG...]      runs it to its end
//	supervisord [NAME=VALUE...] [ARG...] &
//	                              starts it in the background with the given
//	                              additions to the environment; its output
//	                              goes to $WORK/daemon.out
//	wait-exit [STATUS]            waits for the background one to end with STATUS
//	[!] supervisorctl [ARG...]    runs it; -c $WORK/supervisord.conf is added
//	                              unless the arguments begin with -c or -s
//	[!] pidproxy, [!] echo_supervisord_conf
//	wait-state NAME STATE...      waits until the process is in one of the states
//	wait-log FILE REGEXP [N]      waits until a file has N matches (default 1)
//	wait-file FILE                waits until a file exists
//	[!] rpc METHOD ARG...         calls a method, prints the result as JSON; an
//	                              ARG that is JSON is that value, else a string
//	pid VAR WHAT                  sets VAR to the pid of a process or in a
//	                              pidfile, waiting until there is one
//	signal SIGNAL PID             sends a signal
//	wait-gone PID                 waits until the process does not exist
//	[!] http URL                  gets a page, prints its status and body
//	remove-at-end FILE            removes a file outside of $WORK after the script
//	need PROGRAM PACKAGE          skips the script unless PROGRAM is installed
//	need-root                     skips the script unless run by root
//
// The conditions that are added: [root], [running:NAME] when a process of that
// name runs on the machine, and [ref] when the script runs against the Python
// implementation (see package testenv), so that differences made on purpose can
// be told apart.
//
// Waiting ends with an error after a generous limit; nothing in a script
// sleeps. At its end the daemons of a script that still run get a SIGTERM, must
// exit with status 0 and must leave no process behind.
package scripttest
