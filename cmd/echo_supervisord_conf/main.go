// Echo_supervisord_conf prints a sample configuration with every section and
// option (manual: Installing, creating a configuration file). Arguments mean
// nothing to it.
package main

import (
	_ "embed"
	"fmt"
	"os"
)

//go:embed sample.conf
var sample string

func main() {
	if _, err := os.Stdout.WriteString(sample); err != nil {
		fmt.Fprintf(os.Stderr, "write sample configuration: %v\n", err)
		os.Exit(1)
	}
}
