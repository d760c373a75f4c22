package logfile

import (
	"cmp"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
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
		if info, err := os.Stat(path); err == nil && os.SameFile(own, info) {
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
		// As long as file is still where it was, nothing was renamed to the name
		// that was opened, because the oldest backup is renamed first.
		if predecessor != "" && !isAt(own, predecessor) {
			next.Close()
			continue
		}
		return next
	}
	return nil
}

// isAt reports whether name leads to the file that own describes.
func isAt(own os.FileInfo, name string) bool {
	info, err := os.Stat(name)
	return err == nil && os.SameFile(own, info)
}

// follow returns the name of the file that was written after the one that own
// describes. If own is a backup of path its name is returned too; otherwise the
// times tell which backups are newer.
func follow(path string, own os.FileInfo) (name, predecessor string) {
	backups := backupsOf(path)
	next := 0
	for i, b := range backups {
		if os.SameFile(own, b.info) {
			next, predecessor = i+1, b.name
			break
		}
		if !b.info.ModTime().After(own.ModTime()) {
			next = i + 1
		}
	}
	if next < len(backups) {
		return backups[next].name, predecessor
	}
	return path, predecessor
}

// backup is a rotated file.
type backup struct {
	name  string
	info  os.FileInfo
	order int64 // smaller is older
}

// backupsOf returns the backups of path that are not compressed, oldest first.
func backupsOf(path string) []backup {
	dir, base := filepath.Split(path)
	if dir == "" {
		dir = "."
	}
	entries, err := os.ReadDir(dir)
	if err != nil {
		return nil
	}
	var list []backup
	for _, e := range entries {
		order, ok := backupOrder(base, e.Name())
		if !ok {
			continue
		}
		name := filepath.Join(dir, e.Name())
		if info, err := os.Stat(name); err == nil && info.Mode().IsRegular() {
			list = append(list, backup{name, info, order})
		}
	}
	slices.SortFunc(list, func(a, b backup) int { return cmp.Compare(a.order, b.order) })
	return list
}

// backupOrder reports whether name is that of a backup of the file base, and
// its place among them: numbered ones, the highest number first, then
// timestamped ones.
func backupOrder(base, name string) (order int64, ok bool) {
	if number, found := strings.CutPrefix(name, base+"."); found {
		n, err := strconv.ParseUint(number, 10, 31)
		return -int64(n), err == nil
	}
	ext := filepath.Ext(base)
	stamp, found := strings.CutPrefix(name, strings.TrimSuffix(base, ext)+"-")
	if !found {
		return 0, false
	}
	if stamp, found = strings.CutSuffix(stamp, ext); !found {
		return 0, false
	}
	t, err := time.Parse("2006-01-02T15-04-05.000", stamp)
	return t.UnixNano(), err == nil
}
