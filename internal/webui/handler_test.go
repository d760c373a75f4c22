package webui_test

import (
	"fmt"
	"net/http"
	"net/http/httptest"
	"net/url"
	"os"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"

	"supervisord/internal/api"
	"supervisord/internal/webtest"
	"supervisord/internal/webui"
)

// newHandler returns a Handler on a Supervisor with a few processes.
func newHandler(t *testing.T) (*webui.Handler, *webtest.Supervisor) {
	t.Helper()
	sup := webtest.New(t.TempDir())
	sup.Add("cat", "dog", "g:a", "g:b", "gone")
	sup.Run(time.Hour, "cat", "g:a")
	sup.Fail("gone", "can't find command 'gone'")
	return webui.New(webui.Options{
		Supervisor: sup, Version: "4.3.0", Interval: 20 * time.Millisecond,
		Describe: func(p api.ProcessInfo) string { return fmt.Sprintf("described %s, pid %d", p.Name, p.PID) },
	}), sup
}

// do serves a request; headers are names and values in turns.
func do(h http.Handler, method, target, body string, headers ...string) *httptest.ResponseRecorder {
	r := httptest.NewRequest(method, target, strings.NewReader(body))
	for i := 0; i < len(headers); i += 2 {
		r.Header.Set(headers[i], headers[i+1])
	}
	w := httptest.NewRecorder()
	h.ServeHTTP(w, r)
	return w
}

func TestActions(t *testing.T) {
	clock := regexp.MustCompile(` at \w{3} \w{3} [ \d]\d \d\d:\d\d:\d\d \d{4}$`)
	for _, test := range []struct {
		query   string
		message string
		calls   []string
	}{
		{"action=start&processname=dog", "Process dog started", []string{"start dog"}},
		{"action=start&processname=cat", "ERROR: Process cat: already started", nil},
		{"action=start&processname=gone", "ERROR: Process gone: spawn error", []string{"start gone"}},
		{"action=start&processname=g:b", "Process g:b started", []string{"start g:b"}},
		{"action=start&processname=g%3Ab", "Process g:b started", []string{"start g:b"}},
		{"action=start&processname=g:*", "No such process named g:*", nil},
		{"action=start&processname=g:", "No such process named g:", nil},
		{"action=start&processname=g", "No such process named g", nil},
		{"action=stop&processname=cat", "Process cat stopped", []string{"stop cat"}},
		{"action=stop&processname=dog", "unexpected rpc fault [70] NOT_RUNNING: dog", nil},
		{"action=restart&processname=cat", "Process cat restarted", []string{"stop cat", "start cat"}},
		{"action=restart&processname=dog", "Process dog restarted", []string{"start dog"}},
		{"action=clearlog&processname=dog", "Log for dog cleared", []string{"clear dog"}},
		{"action=stopall", "All stopped at <time>", []string{"stop cat", "stop g:a"}},
		{"action=restartall", "All restarted at <time>", []string{"stop cat", "stop g:a", "start cat", "start dog", "start g:a", "start g:b", "start gone"}},
		{"action=refresh", "Page refreshed at <time>", nil},
	} {
		h, sup := newHandler(t)
		sup.Break("gone", api.NewFault(api.SpawnError, "gone"))
		w := do(h, "GET", "/index.html?"+test.query, "")
		u, err := url.Parse(w.Header().Get("Location"))
		if err != nil || w.Code != http.StatusMovedPermanently || u.Scheme != "http" || u.Host != "example.com" || u.Path != "/" {
			t.Errorf("%s: %d to %s", test.query, w.Code, u)
		}
		if got := clock.ReplaceAllString(u.Query().Get("message"), " at <time>"); got != test.message {
			t.Errorf("%s: says %q, not %q", test.query, got, test.message)
		}
		if calls := sup.Calls(); !slices.Equal(calls, test.calls) {
			t.Errorf("%s: did %q, not %q", test.query, calls, test.calls)
		}
	}
}

