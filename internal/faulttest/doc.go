// Package faulttest causes faults around a real daemon and looks whether it
// lives on and whether anything is lost: full disks, missing files, limits that
// are reached, children that misbehave, sudden death, hostile clients, upgrades
// in the middle of everything, a clock that is set. What was found is told in
// docs/reliability.md.
//
// Each test has a daemon of its own, built with the race detector if the test
// is. Tests that need root or something that the machine does not offer are
// skipped without it. With -soak=N those that repeat something do it N times as
// often.
package faulttest
