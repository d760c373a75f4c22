package webtest

import (
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/chromedp/chromedp/kb"

	"supervisord/internal/api"
)

// A person sees a program crash without doing anything, and starts it again.
func TestCrashAndRestart(t *testing.T) {
	sup := site(t)
	tb := open(t, sup, "/")
	tb.sees(row("redis"), "running")
	tb.sees(row("redis"), "up 13 h 20 min")

	write(t, sup, "redis", "stderr", "out of memory\n")
	sup.Exit("redis", 134, "terminated by SIGABRT")
	tb.sees(row("redis"), "exited")
	tb.sees(".card", "Terminated by SIGABRT.")
	tb.sees(".card pre", "out of memory")
	// Those who do not see the page hear of it.
	tb.until(`[...document.querySelectorAll("[role=status]")].some((e) => e.textContent.includes("redis: exited. Terminated by SIGABRT."))`)
	if title := js[string](tb, "document.title"); !strings.HasPrefix(title, "(4) build-07") {
		t.Errorf("title is %q", title)
	}

	release := sup.Hold()
	defer release()
	tb.click(row("redis") + ` [data-action="start"]`)
	tb.until(fmt.Sprintf(`document.querySelector('%s [aria-busy="true"]') !== null`, row("redis")))
	release()
	tb.sees(row("redis"), "running")
	tb.sees("#notices", "redis started.")
	tb.until(`![...document.querySelectorAll(".card h3")].some((e) => e.innerText === "redis")`)
	if calls := sup.Calls(); !slices.Equal(calls, []string{"start redis"}) {
		t.Errorf("the page asked for %q", calls)
	}
}

// A program that waits for its restart can be stopped. Its last words are shown
// also where no log has them.
func TestPause(t *testing.T) {
	sup := site(t)
	sup.Set("redis", func(p *api.ProcessInfo) {
		p.StdoutLogfile, p.StderrLogfile = "", ""
		p.StderrTail, p.NextStart = "cannot bind\nno such address", time.Now().Add(90*time.Minute+30*time.Second)
	})
	sup.Exit("redis", 1, "exit status 1")
	tb := open(t, sup, "/")
	tb.sees(".card", "Exit status 1. It will be restarted in 1 h 30 min.")
	tb.sees(".card pre", "cannot bind\nno such address")
	tb.sees(row("redis"), "restart in 1 h 30 min")
	tb.click(row("redis") + ` [data-action="stop"]`)
	tb.sees("#notices", "redis stopped.")
	tb.sees(row("redis"), "stopped")
	tb.until(`![...document.querySelectorAll(".card h3")].some((e) => e.innerText === "redis")`)
}

// What a button says is what happened, with the reason.
func TestHonestResult(t *testing.T) {
	sup := site(t)
	sup.Break("mailer", api.NewFault(api.SpawnError, "mailer"))
	tb := open(t, sup, "/")
	tb.click(row("mailer") + ` [data-action="start"]`)
	tb.sees("#notices [role=alert]", "Starting mailer failed: spawn error: can't find command '/usr/bin/mailer'.")
	tb.sees(row("mailer"), "fatal")
}

// Stopping a program offers the way back.
func TestStopAndUndo(t *testing.T) {
	sup := site(t)
	tb := open(t, sup, "/")
	tb.click(row("nginx") + ` [data-action="stop"]`)
	tb.sees("#notices", "nginx stopped.")
	tb.click("#notices .toast button")
	tb.sees("#notices", "nginx started.")
	tb.sees(row("nginx"), "running")
}

func TestStopAllAsks(t *testing.T) {
	sup := site(t)
	tb := open(t, sup, "/")
	tb.sees("#live", "Live")
	tb.click("#stopall")
	tb.sees("dialog", "10 programs of 13 are running.")
	tb.press(kb.Escape)
	tb.until(`!document.querySelector("dialog")`)
	if calls := sup.Calls(); len(calls) != 0 {
		t.Fatalf("after a refusal the page asked for %q", calls)
	}
	tb.click("#stopall")
	tb.click("dialog .danger")
	tb.sees("#notices", "All programs stopped.")
	tb.sees("#counts", "Running 0")
}

