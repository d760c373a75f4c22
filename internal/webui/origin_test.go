package webui

import (
	"net/http/httptest"
	"testing"
)

func TestRequestOrigin(t *testing.T) {
	const browser = "Mozilla/5.0 (X11; Linux x86_64; rv:140.0) Gecko/20100101 Firefox/140.0"
	for _, test := range []struct {
		name    string
		headers map[string]string
		want    origin
	}{
		{"script without headers", nil, originOwn},
		{"curl", map[string]string{"User-Agent": "curl/8.5.0", "Accept": "*/*"}, originOwn},
		{"PowerShell", map[string]string{"User-Agent": "Mozilla/5.0 (Windows NT; Windows NT 10.0; en-US) WindowsPowerShell/5.1"}, originOwn},
		{"own page", map[string]string{"Sec-Fetch-Site": "same-origin", "User-Agent": browser}, originOwn},
		{"own page, proxy with another name", map[string]string{"Sec-Fetch-Site": "same-origin", "Origin": "https://ops.example"}, originOwn},
		{"typed or bookmarked", map[string]string{"Sec-Fetch-Site": "none", "User-Agent": browser}, originUnknown},
		{"other site", map[string]string{"Sec-Fetch-Site": "cross-site"}, originForeign},
		{"other port of this host", map[string]string{"Sec-Fetch-Site": "same-site"}, originForeign},
		{"a word from the future", map[string]string{"Sec-Fetch-Site": "odd"}, originForeign},
		{"old browser, own origin", map[string]string{"Origin": "http://host:9001", "User-Agent": browser}, originOwn},
		{"old browser, other origin", map[string]string{"Origin": "http://evil.example"}, originForeign},
		{"hidden origin", map[string]string{"Origin": "null"}, originForeign},
		{"origin that is no address", map[string]string{"Origin": "::"}, originForeign},
		{"own referer", map[string]string{"Referer": "http://HOST:9001/index.html?x", "User-Agent": browser}, originOwn},
		{"other referer", map[string]string{"Referer": "http://host:9002/"}, originForeign},
		{"referer that begins like us", map[string]string{"Referer": "http://host:9001.evil.example/"}, originForeign},
		{"user in referer", map[string]string{"Referer": "http://host:9001@evil.example/"}, originForeign},
		{"forwarded host", map[string]string{"Origin": "http://ops.example", "X-Forwarded-Host": "ops.example"}, originOwn},
		{"browser that says nothing", map[string]string{"User-Agent": browser, "Accept-Language": "en"}, originUnknown},
	} {
		r := httptest.NewRequest("GET", "http://host:9001/?action=stopall", nil)
		for name, value := range test.headers {
			r.Header.Set(name, value)
		}
		if got := requestOrigin(r); got != test.want {
			t.Errorf("%s: got %d, want %d", test.name, got, test.want)
		}
	}
}
