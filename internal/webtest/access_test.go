package webtest

import (
	"encoding/json"
	"fmt"
	"net/http"
	"net/http/httptest"
	"net/http/httputil"
	"net/url"
	"slices"
	"strings"
	"testing"

	"github.com/chromedp/cdproto/accessibility"
	"github.com/chromedp/cdproto/emulation"
	"github.com/chromedp/cdproto/input"
	"github.com/chromedp/chromedp"
)

// wheel turns the mouse wheel over a point.
func wheel(x, y, by float64) chromedp.Action[chromedp.Void] {
	return chromedp.MouseEvent(input.DispatchMouseEventTypeMouseWheel, x, y, func(p *input.DispatchMouseEventParams) {
		p.DeltaX, p.DeltaY = 1, by // The protocol has no DeltaX of 0.
	})
}

// focus gives the focus to an element.
func focus(selector string) chromedp.Action[chromedp.Void] {
	return chromedp.Focus(chromedp.CSS(selector))
}

// pages are the pages that must be good for everybody, and what shows that
// they are complete.
var pages = []struct{ path, selector, words string }{
	{"/", "#cards pre", "ConnectionRefusedError"},
	{"/log.html?processname=api:api-3&stream=stderr", "#log", "ConnectionRefusedError"},
	{"/tail.html?processname=importer", "pre", "expected 12 columns"},
	{"/index.html?action=stop&processname=redis", "h1", "Stop redis?"},
}

// openPage opens one of pages.
func openPage(t *testing.T, path, selector, words string) *tab {
	t.Helper()
	tb := open(t, site(t), "")
	tb.expected = []string{"403 (Forbidden)"}
	tb.visit(path)
	tb.sees(selector, words)
	return tb
}

// What Chromium tells a screen reader: every control has a name, headings and
// landmarks are in order, the table is a table.
func TestAccessibilityTree(t *testing.T) {
	for _, p := range pages {
		tb := openPage(t, p.path, p.selector, p.words)
		if p.path == "/" {
			tb.sees("#live", "Live")
		}
		tree, err := chromedp.Call(tb.ctx, accessibility.GetFullAXTree, accessibility.GetFullAXTreeParams{})
		if err != nil {
			t.Fatal(err)
		}
		roles := make(map[string]int)
		level := 0
		for _, n := range tree.Nodes {
			if n.Ignored || n.Role == nil {
				continue
			}
			role, name := axText(n.Role), axText(n.Name)
			roles[role]++
			switch role {
			case "button", "link", "searchbox", "textbox", "slider", "table", "region", "navigation", "group", "article", "log":
				if strings.TrimSpace(name) == "" {
					t.Errorf("%s: a %s has no name", p.path, role)
				}
			case "heading":
				next := axLevel(n)
				if strings.TrimSpace(name) == "" || next > level+1 {
					t.Errorf("%s: heading %q of level %d follows one of level %d", p.path, name, next, level)
				}
				level = next
			}
		}
		want := []string{"main", "heading"}
		switch p.path {
		case "/":
			want = append(want, "banner", "navigation", "contentinfo", "table", "columnheader", "cell", "rowheader", "status", "searchbox", "article")
		case "/tail.html?processname=importer":
			want = append(want, "banner", "navigation")
		}
		if strings.HasPrefix(p.path, "/log.html") {
			want = append(want, "banner", "navigation", "log", "slider", "searchbox")
		}
		for _, role := range want {
			if roles[role] == 0 {
				t.Errorf("%s: there is no %s among %v", p.path, role, roles)
			}
		}
		if roles["main"] != 1 {
			t.Errorf("%s: there are %d main landmarks", p.path, roles["main"])
		}
	}
}

// axText returns a value of the tree as text.
func axText(v *accessibility.Value) string {
	if v == nil {
		return ""
	}
	var s string
	if err := json.Unmarshal(v.Value, &s); err != nil {
		return string(v.Value)
	}
	return s
}

// axLevel returns the level of a heading.
func axLevel(n *accessibility.Node) (level int) {
	for _, p := range n.Properties {
		if p.Name == "level" {
			fmt.Sscan(string(p.Value.Value), &level)
		}
	}
	return level
}

