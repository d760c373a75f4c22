package launch

import (
	"fmt"
	"path/filepath"
	"slices"
	"syscall"

	"golang.org/x/sys/unix"

	"supervisord/internal/config"
)

// Forecast returns what a start with the configuration would run into on this
// machine, and as this user, although the configuration is right: users that
// cannot be become, limits, directories, and programs that cannot be started.
// It changes nothing, and opens no other files than those that are named in
// environments and commands.
func Forecast(cfg *config.Config) []string {
	s := &cfg.Supervisord
	f := forecast{uid: s.UID}
	if s.UID < 0 {
		f.uid = syscall.Geteuid()
	}
	f.become("[supervisord] user", s.UID)
	f.limits(s.MinFDs, s.MinProcs)
	if s.Logfile != "syslog" {
		f.file("[supervisord] logfile", s.Logfile)
	}
	f.file("[supervisord] pidfile", s.Pidfile)
	f.directory("[supervisord] childlogdir", s.ChildLogDir, unix.W_OK|unix.X_OK)
	for i := range cfg.Servers {
		if server := &cfg.Servers[i]; server.Family == config.Unix {
			f.file("["+server.Section+"] file", server.File)
		}
	}
	for _, g := range cfg.Groups {
		if g.Socket != nil && g.Socket.Unix {
			f.file("["+section(g, g.Processes[0])+"] socket", g.Socket.Path)
		}
		for _, p := range g.Processes {
			f.process("["+section(g, p)+"]", p)
		}
	}
	return f.found
}

// section returns the name of the section that a process comes from.
func section(g *config.Group, p *config.Process) string { return g.Kind.String() + ":" + p.Program }

// forecast collects what a start would run into.
type forecast struct {
	uid   int // of supervisord once it has started
	found []string
}

// note notes something, unless another process said the same.
func (f *forecast) note(where, format string, args ...any) {
	if text := where + ": " + fmt.Sprintf(format, args...); !slices.Contains(f.found, text) {
		f.found = append(f.found, text)
	}
}

// become looks whether supervisord can become a user.
func (f *forecast) become(where string, uid int) {
	if uid < 0 {
		return
	}
	if _, err := credential(uid); err != nil {
		f.note(where, "%v", err)
	}
}

// isOurs reports whether supervisord would be the user that asks now, so that
// what this one may do tells what supervisord may.
func (f *forecast) isOurs() bool { return f.uid == syscall.Geteuid() }

func (f *forecast) limits(minFDs, minProcs int) {
	if syscall.Geteuid() == 0 {
		return // Root can raise them.
	}
	for _, l := range []struct {
		key      string
		resource int
		least    int
	}{{"minfds", unix.RLIMIT_NOFILE, minFDs}, {"minprocs", unix.RLIMIT_NPROC, minProcs}} {
		var limit unix.Rlimit
		if err := unix.Getrlimit(l.resource, &limit); err != nil {
			f.note("[supervisord] "+l.key, "the limit cannot be read: %v", err)
		} else if l.least > 0 && uint64(limit.Max) < uint64(l.least) {
			f.note("[supervisord] "+l.key, "%d is more than the limit of this environment, which is %d", l.least, limit.Max)
		}
	}
}

// file looks whether a file can be made.
func (f *forecast) file(where, path string) {
	f.directory(where, filepath.Dir(path), unix.W_OK|unix.X_OK)
}

// directory looks whether there is a directory in which supervisord may do
// something.
func (f *forecast) directory(where, path string, mode uint32) {
	var stat syscall.Stat_t
	err := syscall.Stat(path, &stat)
	switch {
	case err != nil:
		f.note(where, "directory %s: %v", path, err)
	case stat.Mode&syscall.S_IFMT != syscall.S_IFDIR:
		f.note(where, "%s is not a directory", path)
	case f.isOurs():
		if err := unix.Access(path, mode); err != nil {
			f.note(where, "directory %s: %v", path, err)
		}
	}
}

// process looks whether a process can be started.
func (f *forecast) process(where string, p *config.Process) {
	if p.UID >= 0 && f.uid != 0 && p.UID != f.uid {
		f.note(where+" user", "%v", errNotRoot)
	}
	if p.GID >= 0 && f.uid != 0 && !(f.isOurs() && p.GID == syscall.Getegid()) {
		f.note(where+" group", "%v", groupRefused(p.GID))
	}
	f.log(where+" stdout_logfile", &p.Stdout)
	f.log(where+" stderr_logfile", &p.Stderr)
	if p.Directory != "" {
		f.directory(where+" directory", p.Directory, unix.X_OK)
	}
	if p.CommandError != "" {
		f.note(where+" command", "%s", p.CommandError)
		return
	}
	filled, err := Fill(p)
	if err != nil {
		f.note(where, "%v", err)
		return
	}
	for _, warning := range filled.Warnings {
		f.note(where, "%s", warning)
	}
	if _, err := Resolve(p.Argv, CommandPath(filled.Environment)); err != nil {
		f.note(where+" command", "%v", err)
	}
}

// log looks whether the log of a process can be made.
func (f *forecast) log(where string, l *config.Log) {
	if l.File.Kind == config.LogPath && l.File.Path != "" {
		f.file(where, l.File.Path)
	}
}
