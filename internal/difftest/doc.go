// Package difftest plays random lives to this supervisord and to the original,
// side by side, and compares everything that a user can see of them: answers
// and faults, states, the activity log, events, the files of logs, what the
// programs find themselves started with, exit statuses and what is left behind.
//
// A plan is made from a seed: a small configuration and a sequence of steps. A
// side is one implementation that carries a plan out, in a directory of its
// own. The programs are puppets: they do only what the plan tells them. After
// most steps a side waits until nothing moves any more, because the original
// acts once a second on what this supervisord does when it is due. What was
// observed is freed of pids, times and paths, and compared. Differences that
// are deliberate are listed in docs/differences.md and left out in normal.go.
//
// A seed is all that is needed to see a difference again:
//
//	go test ./internal/difftest -run TestLives -difftest.seed 17
package difftest
