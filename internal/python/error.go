package python

import "fmt"

// A ValueError is an error in the words of Python, or of a program written in
// it. They are shown as they are, also where they start with a capital.
type ValueError string

// ValueErrorf returns the ValueError with a formatted text.
func ValueErrorf(format string, args ...any) ValueError {
	return ValueError(fmt.Sprintf(format, args...))
}

// Error returns the text.
func (e ValueError) Error() string { return string(e) }
