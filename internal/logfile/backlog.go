package logfile

import "bytes"

const (
	// maxBacklog limits the bytes that a File keeps while they cannot be written.
	maxBacklog = 256 << 10
	// maxTail limits the length of a line that is kept whole after a loss.
	maxTail = 64 << 10
)

// backlog holds bytes that could not be written, oldest first, and where there
// were too many of them the beginning of the line that is being written, so that
// a gap in the log is one of whole lines.
type backlog struct {
	data []byte
	full bool   // what comes is lost, so that the log has one gap and not many
	tail []byte // the line that has begun since, and has not ended
	torn bool   // the beginning of the present line is lost
	lost int64
}

// add keeps as much of p as there is room for, in whole lines if possible, and
// returns how much of it is sure to be written.
func (b *backlog) add(p []byte) int {
	n := 0
	if !b.full {
		n = b.room(p)
		b.data = append(b.data, p[:n]...)
		if n == len(p) {
			return n
		}
		b.full = true
		b.trim()
	}
	b.lose(p[n:])
	return n
}

// trim takes the beginning of a line from the end of the data, as it may be lost.
func (b *backlog) trim() {
	end := bytes.LastIndexByte(b.data, '\n') + 1
	if end == 0 {
		b.torn = len(b.data) > 0
		return
	}
	b.tail = bytes.Clone(b.data[end:])
	b.data = b.data[:end]
}

// lose counts the lines that end in p as lost and keeps the one that does not.
func (b *backlog) lose(p []byte) {
	if end := bytes.LastIndexByte(p, '\n') + 1; end > 0 {
		b.lost += int64(len(b.tail) + end)
		b.tail, b.torn = b.tail[:0], false
		p = p[end:]
	}
	switch {
	case b.torn:
		b.lost += int64(len(p))
	case len(b.tail)+len(p) > maxTail:
		b.lost += int64(len(b.tail) + len(p))
		b.tail, b.torn = nil, true
	default:
		b.tail = append(b.tail, p...)
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

// next is what is to be written when all data was: the line after the loss.
func (b *backlog) next() backlog { return backlog{data: b.tail} }
