package launch

import (
	"errors"
	"io/fs"
	"net"
	"os"
	"os/user"
	"strconv"
	"syscall"

	"supervisord/internal/config"
)

// maxTakeovers is how often a stale socket is removed before the address
// counts as in use: somebody else is racing for it.
const maxTakeovers = 10

// listenUnix opens a UNIX socket. It is made under a name of this process's
// own, gets its owner and mode there, and listens before it appears under its
// real name by a hard link, which fails if the name exists: so there is no
// moment in which more users than configured can connect, a connection is never
// refused by a socket that is there, and of two daemons one wins.
func listenUnix(server *config.Server, notice func(string)) (net.Listener, os.FileInfo, error) {
	temp := server.File + "." + strconv.Itoa(os.Getpid())
	os.Remove(temp)
	fd, err := bindUnix(temp, server.Mode)
	if err != nil {
		return nil, nil, err
	}
	f := os.NewFile(uintptr(fd), temp)
	defer f.Close() // net.FileListener duplicates it
	defer os.Remove(temp)
	if err := os.Lchown(temp, server.OwnerUID, server.OwnerGID); err != nil {
		return nil, nil, chownError(server, err)
	}
	if err := os.Chmod(temp, server.Mode); err != nil {
		return nil, nil, err
	}
	if err := syscall.Listen(fd, syscall.SOMAXCONN); err != nil {
		return nil, nil, os.NewSyscallError("listen", err)
	}
	info, err := os.Lstat(temp)
	if err != nil {
		return nil, nil, err
	}
	if err := publish(temp, server.File, notice); err != nil {
		return nil, nil, err
	}
	l, err := net.FileListener(f)
	if err != nil {
		os.Remove(server.File)
	}
	return l, info, err
}

// publish gives a socket its real name.
func publish(temp, path string, notice func(string)) error {
	for range maxTakeovers {
		err := os.Link(temp, path)
		if err == nil {
			return nil
		}
		if err := takeOver(path, notice); err != nil {
			return err
		}
		if !errors.Is(err, fs.ErrExist) {
			// The file system has no hard links, or none of sockets.
			return os.Rename(temp, path)
		}
	}
	return os.NewSyscallError("bind", syscall.EADDRINUSE)
}

// bindUnix returns a socket that is bound to path and does not listen yet. The
// mode of the file is never wider than the given one.
func bindUnix(path string, mode os.FileMode) (int, error) {
	fd, err := socket(syscall.AF_UNIX)
	if err != nil {
		return -1, err
	}
	// On Linux the file gets the mode of the socket; elsewhere nobody can
	// connect before the socket listens.
	syscall.Fchmod(fd, uint32(mode.Perm()))
	err = syscall.Bind(fd, &syscall.SockaddrUnix{Name: path})
	if err == nil {
		return fd, nil
	}
	syscall.Close(fd)
	if err == syscall.EINVAL && len(path) >= len(syscall.RawSockaddrUnix{}.Path) {
		return -1, errors.New("AF_UNIX path too long")
	}
	return -1, os.NewSyscallError("bind", err)
}

// socket returns a stream socket that is close-on-exec.
func socket(family int) (int, error) {
	syscall.ForkLock.RLock()
	defer syscall.ForkLock.RUnlock()
	fd, err := syscall.Socket(family, syscall.SOCK_STREAM, 0)
	if err != nil {
		return -1, os.NewSyscallError("socket", err)
	}
	syscall.CloseOnExec(fd)
	return fd, nil
}

// takeOver removes the socket of a daemon that is gone. A socket on which
// somebody listens, or a file that is no socket, stays and is an error.
func takeOver(path string, notice func(string)) error {
	info, err := os.Lstat(path)
	if errors.Is(err, fs.ErrNotExist) {
		return nil
	}
	if err != nil {
		return err
	}
	if info.Mode().Type() != fs.ModeSocket {
		return os.NewSyscallError("bind", syscall.ENOTSOCK)
	}
	conn, err := net.Dial("unix", path)
	if err == nil {
		conn.Close()
		return os.NewSyscallError("bind", syscall.EADDRINUSE)
	}
	switch {
	case errors.Is(err, fs.ErrNotExist):
		return nil
	case !errors.Is(err, syscall.ECONNREFUSED):
		return os.NewSyscallError("bind", syscall.EADDRINUSE) // somebody listens, but not to us
	}
	notice("Unlinking stale socket " + path)
	if err := os.Remove(path); err != nil && !errors.Is(err, fs.ErrNotExist) {
		return err
	}
	return nil
}

func chownError(server *config.Server, err error) error {
	if !errors.Is(err, syscall.EPERM) {
		return err
	}
	name := strconv.Itoa(os.Geteuid())
	if u, err := user.LookupId(name); err == nil {
		name = u.Username
	}
	return refusef("Not permitted to chown %s to uid/gid (%d, %d); adjust \"sockchown\" value in config"+
		" file or on command line to values that the current user (%s) can successfully chown",
		server.File, server.OwnerUID, server.OwnerGID, name)
}
