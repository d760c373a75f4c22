package logfile

import (
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
		if kept := int64(len(b.data)); kept+b.lost != int64(len(text)) || maxBacklog-kept >= int64(size)+11 {
			t.Errorf("pieces of %d bytes: %d kept, %d lost", size, kept, b.lost)
		}
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
