// Package archtest holds the tests of the structure of the repository: which
// package may import which, what the state machine may not touch, what the
// programs may not link, and which entries the top level has.
//
// The plan of the imports is arrows.txt. A package that is not in it fails the
// test: adding a package means to write down there what it may know. Packages
// whose name ends in test, and testenv, are for tests; they may import what they
// like and no other package may link them.
package archtest
