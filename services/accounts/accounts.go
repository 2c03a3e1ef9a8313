package main

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
	wake      func() // after a commit that has something to publish
	passwords *passwords
	guesses   *guesses
	signer    *token.Signer
}

// New returns the accounts that the pool's database holds. wake is called after
// each commit that has something to publish; signer signs what sessions are
// exchanged for.
func New(pool *pgxpool.Pool, wake func(), signer *token.Signer) *Service {
	return &Service{pool, wake, newPasswords(), newGuesses(), signer}
}

// Account returns one account. If there is none, nobody is signed in.
func (s *Service) Account(ctx context.Context, id uuid.UUID) (Account, error) {
	return selectAccount(ctx, s.pool, id)
}

// Create makes a customer of a valid registration and tells the others.
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
	events.Queue(ctx, b, accountRegistered, accountEvent(a))
	if err := postgres.Exec(ctx, s.pool, b); err != nil {
		if postgres.UniqueViolation(err, "accounts_email") {
			return Account{}, ErrEmailTaken
		}
		return Account{}, fmt.Errorf("create account %s: %w", a.ID, err)
	}
	s.wake()
	return a, nil
}
