//go:build !linux

package childlog

// pending returns how many bytes are in a pipe, or more: this is what a pipe
// holds at most.
func pending(int) (int, error) { return 1 << 20, nil }
