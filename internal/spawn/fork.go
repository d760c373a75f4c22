package spawn

import (
	"os"
	"sync"
	"syscall"
)

// fork starts the process and returns when it executes its program, or has
// failed in a way that it will tell its standard error about: so a signal sent
// to the pid from now on reaches the program and is not lost. The errno says
// that no process could be made.
//
// The process is forked directly where that works. What Go's fork cannot do,
// which is a umask, and what it cannot word, which is any failure between fork
// and exec, is left to a launcher: see Shim.
func (spec *Spec) fork(files [3]int) (int, syscall.Errno) {
	if spec.Umask < 0 && spec.UserError == "" {
		pid, err := syscall.ForkExec(spec.Path, spec.Argv, &syscall.ProcAttr{
			Dir:   spec.Dir,
			Env:   spec.Env,
			Files: []uintptr{uintptr(files[0]), uintptr(files[1]), uintptr(files[2])},
			Sys:   &syscall.SysProcAttr{Setpgid: true, Credential: spec.Credential},
		})
		if err == nil {
			return pid, 0
		}
	}
	pid, errno := launch(spec.launcherArgs(), spec.Env, files)
	switch errno {
	case 0:
		return pid, 0
	case syscall.EAGAIN, syscall.ENOMEM, syscall.EMFILE, syscall.ENFILE:
		return 0, errno
	}
	// The arguments or the environment are such that nothing can be executed
	// with them (E2BIG, EINVAL for a NUL byte). Only the words are left.
	return launch(spec.epitaphArgs(errno), nil, files)
}

// launch starts this program as a launcher and waits until it has executed its
// program or ended.
func launch(args, env []string, files [3]int) (int, syscall.Errno) {
	exe, err := launcher()
	if err != nil {
		return 0, errnoOf(err)
	}
	var sync [2]int
	if err := pipe(&sync); err != nil {
		return 0, errnoOf(err)
	}
	defer syscall.Close(sync[0])
	pid, err := syscall.ForkExec(exe, args, &syscall.ProcAttr{
		Env:   env,
		Files: []uintptr{uintptr(files[0]), uintptr(files[1]), uintptr(files[2]), uintptr(sync[1])},
		Sys:   &syscall.SysProcAttr{Setpgid: true},
	})
	syscall.Close(sync[1])
	if err != nil {
		return 0, errnoOf(err)
	}
	// The launcher's end closes when it executes the program, or ends.
	var b [1]byte
	for {
		if _, err := syscall.Read(sync[0], b[:]); err != syscall.EINTR {
			return pid, 0
		}
	}
}

// launcher returns the path of this program.
var launcher = sync.OnceValues(func() (string, error) {
	if selfExe != "" {
		if _, err := os.Stat(selfExe); err == nil {
			return selfExe, nil
		}
	}
	return os.Executable()
})
