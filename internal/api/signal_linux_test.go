package api

import (
	"syscall"
	"testing"
)

func TestParseSignal(t *testing.T) {
	for _, c := range []struct {
		in   string
		want syscall.Signal
	}{
		{"TERM", syscall.SIGTERM},
		{"term", syscall.SIGTERM},
		{"SIGTERM", syscall.SIGTERM},
		{" sigHup\n", syscall.SIGHUP},
		{"15", syscall.SIGTERM},
		{" 9 ", syscall.SIGKILL},
		{"0", 0},
		{"CLD", syscall.SIGCHLD},
		{"IOT", syscall.SIGABRT},
		{"POLL", syscall.SIGIO},
		{"RTMIN", 34},
		{"rtmax", 64},
		{"64", 64},
		{"STKFLT", 16},
	} {
		if got, err := ParseSignal(c.in); err != nil || got != c.want {
			t.Errorf("ParseSignal(%q) = %d, %v, want %d", c.in, got, err, c.want)
		}
	}
}

func TestParseSignalErrors(t *testing.T) {
	for _, c := range []struct{ in, want string }{
		{"", "value '' is not a valid signal name"},
		{"SIG", "value 'SIG' is not a valid signal name"},
		{"SIGFOO", "value 'SIGFOO' is not a valid signal name"},
		{"TERM,INT", "value 'TERM,INT' is not a valid signal name"},
		{"1.5", "value '1.5' is not a valid signal name"},
		{"RTMIN+1", "value 'RTMIN+1' is not a valid signal name"},
		{"999", "value '999' is not a valid signal number"},
		{"-1", "value '-1' is not a valid signal number"},
		{"35", "value '35' is not a valid signal number"},
		{"4294967311", "value '4294967311' is not a valid signal number"},
	} {
		if _, err := ParseSignal(c.in); err == nil || err.Error() != c.want {
			t.Errorf("ParseSignal(%q): error %v, want %s", c.in, err, c.want)
		}
	}
}

func TestSignalName(t *testing.T) {
	for _, c := range []struct {
		in   syscall.Signal
		want string
	}{
		{syscall.SIGTERM, "SIGTERM"},
		{syscall.SIGABRT, "SIGABRT"},
		{syscall.SIGCHLD, "SIGCHLD"},
		{syscall.SIGIO, "SIGPOLL"},
		{34, "SIGRTMIN"},
		{64, "SIGRTMAX"},
		{0, "signal 0"},
		{40, "signal 40"},
		{65, "signal 65"},
	} {
		if got := SignalName(c.in); got != c.want {
			t.Errorf("SignalName(%d) = %s, want %s", c.in, got, c.want)
		}
	}
}
