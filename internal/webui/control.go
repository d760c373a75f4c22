package webui

import (
	"context"
	"errors"
	"net/http"
	"strings"
	"time"

	"supervisord/internal/api"
)

// A result is the outcome of an action on one process or group.
type result struct {
	name    string
	ok      bool
	message string
}

// serveControl serves the actions of the buttons. They change things, so that
// they take only POST requests that a page of ours, or no browser, has sent.
// The answer comes when the outcome is known, and tells it process by process.
func (h *Handler) serveControl(w http.ResponseWriter, r *http.Request) {
	if !h.readForm(w, r) {
		return
	}
	if requestOrigin(r) != originOwn {
		writeResults(w, http.StatusForbidden, []result{{message: "the request was sent by a page of another site"}})
		return
	}
	if err := h.checkMood(); err != nil {
		h.serveFault(w, err)
		return
	}
	// An answer may take as long as a program takes to stop.
	_ = http.NewResponseController(w).SetWriteDeadline(time.Time{})
	switch strings.TrimLeft(r.URL.Path, "/") {
	case "api/reread":
		h.serveReread(w, r)
	case "api/update":
		// An update goes on when the client leaves: a group that was removed
		// must not stay away.
		writeResults(w, http.StatusOK, h.update(context.WithoutCancel(r.Context())))
	default:
		h.serveAction(w, r)
	}
}

// serveAction starts, stops or restarts a process, a group or everything, or
// clears the logs of a process.
func (h *Handler) serveAction(w http.ResponseWriter, r *http.Request) {
	action, name, group := r.PostForm.Get("action"), r.PostForm.Get("processname"), r.PostForm.Get("group")
	// Once it has begun an action goes on when the client leaves.
	ctx := context.WithoutCancel(r.Context())
	var results []result
	switch {
	case name != "":
		results = h.controlProcess(ctx, action, name)
	case group != "":
		results = h.controlMany(ctx, action,
			func(ctx context.Context) ([]api.ProcessStatus, error) { return h.sup.StopGroup(ctx, group, true) },
			func(ctx context.Context) ([]api.ProcessStatus, error) { return h.sup.StartGroup(ctx, group, true) })
	default:
		results = h.controlMany(ctx, action,
			func(ctx context.Context) ([]api.ProcessStatus, error) { return h.sup.StopAll(ctx, true) },
			func(ctx context.Context) ([]api.ProcessStatus, error) { return h.sup.StartAll(ctx, true) })
	}
	if results == nil {
		writeResults(w, http.StatusBadRequest, []result{{name: name, message: "no such action"}})
		return
	}
	writeResults(w, http.StatusOK, results)
}

// controlProcess does an action on one process, or returns nil if there is no
// such action.
func (h *Handler) controlProcess(ctx context.Context, action, name string) []result {
	var err error
	done := ""
	switch action {
	case "start":
		err, done = h.sup.StartProcess(ctx, name, true), "started"
	case "stop":
		err, done = h.sup.StopProcess(ctx, name, true), "stopped"
	case "restart":
		err, done = h.restart(ctx, name), "restarted"
	case "clearlog":
		err, done = h.sup.ClearProcessLogs(ctx, name), "log cleared"
	default:
		return nil
	}
	if err != nil {
		return []result{{name, false, h.reason(ctx, name, err)}}
	}
	return []result{{name, true, done}}
}

// controlMany does an action on several processes, given how to stop and how
// to start them, or returns nil if there is no such action.
func (h *Handler) controlMany(ctx context.Context, action string, stop, start func(context.Context) ([]api.ProcessStatus, error)) []result {
	results := []result{}
	if action != "start" && action != "stop" && action != "restart" {
		return nil
	}
	if action != "start" {
		stopped, err := stop(ctx)
		if err != nil {
			return []result{{message: err.Error()}}
		}
		results = h.failures(ctx, results, stopped)
		if action == "stop" {
			return append(results, successes(stopped, "stopped")...)
		}
	}
	started, err := start(ctx)
	if err != nil {
		return append(results, result{message: err.Error()})
	}
	results = h.failures(ctx, results, started)
	return append(results, successes(started, "started")...)
}

// failures appends those that a request failed for. That a process was already
// as it should be is no failure.
func (h *Handler) failures(ctx context.Context, results []result, statuses []api.ProcessStatus) []result {
	for _, s := range statuses {
		if s.Status != api.Success && s.Status != api.NotRunning && s.Status != api.AlreadyStarted {
			name := api.Namespec(s.Group, s.Name)
			results = append(results, result{name, false, h.reason(ctx, name, &api.Fault{Code: s.Status, Text: s.Description})})
		}
	}
	return results
}

// successes returns those that a request succeeded for.
func successes(statuses []api.ProcessStatus, done string) []result {
	var results []result
	for _, s := range statuses {
		if s.Status == api.Success {
			results = append(results, result{api.Namespec(s.Group, s.Name), true, done})
		}
	}
	return results
}

