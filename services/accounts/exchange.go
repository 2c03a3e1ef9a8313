package main

import (
	"context"
	"fmt"
	"time"

	"banyan/internal/token"
)

// signedAge is how long a signed token holds. Nobody can call it back, so it
// must be short.
const signedAge = 60 * time.Second

// Signed is what a session is worth inside: a token that says who is calling, and
// that every service can check without asking anybody.
type Signed struct {
	Token     string `json:"token"`
	ExpiresIn int    `json:"expires_in"` // seconds
}

// Exchange turns the token of a session, which only accounts understands, into a
// signed one (the phantom-token pattern). It returns token.ErrUnauthenticated if
// there is no such session. Nothing is remembered here: the gateway remembers the
// answer, and two memories in a row would keep a session twice as long after its
// end.
func (s *Service) Exchange(ctx context.Context, raw string) (Signed, error) {
	if len(raw) != tokenLength {
		return Signed{}, token.ErrUnauthenticated
	}
	id, expires, err := selectIdentity(ctx, s.pool, hashToken(raw))
	if err != nil {
		return Signed{}, err
	}
	age := min(signedAge, time.Until(expires))
	signed, err := s.signer.Issue(id, age)
	if err != nil {
		return Signed{}, fmt.Errorf("exchange a session of account %s: %w", id.Subject, err)
	}
	return Signed{signed, int(age.Seconds())}, nil
}
