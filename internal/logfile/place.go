package logfile

import (
	"path/filepath"
	"runtime"
	"strconv"
	"sync"
	"weak"
)

// place is what all Files of one path share. It lives as long as one of them.
type place struct {
	// mu is held while files of the path are renamed, and while something that
	// is not a regular file is written. It is taken after a File's mutex and
	// no other lock is taken under it.
	mu sync.Mutex
}

var places = struct {
	mu sync.Mutex
	m  map[string]weak.Pointer[place]
}{m: map[string]weak.Pointer[place]{}}

// placeOf returns the place of path. All names of one descriptor share one.
func placeOf(path string) *place {
	key := filepath.Clean(path)
	if fd, ok := descriptor(path); ok {
		key = "descriptor " + strconv.Itoa(fd)
	}
	places.mu.Lock()
	defer places.mu.Unlock()
	if p := places.m[key].Value(); p != nil {
		return p
	}
	p := &place{}
	places.m[key] = weak.Make(p)
	runtime.AddCleanup(p, forgetPlace, key)
	return p
}

// forgetPlace drops the entry of a place that nobody uses any more.
func forgetPlace(key string) {
	places.mu.Lock()
	defer places.mu.Unlock()
	if places.m[key].Value() == nil {
		delete(places.m, key)
	}
}
