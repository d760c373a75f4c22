//go:build !linux

package launch

import "os"

// watchName would call lost when path does not name the file any more, if this
// system were asked to tell.
func watchName(path string, file os.FileInfo, lost func()) (stop func()) { return nil }
