package launch

import (
	"bufio"
	"fmt"
	"io"
	"os"
	"os/user"
	"strconv"
	"strings"
	"syscall"
)

// The user database as a file, and the shell of a user that has none there, or
// whose entry is in another database.
const (
	passwdFile   = "/etc/passwd"
	defaultShell = "/bin/sh"
)

// userVariables returns the environment variables that a login sets for a user:
// HOME, USER, LOGNAME and SHELL. A uid of -1 stands for the daemon's own.
func userVariables(uid int) (map[string]string, error) {
	if uid < 0 {
		uid = syscall.Geteuid()
	}
	u, err := user.LookupId(strconv.Itoa(uid))
	if err != nil {
		return nil, refusef("Can't find uid %d", uid)
	}
	shell, err := loginShell(u.Username)
	if err != nil {
		return nil, err
	}
	return map[string]string{"HOME": u.HomeDir, "USER": u.Username, "LOGNAME": u.Username, "SHELL": shell}, nil
}

// loginShell returns the shell of a user.
func loginShell(name string) (string, error) {
	f, err := os.Open(passwdFile)
	if os.IsNotExist(err) {
		return defaultShell, nil
	}
	if err != nil {
		return "", fmt.Errorf("read the user database: %w", err)
	}
	defer f.Close()
	return shellIn(f, name)
}

// shellIn finds the shell of a user in the text of a user database.
func shellIn(r io.Reader, name string) (string, error) {
	lines := bufio.NewScanner(r)
	for lines.Scan() {
		fields := strings.Split(lines.Text(), ":")
		if len(fields) == 7 && fields[0] == name {
			if fields[6] == "" {
				return defaultShell, nil
			}
			return fields[6], nil
		}
	}
	if err := lines.Err(); err != nil {
		return "", fmt.Errorf("read the user database: %w", err)
	}
	return defaultShell, nil
}
