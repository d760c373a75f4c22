package childlog

import (
	"bytes"
	"strings"
	"unicode"

	"supervisord/internal/capture"
	"supervisord/internal/logfile"
)

const (
	// tailSize is how many bytes of the last output are kept.
	tailSize = 4 << 10
	// tailLines is how many lines of these are shown.
	tailLines = 10
)

// tail is the end of what a process wrote. It is kept in memory until the
// process has started well. From then on it is read from the log file when it
// is needed, if there is one, so that a program that writes a lot pays nothing.
type tail struct {
	kept    []byte
	cut     bool  // there was more in front of kept
	inFile  bool  // nothing is kept: the file has it
	written int64 // bytes that were logged
}

// add takes a piece of output.
func (t *tail) add(p []byte) {
	t.written += int64(len(p))
	switch over := len(t.kept) + len(p) - tailSize; {
	case t.inFile:
	case over <= 0:
		t.kept = append(t.kept, p...)
	case len(p) >= tailSize:
		t.kept, t.cut = append(t.kept[:0], p[len(p)-tailSize:]...), true
	default:
		t.kept, t.cut = append(t.kept[:copy(t.kept, t.kept[over:])], p...), true
	}
}

// text returns the last lines of the output, from the log if that has them.
func (t *tail) text(l *Log) string {
	if !t.inFile {
		return lastLines(t.kept, t.cut)
	}
	n := min(t.written, tailSize)
	if n == 0 {
		return ""
	}
	data, err := logfile.Read(l.Path(), -n, 0)
	if err != nil {
		return "" // It was removed, and its last lines with it.
	}
	return lastLines(data, t.written > n)
}

// lastLines returns the last lines of some output as text that can be shown
// anywhere: without escape sequences and control characters, except tabs, and
// without what was overwritten by a carriage return. If the output was cut, its
// first line is only a part of one and not shown, unless it is all there is.
func lastLines(data []byte, cut bool) string {
	var strip capture.Stripper
	data = bytes.TrimRight(strip.Strip(bytes.Clone(data)), "\r\n")
	lines := strings.Split(strings.ToValidUTF8(string(data), "\uFFFD"), "\n")
	if cut && len(lines) > 1 {
		lines = lines[1:]
	}
	lines = lines[max(0, len(lines)-tailLines):]
	for i, line := range lines {
		line = strings.TrimRight(line, "\r")
		line = line[strings.LastIndexByte(line, '\r')+1:]
		lines[i] = strings.Map(shown, line)
	}
	return strings.Join(lines, "\n")
}

// shown drops characters that are instructions to a terminal or to whoever else
// shows them.
func shown(r rune) rune {
	if r != '\t' && (unicode.IsControl(r) || unicode.Is(unicode.Cf, r)) {
		return -1
	}
	return r
}
