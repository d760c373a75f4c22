//go:build !race

package testenv

// raceEnabled is whether the test was built with the race detector.
const raceEnabled = false
