package probe

import (
	"fmt"
	"net"
	"os"
	"strconv"
	"strings"

	"golang.org/x/sys/unix"
)

// maxControl is the room for who sent a message and for its descriptors.
const maxControl = 1 << 10

// Listen makes a socket. Its name is not in the file system, so that a process
// of any user can send to it; who does is checked by Belongs.
func Listen(name string) (*Socket, error) {
	address := "@supervisord/" + strconv.Itoa(os.Getpid()) + "/" + name
	conn, err := net.ListenUnixgram("unixgram", &net.UnixAddr{Name: address, Net: "unixgram"})
	if err != nil {
		return nil, fmt.Errorf("listen for the messages of a program: %w", err)
	}
	raw, err := conn.SyscallConn()
	if err == nil {
		var set error
		err = raw.Control(func(fd uintptr) { set = unix.SetsockoptInt(int(fd), unix.SOL_SOCKET, unix.SO_PASSCRED, 1) })
		if err == nil {
			err = set
		}
	}
	if err != nil {
		conn.Close()
		return nil, fmt.Errorf("listen for the messages of a program: %w", err)
	}
	return &Socket{conn: conn, Address: address}, nil
}

func readControl(oob []byte) *Sender {
	s := &Sender{PID: -1, UID: -1}
	messages, err := unix.ParseSocketControlMessage(oob)
	if err != nil {
		return s
	}
	for i := range messages {
		if cred, err := unix.ParseUnixCredentials(&messages[i]); err == nil {
			s.PID, s.UID = int(cred.Pid), int(cred.Uid)
		}
		if files, err := unix.ParseUnixRights(&messages[i]); err == nil {
			s.files = append(s.files, files...)
		}
	}
	return s
}

// maxAncestors is how far up a sender is followed.
const maxAncestors = 32

// Belongs reports whether the sender is a process, is of its process group, or
// descends from it. Of one that has ended already only the user is known, which
// must be uid or root.
func (s *Sender) Belongs(pid, uid int) bool {
	if s.PID <= 0 {
		return false
	}
	for p, n := s.PID, 0; n < maxAncestors && p > 1; n++ {
		if p == pid {
			return true
		}
		group, err := unix.Getpgid(p)
		if err != nil {
			return s.UID == uid || s.UID == 0
		}
		if group == pid {
			return true
		}
		if p = parentOf(p); p == os.Getpid() {
			return false
		}
	}
	return false
}

// parentOf returns the parent of a process, 0 if it is not known.
func parentOf(pid int) int {
	data, err := os.ReadFile("/proc/" + strconv.Itoa(pid) + "/stat")
	if err != nil {
		return 0
	}
	_, rest, _ := strings.Cut(string(data[strings.LastIndexByte(string(data), ')')+1:]), " ")
	fields := strings.Fields(rest)
	if len(fields) < 2 {
		return 0
	}
	parent, _ := strconv.Atoi(fields[1])
	return parent
}
