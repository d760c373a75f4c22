//go:build !linux

package logfile

// Watch returns changed: this system is not asked for changes that others make
// to a file.
func Watch(_ string, changed func() <-chan struct{}) (both func() <-chan struct{}, stop func()) {
	return changed, func() {}
}
