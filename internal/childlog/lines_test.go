package childlog

import (
	"strings"
	"testing"

	"supervisord/internal/syslog"
)

func TestLineSender(t *testing.T) {
	long := strings.Repeat("x", syslog.MaxLine)
	tests := []struct {
		name   string
		pieces []string
		want   string
	}{
		{"lines", []string{"a\nb\n"}, "cat a|cat b"},
		{"in pieces", []string{"a", "b\nc", "d\n"}, "cat ab|cat cd"},
		{"empty lines", []string{"a\n\nb\n\n\n"}, "cat a|cat |cat b"},
		{"unfinished", []string{"a\nb"}, "cat a|cat b"},
		{"too long to wait for", []string{long, "y\n"}, "cat " + long + "|cat y"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			var got []string
			s := &lineSender{tag: "cat", send: func(line []byte) error {
				got = append(got, string(line))
				return nil
			}}
			for _, p := range tt.pieces {
				s.write([]byte(p))
			}
			s.flush()
			if g := strings.Join(got, "|"); g != tt.want {
				t.Errorf("sent %.80q, want %.80q", g, tt.want)
			}
		})
	}
}