func TestGroupActions(t *testing.T) {
	sup := site(t)
	tb := open(t, sup, "/")
	tb.sees(".grouphead", "4 of 4 running")
	tb.click(`button[aria-label="Stop group worker"]`)
	tb.sees("#notices", "Group worker stopped.")
	tb.sees(".grouphead", "0 of 4 running")
	sup.Break("worker:worker-01", api.NewFault(api.AbnormalTermination, "worker:worker-01"))
	tb.click(`button[aria-label="Start group worker"]`)
	tb.sees("#notices", "worker:worker-01: abnormal termination")
	tb.sees(".grouphead", "3 of 4 running")
}

// The view is a part of the address, so that it can be kept and sent.
func TestFilterAndSort(t *testing.T) {
	sup := site(t)
	tb := open(t, sup, "/?message=hello+there")
	tb.sees("#message", "hello there")
	tb.sees(row("redis"), "running")
	tb.press("/")
	tb.press("work", "er")
	tb.until(`document.querySelectorAll("#programs [data-name]").length === 4`)
	tb.until(`location.search === "?q=worker"`)
	tb.press(kb.Escape)
	tb.until(`document.querySelectorAll("#programs [data-name]").length === 13`)
	tb.click(`#counts button:nth-child(3)`)
	tb.until(`document.querySelectorAll("#programs [data-name]").length === 3`)
	tb.click(`th[data-sort="restarts"] button`)
	tb.until(`document.querySelector("#programs [data-name]").dataset.name === "worker:worker-02"`)
	tb.until(`document.querySelector("th[data-sort=restarts]").ariaSort === "descending"`)

	address := js[string](tb, "location.search")
	tb.visit("/" + address)
	tb.until(`document.querySelectorAll("#programs [data-name]").length === 3`)
	tb.until(`document.querySelector("#programs [data-name]").dataset.name === "worker:worker-02"`)
	tb.visit("/?q=nothing-like-that")
	tb.sees("#none", "No program matches.")
}

// Everything usual can be done with keys alone.
func TestKeyboard(t *testing.T) {
	sup := site(t)
	tb := open(t, sup, "/?q=metrics")
	tb.until(`document.querySelectorAll("#programs [data-name]").length === 1`)
	tb.press("j", "j", "j", "j")
	tb.until(`document.activeElement.dataset.name === "metrics"`)
	tb.press("s")
	tb.sees(row("metrics"), "stopped")
	tb.press("s")
	tb.sees(row("metrics"), "running")
	tb.press("r")
	tb.sees("#notices", "metrics restarted.")
	if calls := sup.Calls(); !slices.Equal(calls, []string{"stop metrics", "start metrics", "stop metrics", "start metrics"}) {
		t.Errorf("the page asked for %q", calls)
	}
	tb.press("?")
	tb.sees("dialog", "restart it")
	tb.press(kb.Escape)
	tb.until(`!document.querySelector("dialog")`)
	tb.until(`document.activeElement.dataset.name === "metrics"`)
	tb.press("l")
	tb.until(`location.pathname === "/log.html"`)
	tb.sees("#live", "Following")
	tb.press("u")
	tb.until(`location.pathname === "/index.html"`)
}

// The connection is lost and comes back; what happened meanwhile is there.
func TestLostConnection(t *testing.T) {
	sup := site(t)
	tb := open(t, sup, "/")
	tb.expected = []string{"net::ERR_", "Failed to load resource"}
	tb.sees("#live", "Live")
	tb.down(true)
	tb.sees("#banner", "No connection to supervisord.")
	tb.sees("#live", "No connection")
	sup.Fail("nginx", "unknown error making dispatchers for 'nginx': EMFILE")
	tb.click(row("redis") + ` [data-action="stop"]`)
	tb.sees("#notices", "no answer from supervisord")
	tb.down(false)
	tb.sees("#live", "Live")
	tb.until(`document.getElementById("banner").hidden`)
	tb.sees(row("nginx"), "fatal")
}

func TestMood(t *testing.T) {
	sup := site(t)
	tb := open(t, sup, "/")
	tb.sees("#live", "Live")
	sup.SetMood(api.MoodShutdown)
	tb.sees("#banner", "supervisord is in the state SHUTDOWN.")
}

