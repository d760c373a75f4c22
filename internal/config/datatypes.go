package config

import (
	"errors"
	"fmt"
	"io/fs"
	"math"
	"slices"
	"strconv"
	"strings"
	"syscall"
	"time"

	"supervisord/internal/api"
	"supervisord/internal/python"
)

// The functions here convert the text of an option to its type. Their errors
// have Supervisor's words.

func integer(text string) (int, error) {
	n, err := python.Int(text, 10)
	return int(n), err
}

// seconds converts a whole number of seconds, up to what a Duration holds.
func seconds(text string) (time.Duration, error) {
	n, err := python.Int(text, 10)
	const most = int64(math.MaxInt64 / time.Second)
	return time.Duration(min(max(n, -most), most)) * time.Second, err
}

func boolean(text string) (bool, error) {
	switch strings.ToLower(text) {
	case "yes", "true", "on", "1":
		return true, nil
	case "no", "false", "off", "0":
		return false, nil
	}
	return false, errors.New("not a valid boolean value: " + python.Repr(text))
}

// byteSize converts a number of bytes, which may end in KB, MB or GB.
func byteSize(text string) (int64, error) {
	text = strings.ToLower(text)
	unit := int64(1)
	for i, suffix := range []string{"kb", "mb", "gb"} {
		if number, ok := strings.CutSuffix(text, suffix); ok {
			text, unit = number, 1<<(10*(i+1))
			break
		}
	}
	n, err := python.Int(text, 10)
	most := math.MaxInt64 / unit
	return min(max(n, -most), most) * unit, err
}

// octal converts the permission bits of a file mode.
func octal(text string) (fs.FileMode, error) {
	n, err := python.Int(text, 8)
	if err != nil {
		return 0, fmt.Errorf("%s can not be converted to an octal type", text)
	}
	mode := fs.FileMode(n & 0o777)
	if n&0o4000 != 0 {
		mode |= fs.ModeSetuid
	}
	if n&0o2000 != 0 {
		mode |= fs.ModeSetgid
	}
	if n&0o1000 != 0 {
		mode |= fs.ModeSticky
	}
	return mode, nil
}

// umask converts a file mode creation mask.
func umask(text string) (fs.FileMode, error) {
	mode, err := octal(text)
	return mode.Perm(), err
}

func loggingLevel(text string) (api.LogLevel, error) {
	switch strings.ToLower(text) {
	case "critical":
		return api.LevelCritical, nil
	case "error":
		return api.LevelError, nil
	case "warn":
		return api.LevelWarn, nil
	case "info":
		return api.LevelInfo, nil
	case "debug":
		return api.LevelDebug, nil
	case "trace":
		return api.LevelTrace, nil
	case "blather":
		return api.LevelBlather, nil
	}
	return 0, fmt.Errorf("bad logging level name %s", python.Repr(text))
}

func restartPolicy(text string) (RestartPolicy, error) {
	text = strings.ToLower(text)
	if text == "unexpected" {
		return RestartUnexpected, nil
	}
	always, err := boolean(text)
	switch {
	case err != nil:
		return 0, fmt.Errorf("invalid 'autorestart' value %s", python.Repr(text))
	case always:
		return RestartAlways, nil
	}
	return RestartNever, nil
}

// maxPause is the longest pause between two starts in seconds.
const maxPause = 86400

// pause converts a number of seconds, which may have a fraction.
func pause(text string) (time.Duration, error) {
	n, err := number(text, 0, maxPause)
	return time.Duration(n * float64(time.Second)), err
}

// backoffFactor converts what each pause is multiplied with.
func backoffFactor(text string) (float64, error) { return number(text, 1, 1000) }

// backoffJitter converts the part of a pause that chance may add to it.
func backoffJitter(text string) (float64, error) { return number(text, 0, 1) }

// decimal is what a number may be written with that may have a fraction: no
// exponent, no plus sign, no "inf".
const decimal = "-.0123456789"

// number converts a decimal number between two bounds.
func number(text string, low, high float64) (float64, error) {
	text = strip(text)
	n, err := strconv.ParseFloat(text, 64)
	switch {
	case err != nil || strings.Trim(text, decimal) != "":
		return 0, fmt.Errorf("not a valid number: %s", python.Repr(text))
	case n < low:
		return 0, fmt.Errorf("%s is below lower bound (%g)", text, low)
	case n > high:
		return 0, fmt.Errorf("%s is above upper bound (%g)", text, high)
	}
	return n, nil
}

func exitOn(text string) (ExitOn, error) {
	i := slices.Index(exitOnNames[:], strings.ToLower(text))
	if i < 0 {
		return 0, fmt.Errorf("invalid 'exit_on' value %s: it is one of %s", python.Repr(text), strings.Join(exitOnNames[:], ", "))
	}
	return ExitOn(i), nil
}

func stopSignal(text string) (syscall.Signal, error) { return api.ParseSignal(text) }

func exitCodes(text string) ([]int, error) {
	if text == "" {
		return nil, nil
	}
	var codes []int
	for field := range strings.SplitSeq(text, ",") {
		n, err := integer(field)
		if err != nil || n < 0 || n > 255 {
			return nil, errors.New("not a valid list of exit codes: " + python.Repr(text))
		}
		codes = append(codes, n)
	}
	return codes, nil
}

// listOfStrings splits a list at its commas.
func listOfStrings(text string) ([]string, error) {
	if text == "" {
		return nil, nil
	}
	list := strings.Split(text, ",")
	for i, s := range list {
		list[i] = strip(s)
	}
	return list, nil
}

