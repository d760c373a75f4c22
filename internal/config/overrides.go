package config

import (
	"fmt"
	"io/fs"

	"supervisord/internal/api"
)

// Overrides holds what the command line of the daemon sets. A nil field leaves
// the value to the file; the switches can only be turned on.
type Overrides struct {
	NoDaemon  bool
	Silent    bool
	NoCleanup bool
	StripANSI bool

	User            *string
	Umask           *fs.FileMode
	Directory       *string
	Logfile         *string
	LogfileMaxBytes *int64
	LogfileBackups  *int
	LogLevel        *api.LogLevel
	Pidfile         *string
	Identifier      *string
	ChildLogDir     *string
	MinFDs          *int
	MinProcs        *int
}

// Set sets the override that has the name of an option of [supervisord], for
// example "logfile_maxbytes", from text. For a switch the text does not count.
// The error says why the text is no value for the option.
func (o *Overrides) Set(name, text string) error {
	env := newEnviron(nil)
	switch name {
	case "nodaemon":
		o.NoDaemon = true
	case "silent":
		o.Silent = true
	case "nocleanup":
		o.NoCleanup = true
	case "strip_ansi":
		o.StripANSI = true
	case "user":
		o.User = &text
	case "identifier":
		o.Identifier = &text
	case "umask":
		return override(&o.Umask, text, umask)
	case "directory":
		return override(&o.Directory, text, env.existingDirectory)
	case "logfile":
		return override(&o.Logfile, text, env.existingDirpath)
	case "logfile_maxbytes":
		return override(&o.LogfileMaxBytes, text, byteSize)
	case "logfile_backups":
		return override(&o.LogfileBackups, text, integer)
	case "loglevel":
		return override(&o.LogLevel, text, loggingLevel)
	case "pidfile":
		return override(&o.Pidfile, text, env.existingDirpath)
	case "childlogdir":
		return override(&o.ChildLogDir, text, env.existingDirectory)
	case "minfds":
		return override(&o.MinFDs, text, integer)
	case "minprocs":
		return override(&o.MinProcs, text, integer)
	default:
		return fmt.Errorf("no option is named %s", name)
	}
	return nil
}

func override[T any](field **T, text string, parse func(string) (T, error)) error {
	v, err := parse(text)
	if err != nil {
		return err
	}
	*field = &v
	return nil
}

// apply puts the overrides in the place of what the file set.
func (o *Overrides) apply(s *Supervisord) {
	s.NoDaemon = s.NoDaemon || o.NoDaemon
	s.Silent = s.Silent || o.Silent
	s.NoCleanup = s.NoCleanup || o.NoCleanup
	s.StripANSI = s.StripANSI || o.StripANSI
	replace(&s.User, o.User)
	replace(&s.Umask, o.Umask)
	replace(&s.Directory, o.Directory)
	// An empty path counts as none, here and nowhere else.
	if o.Logfile != nil && *o.Logfile != "" {
		s.Logfile = *o.Logfile
	}
	replace(&s.LogfileMaxBytes, o.LogfileMaxBytes)
	replace(&s.LogfileBackups, o.LogfileBackups)
	replace(&s.LogLevel, o.LogLevel)
	if o.Pidfile != nil && *o.Pidfile != "" {
		s.Pidfile = *o.Pidfile
	}
	replace(&s.Identifier, o.Identifier)
	replace(&s.ChildLogDir, o.ChildLogDir)
	replace(&s.MinFDs, o.MinFDs)
	replace(&s.MinProcs, o.MinProcs)
}

func replace[T any](field *T, by *T) {
	if by != nil {
		*field = *by
	}
}
