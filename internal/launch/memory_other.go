//go:build !linux

package launch

import "runtime/debug"

// ReleaseMemory gives the system back the garbage of the start.
func ReleaseMemory() { debug.FreeOSMemory() }