func TestActionForms(t *testing.T) {
	h, sup := newHandler(t)
	w := do(h, "POST", "/", "action=stop&processname=cat", "Content-Type", "application/x-www-form-urlencoded")
	if w.Code != http.StatusMovedPermanently || !slices.Equal(sup.Calls(), []string{"stop cat"}) {
		t.Errorf("posted: %d", w.Code)
	}
	for _, query := range []string{"action=explode", "action=start", "action=stop&processname="} {
		if w := do(h, "GET", "/?"+query, ""); w.Code != http.StatusBadRequest {
			t.Errorf("%s: %d", query, w.Code)
		}
	}
	if w := do(h, "HEAD", "/?action=stopall", ""); w.Code != http.StatusOK || w.Body.Len() > 0 || len(sup.Calls()) > 0 {
		t.Errorf("HEAD: %d, %d bytes", w.Code, w.Body.Len())
	}
	if w := do(h, "POST", "/", strings.Repeat("a", 100<<10), "Content-Type", "application/x-www-form-urlencoded"); w.Code != http.StatusRequestEntityTooLarge {
		t.Errorf("a long form: %d", w.Code)
	}
	// A browser gets an address that is right below any path.
	w = do(h, "GET", "/?action=refresh", "", "Accept", "text/html,*/*")
	if got := w.Header().Get("Location"); !strings.HasPrefix(got, "./?message=Page%20refreshed") {
		t.Errorf("a browser is sent to %s", got)
	}
	if got := w.Header().Get("Cache-Control"); got != "no-store" {
		t.Errorf("the redirection may be kept: %q", got)
	}
}

func TestActionsInShutdown(t *testing.T) {
	h, sup := newHandler(t)
	sup.SetMood(api.MoodShutdown)
	for query, want := range map[string]string{
		"action=start&processname=dog": "ERROR: Process dog: unexpected rpc fault [6] SHUTDOWN_STATE",
		"action=stop&processname=cat":  "unexpected rpc fault [6] SHUTDOWN_STATE",
		"action=stopall":               "unexpected rpc fault [6] SHUTDOWN_STATE",
	} {
		w := do(h, "GET", "/?"+query, "")
		if u, _ := url.Parse(w.Header().Get("Location")); u.Query().Get("message") != want {
			t.Errorf("%s: says %q", query, u.Query().Get("message"))
		}
	}
	if w := do(h, "POST", "/api/action", "action=stop"); w.Code != http.StatusServiceUnavailable {
		t.Errorf("the button: %d", w.Code)
	}
	if calls := sup.Calls(); len(calls) != 0 {
		t.Errorf("did %q", calls)
	}
	if w := do(h, "GET", "/", ""); w.Code != http.StatusOK || !strings.Contains(w.Body.String(), "supervisord is shutdown.") {
		t.Errorf("the page: %d", w.Code)
	}
}

// A browser that was sent by another site, or will not say by whom, changes
// nothing.
func TestCrossSite(t *testing.T) {
	h, sup := newHandler(t)
	form := []string{"Content-Type", "application/x-www-form-urlencoded"}
	for _, test := range []struct {
		method, target, body string
		headers              []string
		code                 int
		words                string
	}{
		{"GET", "/?action=stopall", "", []string{"Sec-Fetch-Site", "cross-site"}, 403, "another site"},
		{"GET", "/?action=stopall", "", []string{"Referer", "http://evil.example/"}, 403, "another site"},
		{"GET", "/?action=stop&processname=%3Cb%3E", "", []string{"Sec-Fetch-Site", "none"}, 403, "Stop &lt;b&gt;?"},
		{"GET", "/?action=stopall", "", []string{"Sec-Fetch-Site", "none"}, 403, "Stop all programs?"},
		{"POST", "/", "action=stopall", append(form, "Origin", "http://evil.example"), 403, "another site"},
		{"POST", "/", "action=stopall", append(form, "Origin", "null"), 403, "another site"},
		{"POST", "/api/action", "action=stop", append(form, "Origin", "http://evil.example"), 403, "another site"},
		{"POST", "/api/update", "", []string{"Sec-Fetch-Site", "same-site"}, 403, "another site"},
		{"POST", "/api/reread", "", []string{"Sec-Fetch-Site", "cross-site"}, 403, "another site"},
		{"GET", "/api/action?action=stop", "", nil, 405, "GET"},
	} {
		w := do(h, test.method, test.target, test.body, test.headers...)
		if w.Code != test.code || !strings.Contains(w.Body.String(), test.words) {
			t.Errorf("%s %s %q: %d %s", test.method, test.target, test.headers, w.Code, w.Body)
		}
	}
	// The fields of an action are never taken from the address.
	do(h, "POST", "/api/action?action=stop", "")
	if calls := sup.Calls(); len(calls) != 0 {
		t.Errorf("did %q", calls)
	}
}

