package api

import "strings"

// Namespec returns the name by which clients refer to a process: the bare
// name where group and process have the same one, otherwise "group:process".
func Namespec(group, process string) string {
	if group == process {
		return process
	}
	return group + ":" + process
}

// SplitNamespec splits a namespec at its first colon. A bare name is both
// group and process. "group:*" and "group:" mean the whole group, reported
// with all set and process empty.
func SplitNamespec(namespec string) (group, process string, all bool) {
	group, process, found := strings.Cut(namespec, ":")
	if !found {
		return namespec, namespec, false
	}
	if process == "" || process == "*" {
		return group, "", true
	}
	return group, process, false
}