// A change of the configuration is shown before it is made.
func TestReread(t *testing.T) {
	sup := site(t)
	tb := open(t, sup, "/")
	tb.sees("#live", "Live")
	tb.click("#reread")
	tb.sees("#notices", "The configuration has not changed.")

	sup.Reloads([]string{"fetcher"}, []string{"redis"}, []string{"cron"}, nil)
	tb.click("#reread")
	tb.sees("dialog", "fetcher: /usr/bin/fetcher --new")
	tb.sees("dialog", "cron")
	tb.click("dialog .primary")
	tb.sees("#notices", "The new configuration is applied.")
	tb.sees(row("fetcher"), "running")
	tb.until(`!document.querySelector('[data-name="cron"]')`)

	tb.expected = []string{"Failed to load resource"}
	sup.Reloads(nil, nil, nil, api.NewFault(api.CantReread, "The 'x' section is broken"))
	tb.click("#reread")
	tb.sees("#notices [role=alert]", "CANT_REREAD: The 'x' section is broken")
}

func TestTheme(t *testing.T) {
	sup := site(t)
	tb := open(t, sup, "/")
	ground := func() string { return js[string](tb, "getComputedStyle(document.body).backgroundColor") }
	tb.dark(false)
	light := ground()
	tb.dark(true)
	dark := ground()
	if light == dark {
		t.Fatalf("light and dark are both %s", light)
	}
	tb.sees("#theme", "Auto theme")
	tb.click("#theme")
	tb.sees("#theme", "Light theme")
	if got := ground(); got != light {
		t.Errorf("light was chosen, the ground is %s", got)
	}
	tb.visit("/log.html")
	if got := ground(); got != light {
		t.Errorf("on another page the ground is %s", got)
	}
	tb.click("#theme")
	tb.dark(false)
	if got := ground(); got != dark {
		t.Errorf("dark was chosen, the ground is %s", got)
	}
}

// Five hundred programs are shown, filtered and kept up to date.
func TestManyPrograms(t *testing.T) {
	sup := New(t.TempDir())
	var names []string
	for i := range 500 {
		names = append(names, fmt.Sprintf("pool-%02d:job-%03d", i/25, i))
	}
	sup.Add(names...)
	sup.Run(time.Hour, names...)
	tb := open(t, sup, "/")
	tb.until(`document.querySelectorAll("#programs [data-name]").length === 500`)
	tb.sees("#counts", "Running 500")
	for _, name := range names[:40] {
		sup.Fail(name, "no memory")
	}
	tb.sees("#counts", "Wrong 40")
	tb.until(`document.querySelectorAll(".card").length === 8`)
	tb.click("#cards > p button")
	tb.until(`document.querySelectorAll("#programs [data-name]").length === 40`)
	tb.visit("/?q=job-499")
	tb.until(`document.querySelectorAll("#programs [data-name]").length === 1`)
	sup.Exit("pool-19:job-499", 1, "exit status 1")
	tb.sees(row("pool-19:job-499"), "exited")
}

// Names and logs are text, whatever they contain.
func TestHostileText(t *testing.T) {
	sup := site(t)
	name := `<img src=x onerror=alert(1)>"'&%41`
	sup.Add(name)
	write(t, sup, name, "stderr", "<script>alert(2)</script>\x1b]0;title\x07\x1b[31m</pre>\x00\u202e\n")
	sup.Fail(name, "<b>bad</b>")
	tb := open(t, sup, "/?message=%3Cscript%3Ealert(3)%3C/script%3E")
	tb.sees("#message", "<script>alert(3)</script>")
	tb.sees(".card h3", name)
	tb.sees(".card pre", "<script>alert(2)</script></pre>␀")
	tb.sees(".card .why", "<b>bad</b>.")
	if n := js[int](tb, `document.querySelectorAll("main script, main img, main b").length`); n != 0 {
		t.Errorf("%d elements were made of text", n)
	}
	tb.click(`#cards article [href*="onerror"]`)
	tb.sees("h1", name)
	tb.sees("#log", "<script>alert(2)</script></pre>␀")
}
