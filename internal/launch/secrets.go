package launch

import (
	"errors"
	"fmt"
	"io"
	"io/fs"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"syscall"

	"supervisord/internal/config"
	"supervisord/internal/envfile"
	"supervisord/internal/python"
)

// Limits on the files that a process is started with, in bytes. The kernel
// takes no longer value than maxSecret.
const (
	maxEnvironmentFile = 1 << 20
	maxSecret          = 128 << 10
)

// Filled is what a process is started with, once the files that its
// configuration names were read.
type Filled struct {
	Argv []string
	// Environment is what comes on top of the daemon's own environment.
	Environment map[string]string
	// Warnings are for the activity log.
	Warnings []string
}

// Fill reads the environment files and the secrets of a process. What only the
// process is to know is in the result and nowhere else: neither the error nor a
// warning tells more than the names of files and the numbers of lines.
func Fill(p *config.Process) (Filled, error) {
	f := Filled{Argv: p.Argv, Environment: p.Environment}
	if !p.UserEnvironment && p.EnvironmentFiles == nil && p.EnvironmentSecrets == nil && p.ArgvSecrets == nil {
		return f, nil
	}
	f.Environment = make(map[string]string, len(p.Environment))
	if p.UserEnvironment {
		variables, err := userVariables(p.UID)
		if err != nil {
			return Filled{}, err
		}
		maps.Copy(f.Environment, variables)
	}
	maps.Copy(f.Environment, p.Environment)
	for _, name := range slices.Sorted(maps.Keys(p.EnvironmentSecrets)) {
		value, err := fillIn(p.EnvironmentSecrets[name])
		if err != nil {
			return Filled{}, err
		}
		f.Environment[name] = value
	}
	for _, file := range p.EnvironmentFiles {
		if err := f.read(file); err != nil {
			return Filled{}, err
		}
	}
	return f, f.fillArgv(p)
}

func (f *Filled) fillArgv(p *config.Process) error {
	if p.ArgvSecrets == nil {
		return nil
	}
	f.Argv = slices.Clone(p.Argv)
	for i, t := range p.ArgvSecrets {
		word, err := fillIn(t)
		if err != nil {
			return err
		}
		f.Argv[i] = word
	}
	return nil
}

// read adds the variables of an environment file, or of all that match its
// pattern.
func (f *Filled) read(file config.EnvironmentFile) error {
	paths := []string{file.Path}
	if strings.ContainsAny(file.Path, "*?[") {
		matches, err := filepath.Glob(file.Path)
		if err != nil {
			return refusef("can't read environment file %s: %v", python.Repr(file.Path), err)
		}
		if len(matches) == 0 && !file.Optional {
			return refusef("can't read environment file %s: nothing matches", python.Repr(file.Path))
		}
		paths = matches
	}
	for _, path := range paths {
		if err := f.readOne(path); err != nil && !(file.Optional && errors.Is(err, fs.ErrNotExist)) {
			return refusef("can't read environment file %s: %v", python.Repr(path), err)
		}
	}
	return nil
}

func (f *Filled) readOne(path string) error {
	data, err := readRegular(path, maxEnvironmentFile)
	if err != nil {
		return err
	}
	variables, bad, err := envfile.Parse(data)
	if err != nil {
		return err
	}
	for _, v := range variables {
		f.Environment[v.Name] = v.Value
	}
	if len(bad) > 0 {
		f.Warnings = append(f.Warnings, fmt.Sprintf("line %d of environment file %s is no NAME=VALUE and sets nothing%s",
			bad[0], python.Repr(path), andMore(len(bad)-1)))
	}
	return nil
}

func andMore(n int) string {
	if n == 0 {
		return ""
	}
	return fmt.Sprintf(", nor do %d more lines", n)
}

// fillIn returns a value with the contents of its files, each without the
// newline at its end.
func fillIn(t config.Template) (string, error) {
	var b strings.Builder
	for _, part := range t {
		b.WriteString(part.Text)
		if part.File == "" {
			continue
		}
		data, err := readRegular(part.File, maxSecret)
		if err == nil && slices.Contains(data, 0) {
			err = errors.New("it has a NUL character")
		}
		if err != nil {
			return "", refusef("can't read secret file %s: %v", python.Repr(part.File), err)
		}
		b.WriteString(strings.TrimSuffix(string(data), "\n"))
	}
	return b.String(), nil
}

// readRegular reads a file of up to limit bytes. It does not wait for what is
// no regular file. The error does not name the file.
func readRegular(path string, limit int64) ([]byte, error) {
	f, err := os.OpenFile(path, os.O_RDONLY|syscall.O_NONBLOCK|syscall.O_NOCTTY, 0)
	if err != nil {
		return nil, cause(err)
	}
	defer f.Close()
	info, err := f.Stat()
	if err != nil {
		return nil, cause(err)
	}
	if !info.Mode().IsRegular() {
		return nil, errors.New("it is not a regular file")
	}
	data, err := io.ReadAll(io.LimitReader(f, limit+1))
	switch {
	case err != nil:
		return nil, cause(err)
	case int64(len(data)) > limit:
		return nil, fmt.Errorf("it is larger than %d bytes", limit)
	}
	return data, nil
}

// cause returns an error about a file without the operation and the name.
func cause(err error) error {
	if e := (*fs.PathError)(nil); errors.As(err, &e) {
		return e.Err
	}
	return err
}
