package webtest

import (
	"context"
	"errors"
	"fmt"
	"iter"
	"net/http"
	"net/http/httptest"
	"os"
	"os/exec"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/chromedp/cdproto/emulation"
	"github.com/chromedp/cdproto/input"
	"github.com/chromedp/chromedp"
	"github.com/chromedp/chromedp/kb"

	"supervisord/internal/api"
	"supervisord/internal/rpc"
	"supervisord/internal/webui"
)

// patience is how long a test waits for something to appear on a page. It is
// no limit on how fast things are: it only ends a test that has failed.
const patience = 20 * time.Second

// chromium finds the browser once and starts it, for all tests.
var chromium = sync.OnceValues(func() (context.Context, error) {
	path := ""
	for _, name := range []string{"chromium", "chromium-browser", "google-chrome"} {
		if p, err := exec.LookPath(name); err == nil {
			path = p
			break
		}
	}
	if path == "" {
		return nil, fmt.Errorf("no Chromium: install the Debian package chromium")
	}
	options := append(slices.Clone(chromedp.DefaultExecAllocatorOptions[:]),
		chromedp.ExecPath(path),
		chromedp.Flag("disable-gpu", true),
		chromedp.Flag("hide-scrollbars", false),
		// Without it Chromium does not run as root.
		chromedp.NoSandbox,
	)
	ctx, cancel := chromedp.NewExecAllocator(context.Background(), options...)
	ctx, _ = chromedp.NewContext(ctx)
	closeBrowser = func() {
		_ = chromedp.Cancel(ctx)
		cancel()
	}
	return ctx, chromedp.Do(ctx)
})

var closeBrowser = func() {}

func TestMain(m *testing.M) {
	code := m.Run()
	closeBrowser()
	os.Exit(code)
}

// A tab is a page in the browser, with the server that it looks at.
type tab struct {
	t   *testing.T
	ctx context.Context
	sup *Supervisor
	url string
	// down makes the server refuse connections.
	down func(bool)

	mu       sync.Mutex
	problems []string
	// expected are parts of messages that the console may have.
	expected []string
}

// serve starts a server for the pages of a Supervisor.
func serve(t *testing.T, sup *Supervisor) (url string, down func(bool)) {
	t.Helper()
	handler := webui.New(webui.Options{Supervisor: sup, Version: "4.3.0", Describe: rpc.Describe, Interval: 500 * time.Millisecond})
	var mu sync.Mutex
	refuse := false
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		mu.Lock()
		refused := refuse
		mu.Unlock()
		if refused {
			panic(http.ErrAbortHandler)
		}
		handler.ServeHTTP(w, r)
	}))
	t.Cleanup(func() {
		server.CloseClientConnections()
		server.Close()
	})
	return server.URL, func(down bool) {
		mu.Lock()
		refuse = down
		mu.Unlock()
		if down {
			server.CloseClientConnections()
		}
	}
}

// open opens a page of a Supervisor, or with an empty path none yet, in a new
// tab.
func open(t *testing.T, sup *Supervisor, path string) *tab {
	t.Helper()
	// The tab is closed before the server.
	url, down := serve(t, sup)
	tb := newTab(t)
	tb.sup, tb.url, tb.down = sup, url, down
	if path != "" {
		tb.visit(path)
	}
	return tb
}

// newTab opens an empty tab. The test fails if a page in it reports an error
// that was not expected.
func newTab(t *testing.T) *tab {
	t.Helper()
	parent, err := chromium()
	if err != nil {
		if os.Getenv("CI") == "true" {
			t.Fatal(err)
		}
		t.Skip(err)
	}
	ctx, cancel := chromedp.NewContext(parent)
	t.Cleanup(cancel)
	ctx, cancelTimeout := context.WithTimeout(ctx, 4*patience)
	t.Cleanup(cancelTimeout)
	tb := &tab{t: t, ctx: ctx}
	go tb.listen(chromedp.Console(ctx))
	t.Cleanup(tb.checkProblems)
	tb.run(chromedp.EmulateViewport(1280, 800))
	return tb
}

// listen collects what the page complains of, until its tab is closed.
func (tb *tab) listen(messages iter.Seq2[chromedp.ConsoleMessage, error]) {
	for m, err := range messages {
		if err != nil {
			return
		}
		if m.IsException() || m.Type == chromedp.ConsoleError || m.Type == chromedp.ConsoleWarning {
			tb.mu.Lock()
			tb.problems = append(tb.problems, m.String())
			tb.mu.Unlock()
		}
	}
}

func (tb *tab) checkProblems() {
	tb.mu.Lock()
	defer tb.mu.Unlock()
	for _, problem := range tb.problems {
		if !slices.ContainsFunc(tb.expected, func(s string) bool { return strings.Contains(problem, s) }) {
			tb.t.Errorf("the page reports: %s", problem)
		}
	}
}

// run does something in the browser.
func (tb *tab) run(actions ...chromedp.Action[chromedp.Void]) {
	tb.t.Helper()
	if err := chromedp.Do(tb.ctx, actions...); err != nil {
		tb.t.Fatal(err)
	}
}

// visit goes to a path of the server.
func (tb *tab) visit(path string) {
	tb.t.Helper()
	tb.run(chromedp.Navigate(tb.url + path))
}

// js returns the value of an expression on the page.
func js[T any](tb *tab, expression string) T {
	tb.t.Helper()
	value, err := chromedp.Run(tb.ctx, chromedp.Evaluate[T](expression))
	if err != nil {
		tb.t.Fatalf("%s: %v", expression, err)
	}
	return value
}

