package launch

import (
	"fmt"
	"os/user"
	"strconv"
	"syscall"
)

// The words in which Supervisor refuses a user.
const (
	errNotRoot   refusal = "Can't drop privilege as nonroot user"
	errSetgroups refusal = "Could not set groups of effective user"
	errSetgid    refusal = "Could not set group id of effective user"
)

// RunningAsRoot is the critical message of a daemon that runs as root without
// having been told to.
const RunningAsRoot = "Supervisor is running as root.  Privileges were not dropped because no user is specified" +
	" in the config file.  If you intend to run as root, you can set user=root in the config file" +
	" to avoid this message."

// credential returns what it takes to become the user: uid, primary group and
// all groups that the user is in, the primary one first. It is nil when the
// process is that user already.
func credential(uid int) (*syscall.Credential, error) {
	u, err := user.LookupId(strconv.Itoa(uid))
	if err != nil {
		return nil, refusef("Can't find uid %d", uid)
	}
	if syscall.Getuid() == uid {
		return nil, nil
	}
	if syscall.Getuid() != 0 {
		return nil, errNotRoot
	}
	gid, err := strconv.ParseUint(u.Gid, 10, 32)
	if err != nil {
		return nil, errSetgid
	}
	names, err := u.GroupIds()
	if err != nil {
		return nil, errSetgroups
	}
	groups := []uint32{uint32(gid)}
	for _, name := range names {
		g, err := strconv.ParseUint(name, 10, 32)
		if err == nil && g != gid {
			groups = append(groups, uint32(g))
		}
	}
	return &syscall.Credential{Uid: uint32(uid), Gid: uint32(gid), Groups: groups}, nil
}

// ChildCredential returns what a process needs to run as uid, and how messages
// name that user. The credential is nil where the daemon is that user already.
// A reason that is not empty says in Supervisor's words why the process cannot
// become the user; it is to fail with it. It reads the system's user database.
func ChildCredential(uid int) (c *syscall.Credential, name, reason string) {
	c, err := credential(uid)
	if err != nil {
		reason = err.Error()
	}
	return c, strconv.Itoa(uid), reason
}

func groupRefused(gid int) error { return refusef("Can't set group id %d as nonroot user", gid) }

// WithGroup returns what a process needs to have gid as its group, besides what
// c makes it; it stays in the other groups. The result is nil where there is
// nothing to do.
func WithGroup(c *syscall.Credential, gid int) (*syscall.Credential, error) {
	if c == nil {
		if syscall.Geteuid() != 0 {
			if syscall.Getegid() == gid {
				return nil, nil
			}
			return nil, groupRefused(gid)
		}
		groups, err := syscall.Getgroups()
		if err != nil {
			return nil, errSetgroups
		}
		c = &syscall.Credential{Uid: uint32(syscall.Geteuid())}
		for _, g := range groups {
			c.Groups = append(c.Groups, uint32(g))
		}
	}
	with := &syscall.Credential{Uid: c.Uid, Gid: uint32(gid), Groups: []uint32{uint32(gid)}}
	for _, g := range c.Groups {
		if g != uint32(gid) {
			with.Groups = append(with.Groups, g)
		}
	}
	return with, nil
}

// DropPrivileges makes the daemon run as uid, with the groups of that user, for
// good. A uid of -1 changes nothing. The messages are for the activity log,
// which is opened only after this; the error is the text that ends the daemon.
func DropPrivileges(uid int) (critical, info string, err error) {
	if uid < 0 {
		if syscall.Getuid() == 0 {
			critical = RunningAsRoot
		}
		return critical, "", nil
	}
	c, err := credential(uid)
	if err != nil {
		return "", "", err
	}
	if c != nil {
		if err := become(c); err != nil {
			return "", "", err
		}
	}
	return "", fmt.Sprintf("Set uid to user %d succeeded", uid), nil
}

// become changes the user of every thread of this process.
func become(c *syscall.Credential) error {
	groups := make([]int, len(c.Groups))
	for i, g := range c.Groups {
		groups[i] = int(g)
	}
	if err := syscall.Setgroups(groups); err != nil {
		return errSetgroups
	}
	if err := syscall.Setgid(int(c.Gid)); err != nil {
		return errSetgid
	}
	if err := syscall.Setuid(int(c.Uid)); err != nil {
		return fmt.Errorf("set user id %d: %w", c.Uid, err)
	}
	return nil
}
