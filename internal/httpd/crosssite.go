package httpd

import (
	"net"
	"net/http"
	"net/netip"
	"net/url"
	"strconv"
	"strings"
)

// crossSite reports whether a browser sent a request on behalf of the page of
// another site. It goes by headers that a page cannot forge. Programs that are
// no browsers do not send them, and are believed.
func crossSite(r *http.Request) bool {
	switch r.Header.Get("Sec-Fetch-Site") {
	case "same-origin", "none":
		return false
	case "":
	default:
		return true
	}
	// Browsers send Sec-Fetch-Site only to addresses with https or on the same
	// host.
	for _, name := range [...]string{"Origin", "Referer"} {
		if from := r.Header.Get(name); from != "" {
			return !sameHost(from, r)
		}
	}
	return false
}

// sameHost reports whether an address is on the host that a request was made
// to. A proxy may have replaced Host; then it says in X-Forwarded-Host what the
// browser asked for, which no page can make a browser send to another site.
func sameHost(address string, r *http.Request) bool {
	u, err := url.Parse(address)
	if err != nil || u.Host == "" {
		return false
	}
	return strings.EqualFold(u.Host, r.Host) || strings.EqualFold(u.Host, r.Header.Get("X-Forwarded-Host"))
}

// rebound reports whether a browser made a request to a loopback address under
// a foreign name. That is what a page does whose own name was made to lead here
// (DNS rebinding): for the browser it then is a page of ours. Requests through
// a proxy do not name the port that they arrive at, and are not meant.
func (s *Server) rebound(r *http.Request) bool {
	local, ok := r.Context().Value(http.LocalAddrContextKey).(*net.TCPAddr)
	if !ok || !local.IP.IsLoopback() || !fromBrowser(r) {
		return false
	}
	host, port, err := net.SplitHostPort(r.Host)
	if err != nil || port != strconv.Itoa(local.Port) {
		return false
	}
	if _, err := netip.ParseAddr(host); err == nil {
		return false
	}
	host = strings.ToLower(strings.TrimSuffix(host, "."))
	if host == "localhost" || strings.HasSuffix(host, ".localhost") {
		return false
	}
	// The machine may be called by its full name, or by its short one.
	own, _, _ := strings.Cut(strings.ToLower(s.hostname), ".")
	return host != own && host != strings.ToLower(s.hostname)
}

// fromBrowser reports whether a request looks like one of a browser.
func fromBrowser(r *http.Request) bool {
	for _, name := range [...]string{"Sec-Fetch-Site", "Sec-Fetch-Mode", "Origin", "Referer"} {
		if r.Header.Get(name) != "" {
			return true
		}
	}
	return strings.HasPrefix(r.UserAgent(), "Mozilla/")
}
