package scripttest

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"syscall"

	"github.com/rogpeppe/go-internal/testscript"

	"supervisord/internal/api"
	"supervisord/internal/testenv"
)

// maxBody is how much of a page the http command reads.
const maxBody = 1 << 20

var commands = map[string]func(ts *testscript.TestScript, neg bool, args []string){
	"supervisord":           cmdSupervisord,
	"supervisorctl":         cmdSupervisorctl,
	"pidproxy":              program("pidproxy"),
	"echo_supervisord_conf": program("echo_supervisord_conf"),
	"wait-exit":             cmdWaitExit,
	"wait-state":            cmdWaitState,
	"wait-log":              cmdWaitLog,
	"wait-file":             cmdWaitFile,
	"wait-gone":             cmdWaitGone,
	"rpc":                   cmdRPC,
	"pid":                   cmdPID,
	"signal":                cmdSignal,
	"http":                  cmdHTTP,
	"remove-at-end":         cmdRemoveAtEnd,
	"need":                  cmdNeed,
	"need-root":             cmdNeedRoot,
}

// usage ends a script when the command was written with a number of arguments
// that is not between low and high, or with a ! that it cannot have.
func usage(ts *testscript.TestScript, neg bool, args []string, low, high int, text string) {
	if neg || len(args) < low || len(args) > high {
		ts.Fatalf("usage: %s", text)
	}
}

// program is the command that runs a program to its end.
func program(name string) func(*testscript.TestScript, bool, []string) {
	return func(ts *testscript.TestScript, neg bool, args []string) {
		err := ts.Exec(name, args...)
		if err == nil && neg {
			ts.Fatalf("%s succeeded", name)
		} else if err != nil && !neg {
			ts.Fatalf("%s: %v", name, err)
		}
	}
}

func cmdSupervisord(ts *testscript.TestScript, neg bool, args []string) {
	if n := len(args) - 1; n >= 0 && args[n] == "&" {
		usage(ts, neg, nil, 0, 0, "supervisord [NAME=VALUE...] [ARG...] &")
		startDaemon(ts, args[:n])
		return
	}
	program("supervisord")(ts, neg, args)
}

func cmdSupervisorctl(ts *testscript.TestScript, neg bool, args []string) {
	if len(args) == 0 || args[0] != "-c" && args[0] != "-s" {
		args = append([]string{"-c", filepath.Join(of(ts).work, "supervisord.conf")}, args...)
	}
	program("supervisorctl")(ts, neg, args)
}

func cmdWaitState(ts *testscript.TestScript, neg bool, args []string) {
	usage(ts, neg, args, 2, 99, "wait-state NAME STATE...")
	s := of(ts)
	last := "no answer yet"
	ok := until(func() bool {
		info, err := s.client.ProcessInfo(context.Background(), args[0])
		if err != nil {
			last = err.Error()
			return s.daemon != nil && s.daemon.exited()
		}
		last = info.StateName
		// Nothing leaves FATAL by itself.
		return slices.Contains(args[1:], last) || last == api.Fatal.String()
	})
	if !ok || !slices.Contains(args[1:], last) {
		ts.Fatalf("%s did not reach %s: %s", args[0], strings.Join(args[1:], " or "), last)
	}
}

func cmdWaitLog(ts *testscript.TestScript, neg bool, args []string) {
	usage(ts, neg, args, 2, 3, "wait-log FILE REGEXP [N]")
	re, err := regexp.Compile("(?m)" + args[1])
	ts.Check(err)
	want := 1
	if len(args) == 3 {
		want, err = strconv.Atoi(args[2])
		ts.Check(err)
	}
	file := ts.MkAbs(args[0])
	got := 0
	ok := until(func() bool {
		data, err := os.ReadFile(file)
		if err != nil {
			return false
		}
		got = len(re.FindAll(data, -1))
		return got >= want
	})
	if !ok {
		ts.Fatalf("%s has %d matches of %s, want %d", args[0], got, args[1], want)
	}
}

func cmdWaitFile(ts *testscript.TestScript, neg bool, args []string) {
	usage(ts, neg, args, 1, 1, "wait-file FILE")
	ok := until(func() bool {
		_, err := os.Stat(ts.MkAbs(args[0]))
		return err == nil
	})
	if !ok {
		ts.Fatalf("%s does not exist", args[0])
	}
}

func cmdWaitGone(ts *testscript.TestScript, neg bool, args []string) {
	usage(ts, neg, args, 1, 1, "wait-gone PID")
	pid, err := strconv.Atoi(args[0])
	ts.Check(err)
	if !until(func() bool { return !alive(pid) }) {
		ts.Fatalf("process %d goes on running", pid)
	}
}

