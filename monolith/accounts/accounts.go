package accounts

import (
	"context"
	"fmt"
	"time"

	"github.com/google/uuid"
	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgxpool"

	"banyan/internal/events"
	"banyan/internal/postgres"
	"banyan/internal/token"
)

// Service is the accounts and their sessions.
type Service struct {
	pool      *pgxpool.Pool
	mail      Mail   // nil once notifications is far
	wake      func() // after a commit that has something to publish
	signer    *token.Signer
	passwords *passwords
	guesses   *guesses
	cache     *cache
}

// Far is what accounts needs once notifications is a service: it hears of new
// accounts by an event, and takes signed tokens only.
type Far struct {
	Wake   func() // called after each commit that has something to publish
	Signer *token.Signer
}

// New returns the accounts that the pool's database holds. Of mail and far one is
// there, as notifications is near or far. Who sent a request is remembered for
// sessionCache, but never for more than 30 s; 0 asks the database each time.
func New(pool *pgxpool.Pool, mail Mail, far Far, sessionCache time.Duration) *Service {
	return &Service{pool, mail, far.Wake, far.Signer, newPasswords(), newGuesses(), newCache(min(sessionCache, maxSessionCache))}
}

// Account returns one account. If there is none, nobody is signed in.
func (s *Service) Account(ctx context.Context, id uuid.UUID) (Account, error) {
	return selectAccount(ctx, s.pool, id)
}

// Create makes a customer of a valid registration and queues a mail of welcome, or the event that brings one.
// It returns ErrEmailTaken if somebody has the address. The password is hashed
// first in either case, so that the time it takes tells nothing.
func (s *Service) Create(ctx context.Context, r Registration) (Account, error) {
	hash, err := s.passwords.hash(ctx, r.Password)
	if err != nil {
		return Account{}, err
	}
	a := Account{
		ID: uuid.Must(uuid.NewV7()), Email: r.Email, Name: r.Name, Role: "customer",
		CreatedAt: time.Now().UTC().Truncate(time.Microsecond), // what a timestamptz can hold
	}
	b := &pgx.Batch{}
	insertAccount(b, a, hash)
	if s.mail != nil {
		s.mail.QueueWelcome(b, a.ID, a.Email, a.Name)
	} else {
		events.Queue(ctx, b, accountRegistered, accountEvent(a))
	}
	if err := postgres.Exec(ctx, s.pool, b); err != nil {
		if postgres.UniqueViolation(err, "accounts_email") {
			return Account{}, ErrEmailTaken
		}
		return Account{}, fmt.Errorf("create account %s: %w", a.ID, err)
	}
	if s.mail == nil {
		s.wake()
	}
	return a, nil
}
