//go:build linux

package faulttest

import (
	"encoding/json"
	"fmt"
	"math/rand/v2"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
	"time"
)

// changedOutput has a program for each way in which output becomes something else in
// its log. Each writes as fast as it is read.
var changedOutput = func() string {
	text := `
[eventlistener:listener]
command=python3 {dir}/listener.py {dir} 0
events=PROCESS_COMMUNICATION
buffer_size=100000
startsecs=0
stopsignal=KILL
stdout_logfile=NONE
`
	for name, more := range map[string]string{
		"raw": "", "text": "stdout_format=text", "json": "stdout_format=json",
		"capture": "stdout_capture_maxbytes=1MB", "both": "stdout_format=json\nstdout_capture_maxbytes=1MB",
	} {
		text += fmt.Sprintf("[program:%[1]s]\ncommand=python3 {dir}/writer.py\nstdout_logfile={dir}/%[1]s.log\n%[2]s\n"+
			"stdout_logfile_maxbytes=1MB\nstdout_logfile_backups=1000\nstopsignal=KILL\nstartsecs=0\n", name, more)
	}
	return text
}()

// changedWriter writes numbered lines in pieces of any size, with escapes and
// captured messages in between.
const changedWriter = `
import os, random, time
pending, i = '', 0
while True:
    while len(pending) < 8000:
        i += 1
        pending += 'line \x1b[1m%d\x1b[0m\n' % i
        if i % 50 == 0:
            pending += '<!--XSUPERVISOR:BEGIN-->message %d<!--XSUPERVISOR:END-->' % i
    n = random.randrange(1, 4000)
    os.write(1, pending[:n].encode())
    pending = pending[n:]
    if random.randrange(20) == 0:
        time.sleep(0.002)
`

// TestAdoptedChanged kills the daemon at any moment while it makes something
// else of what programs write. Each line is in the logs once and in order.
func TestAdoptedChanged(t *testing.T) {
	for _, strip := range []bool{false, true} {
		t.Run(fmt.Sprintf("strip_ansi=%t", strip), func(t *testing.T) { adoptChanged(t, strip) })
	}
}

func adoptChanged(t *testing.T, strip bool) {
	seed := rand.Uint64()
	t.Logf("seed %d", seed)
	random := rand.New(rand.NewPCG(seed, 0))
	s := start{dir: openTemp(t), programs: changedOutput, main: fmt.Sprintf("adopt=true\nstrip_ansi=%t\n", strip)}
	r := newRig(t, s)
	for name, text := range map[string]string{"listener.py": adoptableListener, "writer.py": changedWriter} {
		if err := os.WriteFile(r.path(name), []byte(text), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	r.launch(s)
	r.out.waitN(t, `success: \S+ entered RUNNING state`, 6)
	pids := r.pids()
	written := func(name string) (lines int) {
		for _, file := range r.logFiles(name + ".log") {
			lines += strings.Count(r.read(file), "\n")
		}
		return lines
	}
	names := []string{"raw", "text", "json", "capture", "both"}
	for _, name := range names {
		r.until("output of "+name, func() bool { return written(name) > 0 })
	}
	kills := 8 * *soak
	for range kills {
		time.Sleep(time.Duration(random.Int64N(int64(60 * time.Millisecond))))
		r.kill()
		r.begin(s)
		r.out.wait(t, `supervisord started with pid`)
		if now := r.pids(); fmt.Sprint(now) != fmt.Sprint(pids) {
			t.Fatalf("pids changed from\n%v to\n%v", pids, now)
		}
	}
	for _, name := range names {
		r.until("enough of "+name, func() bool { return written(name) > 2000 })
	}
	r.end()
	tags := regexp.MustCompile(`<!--XSUPERVISOR:BEGIN-->.*?<!--XSUPERVISOR:END-->`)
	for _, name := range names {
		var text strings.Builder
		var all strings.Builder
		for _, file := range r.logFiles(name + ".log") {
			all.WriteString(r.read(file))
		}
		logged := strings.Split(all.String(), "\n")
		for _, line := range logged[:len(logged)-1] { // The last may be cut.
			message, whole := messageOf(t, name, line)
			text.WriteString(message)
			if whole {
				text.WriteByte('\n')
			}
		}
		got := text.String()
		got = got[:strings.LastIndexByte(got, '\n')+1]
		captures := name == "capture" || name == "both"
		if strings.Contains(got, "XSUPERVISOR") == captures {
			t.Errorf("%s.log has tags: %t", name, !captures)
		}
		if strings.Contains(got, "\x1b") == strip {
			t.Errorf("%s.log has escapes: %t", name, !strip)
		}
		got = regexp.MustCompile("\x1b\\[[01]m").ReplaceAllString(tags.ReplaceAllString(got, ""), "")
		lines := strings.Split(got, "\n")
		for i, line := range lines[:len(lines)-1] {
			if line != fmt.Sprintf("line %d", i+1) {
				t.Errorf("%s.log has %q in place of line %d", name, line, i+1)
				break
			}
		}
		t.Logf("%s: %d lines", name, len(lines)-1)
		if len(lines) < 1000 {
			t.Errorf("%s.log has only %d lines", name, len(lines))
		}
	}
	if names, err := filepath.Glob(r.path("pid.adopt/*")); err != nil || len(names) != 1 {
		t.Errorf("left in the directory: %v", names)
	}
}

// messageOf returns what a program wrote that became a line of its log, and
// whether it wrote the end of the line too.
func messageOf(t *testing.T, name, line string) (message string, whole bool) {
	switch name {
	case "text":
		m := regexp.MustCompile(`^\S+ text stdout ([|+]) (.*)$`).FindStringSubmatch(line)
		if m == nil {
			t.Fatalf("text.log has %q", line)
		}
		return m[2], m[1] == "|"
	case "json", "both":
		var r struct {
			Message string
			Partial bool
		}
		if err := json.Unmarshal([]byte(line), &r); err != nil {
			t.Fatalf("%s.log has %q: %v", name, line, err)
		}
		return r.Message, !r.Partial
	}
	return line, true
}
