package token

import (
	"crypto/ed25519"
	"crypto/sha256"
	"errors"
	"fmt"
	"net/http"
	"slices"

	"github.com/golang-jwt/jwt/v5"
)

// Admission checks service tokens: which process calls, and whether it may.
type Admission struct {
	self    string
	callers map[string][]ed25519.PublicKey
	seen    *seen[string]
}

// NewAdmission admits callers, by name, to the service called self. A caller has several keys while its key is
// exchanged for another: some of its processes sign with the old one, some with the new one.
func NewAdmission(self string, callers map[string][]ed25519.PublicKey) *Admission {
	return &Admission{self: self, callers: callers, seen: newSeen[string](maxSeen)}
}

// Require returns the check of one endpoint, which only the named callers may use.
// A user token never passes. The error is [ErrNotAdmitted] in every case, so that a
// 401 from an internal endpoint can only speak of the person the call is about, and
// a mistake in the callers' keys is never taken for one.
func (a *Admission) Require(names ...string) func(*http.Request) error {
	return func(r *http.Request) error {
		name, err := a.caller(r)
		if err != nil {
			return ErrNotAdmitted.Because(err)
		}
		if !slices.Contains(names, name) {
			return ErrNotAdmitted.Because(fmt.Errorf("%s called %s", name, r.URL.Path))
		}
		return nil
	}
}

// caller returns the name of the process that signed the request's token.
func (a *Admission) caller(r *http.Request) (string, error) {
	raw, ok := Bearer(r.Header)
	if !ok {
		return "", errors.New("the request carries no service token")
	}
	hash := sha256.Sum256([]byte(raw))
	if name, ok := a.seen.get(hash); ok {
		return name, nil
	}
	c, err := parse(raw, typService, a.self, func(t *jwt.Token) (any, error) {
		issuer, err := t.Claims.GetIssuer()
		if err != nil {
			return nil, err
		}
		var set jwt.VerificationKeySet
		for _, key := range a.callers[issuer] {
			set.Keys = append(set.Keys, key)
		}
		if len(set.Keys) == 0 {
			return nil, fmt.Errorf("caller %q is not known here", issuer)
		}
		return set, nil
	})
	if err != nil {
		return "", err
	}
	a.seen.put(hash, c.Issuer, c.ExpiresAt.Add(leeway))
	return c.Issuer, nil
}
