package launch

import (
	"fmt"
	"os"
	"path/filepath"
	"syscall"
)

// WritableWarnings returns a warning for each configuration file that others
// than root and its owner could change, or replace, although what it says is
// done as root. Without root's rights there are none.
func WritableWarnings(files []string) (warnings []string) {
	if syscall.Geteuid() != 0 {
		return nil
	}
	for _, file := range files {
		const everybody, sticky = 0o002, os.ModeSticky
		if info, err := os.Stat(file); err == nil && info.Mode().IsRegular() && info.Mode()&everybody != 0 {
			warnings = append(warnings, fmt.Sprintf("the configuration file %s can be changed by every user, "+
				"who can run programs as root by it", file))
			continue
		}
		dir := filepath.Dir(file)
		if info, err := os.Stat(dir); err == nil && info.Mode()&everybody != 0 && info.Mode()&sticky == 0 {
			warnings = append(warnings, fmt.Sprintf("the configuration file %s can be replaced by every user, "+
				"because its directory can be changed by all", file))
		}
	}
	return warnings
}