func cmdRPC(ts *testscript.TestScript, neg bool, args []string) {
	if len(args) == 0 {
		ts.Fatalf("usage: rpc METHOD ARG...")
	}
	var params []any
	for _, arg := range args[1:] {
		params = append(params, rpcValue(arg))
	}
	ctx, cancel := context.WithTimeout(context.Background(), limit)
	defer cancel()
	var result any
	err := of(ts).client.Call(ctx, args[0], &result, params...)
	if fault, ok := errors.AsType[*api.Fault](err); ok {
		fmt.Fprintf(ts.Stderr(), "fault %d %s\n", fault.Code, fault.Text)
	} else if err != nil {
		fmt.Fprintln(ts.Stderr(), err)
	} else {
		e := json.NewEncoder(ts.Stdout())
		e.SetEscapeHTML(false)
		e.SetIndent("", "  ")
		ts.Check(e.Encode(result))
	}
	if (err != nil) != neg {
		ts.Fatalf("%s: got error %v", args[0], err)
	}
}

// rpcValue is the value of an argument of rpc: that of the JSON text if it is
// one, with whole numbers as integers, else the text itself.
func rpcValue(arg string) any {
	d := json.NewDecoder(strings.NewReader(arg))
	d.UseNumber()
	var v any
	if err := d.Decode(&v); err != nil || d.More() {
		return arg
	}
	return withIntegers(v)
}

func withIntegers(v any) any {
	switch v := v.(type) {
	case json.Number:
		if n, err := v.Int64(); err == nil {
			return int(n)
		}
		f, _ := v.Float64()
		return f
	case []any:
		for i := range v {
			v[i] = withIntegers(v[i])
		}
	case map[string]any:
		for k := range v {
			v[k] = withIntegers(v[k])
		}
	}
	return v
}

func cmdPID(ts *testscript.TestScript, neg bool, args []string) {
	usage(ts, neg, args, 2, 2, "pid VAR PROCESS|PIDFILE")
	s := of(ts)
	pid := 0
	ok := until(func() bool {
		if data, err := os.ReadFile(ts.MkAbs(args[1])); err == nil {
			pid, _ = strconv.Atoi(strings.TrimSpace(string(data)))
		}
		if pid > 0 {
			return true
		}
		if info, err := s.client.ProcessInfo(context.Background(), args[1]); err == nil {
			pid = info.PID
		}
		return pid > 0
	})
	if !ok {
		ts.Fatalf("%s has no pid", args[1])
	}
	ts.Setenv(args[0], strconv.Itoa(pid))
}

func cmdSignal(ts *testscript.TestScript, neg bool, args []string) {
	usage(ts, neg, args, 2, 2, "signal SIGNAL PID")
	sig, err := api.ParseSignal(args[0])
	ts.Check(err)
	pid, err := strconv.Atoi(args[1])
	ts.Check(err)
	ts.Check(syscall.Kill(pid, sig))
}

func cmdHTTP(ts *testscript.TestScript, neg bool, args []string) {
	if len(args) != 1 {
		ts.Fatalf("usage: http URL")
	}
	ctx, cancel := context.WithTimeout(context.Background(), limit)
	defer cancel()
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, args[0], nil)
	ts.Check(err)
	resp, err := http.DefaultClient.Do(req)
	if err != nil {
		fmt.Fprintln(ts.Stderr(), err)
		if !neg {
			ts.Fatalf("get %s: %v", args[0], err)
		}
		return
	}
	defer resp.Body.Close()
	body, err := io.ReadAll(io.LimitReader(resp.Body, maxBody))
	ts.Check(err)
	fmt.Fprintf(ts.Stdout(), "%s\n%s", resp.Status, body)
	if (resp.StatusCode >= 400) != neg {
		ts.Fatalf("get %s: %s", args[0], resp.Status)
	}
}

func cmdRemoveAtEnd(ts *testscript.TestScript, neg bool, args []string) {
	usage(ts, neg, args, 1, 1, "remove-at-end FILE")
	file := ts.MkAbs(args[0])
	of(ts).t.Cleanup(func() { os.Remove(file) })
}

func cmdNeed(ts *testscript.TestScript, neg bool, args []string) {
	usage(ts, neg, args, 2, 2, "need PROGRAM PACKAGE")
	testenv.NeedProgram(of(ts).t, args[0], args[1])
}

func cmdNeedRoot(ts *testscript.TestScript, neg bool, args []string) {
	usage(ts, neg, args, 0, 0, "need-root")
	testenv.NeedRoot(of(ts).t)
}