func TestControl(t *testing.T) {
	h, sup := newHandler(t)
	sup.Break("dog", api.NewFault(api.SpawnError, "dog"))
	sup.Break("gone", api.NewFault(api.AbnormalTermination, "gone"))
	for _, test := range []struct {
		target, body string
		code         int
		answer       string
	}{
		{"/api/action", "action=stop&processname=cat", 200, `{"ok":true,"results":[{"name":"cat","ok":true,"message":"stopped"}]}`},
		{"/api/action", "action=stop&processname=cat", 200, `{"ok":false,"results":[{"name":"cat","ok":false,"message":"not running"}]}`},
		{"/api/action", "action=restart&processname=cat", 200, `{"ok":true,"results":[{"name":"cat","ok":true,"message":"restarted"}]}`},
		{"/api/action", "action=start&processname=dog", 200, `{"ok":false,"results":[{"name":"dog","ok":false,"message":"spawn error: can't find command '/usr/bin/dog'"}]}`},
		{"/api/action", "action=start&processname=nope", 200, `{"ok":false,"results":[{"name":"nope","ok":false,"message":"no such process"}]}`},
		{"/api/action", "action=clearlog&processname=g:a", 200, `{"ok":true,"results":[{"name":"g:a","ok":true,"message":"log cleared"}]}`},
		{"/api/action", "action=restart&group=g", 200, `{"ok":true,"results":[{"name":"g:a","ok":true,"message":"started"},{"name":"g:b","ok":true,"message":"started"}]}`},
		{"/api/action", "action=stop&group=none", 200, `{"ok":false,"results":[{"name":"","ok":false,"message":"BAD_NAME: none"}]}`},
		{"/api/action", "action=stop", 200, `{"ok":true,"results":[{"name":"cat","ok":true,"message":"stopped"},{"name":"g:a","ok":true,"message":"stopped"},{"name":"g:b","ok":true,"message":"stopped"}]}`},
		{"/api/action", "action=explode", 400, `{"ok":false,"results":[{"name":"","ok":false,"message":"no such action"}]}`},
		{"/api/action", "action=clearlog&group=g", 400, `{"ok":false,"results":[{"name":"","ok":false,"message":"no such action"}]}`},
		{"/api/reread", "", 200, `{"ok":true,"added":[],"changed":[],"removed":[]}`},
		{"/api/update", "", 200, `{"ok":true,"results":[]}`},
	} {
		w := do(h, "POST", test.target, test.body, "Content-Type", "application/x-www-form-urlencoded")
		if w.Code != test.code || w.Body.String() != test.answer {
			t.Errorf("%s %s: %d %s, want %s", test.target, test.body, w.Code, w.Body, test.answer)
		}
	}
}