// Everything that can be used can be reached with the Tab key, in the order in
// which it stands, and shows when it has the focus.
func TestTabOrder(t *testing.T) {
	for _, p := range pages[:3] {
		tb := openPage(t, p.path, p.selector, p.words)
		if p.path == "/" {
			tb.sees("#live", "Live")
			// The last words of a program come when its log was read.
			tb.sees("#cards pre", "fatal: unexpected signal")
			tb.sees("#cards pre", "expected 12 columns")
		}
		// The page stays as it is from now on.
		n := js[int](tb, `(() => {
			window.controls = [...document.querySelectorAll("a[href], button, input, [tabindex='0']")]
				.filter((e) => e.checkVisibility() && !e.disabled);
			return controls.length;
		})()`)
		tb.run(chromedp.Evaluate[chromedp.Void](`document.activeElement.blur()`))
		for i := range n {
			tb.press(tabKey)
			got := js[string](tb, fmt.Sprintf(`(() => {
				const e = document.activeElement;
				const style = getComputedStyle(e);
				if (controls[%d] !== e) return "the focus is on " + e.outerHTML.slice(0, 120) + ", not on " + controls[%[1]d].outerHTML.slice(0, 120);
				if (style.outlineStyle === "none" || parseFloat(style.outlineWidth) < 2) return "no outline on " + e.outerHTML.slice(0, 120);
				return "";
			})()`, i))
			if got != "" {
				t.Fatalf("%s: %d of %d: %s", p.path, i, n, got)
			}
		}
	}
}

// contrast returns the texts on the page that stand out too little from what
// is behind them, by the formula of WCAG 2.
const contrast = `(() => {
	const parse = (text) => {
		const n = text.match(/[\d.]+/g).map(Number);
		return { rgb: n.slice(0, 3), alpha: n.length > 3 ? n[3] : 1 };
	};
	const over = (top, under) => top.rgb.map((v, i) => v * top.alpha + under[i] * (1 - top.alpha));
	const luminance = (rgb) => {
		const [r, g, b] = rgb.map((v) => { v /= 255; return v <= 0.03928 ? v / 12.92 : ((v + 0.055) / 1.055) ** 2.4; });
		return 0.2126 * r + 0.7152 * g + 0.0722 * b;
	};
	const ground = (e) => {
		const layers = [];
		for (; e; e = e.parentElement) layers.unshift(parse(getComputedStyle(e).backgroundColor));
		return layers.reduce((under, top) => over(top, under), [255, 255, 255]);
	};
	const bad = [];
	const check = (e, color, text) => {
		const under = ground(e), top = over(parse(color), under);
		const [a, b] = [luminance(under), luminance(top)].sort((x, y) => y - x);
		const ratio = (a + 0.05) / (b + 0.05);
		if (ratio < 4.5) bad.push(ratio.toFixed(2) + ": " + text.trim().slice(0, 40));
	};
	const walk = document.createTreeWalker(document.body, NodeFilter.SHOW_TEXT);
	let seen = 0;
	for (let n = walk.nextNode(); n; n = walk.nextNode()) {
		const e = n.parentElement;
		if (!n.data.trim() || !e.checkVisibility() || e.closest("script, style, noscript, .hidden, .skip")) continue;
		seen++;
		check(e, getComputedStyle(e).color, n.data);
	}
	for (const e of document.querySelectorAll("[placeholder]")) check(e, getComputedStyle(e, "::placeholder").color, e.placeholder);
	return seen < 3 ? ["only " + seen + " texts"] : bad;
})()`

