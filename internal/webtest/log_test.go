package webtest

import (
	"fmt"
	"strings"
	"testing"

	"github.com/chromedp/chromedp/kb"
)

// numbered returns lines with numbers from first to last.
func numbered(first, last int) string {
	var b strings.Builder
	for i := first; i <= last; i++ {
		fmt.Fprintf(&b, "line %06d of the log, with some words in it\n", i)
	}
	return b.String()
}

// A log is followed line by line, also one that is not complete.
func TestFollowLog(t *testing.T) {
	sup := site(t)
	write(t, sup, "nginx", "stdout", numbered(1, 50))
	tb := open(t, sup, "/log.html?processname=nginx")
	tb.sees("#log .line:last-child", "line 000050")
	tb.sees("#live", "Following")
	write(t, sup, "nginx", "stdout", "half a ")
	tb.sees("#log .line:last-child", "half a")
	write(t, sup, "nginx", "stdout", "line\nna\xc3")
	tb.sees("#log", "half a line")
	write(t, sup, "nginx", "stdout", "\xafve\n")
	tb.sees("#log .line:last-child", "naïve")
	if n := js[int](tb, `document.querySelectorAll("#log .line").length`); n != 52 {
		t.Errorf("%d lines are shown, not 52", n)
	}
	tb.click(`nav a[href*="stderr"]`)
	tb.sees("#log", "There is no log file.")
	write(t, sup, "nginx", "stderr", "complaint\n")
	tb.sees("#log", "complaint")
}

// Scrolling up pauses, and the end resumes.
func TestPauseLog(t *testing.T) {
	sup := site(t)
	write(t, sup, "nginx", "stdout", numbered(1, 500))
	tb := open(t, sup, "/log.html?processname=nginx")
	tb.sees("#log", "line 000500")
	tb.run(wheel(400, 400, -600))
	tb.sees("#live", "Paused")
	top := js[int](tb, `document.getElementById("log").scrollTop`)
	write(t, sup, "nginx", "stdout", numbered(501, 600))
	tb.sees("#live", "Paused, 4.")
	if got := js[int](tb, `document.getElementById("log").scrollTop`); got != top {
		t.Errorf("the view moved from %d to %d while paused", top, got)
	}
	tb.click("#follow")
	tb.sees("#log", "line 000600")
	tb.press("f")
	tb.sees("#live", "Paused")
	tb.press("g")
	tb.sees("#log", "line 000001")
	tb.press("G")
	tb.sees("#live", "Following")
	tb.sees("#log", "line 000600")
}

// A log is rotated and cleared while it is followed, and nothing is missed.
func TestRotateLog(t *testing.T) {
	sup := site(t)
	write(t, sup, "nginx", "stdout", numbered(1, 20))
	tb := open(t, sup, "/log.html?processname=nginx")
	tb.sees("#log", "line 000020")
	write(t, sup, "nginx", "stdout", numbered(21, 30))
	if err := sup.Log("nginx", "stdout").Rotate(); err != nil {
		t.Fatal(err)
	}
	write(t, sup, "nginx", "stdout", numbered(31, 40))
	tb.sees("#log", "line 000040")
	want := strings.TrimSuffix(numbered(1, 30)+"The log was rotated.\n"+numbered(31, 40), "\n")
	tb.until(fmt.Sprintf(`[...document.querySelectorAll("#log .block > div")].map((e) => e.textContent).join("\n") === %q`, want))

	tb.click("#clear")
	tb.sees("dialog", "Clear the logs of nginx?")
	tb.click("dialog .danger")
	tb.sees("#notices", "nginx log cleared.")
	write(t, sup, "nginx", "stdout", "after clearing\n")
	tb.sees("#log", "after clearing")
	tb.sees("#log", "line 000040")
}

// A hundred thousand lines can be reached from any place, while only some of
// them exist as elements.
func TestLongLog(t *testing.T) {
	sup := site(t)
	const lines = 100_000
	write(t, sup, "nginx", "stdout", numbered(1, lines))
	tb := open(t, sup, "/log.html?processname=nginx")
	tb.sees("#log", "line 100000")
	tb.press("g")
	tb.sees("#log", "line 000001")
	tb.run(focus("#log"))
	// Scrolling down through the file reads on as it goes.
	tb.until(`(() => {
		const log = document.getElementById("log");
		log.dispatchEvent(new WheelEvent("wheel"));
		log.scrollTop = log.scrollHeight;
		return [...log.querySelectorAll(".line")].some((e) => e.textContent > "line 040000");
	})()`)
	if n := js[int](tb, `document.querySelectorAll("#log .line").length`); n > 3000 {
		t.Errorf("%d lines exist as elements", n)
	}
	// Half-way through the file.
	tb.until(`(() => {
		const place = document.getElementById("place");
		place.value = 500;
		place.dispatchEvent(new Event("change"));
		return true;
	})()`)
	tb.sees("#log", "line 050000")
	tb.sees("#where", "2.2 MB of 4.4 MB")
	tb.press("G")
	tb.sees("#log", "line 100000")
	// An older match is found behind what has been read.
	tb.press("/", "0712", "34")
	tb.press(kb.Enter)
	tb.sees("#log .line.current mark", "071234")
	tb.sees("#matches", "1 of 1")
}

