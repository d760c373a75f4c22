// Command refuser is a next version of supervisord that agrees to take over, and
// when it comes to that gives everything back.
package main

import (
	"fmt"
	"os"

	"supervisord/internal/upgrade"
)

func main() {
	if prefix, ok := upgrade.Checking(); ok {
		fmt.Println(upgrade.Answer(prefix, "refuser"))
		return
	}
	h := upgrade.Inherited()
	if h == nil {
		fmt.Fprintln(os.Stderr, "refuser: nothing was handed over")
		os.Exit(1)
	}
	fmt.Fprintln(os.Stderr, "refuser:", h.GiveBack())
	os.Exit(1)
}