func TestContrast(t *testing.T) {
	for _, p := range pages {
		tb := openPage(t, p.path, p.selector, p.words)
		for _, theme := range []string{"light", "dark"} {
			tb.dark(theme == "dark")
			if p.path == "/" {
				tb.sees("#live", "Live")
				tb.click(row("cron") + ` [data-action="restart"]`)
				tb.sees("#notices", "cron restarted.")
			}
			for _, bad := range js[[]string](tb, contrast) {
				t.Errorf("%s in the %s theme: contrast %s", p.path, theme, bad)
			}
		}
	}
	// All colours that a log can have by name.
	sup := site(t)
	for i := range 8 {
		for _, base := range []int{30, 40, 90, 100} {
			write(t, sup, "nginx", "stdout", fmt.Sprintf("\x1b[%dmcolour %d\x1b[0m\n", base+i, base+i))
		}
	}
	write(t, sup, "nginx", "stdout", "\x1b[7minverse\x1b[0m \x1b[2mfaint\x1b[0m\n")
	tb := open(t, sup, "/log.html?processname=nginx")
	tb.sees("#log", "inverse")
	for _, dark := range []bool{false, true} {
		tb.dark(dark)
		for _, bad := range js[[]string](tb, contrast) {
			t.Errorf("log, dark %v: contrast %s", dark, bad)
		}
	}
}

// A page asks no other host, and is light.
func TestWeight(t *testing.T) {
	tb := open(t, site(t), "/")
	tb.sees("#live", "Live")
	var entries []struct {
		Name string
		Size int
	}
	data := js[string](tb, `JSON.stringify([...performance.getEntriesByType("navigation"), ...performance.getEntriesByType("resource")]
		.map((e) => ({ name: e.name, size: e.transferSize, type: e.initiatorType })))`)
	if err := json.Unmarshal([]byte(data), &entries); err != nil {
		t.Fatal(err)
	}
	sum := 0
	for _, e := range entries {
		if !strings.HasPrefix(e.Name, tb.url+"/") {
			t.Errorf("the page asks for %s", e.Name)
		}
		if !strings.Contains(e.Name, "/api/") {
			sum += e.Size
		}
	}
	if sum < 10_000 || sum > 50_000 {
		t.Errorf("the page with all it needs has %d bytes, in %d files", sum, len(entries))
	}
	t.Logf("%d bytes in %d files", sum, len(entries))
}

// Without scripts the page does what it always did.
func TestWithoutScripts(t *testing.T) {
	sup := site(t)
	tb := open(t, sup, "")
	if _, err := chromedp.Call(tb.ctx, emulation.SetScriptExecutionDisabled, emulation.SetScriptExecutionDisabledParams{Value: true}); err != nil {
		t.Fatal(err)
	}
	tb.visit("/")
	tb.clickPlain(`a[href="index.html?processname=redis&action=stop"]`)
	tb.run(chromedp.WaitVisible(chromedp.CSS("#message")))
	if text := tb.text("#message"); text != "Process redis stopped" {
		t.Errorf("the message is %q", text)
	}
	tb.clickPlain(`a[href="index.html?processname=redis&action=start"]`)
	tb.run(chromedp.WaitVisible(chromedp.CSS(`a[href="index.html?processname=redis&action=stop"]`)))
	tb.clickPlain(`a[href="tail.html?processname=importer"]`)
	tb.run(chromedp.WaitVisible(chromedp.CSS("pre.tail")))
	if text := tb.text("pre.tail"); !strings.Contains(text, "line 4711") {
		t.Errorf("the tail is %q", text)
	}
	// A typed address is asked about, and the answer counts.
	tb.expected = []string{"403 (Forbidden)"}
	sup.Calls()
	tb.visit("/?action=stop&processname=nginx")
	tb.run(chromedp.WaitVisible(chromedp.CSS("form button")))
	if calls := sup.Calls(); len(calls) != 0 {
		t.Errorf("unasked, the page did %q", calls)
	}
	tb.clickPlain("form button")
	tb.run(chromedp.WaitVisible(chromedp.CSS("#message")))
	if calls := sup.Calls(); !slices.Equal(calls, []string{"stop nginx"}) {
		t.Errorf("after the answer the page did %q", calls)
	}
}

// text returns the text of an element, without the help of scripts.
func (tb *tab) text(selector string) string {
	tb.t.Helper()
	text, err := chromedp.Run(tb.ctx, chromedp.TextContent(chromedp.CSS(selector)))
	if err != nil {
		tb.t.Fatal(err)
	}
	return text
}

