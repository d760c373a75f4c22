package logline

import "time"

// noTime has the length of a time.
const noTime = "0000-00-00T00:00:00.000Z"

// AppendTime appends a time in UTC, to the millisecond, by RFC 3339. A year that
// has not four digits, which RFC 3339 cannot say, becomes the nearest that has.
func AppendTime(b []byte, t time.Time) []byte {
	t = t.UTC()
	switch year := t.Year(); {
	case year > 9999:
		t = time.Date(9999, 12, 31, 23, 59, 59, 999e6, time.UTC)
	case year < 0:
		t = time.Date(0, 1, 1, 0, 0, 0, 0, time.UTC)
	}
	return t.AppendFormat(b, "2006-01-02T15:04:05.000Z")
}
