package config

import (
	"errors"
	"math"
	"os/user"
	"strconv"
	"strings"

	"supervisord/internal/python"
)

// userID returns the id of a user named by name or id, who must exist.
func userID(name string) (int, error) {
	if id, err := python.Int(name, 10); err == nil {
		if _, err := lookupUser(id); err != nil {
			return 0, python.ValueErrorf("Invalid user id %s", name)
		}
		return int(id), nil
	}
	if strings.Contains(name, "\x00") {
		return 0, errors.New("embedded null byte")
	}
	u, err := user.Lookup(name)
	if err != nil {
		return 0, python.ValueErrorf("Invalid user name %s", name)
	}
	return strconv.Atoi(u.Uid)
}

// groupID returns the id of a group named by name or id, which must exist.
func groupID(name string) (int, error) {
	if id, err := python.Int(name, 10); err == nil {
		if id < 0 || id > math.MaxUint32 {
			return 0, python.ValueErrorf("Invalid group id %s", name)
		}
		if _, err := user.LookupGroupId(strconv.FormatInt(id, 10)); err != nil {
			return 0, python.ValueErrorf("Invalid group id %s", name)
		}
		return int(id), nil
	}
	if strings.Contains(name, "\x00") {
		return 0, errors.New("embedded null byte")
	}
	g, err := user.LookupGroup(name)
	if err != nil {
		return 0, python.ValueErrorf("Invalid group name %s", name)
	}
	return strconv.Atoi(g.Gid)
}

// primaryGroup returns the id of the group that a user belongs to first.
func primaryGroup(uid int) (int, error) {
	u, err := lookupUser(int64(uid))
	if err != nil {
		return 0, err
	}
	return strconv.Atoi(u.Gid)
}

func lookupUser(id int64) (*user.User, error) {
	if id < 0 || id > math.MaxUint32 {
		return nil, user.UnknownUserIdError(0)
	}
	return user.LookupId(strconv.FormatInt(id, 10))
}

// userAndGroup returns the ids in "user:group" or "user"; without a group its
// id is -1.
func userAndGroup(text string) (uid, gid int, err error) {
	name, group, hasGroup := strings.Cut(text, ":")
	if uid, err = userID(name); err != nil {
		return 0, 0, err
	}
	if !hasGroup {
		return uid, -1, nil
	}
	gid, err = groupID(group)
	return uid, gid, err
}
