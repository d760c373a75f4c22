package api

import (
	"fmt"
	"strings"
	"syscall"

	"golang.org/x/sys/unix"

	"supervisord/internal/python"
)

// ParseSignal returns the signal that a configuration or a client names: by
// its name in any case, with or without SIG, or by its number. The error is
// worded as clients see it (manual: Configuration File, stopsignal).
//
// 0 is accepted, as it always was: sending it tests for existence.
func ParseSignal(value string) (syscall.Signal, error) {
	number, err := python.Int(value, 10)
	if err != nil {
		name := strings.ToUpper(strings.TrimFunc(value, python.IsSpace))
		if !strings.HasPrefix(name, "SIG") {
			name = "SIG" + name
		}
		sig, ok := signalByName(name)
		if !ok {
			return 0, fmt.Errorf("value %s is not a valid signal name", python.Repr(value))
		}
		return sig, nil
	}
	sig := syscall.Signal(number)
	if number == 0 || number == int64(sig) && knownSignal(sig) {
		return sig, nil
	}
	return 0, fmt.Errorf("value %s is not a valid signal number", python.Repr(value))
}

// SignalName returns the name of a signal as log lines show it, for example
// "SIGTERM", or "signal 40" for one without a name.
func SignalName(sig syscall.Signal) string {
	if name, ok := extraNames[sig]; ok {
		return name
	}
	if name := unix.SignalName(sig); name != "" {
		return name
	}
	return fmt.Sprintf("signal %d", int(sig))
}

func signalByName(name string) (syscall.Signal, bool) {
	if sig, ok := extraSignals[name]; ok {
		return sig, true
	}
	sig := unix.SignalNum(name)
	return sig, sig != 0
}

func knownSignal(sig syscall.Signal) bool {
	_, extra := extraNames[sig]
	return extra || unix.SignalName(sig) != ""
}
