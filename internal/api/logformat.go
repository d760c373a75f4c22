package api

// LogFormat is the form in which output is written to a log.
type LogFormat int

// The forms of logs.
const (
	// FormatRaw is output as it came, byte by byte.
	FormatRaw LogFormat = iota
	// FormatText is a line for each line, behind the time and the name of the
	// process.
	FormatText
	// FormatJSON is a JSON object for each line.
	FormatJSON
)

// String returns "raw", "text" or "json".
func (f LogFormat) String() string {
	switch f {
	case FormatText:
		return "text"
	case FormatJSON:
		return "json"
	case FormatRaw:
	}
	return "raw"
}
