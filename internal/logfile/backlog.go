package logfile

import "bytes"

// maxBacklog limits the bytes that a File keeps while they cannot be written.
const maxBacklog = 256 << 10

// backlog holds bytes that could not be written, oldest first.
type backlog struct {
	data []byte
	lost int64 // bytes that came after data was full
}

// add keeps as much of p as there is room for, in whole lines if possible, and
// returns how much that is. After the first loss everything is lost, so that
// the log has one gap and not many.
func (b *backlog) add(p []byte) int {
	n := 0
	if b.lost == 0 {
		n = b.room(p)
		b.data = append(b.data, p[:n]...)
		if n == 0 && len(p) > 0 {
			b.trim()
		}
	}
	b.lost += int64(len(p) - n)
	return n
}

// trim loses the beginning of a line of which the rest is lost.
func (b *backlog) trim() {
	if end := bytes.LastIndexByte(b.data, '\n') + 1; end > 0 {
		b.lost += int64(len(b.data) - end)
		b.data = b.data[:end]
	}
}

// room returns how much of p is to be kept.
func (b *backlog) room(p []byte) int {
	room := maxBacklog - len(b.data)
	if len(p) <= room {
		return len(p)
	}
	if n := bytes.LastIndexByte(p[:room], '\n') + 1; n > 0 || len(b.data) > 0 {
		return n
	}
	return room
}

// drop forgets the n oldest bytes, which were written.
func (b *backlog) drop(n int) { b.data = b.data[n:] }
