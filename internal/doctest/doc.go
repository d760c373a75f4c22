// Package doctest compares the documentation in docs, README.md and the sample
// configuration with the programs. It holds tests only.
//
// What the programs know is asked of them: the options from their help texts,
// the methods and event types from the tables in the code, and the keys of the
// configuration file by offering the loader every word that stands in its
// sources as a key with a value that it must refuse. So a key, an option, a
// method or an event type that is new, or gone, fails a test here until the
// documentation says so. Besides, every example of a configuration is loaded,
// every default that is given is tried, and every link within the documentation
// is followed.
package doctest
