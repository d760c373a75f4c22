// Package launch is what the daemon does between its own exec and its run
// loop, and what it decides about a process before the process is forked:
// limits, privileges, daemonizing, pidfile, listening sockets, names of
// automatic logs, search for commands, environment of children.
//
// The package owns no state: its functions act on the process as a whole
// (limits, user, descriptors, directory) or return what they made, and most of
// them belong to start-up, when nothing runs beside them. The order in which a
// daemon uses them matters:
//
//	ClearSignalMask   before anything else, as it may execute the program anew
//	Detach            in the foreground process of a daemon; it ends there
//	CloseOnExec       from here on children inherit nothing but 0, 1 and 2
//	ReserveThreads    of a daemon that is to become a user, whose limits do not apply yet
//	DropPrivileges    before limits are raised, as Supervisor has it
//	RaiseLimits
//	ReserveDescriptors
//	                  beside what follows, as it waits for the kernel
//	ListenHTTP        sockets are open before the daemon leaves the terminal
//	Daemon.Enter      leaves the terminal; the pidfile comes after it
//	WritePidfile
//	Daemon.Ready      lets the foreground process end
//	ReserveThreads, Leftovers
//	                  before anything is started, while clients are answered
//
// Texts are Supervisor's. The manual describes all of this under
// "Configuration File" ([supervisord] section settings, [unix_http_server]
// section settings, [fcgi-program:x] section settings) and "Running
// Supervisor".
package launch
