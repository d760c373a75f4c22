package logfile

import (
	"bytes"
	"fmt"
	"slices"
	"strings"
	"testing"
)

// TestBacklogKeepsWholeLines fills a backlog with pieces that do not end where
// lines do.
func TestBacklogKeepsWholeLines(t *testing.T) {
	text := strings.Repeat("0123456789\n", maxBacklog/11+1000)
	for size := 1; size < maxBacklog; size = size*3 + 1 {
		var b backlog
		for rest := text; rest != ""; {
			n := min(size, len(rest))
			b.add([]byte(rest[:n]))
			rest = rest[n:]
		}
		if !strings.HasPrefix(text, string(b.data)) || !strings.HasSuffix(string(b.data), "\n") {
			t.Errorf("pieces of %d bytes: the backlog ends in %q", size, b.data[max(0, len(b.data)-20):])
		}
		if kept := int64(len(b.data)); kept+b.lost+int64(len(b.tail)) != int64(len(text)) || maxBacklog-kept >= int64(size)+11 {
			t.Errorf("pieces of %d bytes: %d kept, %d lost", size, kept, b.lost)
		}
	}
}

// TestBacklogLosesWholeLines ends a failure after every number of bytes: what is
// written then has one gap of whole lines.
func TestBacklogLosesWholeLines(t *testing.T) {
	var text []byte
	for i := range maxBacklog / 10 {
		text = fmt.Appendf(text, "%09d\n", i)
	}
	text = append(text, "the first line that is lost\na second one\nthe line that follows\nand the last\n"...)
	for _, size := range []int{1, 2, 3, 7, 29, 64} {
		for end := maxBacklog; end <= len(text); end++ {
			var b backlog
			b.add(text[:maxBacklog-size])
			for at := maxBacklog - size; at < end; at += size {
				b.add(text[at:min(at+size, end)])
			}
			next := b.next()
			written := slices.Concat(b.data, next.data, text[end:])
			if int64(len(written))+b.lost != int64(len(text)) {
				t.Fatalf("pieces of %d until %d: %d bytes are written, %d lost", size, end, len(written), b.lost)
			}
			rest := written[len(b.data):]
			if !b.full {
				continue // Nothing is lost, and any piece may follow.
			}
			if !bytes.HasSuffix(b.data, []byte("\n")) || !bytes.HasSuffix(text, rest) ||
				len(rest) > 0 && text[len(text)-len(rest)-1] != '\n' {
				t.Fatalf("pieces of %d until %d: after %q comes %q", size, end, b.data[max(0, len(b.data)-20):], rest)
			}
		}
	}
}

// TestBacklogGivesUpLongLine loses a line that gets too long, and what follows it
// in the same line.
func TestBacklogGivesUpLongLine(t *testing.T) {
	var b backlog
	b.add(bytes.Repeat([]byte("line\n"), maxBacklog/5+1))
	for range maxTail/1000 + 10 {
		b.add(make([]byte, 1000))
	}
	if len(b.tail) != 0 || !b.torn {
		t.Errorf("%d bytes of the line are kept", len(b.tail))
	}
	b.add([]byte("its end\na new line"))
	if got := string(b.tail); got != "a new line" || b.torn {
		t.Errorf("%q is kept", got)
	}
}

// TestBacklogKeepsLongLine keeps what it can of a line that is too long.
func TestBacklogKeepsLongLine(t *testing.T) {
	var b backlog
	for range 3 {
		b.add(make([]byte, maxBacklog/2+1))
	}
	if len(b.data) == 0 || int64(len(b.data))+b.lost != 3*(maxBacklog/2+1) {
		t.Errorf("%d kept, %d lost", len(b.data), b.lost)
	}
}
