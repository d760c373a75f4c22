package adopt

import (
	"encoding/binary"
	"errors"
	"fmt"
	"hash/crc32"
	"io"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"syscall"
)

// Names of files in the directory. Those of a process begin with its key.
const (
	stateFile    = "state"
	payloadEnd   = ".event"
	heardEnd     = ".heard"
	spoolEnd     = ".spool" // behind the number of the channel
	maxKeyLength = 80
)

// ends are those of all names of files of a process.
var ends = []string{".0", ".1", ".2", payloadEnd, heardEnd, ".1" + spoolEnd, ".2" + spoolEnd}

// maxSlots limits the file of the records.
const maxSlots = 1 << 16

// Directory is the directory of one supervisord, which has it alone. Its
// methods may be called from any goroutine.
type Directory struct {
	path string
	dir  *os.File // locked
	file *os.File // the records; slot 0 has the serial of the next event
	boot string

	store  Store // nil for none
	stored Stored

	mu     sync.Mutex
	slots  map[string]int // by namespec
	free   []int
	size   int // in slots
	failed error
	report func(error)
}

// ErrInUse says that another supervisord has the directory.
var ErrInUse = errors.New("another supervisord uses it")

// Open makes the directory, if there is none, and takes it. A directory that
// others can write to, or that is somebody else's, is refused: what stands in
// it decides which processes are taken for ours. report is told once when the
// directory cannot be written.
func Open(path string, report func(error)) (*Directory, error) {
	d := &Directory{path: path, slots: map[string]int{}, report: report}
	fail := func(err error) (*Directory, error) {
		d.Close()
		return nil, fmt.Errorf("use the directory %s for adoption: %w", path, err)
	}
	var err error
	if d.boot, err = bootID(); err != nil {
		return fail(err)
	}
	if d.dir, err = lockDirectory(path); err != nil {
		return fail(err)
	}
	if d.file, err = d.open(stateFile, os.O_RDWR|os.O_CREATE); err != nil {
		return fail(err)
	}
	info, err := d.file.Stat()
	if err != nil {
		return fail(err)
	}
	d.size = max(int(min(info.Size(), maxSlots*slotSize)+slotSize-1)/slotSize, 1)
	return d, nil
}

// lockDirectory opens the directory, making it first, and locks it.
func lockDirectory(path string) (*os.File, error) {
	for {
		if err := os.Mkdir(path, 0o700); err != nil && !errors.Is(err, os.ErrExist) {
			return nil, err
		}
		f, err := os.OpenFile(path, os.O_RDONLY|syscall.O_DIRECTORY|syscall.O_NOFOLLOW, 0)
		if err != nil {
			return nil, err
		}
		again, err := claim(f, path)
		if err == nil && !again {
			return f, nil
		}
		f.Close()
		if err != nil {
			return nil, err
		}
	}
}

// claim locks the directory and checks whose it is. It reports whether the path
// leads to another directory by now.
func claim(f *os.File, path string) (again bool, err error) {
	err = syscall.Flock(int(f.Fd()), syscall.LOCK_EX|syscall.LOCK_NB)
	if err == syscall.EWOULDBLOCK {
		return false, ErrInUse
	}
	if err != nil {
		return false, os.NewSyscallError("flock", err)
	}
	info, err := f.Stat()
	if err != nil {
		return false, err
	}
	named, err := os.Lstat(path)
	if errors.Is(err, os.ErrNotExist) || err == nil && !os.SameFile(info, named) {
		return true, nil
	}
	const others = 0o077
	if stat, ok := info.Sys().(*syscall.Stat_t); ok && int(stat.Uid) != os.Geteuid() {
		return false, fmt.Errorf("it belongs to user %d", stat.Uid)
	}
	if info.Mode().Perm()&others != 0 {
		return false, fmt.Errorf("others may use it (mode %04o, want 0700)", info.Mode().Perm())
	}
	return false, err
}

// Close gives the directory back and keeps what is in it.
func (d *Directory) Close() {
	if d.file != nil {
		d.file.Close()
	}
	if d.dir != nil {
		d.dir.Close()
	}
}

