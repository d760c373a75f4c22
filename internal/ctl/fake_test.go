package ctl

import (
	"fmt"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"

	"supervisord/internal/api"
	"supervisord/internal/xmlrpc"
)

// member is a member of a struct that a fake answers with.
type member struct {
	name  string
	value any
}

// fake is a daemon that answers what a test tells it to.
type fake struct {
	settings testSettings
	// onCall answers a call: a string, int, bool, []any, []member, or
	// *api.Fault. It is called with the lock held.
	onCall func(method string, params []any) any
	// onGet serves everything that is no call.
	onGet http.HandlerFunc
	// user and password are what it wants, if user is not empty.
	user, password string

	mu    sync.Mutex
	calls []string
}

// set changes the fake while it runs.
func (f *fake) set(change func()) {
	f.mu.Lock()
	defer f.mu.Unlock()
	change()
}

// called returns the calls so far.
func (f *fake) called() []string {
	f.mu.Lock()
	defer f.mu.Unlock()
	return slices.Clone(f.calls)
}

// newFake starts a fake. Methods that every daemon has are answered, unless
// onCall does it.
func newFake(t *testing.T, onCall func(method string, params []any) any) *fake {
	t.Helper()
	f := &fake{onCall: onCall}
	socket := filepath.Join(t.TempDir(), "s")
	l, err := net.Listen("unix", socket)
	if err != nil {
		t.Fatal(err)
	}
	s := httptest.NewUnstartedServer(f)
	s.Listener.Close()
	s.Listener = l
	s.Start()
	t.Cleanup(s.Close)
	f.settings.ServerURL = "unix://" + socket
	return f
}

func (f *fake) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	f.mu.Lock()
	wantUser, wantPassword, onGet := f.user, f.password, f.onGet
	f.mu.Unlock()
	if user, password, _ := r.BasicAuth(); wantUser != "" && (user != wantUser || password != wantPassword) {
		w.WriteHeader(http.StatusUnauthorized)
		return
	}
	if r.Method != http.MethodPost {
		onGet(w, r)
		return
	}
	body, _ := io.ReadAll(r.Body)
	method, params, err := xmlrpc.DecodeCall(body)
	if err != nil {
		w.WriteHeader(http.StatusBadRequest)
		return
	}
	var e xmlrpc.Encoder
	result := f.call(method, params)
	if fault, ok := result.(*api.Fault); ok {
		e.Fault(int(fault.Code), fault.Text)
	} else {
		e.BeginResponse()
		encode(&e, result)
		e.EndResponse()
	}
	w.Write(e.Bytes())
}

// call answers one call, or several for system.multicall.
func (f *fake) call(method string, params []any) any {
	if method == "system.multicall" {
		if answer := f.answer(method, params); answer != nil {
			return answer
		}
		var results []any
		for _, entry := range params[0].([]any) {
			m := entry.(map[string]any)
			args, _ := m["params"].([]any)
			result := f.call(m["methodName"].(string), args)
			if fault, ok := result.(*api.Fault); ok {
				result = []member{{"faultCode", int(fault.Code)}, {"faultString", fault.Text}}
			}
			results = append(results, result)
		}
		return results
	}
	if answer := f.answer(method, params); answer != nil {
		return answer
	}
	switch method {
	case "supervisor.getVersion":
		return "3.0"
	case "supervisor.getAllProcessInfo":
		return []any{}
	}
	return api.NewFault(api.UnknownMethod)
}

func (f *fake) answer(method string, params []any) any {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.calls = append(f.calls, strings.TrimSpace(fmt.Sprint(method, params)))
	if f.onCall == nil {
		return nil
	}
	return f.onCall(method, params)
}

func encode(e *xmlrpc.Encoder, v any) {
	switch v := v.(type) {
	case string:
		e.String(v)
	case int:
		e.Int(int64(v))
	case bool:
		e.Bool(v)
	case []any:
		e.BeginArray()
		for _, x := range v {
			encode(e, x)
		}
		e.EndArray()
	case []member:
		e.BeginStruct()
		for _, m := range v {
			e.Member(m.name)
			encode(e, m.value)
		}
		e.EndStruct()
	default:
		panic(fmt.Sprintf("encode %T", v))
	}
}

// info returns the description of a process in the way a daemon gives it.
func info(group, name string, state api.ProcessState, description string) []member {
	pid := 0
	if state == api.Running {
		pid = 4242
	}
	return []member{{"name", name}, {"group", group}, {"start", 1}, {"stop", 2}, {"now", 3}, {"state", int(state)},
		{"statename", state.String()}, {"spawnerr", ""}, {"exitstatus", 0}, {"logfile", ""},
		{"stdout_logfile", "/log/" + name}, {"stderr_logfile", ""}, {"pid", pid}, {"description", description}}
}

// status returns an element of what the methods for groups return.
func status(group, name string, code api.FaultCode) []member {
	text := "OK"
	if code != api.Success {
		text = code.String()
	}
	return []member{{"name", name}, {"group", group}, {"status", int(code)}, {"description", text}}
}

// described returns a status with another description.
func described(s []member, text string) []member {
	s[3].value = text
	return s
}

// someProcesses answers getAllProcessInfo and getProcessInfo.
func someProcesses(method string, params []any) any {
	all := []any{
		info("cat", "cat", api.Running, "pid 4242, uptime 0:00:07"),
		info("grp", "a", api.Stopped, "Not started"),
		info("grp", "b", api.Fatal, "can't find command '/x'"),
	}
	switch method {
	case "supervisor.getAllProcessInfo":
		return all
	case "supervisor.getProcessInfo":
		group, process, _ := api.SplitNamespec(params[0].(string))
		for _, x := range all {
			m := x.([]member)
			if m[0].value == process && m[1].value == group {
				return x
			}
		}
		return api.NewFault(api.BadName, params[0].(string))
	}
	return nil
}
