package spawn

import (
	"os"
	"strconv"
	"strings"
	"syscall"

	"golang.org/x/sys/unix"
)

// shimName is the argv[0] by which this program knows that it is to be a
// launcher. The program that it executes gets its own.
const shimName = "(supervisord)"

// The arguments of a launcher.
const (
	shimArgName = iota
	shimArgUmask
	shimArgUser      // as messages name it
	shimArgUserError // why the user cannot be become, or empty
	shimArgIDs       // "UID GID GROUP...", or empty to stay
	shimArgDir
	shimArgErrno // of an exec that cannot be tried, or 0
	shimArgPath
	shimArgArgv // this one and all that follow
)

// exitNotSpawned is the exit status of a process that did not come to execute
// its program.
const exitNotSpawned = 127

// syncFD is the descriptor that the launcher holds open until the program is
// executed.
const syncFD = 3

func (spec *Spec) launcherArgs() []string {
	args := []string{
		shimArgName:      shimName,
		shimArgUmask:     strconv.Itoa(spec.Umask),
		shimArgUser:      spec.UserName,
		shimArgUserError: spec.UserError,
		shimArgIDs:       formatIDs(spec.Credential),
		shimArgDir:       spec.Dir,
		shimArgErrno:     "0",
		shimArgPath:      spec.Path,
	}
	return append(args, spec.Argv...)
}

// epitaphArgs returns the arguments of a launcher that only says that the
// program could not be executed.
func (spec *Spec) epitaphArgs(errno syscall.Errno) []string {
	name := spec.Path
	if len(spec.Argv) > 0 {
		name = spec.Argv[0]
	}
	const longest = 4096
	name = strings.ReplaceAll(name[:min(len(name), longest)], "\x00", "?")
	return []string{
		shimArgName:      shimName,
		shimArgUmask:     "-1",
		shimArgUser:      "",
		shimArgUserError: "",
		shimArgIDs:       "",
		shimArgDir:       "",
		shimArgErrno:     strconv.Itoa(int(errno)),
		shimArgPath:      "",
		shimArgArgv:      name,
	}
}

func formatIDs(c *syscall.Credential) string {
	if c == nil {
		return ""
	}
	ids := make([]string, 0, 2+len(c.Groups))
	for _, id := range append([]uint32{c.Uid, c.Gid}, c.Groups...) {
		ids = append(ids, strconv.FormatUint(uint64(id), 10))
	}
	return strings.Join(ids, " ")
}

// Shim makes this process a launcher if it was started as one, and then does
// not return. Every program that uses this package calls it first thing in
// main, before it starts goroutines or looks at its arguments.
//
// A launcher is the process between fork and exec: it becomes the user,
// changes the directory, sets the umask and executes the program, in
// Supervisor's order, and if a step fails it says so on its standard error in
// Supervisor's words and exits with status 127. It already has its process
// group, descriptors and environment, and passes on all but its arguments.
func Shim() {
	if len(os.Args) <= shimArgArgv || os.Args[shimArgName] != shimName {
		return
	}
	syscall.CloseOnExec(syncFD)
	say(become(os.Args))
	say("child process was not spawned")
	os.Exit(exitNotSpawned)
}

func say(text string) {
	if text != "" {
		syscall.Write(syscall.Stderr, []byte("supervisor: "+text+"\n"))
	}
}

// become executes the program that the arguments describe. It returns only
// when that failed, with what there is to say.
func become(args []string) string {
	argv := args[shimArgArgv:]
	if reason := args[shimArgUserError]; reason != "" {
		return "couldn't setuid to " + args[shimArgUser] + ": " + reason
	}
	if errno, _ := strconv.Atoi(args[shimArgErrno]); errno != 0 {
		return "couldn't exec " + argv[0] + ": " + errnoName(syscall.Errno(errno))
	}
	reason, ok := setUser(strings.Fields(args[shimArgIDs]))
	if reason != "" {
		return "couldn't setuid to " + args[shimArgUser] + ": " + reason
	}
	if !ok {
		return ""
	}
	if dir := args[shimArgDir]; dir != "" {
		if err := syscall.Chdir(dir); err != nil {
			return "couldn't chdir to " + dir + ": " + errnoName(err)
		}
	}
	if umask, err := strconv.Atoi(args[shimArgUmask]); err == nil && umask >= 0 {
		syscall.Umask(umask)
	}
	err := syscall.Exec(args[shimArgPath], argv, syscall.Environ())
	return "couldn't exec " + argv[0] + ": " + errnoName(err)
}

// setUser becomes the user with these ids: uid, gid and all its groups. The
// original has no words for a refused setuid.
func setUser(fields []string) (reason string, ok bool) {
	if len(fields) < 2 {
		return "", true
	}
	ids := make([]int, len(fields))
	for i, f := range fields {
		ids[i], _ = strconv.Atoi(f)
	}
	if err := syscall.Setgroups(ids[2:]); err != nil {
		return "Could not set groups of effective user", false
	}
	if err := syscall.Setgid(ids[1]); err != nil {
		return "Could not set group id of effective user", false
	}
	return "", syscall.Setuid(ids[0]) == nil
}

func errnoName(err error) string {
	errno := errnoOf(err)
	if name := unix.ErrnoName(errno); name != "" {
		return name
	}
	return strconv.Itoa(int(errno))
}
