package main

import (
	"context"
	"sync"

	"github.com/google/uuid"
	"github.com/jackc/pgx/v5/pgxpool"
)

// Service is the shop's mail.
type Service struct {
	pool   *pgxpool.Pool
	mailer *Mailer

	wake chan struct{}
	turn sync.Mutex // held by the one sender that looks for work
	more bool       // there may be more to send at once; guarded by turn
}

// New returns the mail that the pool's database holds. Nothing is sent until Run.
func New(pool *pgxpool.Pool, mailer *Mailer) *Service {
	return &Service{pool: pool, mailer: mailer, wake: make(chan struct{}, 1), more: true}
}

// Wake tells the worker that something was queued. It never waits.
func (s *Service) Wake() {
	select {
	case s.wake <- struct{}{}:
	default: // the worker will look anyway
	}
}

// Messages returns those to an account that are older than the one given, newest
// first, and one more than limit, if there is one.
func (s *Service) Messages(ctx context.Context, accountID, before uuid.UUID, limit int) ([]Message, error) {
	return selectMessages(ctx, s.pool, accountID, before, limit+1)
}
