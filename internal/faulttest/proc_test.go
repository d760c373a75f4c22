package faulttest

import (
	"os"
	"strconv"
	"testing"
)

// statOf returns the line of a process in /proc; see proc(5). The name of the
// process must not have blanks.
func statOf(t *testing.T, pid int) string {
	t.Helper()
	data, err := os.ReadFile("/proc/" + strconv.Itoa(pid) + "/stat")
	if err != nil {
		t.Fatal(err)
	}
	return string(data)
}
