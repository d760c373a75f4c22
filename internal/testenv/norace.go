//go:build !race

package testenv

// Race is whether the test was built with the race detector.
const Race = false
