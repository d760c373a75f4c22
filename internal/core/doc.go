// Package core decides. It is the state machine of supervisord as a pure
// function: an event goes in, effects come out, and nothing else happens. It
// knows no operating system, no clock, no goroutine and no lock; time arrives
// with every event, and what the daemon did about an effect arrives as another
// event.
//
// One goroutine owns a Core. It calls Step for every event, performs the
// effects in the order in which they were given, and calls Step again no later
// than Deadline. Events about a process carry the ProcID that the core gave it,
// and a generation that tells one start of it from the next, so that late news
// is harmless.
//
// Everything that a Core knows can be written down between two steps, as plain
// data, and another one restored from that: see Snapshot and Restore.
//
// Invariants, checked by the simulator after every step:
//   - a process has a pid exactly in the states STARTING (once the start was
//     confirmed), RUNNING, STOPPING and, after a failed signal, UNKNOWN;
//   - every request is answered exactly once;
//   - every queue has a limit;
//   - a shutdown ends when the last process ended.
package core