// processOrGroupName refuses characters that would break namespecs, the
// protocol of event listeners or the addresses of the web interface.
func processOrGroupName(text string) (string, error) {
	name := strip(text)
	for _, c := range []string{" ", ":", "/"} {
		if strings.Contains(name, c) {
			return "", python.ValueErrorf("Invalid name: %s because of character: %s", python.Repr(text), python.Repr(c))
		}
	}
	return name, nil
}

// inetAddress splits host:port or a bare port. The host is empty for all
// addresses, and without the brackets of an IPv6 address.
func inetAddress(text string) (host string, port int, err error) {
	colon := strings.LastIndexByte(text, ':')
	if colon < 0 {
		if port, err = portNumber(text); err != nil {
			return "", 0, fmt.Errorf("not a valid port number: %s ", python.Repr(text))
		}
		return "", port, nil
	}
	host, service := text[:colon], text[colon+1:]
	if service == "" {
		return "", 0, python.ValueError("no port number specified in ''")
	}
	if port, err = portNumber(service); err != nil {
		return "", 0, err
	}
	host = strings.ToLower(host)
	if inner, ok := strings.CutPrefix(host, "["); ok && strings.HasSuffix(inner, "]") {
		host = strings.TrimSuffix(inner, "]")
	}
	if host == "*" {
		host = ""
	}
	return host, port, nil
}

func portNumber(text string) (int, error) {
	port, err := integer(text)
	switch {
	case err != nil:
		return 0, err
	case port < 1:
		return 0, fmt.Errorf("%d is below lower bound (1)", port)
	case port > 65535:
		return 0, fmt.Errorf("%d is above upper bound (65535)", port)
	}
	return port, nil
}

// existingDirectory expands a tilde and checks that the directory exists.
func (e *environ) existingDirectory(path string) (string, error) {
	expanded := e.expandUser(path)
	if !isDirectory(expanded) {
		return "", fmt.Errorf("%s is not an existing directory", path)
	}
	return expanded, nil
}

// existingDirpath expands a tilde and checks that the directory of the file
// exists.
func (e *environ) existingDirpath(path string) (string, error) {
	expanded := e.expandUser(path)
	if dir := dirname(expanded); dir != "" && !isDirectory(dir) {
		return "", python.ValueErrorf("The directory named as part of the path %s does not exist", path)
	}
	return expanded, nil
}

// orphanPolicy converts the name of what becomes of processes that are not
// adopted.
func orphanPolicy(text string) (OrphanPolicy, error) {
	switch strings.ToLower(text) {
	case "leave":
		return LeaveOrphans, nil
	case "stop":
		return StopOrphans, nil
	}
	return 0, fmt.Errorf("%s is neither leave nor stop", python.Repr(text))
}

// days converts the number of days that backups are kept.
func days(text string) (int, error) {
	n, err := integer(text)
	if err == nil && n < 0 {
		return 0, fmt.Errorf("%d is below lower bound (0)", n)
	}
	return n, err
}

// logFormat returns the conversion of the form of a program's log, which the
// key names.
func logFormat(key string) func(text string) (api.LogFormat, error) {
	return oneOf(key, api.FormatRaw, api.FormatText, api.FormatJSON)
}

// period returns the conversion of the period of a log, which the key names.
func period(key string) func(text string) (api.Period, error) {
	return oneOf(key, api.Never, api.Hourly, api.Daily)
}

// oneOf returns the conversion of the name of one of the values. The error names
// the key.
func oneOf[T fmt.Stringer](key string, values ...T) func(text string) (T, error) {
	return func(text string) (T, error) {
		names := make([]string, len(values))
		for i, v := range values {
			if names[i] = v.String(); strings.EqualFold(text, names[i]) {
				return v, nil
			}
		}
		var none T
		return none, fmt.Errorf("invalid '%s' value %s: it is one of %s", key, python.Repr(text), strings.Join(names, ", "))
	}
}

// checkURL refuses text that is not of the form scheme:address.
func checkURL(text string) (string, error) {
	cleaned := strings.TrimLeftFunc(text, func(r rune) bool { return r <= ' ' })
	cleaned = strings.NewReplacer("\t", "", "\r", "", "\n", "").Replace(cleaned)
	scheme, rest, found := strings.Cut(cleaned, ":")
	if found && isScheme(scheme) {
		netloc, path := "", rest
		if authority, ok := strings.CutPrefix(rest, "//"); ok {
			end := slices.IndexFunc([]byte(authority), func(c byte) bool { return strings.IndexByte("/?#", c) >= 0 })
			if end < 0 {
				end = len(authority)
			}
			netloc, path = authority[:end], authority[end:]
		}
		if strings.Contains(netloc, "[") != strings.Contains(netloc, "]") {
			return "", python.ValueError("Invalid IPv6 URL")
		}
		if i := strings.IndexAny(path, "?#"); i >= 0 {
			path = path[:i]
		}
		if netloc != "" || path != "" {
			return text, nil
		}
	}
	return "", fmt.Errorf("value %s is not a URL", python.Repr(text))
}

func isScheme(s string) bool {
	for i := range len(s) {
		c := s[i] | 0x20
		letter := 'a' <= c && c <= 'z'
		if !letter && (i == 0 || !strings.ContainsRune("0123456789+-.", rune(s[i]))) {
			return false
		}
	}
	return s != ""
}
