package httpd

import (
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
)

func FuzzBasicAuth(f *testing.F) {
	for _, seed := range []string{"", "Basic", "Basic dXNlcjpwYXNz", "basic  dXNlcjpwYXNz ", "Basic dXNlcg==", "Basic \xff", "Bearer x", "Basic Og=="} {
		f.Add(seed)
	}
	c := newCredentials(Auth{Username: "user", Password: "pass"})
	f.Fuzz(func(t *testing.T, header string) {
		name, password, ok := basicAuth(header)
		if !ok && (password != "") {
			t.Fatalf("%q: password %q", header, password)
		}
		r := &http.Request{Header: http.Header{"Authorization": {header}}}
		if got, want := c.allow(r), ok && name == "user" && password == "pass"; got != want {
			t.Fatalf("%q is allowed: %v, want %v", header, got, want)
		}
	})
}

// FuzzCrossSite makes sure that a page of another site is never believed.
func FuzzCrossSite(f *testing.F) {
	for _, seed := range []string{"http://evil", "null", "http://localhost", "//localhost", "http://localhost@evil", "http://localhost.evil", "localhost", "http://evil/localhost", "http://[", "\x00"} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, origin string) {
		r := httptest.NewRequest(http.MethodPost, "http://localhost/RPC2", nil)
		r.Header["Origin"] = []string{origin}
		if origin == "" || crossSite(r) {
			return
		}
		_, rest, _ := strings.Cut(origin, "//")
		host, _, _ := strings.Cut(rest, "/")
		host, _, _ = strings.Cut(host, "?")
		host, _, _ = strings.Cut(host, "#")
		_, after, found := strings.Cut(host, "@")
		if found {
			host = after[strings.LastIndexByte("@"+after, '@'):]
		}
		if !strings.EqualFold(host, "localhost") {
			t.Fatalf("a page of %q is taken for one of ours", origin)
		}
	})
}
