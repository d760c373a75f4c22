package api

// Period is how often a log is rotated because of the time.
type Period int

// The periods of logs.
const (
	Never Period = iota
	Hourly
	Daily
)

// String returns "never", "hourly" or "daily".
func (p Period) String() string {
	switch p {
	case Hourly:
		return "hourly"
	case Daily:
		return "daily"
	case Never:
	}
	return "never"
}
