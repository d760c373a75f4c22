package launch

import "fmt"

// A refusal is an error in Supervisor's own words, which people and programs
// know as they are, capital letters and full stops included.
type refusal string

// Error returns the words.
func (r refusal) Error() string { return string(r) }

func refusef(format string, args ...any) error {
	return refusal(fmt.Sprintf(format, args...))
}
