package accounts

import (
	"context"
	"crypto/rand"
	"crypto/sha256"
	"encoding/base64"
	"errors"
	"fmt"
	"log/slog"
	"net/http"
	"time"

	"banyan/internal/token"
)

const (
	sessionAge = 30 * 24 * time.Hour
	tokenSize  = 32 // random bytes

	purgeEvery = time.Hour
	purgeBatch = 1000
)

// tokenLength is that of a token as clients hold it.
var tokenLength = base64.RawURLEncoding.EncodedLen(tokenSize)

// Session says that somebody is signed in, to whoever holds its token.
type Session struct {
	Token     string    `json:"token"` // opaque, and known to the client only
	ExpiresAt time.Time `json:"expires_at"`
	Account   Account   `json:"account"`
}

// Login makes a session, or returns ErrWrongCredentials. from says where the
// request comes from; whoever guesses too often there is refused as Throttled.
func (s *Service) Login(ctx context.Context, c Credentials, from string) (Session, error) {
	try, err := s.guesses.begin(c.Email, from)
	if err != nil {
		return Session{}, err
	}
	who, err := s.check(ctx, c)
	try.end(err)
	if err != nil {
		return Session{}, fmt.Errorf("log in: %w", err)
	}
	now := time.Now().UTC().Truncate(time.Microsecond)
	session := Session{Token: newToken(), ExpiresAt: now.Add(sessionAge), Account: who}
	if err := insertSession(ctx, s.pool, hashToken(session.Token), session, now); err != nil {
		return Session{}, fmt.Errorf("log in to account %s: %w", who.ID, err)
	}
	return session, nil
}

// check returns whose credentials these are, or ErrWrongCredentials. An unknown
// address costs as much as a wrong password, and no connection is held meanwhile.
func (s *Service) check(ctx context.Context, c Credentials) (Account, error) {
	who, err := selectCredentials(ctx, s.pool, c.Email)
	unknown := errors.Is(err, ErrWrongCredentials)
	if unknown {
		who.PasswordHash = noPassword
	} else if err != nil {
		return Account{}, err
	}
	right, err := s.passwords.verify(ctx, c.Password, who.PasswordHash)
	if err != nil {
		return Account{}, err
	}
	if unknown || !right {
		return Account{}, ErrWrongCredentials
	}
	return who.Account, nil
}

// Logout ends the session of a token. Ending it again changes nothing.
func (s *Service) Logout(ctx context.Context, raw string) error {
	hash := hashToken(raw)
	s.cache.drop(hash)
	return deleteSession(ctx, s.pool, hash)
}

// Authenticate returns who sent the request, or token.ErrUnauthenticated.
func (s *Service) Authenticate(r *http.Request) (token.Identity, error) {
	raw, ok := token.Bearer(r.Header)
	if !ok || len(raw) != tokenLength {
		return token.Identity{}, token.ErrUnauthenticated
	}
	hash := hashToken(raw)
	if id, ok := s.cache.get(hash); ok {
		return id, nil
	}
	id, expires, err := selectIdentity(r.Context(), s.pool, hash)
	if err != nil {
		return token.Identity{}, err
	}
	s.cache.put(hash, id, expires)
	return id, nil
}

// Run removes sessions that have expired, now and then, until ctx ends. Nobody
// can use them, so a failure may wait for the next time.
func (s *Service) Run(ctx context.Context, log *slog.Logger) error {
	tick := time.NewTicker(purgeEvery)
	defer tick.Stop()
	for {
		if err := s.purge(ctx); err != nil && ctx.Err() == nil {
			log.WarnContext(ctx, "cannot remove expired sessions", "error", err)
		}
		select {
		case <-tick.C:
		case <-ctx.Done():
			return nil
		}
	}
}

// purge works in batches, so that no statement holds many locks for long.
func (s *Service) purge(ctx context.Context) error {
	for {
		n, err := deleteExpiredSessions(ctx, s.pool, purgeBatch)
		if err != nil || n < purgeBatch {
			return err
		}
	}
}

func newToken() string {
	b := make([]byte, tokenSize)
	_, _ = rand.Read(b) // crypto/rand never fails; it ends the program instead
	return base64.RawURLEncoding.EncodeToString(b)
}

// tokenHash is what is known of a token.
type tokenHash = [sha256.Size]byte

func hashToken(raw string) tokenHash { return sha256.Sum256([]byte(raw)) }
