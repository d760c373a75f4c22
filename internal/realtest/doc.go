// Package realtest runs programs that people keep under supervisord as they
// are installed from Debian: each is RUNNING, answers, is started again after
// it was killed, and is stopped with no process of its own left. The scripts
// are in testdata; package scripttest explains their form.
package realtest