func TestUpdate(t *testing.T) {
	h, sup := newHandler(t)
	sup.Reloads([]string{"new"}, []string{"cat"}, []string{"g", "none"}, nil)
	w := do(h, "POST", "/api/reread", "")
	want := `{"ok":true,"added":[{"group":"new","processes":["new: /usr/bin/new --new"]}],` +
		`"changed":[{"group":"cat","processes":["cat: /usr/bin/cat"]}],"removed":[{"group":"g","processes":[]},{"group":"none","processes":[]}]}`
	if w.Body.String() != want {
		t.Errorf("reread answers %s, want %s", w.Body, want)
	}
	w = do(h, "POST", "/api/update", "")
	want = `{"ok":false,"results":[{"name":"g","ok":true,"message":"removed"},{"name":"none","ok":false,"message":"BAD_NAME: none"},` +
		`{"name":"cat","ok":true,"message":"updated"},{"name":"new","ok":true,"message":"added"}]}`
	if w.Body.String() != want {
		t.Errorf("update answers %s, want %s", w.Body, want)
	}
	if calls := sup.Calls(); !slices.Equal(calls, []string{"stop g:a", "remove g", "stop cat", "remove cat", "add cat", "add new"}) {
		t.Errorf("did %q", calls)
	}
	sup.Reloads(nil, nil, nil, api.NewFault(api.CantReread, "no good"))
	w = do(h, "POST", "/api/reread", "")
	if w.Code != http.StatusConflict || !strings.Contains(w.Body.String(), "CANT_REREAD: no good") {
		t.Errorf("a broken file: %d %s", w.Code, w.Body)
	}
}

func TestTail(t *testing.T) {
	h, sup := newHandler(t)
	log := sup.Log("cat", "stdout")
	var text strings.Builder
	for i := range 10_000 {
		fmt.Fprintf(&text, "%07d\n", i)
	}
	all := text.String()
	if err := log.Append(all); err != nil {
		t.Fatal(err)
	}
	pre := regexp.MustCompile(`(?s)<pre class="tail">(.*)</pre>`)
	for query, want := range map[string]string{
		"processname=cat":                            all[len(all)-1024:],
		"processname=cat&limit=10":                   all[len(all)-1024:],
		"processname=cat&limit=abc":                  all[len(all)-1024:],
		"processname=cat&limit=-5000":                all[len(all)-1024:],
		"processname=cat&limit=2000":                 all[len(all)-2000:],
		"processname=cat&limit=50000":                all[len(all)-50000:],
		"processname=cat&limit=99999999999999999999": all,
		"processname=dog":                            "No file for dog",
		"processname=none%3Cb%3E":                    "ERROR: unexpected rpc fault [10] BAD_NAME: none&lt;b&gt;",
		"":                                           "No process name found",
		"processname=":                               "No process name found",
		"processname=cat&limit=1024&limit=9999&action=stop": all[len(all)-1024:],
	} {
		w := do(h, "GET", "/tail.html?"+query, "")
		got := pre.FindStringSubmatch(w.Body.String())
		if w.Code != 200 || got == nil || got[1] != want {
			t.Errorf("%s: %d, %.200q", query, w.Code, got)
		}
	}
	w := do(h, "POST", "/tail.html", "processname=cat&limit=3000", "Content-Type", "application/x-www-form-urlencoded")
	if !strings.Contains(w.Body.String(), `href="tail.html?processname=cat&amp;limit=3000"`) {
		t.Error("there is no link to refresh")
	}
	if got := w.Header().Get("Content-Type") + " " + w.Header().Get("Cache-Control"); got != "text/html;charset=utf-8 no-cache" {
		t.Errorf("headers %q", got)
	}
}

// A tail may begin and end within a character, and be read in pieces.
func TestTailCharacters(t *testing.T) {
	h, sup := newHandler(t)
	if err := sup.Log("cat", "stdout").Append(strings.Repeat("€", 50_000) + "\xe2\x82"); err != nil {
		t.Fatal(err)
	}
	w := do(h, "GET", "/tail.html?processname=cat&limit=100000", "")
	_, body, _ := strings.Cut(w.Body.String(), `<pre class="tail">`)
	body, _, _ = strings.Cut(body, "</pre>")
	if n := strings.Count(body, "€"); n != 33332 {
		t.Errorf("%d characters", n)
	}
	if rest := strings.ReplaceAll(body, "€", ""); rest != "\uFFFD\uFFFD" {
		t.Errorf("and %q", rest)
	}
}

// Only regular files are read: a FIFO would keep its reader for ever.
func TestOddLogFiles(t *testing.T) {
	h, sup := newHandler(t)
	for name, path := range map[string]string{"cat": "/dev/null", "dog": os.TempDir()} {
		odd := webtest.NewLog(path)
		sup.SetLog(name, "stdout", odd)
		if w := do(h, "GET", "/tail.html?processname="+name, ""); !strings.Contains(w.Body.String(), "No file for "+name) {
			t.Errorf("%s: %s", path, w.Body)
		}
		if w := do(h, "GET", "/api/log?processname="+name, ""); w.Code != http.StatusNoContent || w.Header().Get("Log-Id") != "" {
			t.Errorf("%s: %d", path, w.Code)
		}
	}
}

