package launch

import (
	"errors"
	"net"
	"os"
	"syscall"

	"supervisord/internal/config"
)

// ListenFastCGI opens the socket of a FastCGI group (manual: Configuration
// File, [fcgi-program:x] section settings) and returns a descriptor that
// belongs to the caller. It is close-on-exec and blocks, as processes expect of
// the socket that they find as their standard input. A file in the way of a
// UNIX socket is removed.
func ListenFastCGI(s *config.Socket) (fd int, err error) {
	if s.Unix {
		fd, err = bindFastCGI(s)
	} else {
		fd, err = bindTCP(s.Host, s.Port)
	}
	if err != nil {
		return -1, socketRefusal(err)
	}
	backlog := s.Backlog
	if backlog == 0 {
		backlog = syscall.SOMAXCONN
	}
	if err := syscall.Listen(fd, backlog); err != nil {
		syscall.Close(fd)
		return -1, socketRefusal(err)
	}
	return fd, nil
}

// socketRefusal words why a socket could not be opened as Supervisor does.
func socketRefusal(err error) error {
	if _, ok := errors.AsType[refusal](err); ok {
		return err
	}
	if dns, ok := errors.AsType[*net.DNSError](err); ok && dns.IsNotFound {
		return refusef("[Errno -2] Name or service not known")
	}
	if file, ok := errors.AsType[*os.PathError](err); ok {
		return refusef("%s", osError(err, file.Path))
	}
	if errno, ok := errors.AsType[syscall.Errno](err); ok {
		return refusef("%s", errnoText(errno))
	}
	return err
}

func bindFastCGI(s *config.Socket) (int, error) {
	// Not os.Remove, which would remove a directory, too.
	if err := syscall.Unlink(s.Path); err != nil && err != syscall.ENOENT {
		return -1, &os.PathError{Op: "unlink", Path: s.Path, Err: err}
	}
	fd, err := bindUnix(s.Path, s.Mode)
	if err != nil {
		return -1, err
	}
	if err := os.Lchown(s.Path, s.OwnerUID, s.OwnerGID); err != nil {
		syscall.Close(fd)
		os.Remove(s.Path)
		return -1, refusef("Could not change ownership of socket file: %s", osError(err, s.Path))
	}
	if err := os.Chmod(s.Path, s.Mode); err != nil {
		syscall.Close(fd)
		os.Remove(s.Path)
		return -1, refusef("Could not change permissions of socket file: %s", osError(err, s.Path))
	}
	return fd, nil
}

func bindTCP(host string, port int) (int, error) {
	addr := &net.TCPAddr{Port: port}
	if host != "" {
		ip, err := net.ResolveIPAddr("ip", host)
		if err != nil {
			return -1, err
		}
		addr.IP = ip.IP
	}
	family, sa := sockaddr(addr)
	fd, err := socket(family)
	if err != nil {
		return -1, err
	}
	if err := syscall.SetsockoptInt(fd, syscall.SOL_SOCKET, syscall.SO_REUSEADDR, 1); err != nil {
		syscall.Close(fd)
		return -1, os.NewSyscallError("setsockopt", err)
	}
	if err := syscall.Bind(fd, sa); err != nil {
		syscall.Close(fd)
		return -1, os.NewSyscallError("bind", err)
	}
	return fd, nil
}

// sockaddr returns the address as the kernel takes it. Without an address it is
// all IPv4 addresses, as Supervisor has it.
func sockaddr(addr *net.TCPAddr) (family int, sa syscall.Sockaddr) {
	if ip := addr.IP.To4(); ip != nil || addr.IP == nil {
		v4 := &syscall.SockaddrInet4{Port: addr.Port}
		copy(v4.Addr[:], ip)
		return syscall.AF_INET, v4
	}
	v6 := &syscall.SockaddrInet6{Port: addr.Port}
	copy(v6.Addr[:], addr.IP.To16())
	return syscall.AF_INET6, v6
}
