package rpcclient

import (
	"bytes"
	"errors"
	"fmt"
	"strings"
	"unicode/utf8"

	"github.com/kolo/xmlrpc"

	"supervisord/internal/api"
	xmlvalue "supervisord/internal/xmlrpc"
)

// decode stores the value of a methodResponse where result points to. Answers
// about many processes are long, and the library, which can read any XML, takes
// many times as long for them as our own reader. It reads what that one refuses,
// and has the last word about what does not fit.
func decode(body []byte, result any) error {
	if xmlvalue.Unmarshal(body, result) == nil {
		return nil
	}
	r := xmlrpc.Response(body)
	if err := r.Err(); err != nil {
		if f, ok := errors.AsType[xmlrpc.FaultError](err); ok {
			return &api.Fault{Code: api.FaultCode(f.Code), Text: f.String}
		}
		return fmt.Errorf("decode fault: %w", err)
	}
	if result == nil {
		return nil
	}
	if err := r.Unmarshal(result); err != nil {
		return fmt.Errorf("decode answer: %w", err)
	}
	return nil
}

// XML can carry neither most control characters nor bytes that are not UTF-8.
// A log can hold both. Such a byte b is represented by the private-use
// character marker+b while an answer is parsed. Text that holds these very
// characters has their bytes marked in the same way, so that nothing is lost.
const marker = 0xF0000

// forbidden reports whether r, which took size bytes, has to be marked.
func forbidden(r rune, size int) bool {
	switch {
	case r == utf8.RuneError && size == 1:
		return true
	case r < 0x20:
		return r != '\t' && r != '\n' && r != '\r'
	case r >= marker && r <= marker+0xFF:
		return true
	}
	return r == 0xFFFE || r == 0xFFFF
}

// firstForbidden returns the index of the first byte that has to be marked, or
// -1. Nearly every answer has none.
func firstForbidden(b []byte) int {
	for i := 0; i < len(b); {
		stretch := min(i+xmlvalue.Stretch, len(b))
		for i < stretch && b[i] < utf8.RuneSelf && (b[i] >= ' ' || b[i] == '\n') {
			i++
		}
		if i == stretch {
			i = xmlvalue.Skip(b, i, 0, 0, 0)
			continue
		}
		r, size := utf8.DecodeRune(b[i:])
		if forbidden(r, size) {
			return i
		}
		i += size
	}
	return -1
}

// markForbidden returns b with every byte that XML cannot carry marked.
func markForbidden(b []byte) []byte {
	return mapForbidden(b, func(out, bad []byte) []byte {
		for _, c := range bad {
			out = utf8.AppendRune(out, marker+rune(c))
		}
		return out
	})
}

// replaceForbidden returns b with every character that XML cannot carry
// replaced by U+FFFD.
func replaceForbidden(b []byte) []byte {
	return mapForbidden(b, func(out, _ []byte) []byte {
		return utf8.AppendRune(out, utf8.RuneError)
	})
}

func mapForbidden(b []byte, appendMapped func(out, bad []byte) []byte) []byte {
	start := firstForbidden(b)
	if start < 0 {
		return b
	}
	out := append(make([]byte, 0, len(b)+len(b)/8), b[:start]...)
	for i := start; i < len(b); {
		r, size := utf8.DecodeRune(b[i:])
		if forbidden(r, size) {
			out = appendMapped(out, b[i:i+size])
		} else {
			out = append(out, b[i:i+size]...)
		}
		i += size
	}
	return out
}

// restoreMarked undoes markForbidden on decoded text.
func restoreMarked(s string) string {
	// Every marked byte starts with the same two bytes in UTF-8.
	if !strings.Contains(s, "\xf3\xb0") {
		return s
	}
	var out strings.Builder
	out.Grow(len(s))
	for i, r := range s {
		switch {
		case r >= marker && r <= marker+0xFF:
			out.WriteByte(byte(r - marker))
		default:
			out.WriteString(s[i : i+utf8.RuneLen(r)])
		}
	}
	return out.String()
}

// errNotArray is the error for the answer of a multicall that is no array.
var errNotArray = errors.New("decode answer: not an array of values")

// arrayValues returns the elements of the array in a methodResponse, each as
// the bytes of its value element. It relies on "<" never standing for itself
// in text, and refuses comments and CDATA sections, where it could.
func arrayValues(body []byte) ([][]byte, error) {
	if bytes.Contains(body, []byte("<!")) {
		return nil, errNotArray
	}
	var (
		values [][]byte
		depth  int // of value elements
		start  int
	)
	for i := 0; ; {
		n := bytes.IndexByte(body[i:], '<')
		if n < 0 {
			break
		}
		i += n
		tag := body[i:]
		switch {
		case bytes.HasPrefix(tag, []byte("<value>")):
			if depth++; depth == 2 {
				start = i
			}
		case bytes.HasPrefix(tag, []byte("</value>")):
			if depth == 2 {
				values = append(values, body[start:i+len("</value>")])
			}
			if depth--; depth < 0 {
				return nil, errNotArray
			}
		case bytes.HasPrefix(tag, []byte("<value/>")) && depth == 1:
			values = append(values, tag[:len("<value/>")])
		case bytes.HasPrefix(tag, []byte("<struct>")) && depth == 1:
			return nil, errNotArray
		}
		i++
	}
	if depth != 0 {
		return nil, errNotArray
	}
	return values, nil
}
