// Package listenertest holds the end-to-end tests of events: what listeners
// hear, what becomes of their answers, what is captured, and how many events
// pass in a second.
//
// The tests run a whole daemon. Its programs and listeners are puppets: the test
// binary itself, which does with its standard input and output what the test
// tells it over a socket, and nothing else. So each test knows what a process
// has read and written when it goes on; nothing in it waits for time to pass.
//
// Every play of TestPlays is given by this daemon and by the Python
// implementation, if that is installed, and both must come to the same.
package listenertest
