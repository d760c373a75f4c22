package httpd

import (
	"crypto/sha1"
	"crypto/sha256"
	"crypto/subtle"
	"encoding/base64"
	"encoding/hex"
	"net/http"
	"strings"
)

// Auth is what the clients of a socket must know (manual: Configuration File,
// [inet_http_server] section settings). Without a username nothing is asked.
type Auth struct {
	Username string
	// Password is plain, or {SHA} and the SHA-1 of the password in hexadecimal
	// digits, or {BCRYPT} and its bcrypt hash.
	Password string
}

// Check returns an error if nobody can be let in, whatever is asked of them.
func (a Auth) Check() error {
	if hash, hashed := strings.CutPrefix(a.Password, bcryptPrefix); hashed && a.Username != "" {
		_, err := newBcryptPassword(hash)
		return err
	}
	return nil
}

// shaPrefix marks a password that is stored as its hash.
const shaPrefix = "{SHA}"

// credentials are an Auth in a form in which comparing takes the same time
// whatever is compared. A nil *credentials allows everything.
type credentials struct {
	username [sha256.Size]byte
	sha      bool
	password [sha256.Size]byte
	bcrypted bool
	bcrypt   *bcryptPassword // nil if it cannot match
}

func newCredentials(a Auth) *credentials {
	if a.Username == "" {
		return nil
	}
	c := &credentials{username: sha256.Sum256([]byte(a.Username))}
	password := a.Password
	if password, c.bcrypted = strings.CutPrefix(password, bcryptPrefix); c.bcrypted {
		c.bcrypt, _ = newBcryptPassword(password) // Check tells of the error.
		return c
	}
	if password, c.sha = strings.CutPrefix(password, shaPrefix); c.sha {
		password = strings.ToLower(password)
	}
	c.password = sha256.Sum256([]byte(password))
	return c
}

// allow reports whether a request carries the right name and password.
func (c *credentials) allow(r *http.Request) bool {
	if c == nil {
		return true
	}
	name, password, ok := basicAuth(r.Header.Get("Authorization"))
	nameSum := sha256.Sum256([]byte(name))
	same := subtle.ConstantTimeCompare(nameSum[:], c.username[:])
	if c.bcrypted {
		// A wrong name takes as long as a wrong password.
		return ok && c.bcrypt.allow(password) && same == 1
	}
	if c.sha {
		sum := sha1.Sum([]byte(password))
		password = hex.EncodeToString(sum[:])
	}
	passwordSum := sha256.Sum256([]byte(password))
	same &= subtle.ConstantTimeCompare(passwordSum[:], c.password[:])
	return ok && same == 1
}

// allowAtOnce is allow, but for what would have to be computed first it returns
// false.
func (c *credentials) allowAtOnce(r *http.Request) bool {
	if c != nil && c.bcrypted {
		_, password, _ := basicAuth(r.Header.Get("Authorization"))
		if c.bcrypt == nil || !c.bcrypt.isRight(sha256.Sum256([]byte(password))) {
			return false
		}
	}
	return c.allow(r)
}

// basicAuth splits the value of an Authorization header of the scheme Basic.
func basicAuth(header string) (name, password string, ok bool) {
	scheme, value, _ := strings.Cut(header, " ")
	if !strings.EqualFold(scheme, "basic") {
		return "", "", false
	}
	data, err := base64.StdEncoding.DecodeString(strings.TrimSpace(value))
	if err != nil {
		return "", "", false
	}
	return strings.Cut(string(data), ":")
}
