package webui

import (
	"net/http"
	"net/url"
	"strings"
)

// origin tells where a request that changes something comes from.
type origin int

const (
	// originOwn is a page of ours, or a program that is no browser.
	originOwn origin = iota
	// originUnknown is a browser that does not say what sent it here: a
	// bookmark, a typed address, a link in a mail, or a site that hides
	// itself.
	originUnknown
	// originForeign is a page of another site.
	originForeign
)

// requestOrigin decides by what a browser says of its own accord and a page
// cannot forge: Sec-Fetch-Site, Origin and Referer. A program that sends none
// of them and does not look like a browser either is not being misled by
// anybody, and is believed.
func requestOrigin(r *http.Request) origin {
	switch r.Header.Get("Sec-Fetch-Site") {
	case "same-origin":
		return originOwn
	case "none":
		return originUnknown
	case "":
	default:
		return originForeign
	}
	// Browsers send Sec-Fetch-Site only where the address is https or local.
	for _, name := range []string{"Origin", "Referer"} {
		if from := r.Header.Get(name); from != "" {
			if sameHost(from, r) {
				return originOwn
			}
			return originForeign
		}
	}
	if looksLikeBrowser(r) {
		return originUnknown
	}
	return originOwn
}

// sameHost reports whether an address is on the host that the request was made
// to. A proxy may have put its own name in Host; then it says in
// X-Forwarded-Host what the browser asked for, a header that no page can make
// a browser send to another site.
func sameHost(address string, r *http.Request) bool {
	u, err := url.Parse(address)
	if err != nil || u.Host == "" {
		return false
	}
	if strings.EqualFold(u.Host, r.Host) {
		return true
	}
	forwarded := r.Header.Get("X-Forwarded-Host")
	return forwarded != "" && strings.EqualFold(u.Host, forwarded)
}

// looksLikeBrowser reports whether a request has the two headers that every
// browser sends with every request, and hardly any script does.
func looksLikeBrowser(r *http.Request) bool {
	return strings.HasPrefix(r.UserAgent(), "Mozilla/") && r.Header.Get("Accept-Language") != ""
}

// wantsPage reports whether a person's browser asks for a page to show.
func wantsPage(r *http.Request) bool {
	return strings.Contains(r.Header.Get("Accept"), "text/html")
}

// allowChange reports whether a request that changes something may do so. If
// not it has been answered: with a question if the browser does not say where
// it comes from, otherwise with a refusal.
func (h *Handler) allowChange(w http.ResponseWriter, r *http.Request) bool {
	switch requestOrigin(r) {
	case originOwn:
		return true
	case originUnknown:
		if r.Method == http.MethodGet {
			h.serveQuestion(w, r)
			return false
		}
	}
	h.serveError(w, r, http.StatusForbidden, "Refused",
		"This request was sent by a page of another site. Nothing was done.")
	return false
}

// serveQuestion asks a person whether the action of a link is meant. The answer
// is a form of our own page, which a browser names as such.
func (h *Handler) serveQuestion(w http.ResponseWriter, r *http.Request) {
	action, name := r.Form.Get("action"), r.Form.Get("processname")
	question := "Do “" + action + "”"
	if words, ok := actionWords[action]; ok {
		question = words
	}
	if name != "" && action != "stopall" && action != "restartall" {
		question += " " + name
	}
	h.servePage(w, r, http.StatusForbidden, confirmPage(), values{
		"question": question + "?", "action": action, "processname": name,
	})
}

// actionWords are the actions as a question names them.
var actionWords = map[string]string{
	"start":      "Start",
	"stop":       "Stop",
	"restart":    "Restart",
	"clearlog":   "Clear the logs of",
	"stopall":    "Stop all programs",
	"restartall": "Restart all programs",
}
