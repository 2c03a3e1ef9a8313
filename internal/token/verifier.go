package token

import (
	"context"
	"crypto/sha256"
	"errors"
	"fmt"
	"log/slog"
	"net/http"
	"time"

	"github.com/golang-jwt/jwt/v5"
	"github.com/google/uuid"
)

// VerifierConfig says whose user tokens to believe.
type VerifierConfig struct {
	Issuer    string       // who signs them
	Audience  string       // whom they are for; Audience if empty
	IssuerURL string       // such as http://127.0.0.1:8101, which publishes its keys at KeysPath; several instances of it are separated by commas
	HTTP      *http.Client // http.DefaultClient if nil; every fetch has a deadline of its own
	Log       *slog.Logger // gets the fetches that failed; slog.Default if nil
}

// Verifier checks user tokens against the issuer's published keys. It fetches them
// with the first token, when a token names a key that it does not know, and again
// every five minutes of use. Keys that it has stay good while a fetch fails.
type Verifier struct {
	issuer   string
	audience string
	keys     *keyRing
}

// NewVerifier makes a verifier; it fetches nothing yet, so the issuer may start later.
func NewVerifier(cfg VerifierConfig) *Verifier {
	if cfg.Audience == "" {
		cfg.Audience = Audience
	}
	if cfg.HTTP == nil {
		cfg.HTTP = http.DefaultClient
	}
	if cfg.Log == nil {
		cfg.Log = slog.Default()
	}
	return &Verifier{
		issuer:   cfg.Issuer,
		audience: cfg.Audience,
		keys:     newKeyRing(cfg.IssuerURL, cfg.HTTP, cfg.Log),
	}
}

// Authenticate returns the person whose token the request carries. The error is
// [ErrUnauthenticated], or [ErrUnavailable] if the issuer's keys could not be
// fetched and nobody can say whether the token is good.
func (v *Verifier) Authenticate(r *http.Request) (Identity, error) {
	raw, ok := Bearer(r.Header)
	if !ok {
		return Identity{}, ErrUnauthenticated
	}
	return v.Verify(r.Context(), raw)
}

// Verify is Authenticate for a token that was carried some other way.
func (v *Verifier) Verify(ctx context.Context, raw string) (Identity, error) {
	if len(raw) > maxToken {
		return Identity{}, ErrUnauthenticated
	}
	hash := sha256.Sum256([]byte(raw))
	set := v.keys.current()
	if set != nil {
		if id, ok := set.seen.get(hash); ok {
			return id, nil
		}
	}
	id, c, err := v.check(raw, set)
	// The token may be signed by a key that was published a moment ago. Only keys that were fetched after the token
	// came can say that it is not.
	for came, definite := time.Now(), false; errors.Is(err, errUnknownKey) && !definite; {
		if set, definite, err = v.keys.fetch(ctx, set, came); err != nil {
			return Identity{}, ErrUnavailable.Because(err)
		}
		id, c, err = v.check(raw, set)
	}
	if err != nil {
		return Identity{}, ErrUnauthenticated.Because(err)
	}
	set.seen.put(hash, id, c.ExpiresAt.Add(leeway))
	return id, nil
}

var errUnknownKey = errors.New("the token names a key that is not published")

func (v *Verifier) check(raw string, set *keySet) (Identity, *claims, error) {
	c, err := parse(raw, typUser, v.audience, func(t *jwt.Token) (any, error) {
		kid, _ := t.Header["kid"].(string)
		if set == nil || set.keys[kid] == nil {
			// Only a token that could be good may cause a fetch.
			if t.Header["typ"] != typUser || kid == "" {
				return nil, jwt.ErrTokenUnverifiable
			}
			return nil, errUnknownKey
		}
		return set.keys[kid], nil
	})
	if err != nil {
		return Identity{}, nil, err
	}
	if c.Issuer != v.issuer {
		return Identity{}, nil, jwt.ErrTokenInvalidIssuer
	}
	subject, err := uuid.Parse(c.Subject)
	if err != nil {
		return Identity{}, nil, fmt.Errorf("the subject is no UUID: %w", err)
	}
	return Identity{Subject: subject, Role: c.Role}, c, nil
}
