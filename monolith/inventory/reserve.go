package inventory

import (
	"context"

	"github.com/google/uuid"
	"github.com/jackc/pgx/v5"

	"banyan/internal/postgres"
)

// QueueTake takes copies of the books off the shelf. The batch fails, and
// Refused reports it, if there are too few of any. The books must be in order of
// id: two checkouts that lock the same rows in the same order never deadlock.
func (s *Service) QueueTake(ctx context.Context, b *pgx.Batch, books []uuid.UUID, quantities []int) {
	for n, id := range books {
		queueTake(b, id, quantities[n])
	}
	if s.wake != nil { // orders calls it, after its commit
		queueTell(ctx, b, books)
	}
}

// QueueGiveBack puts copies that were taken back on the shelf.
func (s *Service) QueueGiveBack(ctx context.Context, b *pgx.Batch, books []uuid.UUID, quantities []int) {
	for n, id := range books {
		queueTake(b, id, -quantities[n])
	}
	if s.wake != nil {
		queueTell(ctx, b, books)
	}
}

// Refused reports whether a batch failed because there were too few copies.
func (s *Service) Refused(err error) bool {
	return postgres.CheckViolation(err, "books_stock_not_negative")
}
