package logfile

import (
	"encoding/binary"
	"os"
	"path/filepath"
	"strings"
	"sync"

	"golang.org/x/sys/unix"
)

const (
	fileEvents = unix.IN_MODIFY | unix.IN_ATTRIB | unix.IN_MOVE_SELF | unix.IN_DELETE_SELF
	dirEvents  = unix.IN_CREATE | unix.IN_MOVED_TO | unix.IN_ONLYDIR
)

// theWatcher is the one watcher of the process: inotify instances are scarce.
var theWatcher = watcher{paths: make(map[string]*watched)}

// watcher asks the kernel to tell of changes to files that are followed. It
// exists, and its goroutine runs, only while there are such files.
type watcher struct {
	mu    sync.Mutex
	file  *os.File // the inotify instance, nil without followed files
	fd    int
	paths map[string]*watched
	// users are the paths that want to know of what happens to a file or a
	// directory, by the number that the kernel gave the latter.
	users map[int32]map[*watched]struct{}
}

// watched is a path that is watched.
type watched struct {
	path    string
	refs    int
	file    int32 // the kernel's number of the file, -1 while there is none
	dir     int32 // and of its directory
	changed chan struct{}
}

// watch begins to watch a path. It returns nil where that cannot be done.
func (w *watcher) watch(path string) *watched {
	info, err := os.Stat(path)
	if err != nil || !info.Mode().IsRegular() {
		return nil
	}
	w.mu.Lock()
	defer w.mu.Unlock()
	if p := w.paths[path]; p != nil {
		p.refs++
		return p
	}
	if w.file == nil && !w.start() {
		return nil
	}
	p := &watched{path: path, refs: 1, changed: make(chan struct{})}
	w.paths[path] = p
	p.dir = w.add(p, filepath.Dir(path), dirEvents)
	p.file = w.add(p, path, fileEvents)
	return p
}

// release ends what watch began.
func (w *watcher) release(p *watched) {
	w.mu.Lock()
	defer w.mu.Unlock()
	if p.refs--; p.refs > 0 {
		return
	}
	delete(w.paths, p.path)
	w.drop(p, p.file)
	w.drop(p, p.dir)
	if len(w.paths) == 0 {
		w.file.Close() // It ends the goroutine, whose Read fails.
		w.file = nil
	}
}

// start makes an inotify instance and the goroutine that reads it.
func (w *watcher) start() bool {
	fd, err := unix.InotifyInit1(unix.IN_CLOEXEC | unix.IN_NONBLOCK)
	if err != nil {
		return false
	}
	w.fd, w.file = fd, os.NewFile(uintptr(fd), "inotify")
	w.users = make(map[int32]map[*watched]struct{})
	go w.run(w.file)
	return true
}

// add watches a file or directory for p. It returns its number, or -1.
func (w *watcher) add(p *watched, name string, events uint32) int32 {
	n, err := unix.InotifyAddWatch(w.fd, name, events|unix.IN_MASK_ADD)
	if err != nil {
		return -1
	}
	wd := int32(n)
	if w.users[wd] == nil {
		w.users[wd] = make(map[*watched]struct{})
	}
	w.users[wd][p] = struct{}{}
	return wd
}

// drop stops watching a file or directory for p.
func (w *watcher) drop(p *watched, wd int32) {
	users := w.users[wd]
	delete(users, p)
	if users != nil && len(users) == 0 {
		delete(w.users, wd)
		// It fails if the file is gone, which ended the watch already.
		_, _ = unix.InotifyRmWatch(w.fd, uint32(wd))
	}
}

// run reads events until the instance is closed.
func (w *watcher) run(file *os.File) {
	buf := make([]byte, 4096)
	for {
		n, err := file.Read(buf)
		if err != nil {
			return
		}
		w.mu.Lock()
		if w.file == file {
			w.events(buf[:n])
		}
		w.mu.Unlock()
	}
}

// events handles what was read from the kernel: numbers, followed by names.
func (w *watcher) events(buf []byte) {
	for len(buf) >= unix.SizeofInotifyEvent {
		wd := int32(binary.NativeEndian.Uint32(buf))
		mask := binary.NativeEndian.Uint32(buf[4:])
		size := binary.NativeEndian.Uint32(buf[12:])
		name := strings.TrimRight(string(buf[unix.SizeofInotifyEvent:][:size]), "\x00")
		buf = buf[unix.SizeofInotifyEvent+size:]
		if mask&unix.IN_Q_OVERFLOW != 0 {
			for _, p := range w.paths {
				w.renew(p)
			}
			continue
		}
		for p := range w.users[wd] {
			switch {
			case wd != p.dir:
				p.notify()
			case name == filepath.Base(p.path):
				w.renew(p)
			}
		}
		if mask&unix.IN_IGNORED != 0 {
			delete(w.users, wd)
		}
	}
}

// renew watches the file that has taken the place of the one before.
func (w *watcher) renew(p *watched) {
	before := p.file
	if p.file = w.add(p, p.path, fileEvents); before != p.file {
		w.drop(p, before)
	}
	p.notify()
}

func (p *watched) notify() {
	close(p.changed)
	p.changed = make(chan struct{})
}

// Watch returns a function for Follow that also tells of changes which others
// make to the file: a program that writes there by itself, or a person who
// truncates it. stop ends that. Where the system cannot tell, the function is
// changed itself.
func Watch(path string, changed func() <-chan struct{}) (both func() <-chan struct{}, stop func()) {
	p := theWatcher.watch(path)
	if p == nil {
		return changed, func() {}
	}
	end := make(chan struct{})
	var last chan struct{}
	both = func() <-chan struct{} {
		if last != nil {
			select {
			case <-last:
			default:
				return last
			}
		}
		theWatcher.mu.Lock()
		outside := p.changed
		theWatcher.mu.Unlock()
		inside, c := changed(), make(chan struct{})
		go func() {
			select {
			case <-inside:
			case <-outside:
			case <-end:
			}
			close(c)
		}()
		last = c
		return c
	}
	return both, func() {
		close(end)
		theWatcher.release(p)
	}
}