// Another site can neither send a browser to an action, nor post a form, nor
// show the page in a frame.
func TestOtherSite(t *testing.T) {
	sup := site(t)
	tb := open(t, sup, "/")
	tb.expected = []string{"403 (Forbidden)", "Refused to", "frame", "Content Security Policy", "X-Frame-Options", "violates", "Failed to load resource", "CORS", "Access to fetch"}
	other := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("Content-Type", "text/html")
		fmt.Fprintf(w, `<a id="link" href="%[1]s/?action=stopall">win</a>
			<img src="%[1]s/?action=stopall">
			<iframe src="%[1]s/"></iframe>
			<form id="form" method="post" action="%[1]s/index.html"><input name="action" value="stopall"><button>go</button></form>
			<form id="api" method="post" action="%[1]s/api/action"><input name="action" value="stop"><button>go</button></form>
			<script>fetch("%[1]s/api/action", {method: "POST", body: new URLSearchParams({action: "stop"})})
				.catch(() => {}).then(() => fetch("%[1]s/?action=stopall", {mode: "no-cors"})).catch(() => {}).finally(() => { document.title = "done"; })</script>`, tb.url)
	}))
	defer other.Close()
	// The other site has another name, and the browser therefore another origin.
	address := strings.Replace(other.URL, "127.0.0.1", "localhost", 1)
	for _, selector := range []string{"#link", "#form button", "#api button"} {
		tb.run(chromedp.Navigate(address))
		tb.until(`document.title === "done"`)
		tb.click(selector)
		tb.until(`location.origin === ` + fmt.Sprintf("%q", tb.url))
		tb.sees("body", "another site")
	}
	if calls := sup.Calls(); len(calls) != 0 {
		t.Errorf("another site did %q", calls)
	}
}

// Below a path of a proxy everything works as at the root, also where the
// proxy does not tell its own name.
func TestBehindProxy(t *testing.T) {
	sup := site(t)
	tb := open(t, sup, "")
	target, err := url.Parse(tb.url)
	if err != nil {
		t.Fatal(err)
	}
	proxy := &httputil.ReverseProxy{FlushInterval: -1, Rewrite: func(r *httputil.ProxyRequest) {
		r.SetURL(target)
		r.Out.Host = target.Host
	}}
	front := httptest.NewServer(http.StripPrefix("/ops/supervisor", proxy))
	t.Cleanup(func() {
		front.CloseClientConnections()
		front.Close()
	})
	tb.url = front.URL + "/ops/supervisor"
	tb.visit("/")
	tb.sees("#live", "Live")
	tb.click(row("redis") + ` [data-action="stop"]`)
	tb.sees("#notices", "redis stopped.")
	tb.click(row("importer") + ` [data-action="log"]`)
	tb.sees("#log", "line 4711")
	tb.click(`nav a[href="index.html"]`)
	tb.sees("#live", "Live")
	if _, err := chromedp.Call(tb.ctx, emulation.SetScriptExecutionDisabled, emulation.SetScriptExecutionDisabledParams{Value: true}); err != nil {
		t.Fatal(err)
	}
	tb.visit("/")
	tb.clickPlain(`a[href="index.html?processname=redis&action=start"]`)
	tb.run(chromedp.WaitVisible(chromedp.CSS("#message")))
	location, err := chromedp.Run(tb.ctx, chromedp.Location())
	if err != nil {
		t.Fatal(err)
	}
	if want := tb.url + "/?message=Process%20redis%20started"; location != want {
		t.Errorf("the browser is at %s, not at %s", location, want)
	}
}

// On a phone nothing is wider than the screen.
func TestPhone(t *testing.T) {
	for _, p := range pages {
		tb := openPage(t, p.path, p.selector, p.words)
		tb.run(chromedp.EmulateViewport(360, 740, chromedp.EmulateMobile))
		tb.visit(p.path)
		tb.sees(p.selector, p.words)
		if p.path == "/" {
			tb.sees("#live", "Live")
		}
		if wide := js[int](tb, "document.documentElement.scrollWidth"); wide > 360 {
			t.Errorf("%s is %d wide", p.path, wide)
		}
		if small := js[[]string](tb, `[...document.querySelectorAll("main button")].filter((e) => e.checkVisibility() && e.getBoundingClientRect().height < 32)
			.map((e) => e.textContent)`); len(small) > 0 {
			t.Errorf("%s: too small for a finger: %q", p.path, small)
		}
	}
}