func TestLogRanges(t *testing.T) {
	h, sup := newHandler(t)
	log := sup.Log("cat", "stderr")
	if err := log.Append("0123456789"); err != nil {
		t.Fatal(err)
	}
	const target = "/api/log?processname=cat&stream=stderr"
	for _, test := range []struct {
		ranges string
		code   int
		body   string
	}{
		{"", 200, "0123456789"}, {"bytes=2-4", 206, "234"}, {"bytes=-3", 206, "789"}, {"bytes=8-", 206, "89"},
		{"bytes=8-99", 206, "89"}, {"bytes=-99", 206, "0123456789"}, {"bytes=10-", 204, ""}, {"bytes=11-20", 204, ""}, {"bytes=x", 416, "invalid range\n"},
	} {
		w := do(h, "GET", target, "", "Range", test.ranges)
		if w.Code != test.code || w.Body.String() != test.body || w.Header().Get("Log-Size") != "10" {
			t.Errorf("%q: %d %q of %s", test.ranges, w.Code, w.Body, w.Header().Get("Log-Size"))
		}
	}
	id := do(h, "GET", target, "").Header().Get("Log-Id")
	if err := log.Rotate(); err != nil {
		t.Fatal(err)
	}
	if w := do(h, "GET", target, "", "Range", "bytes=-5"); w.Code != http.StatusNoContent || w.Header().Get("Log-Id") == id || w.Header().Get("Log-Id") == "" {
		t.Errorf("an empty file: %d", w.Code)
	}
	if w := do(h, "GET", target+"&id="+id, "", "Range", "bytes=5-"); w.Body.String() != "56789" || w.Header().Get("Log-Id") != id {
		t.Errorf("the rotated file: %d %q", w.Code, w.Body)
	}
	if w := do(h, "GET", target+"&id=1", ""); w.Code != http.StatusNoContent || w.Header().Get("Log-Id") != "" {
		t.Errorf("a file that is gone: %d", w.Code)
	}
	w := do(h, "GET", "/api/log?processname=g%3Aa&stream=stdout&download", "")
	if w.Code != http.StatusNotFound {
		t.Errorf("download of no file: %d", w.Code)
	}
	if w := do(h, "GET", target+"&download", ""); w.Header().Get("Content-Disposition") != `attachment; filename="cat-stderr.log"` {
		t.Errorf("download: %q", w.Header())
	}
	if w := do(h, "GET", "/api/log?processname=none", ""); w.Code != http.StatusNotFound {
		t.Errorf("no such process: %d", w.Code)
	}
	for _, path := range []string{"/log.html?processname=cat", "/log.html"} {
		if w := do(h, "GET", path, ""); w.Code != 200 {
			t.Errorf("%s: %d", path, w.Code)
		}
	}
	if w := do(h, "GET", "/log.html?processname=none", ""); w.Code != http.StatusNotFound {
		t.Errorf("log page of no process: %d", w.Code)
	}
}