func TestSearchLog(t *testing.T) {
	sup := site(t)
	write(t, sup, "nginx", "stdout", numbered(1, 300)+"An ERR\x1b[31mOR\x1b[0m here\n"+numbered(301, 600)+"error again\n"+numbered(601, 700))
	tb := open(t, sup, "/log.html?processname=nginx")
	tb.sees("#log", "line 000700")
	tb.press("/", "error")
	tb.sees("#matches", "2")
	tb.press(kb.Enter)
	tb.sees("#log .line.current", "error again")
	tb.sees("#matches", "2 of 2")
	tb.press(kb.Enter)
	tb.sees("#log .line.current", "An ERROR here")
	tb.sees("#live", "Paused")
	tb.click("#next")
	tb.sees("#log .line.current", "error again")
	tb.run(focus("#search"))
	tb.press(kb.Escape)
	tb.until(`!document.querySelector("#log mark")`)
}

func TestLogColoursAndWrap(t *testing.T) {
	sup := site(t)
	write(t, sup, "nginx", "stdout", "2026-11-22T10:11:12Z \x1b[1;32mgreen\x1b[0m \x1b[38;2;10;20;30mexact\x1b[m \x1b[2Kplain\r\n"+strings.Repeat("word ", 400)+"\n")
	tb := open(t, sup, "/log.html?processname=nginx")
	tb.sees("#log .stamp", "2026-11-22T10:11:12Z")
	tb.sees("#log .s1.f2", "green")
	tb.until(`[...document.querySelectorAll("#log .line span")].some((e) => e.textContent === "exact" && getComputedStyle(e).color === "rgb(10, 20, 30)")`)
	tb.until(`document.querySelector("#log .line").textContent === "2026-11-22T10:11:12Z green exact plain"`)
	wide := `document.getElementById("log").scrollWidth > document.getElementById("log").clientWidth + 100`
	if js[bool](tb, wide) {
		t.Error("long lines are not wrapped")
	}
	tb.click("#wrap")
	tb.until(wide)
	tb.visit("/log.html?processname=nginx")
	tb.until(wide)
}

// A link opens the log at the place that it was made for.
func TestLinkIntoLog(t *testing.T) {
	sup := site(t)
	write(t, sup, "nginx", "stdout", numbered(1, 20_000))
	tb := open(t, sup, "/log.html?processname=nginx")
	tb.sees("#log", "line 020000")
	tb.press("/", "001500", kb.Enter)
	tb.sees("#log .line.current", "line 001500")
	tb.click("#link")
	tb.sees("#notices", "link to this place")
	address := js[string](tb, "location.pathname + location.search")
	write(t, sup, "nginx", "stdout", numbered(20_001, 30_000))
	tb.visit(address)
	tb.sees("#log .line.current", "line 001500")
	tb.sees("#live", "Paused")
	if href := js[string](tb, `document.getElementById("download").href`); !strings.HasSuffix(href, "/api/log?processname=nginx&stream=stdout&download") {
		t.Errorf("the download is at %s", href)
	}
}

func TestActivityLog(t *testing.T) {
	sup := site(t)
	write(t, sup, "", "", "2026-11-22 10:11:12,345 INFO supervisord started with pid 1\n")
	tb := open(t, sup, "/")
	tb.sees("#live", "Live")
	tb.click(`nav a[href="log.html"]`)
	tb.sees("h1", "Activity log")
	tb.sees("#log", "INFO supervisord started with pid 1")
	write(t, sup, "", "", "2026-11-22 10:11:13,345 INFO success: nginx entered RUNNING state\n")
	tb.sees("#log", "nginx entered RUNNING state")
}

// A log that grows faster than it can be shown does not fill the page.
func TestFloodedLog(t *testing.T) {
	sup := site(t)
	write(t, sup, "nginx", "stdout", numbered(1, 10))
	tb := open(t, sup, "/log.html?processname=nginx")
	tb.sees("#log", "line 000010")
	write(t, sup, "nginx", "stdout", numbered(11, 200_000))
	tb.sees("#log", "line 200000")
	tb.press("f")
	tb.run(focus("#log"))
	if !js[bool](tb, `document.getElementById("log").scrollHeight < 600000`) {
		t.Error("the page holds all of the flood")
	}
}
