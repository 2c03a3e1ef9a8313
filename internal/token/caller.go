package token

import (
	"crypto/ed25519"
	"fmt"
	"sync"
	"time"

	"github.com/golang-jwt/jwt/v5"
)

const (
	callerTTL   = 5 * time.Minute // how long a service token holds
	callerReuse = 4 * time.Minute // how long it is reused before the next one is signed
)

// Caller signs the tokens by which one process shows others who it is. It is safe
// for concurrent use.
type Caller struct {
	name string
	key  ed25519.PrivateKey

	mu     sync.RWMutex
	tokens map[string]signed // by audience
}

type signed struct {
	token string
	until time.Time
}

// NewCaller signs as name, which those it calls know together with the public key.
func NewCaller(name string, key ed25519.PrivateKey) *Caller {
	return &Caller{name: name, key: key, tokens: map[string]signed{}}
}

// Token returns a token for the service called audience. It is the same one for
// four minutes, so that both sides can spare themselves the signature.
func (c *Caller) Token(audience string) (string, error) {
	now := time.Now()
	c.mu.RLock()
	t := c.tokens[audience]
	c.mu.RUnlock()
	if now.Before(t.until) {
		return t.token, nil
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	if t = c.tokens[audience]; now.Before(t.until) {
		return t.token, nil
	}
	j := jwt.NewWithClaims(jwt.SigningMethodEdDSA, claims{RegisteredClaims: jwt.RegisteredClaims{
		Issuer:    c.name,
		Audience:  jwt.ClaimStrings{audience},
		IssuedAt:  jwt.NewNumericDate(now),
		ExpiresAt: jwt.NewNumericDate(now.Add(callerTTL)),
	}})
	j.Header["typ"] = typService
	raw, err := j.SignedString(c.key)
	if err != nil {
		return "", fmt.Errorf("sign a token for %s as %s: %w", audience, c.name, err)
	}
	c.tokens[audience] = signed{raw, now.Add(callerReuse)}
	return raw, nil
}
