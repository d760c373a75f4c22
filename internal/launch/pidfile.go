package launch

import (
	"os"
	"path/filepath"
	"strconv"
)

// Pidfile is a file that holds the pid of this process.
type Pidfile struct {
	path    string
	content string
}

// PidfileError says that a pidfile could not be written.
type PidfileError struct {
	Path string
	Err  error // the cause, which Supervisor keeps to itself
}

// Error returns the text for the activity log, which is Supervisor's.
func (e *PidfileError) Error() string { return "could not write pidfile " + e.Path }

// Unwrap returns the cause.
func (e *PidfileError) Unwrap() error { return e.Err }

func newPidfile(path string) *Pidfile {
	return &Pidfile{path: path, content: strconv.Itoa(os.Getpid()) + "\n"}
}

// WritePidfile writes the pid of this process and a newline to path.
//
// In a directory that everybody may write to, such as /tmp, the file takes the
// place of whatever has the name: what others planted there (a link to a file
// of root's, a file that they can change later, a fifo) is neither followed nor
// used. Elsewhere an existing file is written in place, so that a link or
// /dev/null does what the administrator wants. The error is a *PidfileError.
func WritePidfile(path string) (*Pidfile, error) {
	p := newPidfile(path)
	const worldWritable = 0o002
	dir, err := os.Stat(filepath.Dir(path))
	if err == nil && dir.Mode().Perm()&worldWritable != 0 {
		err = p.replace()
	} else {
		err = os.WriteFile(path, []byte(p.content), 0o666)
	}
	if err != nil {
		return nil, &PidfileError{Path: path, Err: err}
	}
	return p, nil
}

// replace writes the file under a name of its own and gives it the right one.
func (p *Pidfile) replace() error {
	temp, err := createTemp(filepath.Dir(p.path), filepath.Base(p.path)+".", "", 0o666)
	if err != nil {
		return err
	}
	_, err = temp.WriteString(p.content)
	if closeErr := temp.Close(); err == nil {
		err = closeErr
	}
	if err == nil {
		err = os.Rename(temp.Name(), p.path)
	}
	if err != nil {
		os.Remove(temp.Name())
	}
	return err
}

// Remove removes the file, unless another process has put its own pid there.
func (p *Pidfile) Remove() error {
	// A file that cannot be read has nothing of ours; neither has a device.
	info, err := os.Stat(p.path)
	if err != nil || !info.Mode().IsRegular() || info.Size() != int64(len(p.content)) {
		return nil
	}
	content, err := os.ReadFile(p.path)
	if err != nil || string(content) != p.content {
		return nil
	}
	return os.Remove(p.path)
}
