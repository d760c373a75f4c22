package logfile

import (
	"cmp"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"syscall"
	"time"
)

// successorTries limits how often the search for a successor starts again
// because the files were renamed meanwhile. After the last the caller waits for
// the next change, which a rotation is.
const successorTries = 100

// successor opens the file that was written after file, which was once found at
// path. It returns nil if there is none yet: file is still the one at path, or
// the one that took its place is empty, so that its writer may not have noticed
// that and may be writing to file.
func successor(path string, file *os.File) *os.File {
	own, err := file.Stat()
	if err != nil {
		return nil
	}
	for range successorTries {
		live, err := os.Stat(path)
		if err == nil && os.SameFile(own, live) {
			return nil
		}
		name, predecessor := follow(path, own)
		next, size, err := openRead(name)
		if err != nil {
			if name == path {
				return nil
			}
			continue
		}
		if name == path && size == 0 {
			next.Close()
			return nil
		}
		// If the same name is found again, nothing was renamed to it between
		// the search and the opening: the oldest backup is renamed first, and
		// the one that takes its place last.
		if predecessor != "" {
			if n, p := follow(path, own); n != name || p != predecessor {
				next.Close()
				continue
			}
		} else if now, _ := os.Stat(path); !sameFile(live, now) {
			// That file was not found among the backups says something only
			// if at most the beginning of one rotation went on meanwhile.
			next.Close()
			continue
		}
		return next
	}
	return nil
}

// sameFile reports whether a and b describe the same file, or none.
func sameFile(a, b os.FileInfo) bool {
	if a == nil || b == nil {
		return a == nil && b == nil
	}
	return os.SameFile(a, b)
}

// isAt reports whether name leads to the file that own describes.
func isAt(own os.FileInfo, name string) bool {
	info, err := os.Stat(name)
	return err == nil && os.SameFile(own, info)
}

// follow returns the name of the file that was written after the one that own
// describes. If that is a backup its name is returned too.
func follow(path string, own os.FileInfo) (name, predecessor string) {
	backups := backupsOf(path)
	if n := position(path, own, backups); n > 0 {
		predecessor = numbered(path, n)
		for n--; n > 0; n-- {
			if _, err := os.Stat(numbered(path, n)); err == nil {
				break
			}
		}
		return numbered(path, n), predecessor
	}
	next := len(backups)
	for i, b := range backups {
		if os.SameFile(own, b.info) {
			next, predecessor = i+1, b.name
			break
		}
		// Backups that are newer than a file that was removed came after it. A
		// file that was not was renamed by another tool, and has no backups.
		if removed(own) && b.info.ModTime().After(own.ModTime()) {
			next = min(next, i)
		}
	}
	if next < len(backups) {
		return backups[next].name, predecessor
	}
	return path, predecessor
}

// position returns the number of the backup that own describes, or 0. It asks
// for one name after the other, because a list of the directory can miss a file
// that is renamed meanwhile: backups move to higher numbers only.
func position(path string, own os.FileInfo, backups []backup) int {
	highest := 0
	for _, b := range backups {
		highest = max(highest, b.number)
	}
	// A rotation adds one, and the list may have missed one.
	for n := 1; n <= highest+2; n++ {
		if isAt(own, numbered(path, n)) {
			return n
		}
	}
	return 0
}

// removed reports whether the open file that own describes has no name any
// more.
func removed(own os.FileInfo) bool {
	stat, ok := own.Sys().(*syscall.Stat_t)
	return ok && stat.Nlink == 0
}

// backup is a rotated file.
type backup struct {
	name   string
	info   os.FileInfo
	number int       // of a numbered backup
	time   time.Time // of a timestamped one
}

// backupsOf returns the backups of path that are not compressed, oldest first.
func backupsOf(path string) []backup {
	dir, base := filepath.Split(path)
	entries, err := os.ReadDir(cmp.Or(dir, "."))
	if err != nil {
		return nil
	}
	var list []backup
	for _, e := range entries {
		b, ok := parseBackup(base, e.Name())
		if !ok {
			continue
		}
		b.name = filepath.Join(dir, e.Name())
		if b.info, err = os.Stat(b.name); err == nil && b.info.Mode().IsRegular() {
			list = append(list, b)
		}
	}
	slices.SortFunc(list, func(a, b backup) int {
		return cmp.Or(cmp.Compare(b.number, a.number), a.time.Compare(b.time))
	})
	return list
}

// parseBackup reports whether name is that of a backup of the file base, and
// what the name tells about it.
func parseBackup(base, name string) (b backup, ok bool) {
	if number, found := strings.CutPrefix(name, base+"."); found {
		n, err := strconv.ParseUint(number, 10, 31)
		return backup{number: int(n)}, err == nil && n > 0
	}
	ext := filepath.Ext(base)
	stamp, found := strings.CutPrefix(name, strings.TrimSuffix(base, ext)+"-")
	if !found {
		return backup{}, false
	}
	if stamp, found = strings.CutSuffix(stamp, ext); !found {
		return backup{}, false
	}
	t, err := time.Parse("2006-01-02T15-04-05.000", stamp)
	return backup{time: t}, err == nil
}
