//go:build unix && !linux

package spawn

// unblockSignals has nothing to do: the daemon is not executed anew here with
// signals blocked.
func unblockSignals() {}