// until waits for an expression to become true. The page is asked again with
// every frame that it draws, and once more where another page takes its place.
func (tb *tab) until(expression string) {
	tb.t.Helper()
	ctx, cancel := context.WithTimeout(tb.ctx, patience)
	defer cancel()
	for {
		_, err := chromedp.Run(ctx, chromedp.Poll[chromedp.Void](expression, chromedp.WithPollingTimeout(0)))
		var thrown *chromedp.ExceptionError
		switch {
		case err == nil:
			return
		case ctx.Err() != nil || errors.As(err, &thrown):
			tb.t.Fatalf("never true: %s (%v)\npage: %s", expression, err, js[string](tb, "document.body.innerText.slice(0, 2000)"))
		}
	}
}

// sees waits for words in an element.
func (tb *tab) sees(selector, words string) {
	tb.t.Helper()
	tb.until(fmt.Sprintf("[...document.querySelectorAll(%q)].some((e) => e.innerText.includes(%q))", selector, words))
}

// row is the selector of a program's row in the table.
func row(name string) string { return fmt.Sprintf(`#programs tr[data-name="%s"]`, name) }

// click clicks the middle of an element with the mouse, as soon as it is there,
// does not move any more and nothing covers it.
func (tb *tab) click(selector string) {
	tb.t.Helper()
	at := fmt.Sprintf(`(() => {
		const e = document.querySelector(%q);
		if (!e?.checkVisibility()) return null;
		e.scrollIntoView({ block: "center", behavior: "instant" });
		const box = e.getBoundingClientRect();
		const at = [box.left + box.width / 2, box.top + box.height / 2];
		window.still = String(at) === String(window.lastAt) ? (window.still ?? 0) + 1 : 0;
		window.lastAt = at;
		return window.still >= 10 && e.contains(document.elementFromPoint(...at)) ? at : null;
	})()`, selector)
	tb.until(at)
	point := js[[]float64](tb, at)
	tb.run(chromedp.MouseClickXY(point[0], point[1]))
}

// clickPlain clicks an element where scripts are disabled.
func (tb *tab) clickPlain(selector string) {
	tb.t.Helper()
	tb.run(chromedp.Click(chromedp.CSS(selector), chromedp.NodeVisible))
}

// press types keys into whatever has the focus: named ones of package kb, or
// text. As with a real keyboard, a page that takes a key for itself keeps it
// from being typed.
func (tb *tab) press(keys ...string) {
	tb.t.Helper()
	for _, key := range keys {
		if _, named := kb.Keys[[]rune(key)[0]]; named && key[0] < ' ' || key[0] > '~' {
			tb.run(chromedp.KeyEvent(key))
			continue
		}
		for _, c := range key {
			for _, p := range []input.DispatchKeyEventParams{
				{Type: input.DispatchKeyEventTypeKeyDown, Key: string(c), Text: string(c)},
				{Type: input.DispatchKeyEventTypeKeyUp, Key: string(c)},
			} {
				if _, err := chromedp.Call(tb.ctx, input.DispatchKeyEvent, p); err != nil {
					tb.t.Fatal(err)
				}
			}
		}
	}
}

// dark makes the system's setting dark or light.
func (tb *tab) dark(on bool) {
	tb.t.Helper()
	value := "light"
	if on {
		value = "dark"
	}
	_, err := chromedp.Call(tb.ctx, emulation.SetEmulatedMedia, emulation.SetEmulatedMediaParams{
		Features: []*emulation.MediaFeature{{Name: "prefers-color-scheme", Value: value}},
	})
	if err != nil {
		tb.t.Fatal(err)
	}
}

// tabKey is the key that moves the focus on.
const tabKey = kb.Tab

// site returns a Supervisor as a page usually shows it: some programs run, one
// has failed, one crashes again and again, one ended badly.
func site(t *testing.T) *Supervisor {
	t.Helper()
	sup := New(t.TempDir())
	sup.Add("api:api-1", "api:api-2", "api:api-3", "worker:worker-00", "worker:worker-01", "worker:worker-02", "worker:worker-03",
		"nginx", "redis", "mailer", "importer", "cron", "metrics")
	sup.Run(13*time.Hour+20*time.Minute, "nginx", "redis", "cron", "api:api-1", "api:api-2")
	sup.Run(41*time.Minute, "worker:worker-00", "worker:worker-01", "worker:worker-03")
	sup.Run(3*24*time.Hour, "metrics")
	sup.Run(8*time.Second, "worker:worker-02")
	sup.Set("worker:worker-02", func(p *api.ProcessInfo) { p.Restarts, p.ExitReason = 6, "terminated by SIGSEGV" })
	sup.Run(time.Hour, "importer")
	sup.Exit("importer", 3, "exit status 3")
	sup.Run(time.Hour, "api:api-3")
	sup.Fail("api:api-3", "Exited too quickly (process log may have details)")
	sup.Set("api:api-3", func(p *api.ProcessInfo) { p.Restarts, p.ExitReason, p.ExitStatus = 3, "exit status 1", 1 })
	write(t, sup, "api:api-3", "stderr", "Traceback (most recent call last):\n  File \"/srv/api/server.py\", line 88, in <module>\n"+
		"    main()\n  File \"/srv/api/server.py\", line 61, in main\n    pool = connect(config.database)\n"+
		"\x1b[31mConnectionRefusedError\x1b[0m: [Errno 111] could not connect to db.internal:5432\n")
	write(t, sup, "worker:worker-02", "stderr", "worker: job 88123 took 4.2 s\nworker: fatal: unexpected signal\n")
	write(t, sup, "importer", "stdout", "reading /var/spool/import/batch-17.csv\nline 4711: expected 12 columns, found 11\nstopped\n")
	return sup
}

// write appends to a log.
func write(t *testing.T, sup *Supervisor, name, channel, text string) {
	t.Helper()
	if err := sup.Log(name, channel).Append(text); err != nil {
		t.Fatal(err)
	}
}