// Clear empties the directory, when no process is left that could be taken
// back.
func (d *Directory) Clear() error {
	d.mu.Lock()
	defer d.mu.Unlock()
	names, err := os.ReadDir(d.path)
	if err != nil {
		return err
	}
	for _, e := range names {
		if e.Name() != stateFile && !isOurs(e.Name()) {
			continue
		}
		if e.Name() == stateFile {
			continue
		}
		if rmErr := os.Remove(filepath.Join(d.path, e.Name())); rmErr != nil && err == nil {
			err = rmErr
		}
	}
	// The serial stays where it is.
	if truncErr := d.file.Truncate(serialSize); truncErr != nil && err == nil {
		err = truncErr
	}
	d.slots, d.free, d.size = map[string]int{}, nil, 1
	return err
}

// isOurs reports whether a file of the directory is one of those that belong to
// a process.
func isOurs(name string) bool {
	for _, end := range ends {
		if strings.HasSuffix(name, end) {
			return true
		}
	}
	return false
}

// open opens a file of the directory. It never follows a link.
func (d *Directory) open(name string, flag int) (*os.File, error) {
	return os.OpenFile(filepath.Join(d.path, name), flag|syscall.O_NOFOLLOW|syscall.O_NONBLOCK, 0o600)
}

// write writes to the file of the records. The first failure is reported; a
// record that could not be written is not believed.
func (d *Directory) write(b []byte, at int64) {
	_, err := d.file.WriteAt(b, at)
	d.mu.Lock()
	first := err != nil && d.failed == nil
	d.failed = err
	d.mu.Unlock()
	if first && d.report != nil {
		d.report(fmt.Errorf("write to the directory %s for adoption: %w", d.path, err))
	}
}

// slotOf returns the slot of a process and gives it one if it has none.
func (d *Directory) slotOf(name string) (int, error) {
	d.mu.Lock()
	defer d.mu.Unlock()
	if slot, ok := d.slots[name]; ok {
		return slot, nil
	}
	if n := len(d.free); n > 0 {
		d.slots[name] = d.free[n-1]
		d.free = d.free[:n-1]
		return d.slots[name], nil
	}
	if d.size >= maxSlots {
		return 0, errors.New("there are too many records")
	}
	d.slots[name] = d.size
	d.size++
	return d.slots[name], nil
}

// serialSize is how much of slot 0 is used.
const serialSize = 16

// SetSerial notes the serial of the next event.
func (d *Directory) SetSerial(serial uint64) {
	b := binary.LittleEndian.AppendUint64(make([]byte, 0, serialSize), serial)
	b = binary.LittleEndian.AppendUint32(b, crc32.ChecksumIEEE(b))
	d.write(append(b, 0, 0, 0, 0), 0)
}

// Serial returns the serial that was noted last, 0 for none.
func (d *Directory) Serial() uint64 {
	var b [serialSize]byte
	if _, err := d.file.ReadAt(b[:], 0); err != nil || crc32.ChecksumIEEE(b[:8]) != binary.LittleEndian.Uint32(b[8:]) {
		return 0
	}
	return binary.LittleEndian.Uint64(b[:])
}

// Recall finds the records of a predecessor whose processes are those of this
// program: it took the place of the other one.
func (d *Directory) Recall() { d.records() }

// records reads all records. The slots of those that are empty or damaged are
// free afterwards; damaged counts the latter.
func (d *Directory) records() (list []*Record, damaged int) {
	d.mu.Lock()
	defer d.mu.Unlock()
	slot := make([]byte, slotSize)
	for i := 1; i < d.size; i++ {
		clear(slot)
		if _, err := d.file.ReadAt(slot, int64(i)*slotSize); err != nil && err != io.EOF {
			damaged++
			continue
		}
		r, err := parseRecord(slot)
		if err == nil && d.slots[r.Name] != 0 {
			err = errDamaged // two for one process: neither can be trusted more
		}
		if err != nil {
			d.free = append(d.free, i)
			if err == errDamaged {
				damaged++
			}
			continue
		}
		d.slots[r.Name] = i
		list = append(list, r)
	}
	return list, damaged
}

// key returns the beginning of the names of the files of a process: its own
// name, as far as that can be part of one, and what makes it unique.
func key(name string) string {
	safe := strings.Map(func(r rune) rune {
		if r == '-' || r == '_' || r == '.' || '0' <= r && r <= '9' || 'a' <= r && r <= 'z' || 'A' <= r && r <= 'Z' {
			return r
		}
		return '_'
	}, name)
	return fmt.Sprintf("%s-%08x", strings.TrimLeft(safe[:min(len(safe), maxKeyLength)], "."), crc32.ChecksumIEEE([]byte(name)))
}
