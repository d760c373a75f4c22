package config

// An Error says why a configuration cannot be used.
type Error struct {
	// File is the main configuration file, or the included file where the
	// error is known to be in one. Section and Key are empty where the error
	// belongs to no section or to no single key.
	File    string
	Section string
	Key     string
	// Text is the message in Supervisor's words.
	Text string
}

// Error returns the text.
func (e *Error) Error() string { return e.Text }
