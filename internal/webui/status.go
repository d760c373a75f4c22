package webui

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"strings"
	"time"

	"supervisord/internal/api"
)

// serveStatus serves the status page, and before it the action that the
// request asks for, if any: then the answer leads back to the page with the
// message that tells the outcome (manual: Web UI, addresses).
func (h *Handler) serveStatus(w http.ResponseWriter, r *http.Request) {
	if !h.readForm(w, r) {
		return
	}
	action := r.Form.Get("action")
	if action == "" || r.Method == http.MethodHead {
		h.serveStatusPage(w, r)
		return
	}
	if action != "refresh" && !h.allowChange(w, r) {
		return
	}
	message, ok := h.act(r.Context(), action, r.Form.Get("processname"))
	if !ok {
		h.serveError(w, r, http.StatusBadRequest, "Bad request", "There is no such action, or it needs a process name.")
		return
	}
	h.redirect(w, r, message)
}

// redirect leads to the status page with a message. Browsers get a relative
// address, which is right below any path of a proxy; other clients the
// absolute one that Supervisor sends.
func (h *Handler) redirect(w http.ResponseWriter, r *http.Request, message string) {
	location := "?message=" + queryEscape(message)
	switch {
	case wantsPage(r) || r.Host == "":
		location = "./" + location
	case r.TLS != nil:
		location = "https://" + strings.TrimSuffix(r.Host, ":443") + "/" + location
	default:
		location = "http://" + strings.TrimSuffix(r.Host, ":80") + "/" + location
	}
	header := w.Header()
	header.Set("Location", location)
	// The status says "moved permanently", as Supervisor's does, and must not
	// be taken at its word.
	header.Set("Cache-Control", "no-store")
	header.Set("Content-Length", "0")
	w.WriteHeader(http.StatusMovedPermanently)
}

// act does an action of the status page and returns the message about it. It
// is not ok if there is no such action.
func (h *Handler) act(ctx context.Context, action, name string) (message string, ok bool) {
	switch action {
	case "refresh":
		return "Page refreshed at " + time.Now().Format(ctime), true
	case "stopall", "restartall":
		return h.actOnAll(ctx, action), true
	case "start", "stop", "restart", "clearlog":
		if name == "" {
			return "", false
		}
		return h.actOnOne(ctx, action, name), true
	}
	return "", false
}

// ctime is the form of a time in messages, that of the C function.
const ctime = "Mon Jan _2 15:04:05 2006"

// actOnAll stops or restarts all processes. A restart goes on when the client
// leaves: it must not end half-way, with everything stopped.
func (h *Handler) actOnAll(ctx context.Context, action string) string {
	if err := h.checkMood(); err != nil {
		return unexpected(err)
	}
	if action == "stopall" {
		if _, err := h.sup.StopAll(ctx, true); err != nil {
			return unexpected(err)
		}
		return "All stopped at " + time.Now().Format(ctime)
	}
	ctx = context.WithoutCancel(ctx)
	if _, err := h.sup.StopAll(ctx, true); err != nil {
		return unexpected(err)
	}
	if _, err := h.sup.StartAll(ctx, true); err != nil {
		return unexpected(err)
	}
	return "All restarted at " + time.Now().Format(ctime)
}

// actOnOne does an action on one process.
func (h *Handler) actOnOne(ctx context.Context, action, name string) string {
	if _, _, all := api.SplitNamespec(name); all {
		return "No such process named " + name
	}
	if _, err := h.sup.ProcessInfo(ctx, name); faultCode(err) == api.BadName {
		return "No such process named " + name
	}
	err := h.checkMood()
	switch action {
	case "start":
		if err == nil {
			err = h.sup.StartProcess(ctx, name, true)
		}
		if err != nil {
			return "ERROR: Process " + name + ": " + startFailure(err)
		}
		return "Process " + name + " started"
	case "stop":
		if err == nil {
			err = h.sup.StopProcess(ctx, name, true)
		}
		if err != nil {
			return unexpected(err)
		}
		return "Process " + name + " stopped"
	case "restart":
		// The message is the original's, which does not look at the outcome;
		// the buttons of the page use restart, which does.
		if err == nil {
			_ = h.restart(ctx, name)
		}
		return "Process " + name + " restarted"
	}
	if err == nil {
		err = h.sup.ClearProcessLogs(ctx, name)
	}
	if err != nil {
		return unexpected(err)
	}
	return "Log for " + name + " cleared"
}

// restart stops a process, if it runs, and starts it. It goes on when the
// client leaves, for the reason given at actOnAll.
func (h *Handler) restart(ctx context.Context, name string) error {
	ctx = context.WithoutCancel(ctx)
	if err := h.sup.StopProcess(ctx, name, true); err != nil && faultCode(err) != api.NotRunning {
		return err
	}
	return h.sup.StartProcess(ctx, name, true)
}

// checkMood returns the fault with which requests are refused while supervisord
// shuts down or restarts.
func (h *Handler) checkMood() error {
	if h.sup.Mood() < api.MoodRunning {
		return api.NewFault(api.ShutdownState)
	}
	return nil
}

// faultCode returns the code of the fault that err is, or 0.
func faultCode(err error) api.FaultCode {
	var fault *api.Fault
	if errors.As(err, &fault) {
		return fault.Code
	}
	return 0
}

// startFailure says why a process could not be started.
func startFailure(err error) string {
	switch faultCode(err) {
	case api.NoFile:
		return "no such file"
	case api.NotExecutable:
		return "file not executable"
	case api.AlreadyStarted:
		return "already started"
	case api.SpawnError:
		return "spawn error"
	case api.AbnormalTermination:
		return "abnormal termination"
	}
	return unexpected(err)
}

// unexpected is the message for a fault that has none of its own.
func unexpected(err error) string {
	return fmt.Sprintf("unexpected rpc fault [%d] %s", faultCode(err), err)
}

// serveStatusPage writes the page with its table. The table is complete
// without scripts; with them it is the first thing to see, until the stream of
// events has begun.
func (h *Handler) serveStatusPage(w http.ResponseWriter, r *http.Request) {
	infos, err := h.sup.AllProcessInfo(r.Context())
	if err != nil {
		h.serveError(w, r, http.StatusServiceUnavailable, "Not available", "The programs could not be listed: "+err.Error()+".")
		return
	}
	rows := make([]values, 0, len(infos))
	for i := range infos {
		rows = append(rows, h.statusRow(&infos[i]))
	}
	mood := ""
	if m := h.sup.Mood(); m < api.MoodRunning {
		mood = strings.ToLower(m.String())
	}
	h.servePage(w, r, http.StatusOK, statusPage(), values{
		"message": r.Form.Get("message"),
		"mood":    mood,
		"rows":    rows,
	})
}

// statusRow returns the values of one row of the table.
func (h *Handler) statusRow(info *api.ProcessInfo) values {
	name := api.Namespec(info.Group, info.Name)
	row := values{
		"name":        name,
		"query":       queryEscape(name),
		"state":       strings.ToLower(info.State.String()),
		"description": h.describe(*info),
	}
	switch info.State {
	case api.Running:
		row["running"] = "yes"
	case api.Stopped, api.Exited, api.Fatal:
		row["stopped"] = "yes"
	}
	return row
}
