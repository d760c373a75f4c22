package config

import (
	"fmt"
	"strings"
	"unicode/utf8"
)

// chunkSize is the number of bytes that Python decodes at a time. A message
// about a bad byte counts from the start of a chunk.
const chunkSize = 8192

// decodeText returns the text of a file, with every kind of line end turned
// into a newline. If the file is not UTF-8, the error is worded as Python's;
// the text then ends with the last line that Python would have read before it
// met the error.
func decodeText(data []byte) (string, error) {
	if utf8.Valid(data) {
		return unixLines(string(data)), nil
	}
	pending := 0
	for start := 0; start < len(data); start += chunkSize {
		end := min(start+chunkSize, len(data))
		chunk := data[start-pending : end]
		bad, size, reason := invalidUTF8(chunk)
		if reason == "" {
			pending = 0
			continue
		}
		if reason == unexpectedEnd && end < len(data) {
			pending = len(chunk) - bad
			continue
		}
		read := start - pending
		if reason == unexpectedEnd {
			// The decoder learns of the end in a call of its own, which has
			// only the bytes that were left over.
			read, chunk, bad = read+bad, chunk[bad:], 0
		}
		// A "\r" at the end is not a line end before the next byte is known.
		before := strings.TrimSuffix(string(data[:read]), "\r")
		before = before[:strings.LastIndexAny(before, "\r\n")+1]
		return unixLines(before), decodeError(chunk, bad, size, reason)
	}
	return "", nil
}

const unexpectedEnd = "unexpected end of data"

func decodeError(chunk []byte, bad, size int, reason string) error {
	if size == 1 {
		return fmt.Errorf("'utf-8' codec can't decode byte 0x%02x in position %d: %s", chunk[bad], bad, reason)
	}
	return fmt.Errorf("'utf-8' codec can't decode bytes in position %d-%d: %s", bad, bad+size-1, reason)
}

// invalidUTF8 finds the first bytes that are not UTF-8: where they start, how
// many of them are to blame, and why. The reason is empty if all is well.
func invalidUTF8(data []byte) (start, size int, reason string) {
	for start < len(data) {
		r, n := utf8.DecodeRune(data[start:])
		if r == utf8.RuneError && n == 1 {
			size, reason = blame(data[start:])
			return start, size, reason
		}
		start += n
	}
	return start, 0, ""
}

// blame tells how many bytes at the start of an invalid sequence are at fault.
func blame(seq []byte) (size int, reason string) {
	var length int
	low, high := byte(0x80), byte(0xbf) // range of the second byte
	switch c := seq[0]; {
	case c < 0xc2 || c > 0xf4:
		return 1, "invalid start byte"
	case c < 0xe0:
		length = 2
	case c < 0xf0:
		length = 3
		switch c {
		case 0xe0:
			low = 0xa0
		case 0xed:
			high = 0x9f
		}
	default:
		length = 4
		switch c {
		case 0xf0:
			low = 0x90
		case 0xf4:
			high = 0x8f
		}
	}
	for i := 1; i < length; i++ {
		if i == len(seq) {
			return i, unexpectedEnd
		}
		if seq[i] < low || seq[i] > high {
			return i, "invalid continuation byte"
		}
		low, high = 0x80, 0xbf
	}
	return length, unexpectedEnd
}

// unixLines turns "\r\n" and "\r" into "\n".
func unixLines(s string) string {
	if !strings.Contains(s, "\r") {
		return s
	}
	return strings.ReplaceAll(strings.ReplaceAll(s, "\r\n", "\n"), "\r", "\n")
}
