// Package daemon is the shell around the core: it feeds it events and performs
// its effects.
//
// The core and everything else in a Daemon that is not said to be shared belongs
// to whoever has the turn. As a rule that is the goroutine of Run; others talk to
// it through a mailbox: the spawner and the pumps send news of processes,
// clients send commands and queries. A client or a listener whose news find
// nobody at work takes the turn itself. Whoever has it never waits for a file, a
// child or a client; what may take time is done by the goroutine whose business
// it is:
//
//   - a starter prepares processes (command, user, log files), in order;
//   - the spawner forks, signals and reaps;
//   - a pump for every pipe moves log bytes;
//   - a client's own goroutine reads logs, clears them, loads configurations.
package daemon
