package httpd

import (
	"net/http"
	"strings"
	"sync"
	"testing"

	"golang.org/x/crypto/bcrypt"
)

func hashOf(t *testing.T, password string) string {
	t.Helper()
	hash, err := bcrypt.GenerateFromPassword([]byte(password), bcrypt.MinCost)
	if err != nil {
		t.Fatal(err)
	}
	return string(hash)
}

func TestBcrypt(t *testing.T) {
	hash := hashOf(t, "p:ss")
	for _, hash := range []string{
		hash,
		strings.Replace(hash, "$2a$", "$2y$", 1), // as htpasswd writes it
		// These are by libxcrypt.
		"$2b$04$abcdefghijklmnopqrstuuao/EEYy4gwOnmm9F4pxoSBwmV13BbcC",
		"$2y$05$ABCDEFGHIJKLMNOPQRSTUO.OiotRlMZbZhE3Ctzrdm7QdqkcTVP6y",
	} {
		c := newCredentials(Auth{Username: "user", Password: bcryptPrefix + hash})
		// Twice, for what is remembered.
		for range 2 {
			for _, login := range []struct{ name, password string }{
				{"user", "p:ss"}, {"user", "p:s"}, {"user", ""}, {"user", hash}, {"user", bcryptPrefix + hash}, {"User", "p:ss"}, {"", "p:ss"},
			} {
				r := &http.Request{Header: http.Header{}}
				r.SetBasicAuth(login.name, login.password)
				want := login.name == "user" && login.password == "p:ss"
				if got := c.allow(r); got != want {
					t.Errorf("%s: %q with %q: %v, want %v", hash, login.name, login.password, got, want)
				}
			}
			if c.allow(&http.Request{Header: http.Header{}}) {
				t.Errorf("%s: allowed without a login", hash)
			}
		}
	}
}

func TestBcryptIsComputedOnce(t *testing.T) {
	b, err := newBcryptPassword(hashOf(t, "secret"))
	if err != nil {
		t.Fatal(err)
	}
	var all sync.WaitGroup
	for range 8 {
		all.Go(func() {
			if !b.allow("secret") || b.allow("Secret") {
				t.Error("wrong answer")
			}
		})
	}
	all.Wait()
	// What is remembered is asked first, so that a hash is not needed any more.
	b.hash = nil
	if !b.allow("secret") || b.allow("Secret") {
		t.Error("the right password was not remembered, or another one was")
	}
}

// TestBcryptAtOnce: what would take long is not computed where it would be
// computed once more.
func TestBcryptAtOnce(t *testing.T) {
	c := newCredentials(Auth{Username: "user", Password: bcryptPrefix + hashOf(t, "secret")})
	login := func(password string) *http.Request {
		r := &http.Request{Header: http.Header{}}
		r.SetBasicAuth("user", password)
		return r
	}
	if c.allowAtOnce(login("secret")) {
		t.Error("a hash was computed")
	}
	if !c.allow(login("secret")) || !c.allowAtOnce(login("secret")) || c.allowAtOnce(login("Secret")) {
		t.Error("the right password is not known, or another one is")
	}
}

func TestBadBcrypt(t *testing.T) {
	for _, hash := range []string{"", "secret", "$2b$04$short", "$2b$31$abcdefghijklmnopqrstuuao/EEYy4gwOnmm9F4pxoSBwmV13BbcC"} {
		auth := Auth{Username: "user", Password: bcryptPrefix + hash}
		err := auth.Check()
		if err == nil {
			t.Errorf("%q: no error", hash)
		} else if hash != "" && strings.Contains(err.Error(), hash) {
			t.Errorf("%q: the error has the hash: %v", hash, err)
		}
		r := &http.Request{Header: http.Header{}}
		for _, password := range []string{"", "secret", hash} {
			r.SetBasicAuth("user", password)
			if newCredentials(auth).allow(r) {
				t.Errorf("%q: allowed", hash)
			}
		}
	}
	for _, auth := range []Auth{{}, {Username: "u", Password: "p"}, {Username: "u", Password: "{SHA}x"}, {Password: "{BCRYPT}x"}} {
		if err := auth.Check(); err != nil {
			t.Errorf("%v: %v", auth, err)
		}
	}
}
