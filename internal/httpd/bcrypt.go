package httpd

import (
	"crypto/sha256"
	"crypto/subtle"
	"fmt"
	"sync"
	"sync/atomic"

	"golang.org/x/crypto/bcrypt"
)

// bcryptPrefix marks a password that is stored as its bcrypt hash, such as
// htpasswd -B makes.
const bcryptPrefix = "{BCRYPT}"

// maxBcryptCost limits what a hash may ask of the processor at each attempt;
// it is some seconds' worth.
const maxBcryptCost = 16

// A bcryptPassword checks passwords against a hash that takes long to compute,
// on purpose. That would be a burden with every request of a program that knows
// the password, so one that was right is remembered, by its digest; and a means
// to keep the machine busy for one that does not, so only one is computed at a
// time.
type bcryptPassword struct {
	hash []byte

	computing sync.Mutex
	right     atomic.Pointer[[sha256.Size]byte] // nil until it is known
}

// newBcryptPassword returns an error if no password can match the hash. The
// error does not show the hash.
func newBcryptPassword(hash string) (*bcryptPassword, error) {
	cost, err := bcrypt.Cost([]byte(hash))
	if err != nil {
		return nil, fmt.Errorf("read bcrypt hash: %w", err)
	}
	if cost > maxBcryptCost {
		return nil, fmt.Errorf("read bcrypt hash: its cost is %d, more than %d", cost, maxBcryptCost)
	}
	return &bcryptPassword{hash: []byte(hash)}, nil
}

// allow reports whether the password is the right one.
func (b *bcryptPassword) allow(password string) bool {
	if b == nil {
		return false
	}
	digest := sha256.Sum256([]byte(password))
	if b.isRight(digest) {
		return true
	}
	b.computing.Lock()
	defer b.computing.Unlock()
	if b.isRight(digest) {
		return true // Another request found out meanwhile.
	}
	if bcrypt.CompareHashAndPassword(b.hash, []byte(password)) != nil {
		return false
	}
	b.right.Store(&digest)
	return true
}

func (b *bcryptPassword) isRight(digest [sha256.Size]byte) bool {
	right := b.right.Load()
	return right != nil && subtle.ConstantTimeCompare(right[:], digest[:]) == 1
}
