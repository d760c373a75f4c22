//go:build unix && !linux

package launch

// ClearSignalMask does nothing here: children get the signal mask with which
// the daemon was started.
func ClearSignalMask() {}