// reason says why an action failed, with what the daemon knows beyond the
// fault: the error of the start, or how the process ended.
func (h *Handler) reason(ctx context.Context, name string, err error) string {
	words := ""
	switch faultCode(err) {
	case api.BadName:
		return "no such process"
	case api.NotRunning:
		return "not running"
	case api.NoFile, api.NotExecutable, api.AlreadyStarted, api.SpawnError, api.AbnormalTermination:
		words = startFailure(err)
	default:
		return err.Error()
	}
	if info, err := h.sup.ProcessInfo(ctx, name); err == nil && !info.State.IsRunning() {
		if info.SpawnErr != "" {
			words += ": " + info.SpawnErr
		}
		// A process that was not even begun has not ended either.
		if info.ExitReason != "" && (info.SpawnErr == "" || strings.HasPrefix(info.SpawnErr, "Exited too quickly")) {
			words += ", " + info.ExitReason
		}
	}
	return words
}

// serveReread reads the configuration again and tells which groups an update
// would add, restart and remove, with the commands of those that it would run.
func (h *Handler) serveReread(w http.ResponseWriter, r *http.Request) {
	added, changed, removed, err := h.sup.ReloadConfig(r.Context())
	if err != nil {
		h.serveFault(w, err)
		return
	}
	commands := make(map[string][]string)
	if configs, err := h.sup.AllConfigInfo(r.Context()); err == nil {
		for _, c := range configs {
			commands[c.Group] = append(commands[c.Group], api.Namespec(c.Group, c.Name)+": "+c.Command)
		}
	}
	var j jsonBuffer
	j.open('{').key("ok").bool(true)
	for _, list := range []struct {
		name   string
		groups []string
	}{{"added", added}, {"changed", changed}, {"removed", removed}} {
		j.key(list.name).open('[')
		for _, group := range list.groups {
			j.open('{').key("group").string(group).key("processes").open('[')
			if list.name != "removed" {
				for _, command := range commands[group] {
					j.string(command)
				}
			}
			j.close(']').close('}')
		}
		j.close(']')
	}
	writeJSON(w, http.StatusOK, j.close('}').b)
}

// update reads the configuration again and makes it so: groups that were
// removed are stopped and taken away, those that were changed replaced, new
// ones added. Groups that did not change are not touched.
func (h *Handler) update(ctx context.Context) []result {
	added, changed, removed, err := h.sup.ReloadConfig(ctx)
	if err != nil {
		return []result{{message: err.Error()}}
	}
	results := []result{}
	for _, group := range removed {
		results = append(results, outcome(group, "removed", h.removeGroup(ctx, group)))
	}
	for _, group := range changed {
		err := h.removeGroup(ctx, group)
		if err == nil {
			err = h.sup.AddGroup(ctx, group)
		}
		results = append(results, outcome(group, "updated", err))
	}
	for _, group := range added {
		results = append(results, outcome(group, "added", h.sup.AddGroup(ctx, group)))
	}
	return results
}

// removeGroup stops the processes of a group and removes it.
func (h *Handler) removeGroup(ctx context.Context, group string) error {
	statuses, err := h.sup.StopGroup(ctx, group, true)
	if err != nil {
		return err
	}
	for _, s := range statuses {
		if s.Status == api.Failed {
			return errors.New(api.Namespec(s.Group, s.Name) + " could not be stopped: " + s.Description)
		}
	}
	return h.sup.RemoveGroup(ctx, group)
}

// outcome is the result of something done to a group.
func outcome(group, done string, err error) result {
	if err != nil {
		return result{group, false, err.Error()}
	}
	return result{group, true, done}
}

// serveFault answers a request of a script that failed as a whole.
func (h *Handler) serveFault(w http.ResponseWriter, err error) {
	status := http.StatusInternalServerError
	switch faultCode(err) {
	case api.BadName, api.NoFile:
		status = http.StatusNotFound
	case api.ShutdownState:
		status = http.StatusServiceUnavailable
	case api.CantReread:
		status = http.StatusConflict
	}
	writeResults(w, status, []result{{message: err.Error()}})
}

// writeResults writes the outcome of an action. It is ok as a whole if each
// part of it is.
func writeResults(w http.ResponseWriter, status int, results []result) {
	ok := true
	var list jsonBuffer
	list.open('[')
	for _, r := range results {
		ok = ok && r.ok
		list.open('{').key("name").string(r.name).key("ok").bool(r.ok).key("message").string(r.message).close('}')
	}
	list.close(']')
	var j jsonBuffer
	j.open('{').key("ok").bool(ok).key("results").raw(list.b).close('}')
	writeJSON(w, status, j.b)
}

// writeJSON writes an answer to a script.
func writeJSON(w http.ResponseWriter, status int, data []byte) {
	header := w.Header()
	header.Set("Content-Type", "application/json")
	header.Set("Cache-Control", "no-store")
	w.WriteHeader(status)
	_, _ = w.Write(data)
}