func TestAddresses(t *testing.T) {
	h, _ := newHandler(t)
	for _, test := range []struct {
		method, path string
		code         int
		contentType  string
	}{
		{"GET", "/", 200, "text/html;charset=utf-8"},
		{"GET", "/index.html", 200, "text/html;charset=utf-8"},
		{"GET", "//index.html", 200, "text/html;charset=utf-8"},
		{"GET", "/ok.html", 200, "text/plain"},
		{"POST", "//ok.html", 200, "text/plain"},
		{"GET", "/stylesheets/supervisor.css", 200, "text/css; charset=utf-8"},
		{"GET", "/scripts/status.js", 200, "text/javascript; charset=utf-8"},
		{"GET", "/images/icon.png", 200, "image/png"},
		{"GET", "/images/supervisor.gif", 200, "image/gif"},
		{"GET", "/images/state0.gif", 200, "image/gif"},
		{"GET", "/nope", 404, "text/html;charset=utf-8"},
		{"GET", "/status.html", 404, "text/html;charset=utf-8"},
		{"GET", "/embed.go", 404, "text/html;charset=utf-8"},
		{"GET", "/stylesheets/../status.html", 404, "text/html;charset=utf-8"},
		{"GET", "/images/", 404, "text/html;charset=utf-8"},
		{"PUT", "/", 405, "text/html;charset=utf-8"},
		{"POST", "/events", 405, "text/html;charset=utf-8"},
		{"POST", "/images/icon.png", 405, "text/html;charset=utf-8"},
	} {
		w := do(h, test.method, "http://host"+test.path, "")
		if w.Code != test.code || w.Header().Get("Content-Type") != test.contentType {
			t.Errorf("%s %s: %d %s", test.method, test.path, w.Code, w.Header().Get("Content-Type"))
		}
		policy := w.Header().Get("Content-Security-Policy")
		if !strings.Contains(policy, "default-src 'none'") || strings.Contains(policy, "unsafe") || w.Header().Get("X-Content-Type-Options") != "nosniff" {
			t.Errorf("%s: headers %v", test.path, w.Header())
		}
	}
	w := do(h, "GET", "/ok.html", "")
	if w.Body.String() != "OK" {
		t.Errorf("ok.html says %q", w.Body)
	}
}

func TestAssetNotModified(t *testing.T) {
	h, _ := newHandler(t)
	const path = "/stylesheets/supervisor.css"
	plain := do(h, "GET", path, "")
	packed := do(h, "GET", path, "", "Accept-Encoding", "br, gzip")
	if packed.Header().Get("Content-Encoding") != "gzip" || packed.Body.Len() > plain.Body.Len()/2 {
		t.Errorf("packed: %d of %d bytes", packed.Body.Len(), plain.Body.Len())
	}
	if w := do(h, "GET", path, "", "Accept-Encoding", "gzip;q=0"); w.Header().Get("Content-Encoding") != "" {
		t.Error("gzip is sent to one who refuses it")
	}
	if w := do(h, "GET", "/images/icon.png", "", "Accept-Encoding", "gzip"); w.Header().Get("Content-Encoding") != "" || w.Body.Len() == 0 {
		t.Error("a picture is packed again")
	}
	for _, test := range []struct {
		name, value string
		code        int
	}{
		{"If-Modified-Since", plain.Header().Get("Last-Modified"), 304},
		{"If-Modified-Since", "Thu, 01 Jan 1970 00:00:01 GMT", 200},
		{"If-None-Match", plain.Header().Get("ETag"), 304},
		{"If-None-Match", packed.Header().Get("ETag"), 200},
	} {
		if w := do(h, "GET", path, "", test.name, test.value); w.Code != test.code {
			t.Errorf("%s %s: %d", test.name, test.value, w.Code)
		}
	}
}

// The table is complete without scripts.
func TestStatusTable(t *testing.T) {
	h, _ := newHandler(t)
	body := do(h, "GET", "/?message=%3Cb%3Ea+%26+b", "").Body.String()
	for _, want := range []string{
		"&lt;b&gt;a &amp; b", "described cat, pid ", `href="index.html?processname=cat&amp;action=stop"`,
		`href="index.html?processname=g%3Ab&amp;action=start"`, `href="logtail/g%3Aa/stderr"`, `href="tail.html?processname=gone"`,
	} {
		if !strings.Contains(body, want) {
			t.Errorf("the page has no %s", want)
		}
	}
	if strings.Contains(body, `processname=dog&amp;action=stop`) || strings.Contains(body, `processname=cat&amp;action=start`) {
		t.Error("an action is offered that cannot be done")
	}
	empty := webui.New(webui.Options{Supervisor: webtest.New(t.TempDir()), Describe: func(api.ProcessInfo) string { return "" }})
	if body := do(empty, "GET", "/", "").Body.String(); !strings.Contains(body, "No programs to manage") {
		t.Error("an empty page does not say so")
	}
}
