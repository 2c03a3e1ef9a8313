package token

import (
	"crypto/ed25519"
	"encoding/json"
	"fmt"
	"time"

	"github.com/golang-jwt/jwt/v5"
)

// Signer issues user tokens. It is safe for concurrent use.
type Signer struct {
	issuer string
	key    ed25519.PrivateKey
	kid    string
	jwks   []byte
}

// NewSigner signs as issuer with the first of keys, and publishes all of them.
// It panics without a key; [ParseSigningKeys] never returns none.
func NewSigner(issuer string, keys []ed25519.PrivateKey) *Signer {
	var set jwks
	for _, key := range keys {
		set.Keys = append(set.Keys, publish(key.Public().(ed25519.PublicKey)))
	}
	body, err := json.Marshal(set)
	if err != nil {
		panic(err) // six strings always marshal
	}
	return &Signer{issuer: issuer, key: keys[0], kid: set.Keys[0].Kid, jwks: body}
}

// Issue returns a token that says, for ttl, that its bearer is id.
func (s *Signer) Issue(id Identity, ttl time.Duration) (string, error) {
	now := time.Now()
	t := jwt.NewWithClaims(jwt.SigningMethodEdDSA, claims{
		RegisteredClaims: jwt.RegisteredClaims{
			Issuer:    s.issuer,
			Subject:   id.Subject.String(),
			Audience:  jwt.ClaimStrings{Audience},
			IssuedAt:  jwt.NewNumericDate(now),
			ExpiresAt: jwt.NewNumericDate(now.Add(ttl)),
		},
		Role: id.Role,
	})
	t.Header["typ"] = typUser
	t.Header["kid"] = s.kid
	signed, err := t.SignedString(s.key)
	if err != nil {
		return "", fmt.Errorf("sign a token for %s: %w", id.Subject, err)
	}
	return signed, nil
}

// JWKS is the JSON Web Key Set of all public keys, to be served as
// application/jwk-set+json. The caller must not change it.
func (s *Signer) JWKS() []byte { return s.jwks }
